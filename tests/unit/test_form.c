/* The fields of a request, in each encoding, well sent and badly. */
#include "room.h"

#include "form.h"
#include "json.h"
#include "text.h"

static enum status
read_as(struct room *room, const char *type, struct str body, struct form *form)
{
	struct form_encoding encoding;
	OK(form_encoding(&room->arena, str_from(type), &encoding));
	return form_read(&room->arena, &encoding, body, form);
}

static const char urlencoded[] = "application/x-www-form-urlencoded", json[] = "application/json";

static struct str
value_of(const struct form *form, const char *name)
{
	struct str value;
	OK(form_one(form, name, &value));
	return value;
}

static void
content_types_name_encodings(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *type;
		int kind; /* -1: refused */
	} cases[] = {
	    {"application/x-www-form-urlencoded", FORM_URLENCODED},
	    {"Application/X-WWW-Form-Urlencoded; charset=UTF-8", FORM_URLENCODED},
	    {" application/json ;x", FORM_JSON},
	    {"application/json;charset=utf-8", FORM_JSON},
	    {"multipart/form-data; boundary=x", FORM_MULTIPART},
	    {"multipart/form-data", FORM_MULTIPART},
	    {"", -1},
	    {"text/plain", -1},
	    {"application/jsonx", -1},
	    {"application/x-www-form-urlencoded, application/json", -1},
	    {"multipart/mixed; boundary=x", -1},
	    {";application/json", -1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct form_encoding encoding;
		enum status status = form_encoding(&room->arena, str_from(cases[i].type), &encoding);
		assert_int_equal(status, cases[i].kind < 0 ? STATUS_INVALID : STATUS_OK);
		if (status == STATUS_OK)
			assert_int_equal(encoding.kind, cases[i].kind);
	}
	struct form_encoding encoding;
	assert_int_equal(form_encoding(&room->arena, STR_NONE, &encoding), STATUS_INVALID);
}

static void
urlencoded_bodies_are_read(void **state)
{
	struct room *room = *state;
	struct form form;
	OK(read_as(room, urlencoded,
	    STR("a=1&b=x+y%20z&c=%2B%26%3D&d=p=q&e&f=&=g&&%68=i&j=1%0D%0A2%0D3%0A4&k=%C3%A4&l=%zz%"), &form));
	assert_str(value_of(&form, "a"), "1");
	assert_str(value_of(&form, "b"), "x y z");
	assert_str(value_of(&form, "c"), "+&=");
	assert_str(value_of(&form, "d"), "p=q");
	assert_str(value_of(&form, "e"), "");
	assert_str(value_of(&form, "f"), "");
	assert_str(value_of(&form, ""), "g");
	assert_str(value_of(&form, "h"), "i");
	assert_str(value_of(&form, "j"), "1\n2\n3\n4");
	assert_str(value_of(&form, "k"), "\xc3\xa4");
	assert_str(value_of(&form, "l"), "%zz%");
	assert_null(value_of(&form, "A").at);
	assert_null(value_of(&form, "m").at);
	OK(read_as(room, urlencoded, STR(""), &form));
	assert_int_equal(form.n, 0);
	OK(read_as(room, urlencoded, STR("&&&"), &form));
	assert_int_equal(form.n, 0);
	OK(form_query(&room->arena, STR_NONE, &form));
	assert_int_equal(form.n, 0);
	OK(form_query(&room->arena, STR("page=/a%20b&parent=3"), &form));
	assert_str(value_of(&form, "page"), "/a b");
}

static void
bad_bytes_are_refused(void **state)
{
	struct room *room = *state;
	static const char *const bad[] = {"a=%00", "a=%FF", "%FF=a", "a=%C0%AF", "a=%ED%A0%80", "a=%F4%90%80%80",
	    "a=%C3", "a=\xc3\x28", "\xff", "b=1&a=%00&c=2"};
	struct form form;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(read_as(room, urlencoded, str_from(bad[i]), &form), STATUS_INVALID);
	assert_int_equal(read_as(room, urlencoded, STR("a=x\0y"), &form), STATUS_INVALID);
	static const char *const bad_json[] = {"", " ", "[]", "1", "\"a\"", "null", "{", "{}x", "{\"a\":1,\"a\":2}",
	    "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}", "{a:1}", "{'a':1}", "{\"a\":1,}",
	    "\xef\xbb\xbf{}", "{\"a\":\"x\ny\"}"};
	for (size_t i = 0; i < sizeof bad_json / sizeof *bad_json; i++)
		assert_int_equal(read_as(room, json, str_from(bad_json[i]), &form), STATUS_INVALID);
	assert_int_equal(read_as(room, json, STR("{\"a\":\"x\0y\"}"), &form), STATUS_INVALID);
}

static void
duplicates_are_told_when_asked_for(void **state)
{
	struct room *room = *state;
	struct form form;
	struct str value;
	OK(read_as(room, urlencoded, STR("a=1&b=2&a=1&%61=3"), &form));
	assert_int_equal(form_one(&form, "a", &value), STATUS_INVALID);
	assert_str(value_of(&form, "b"), "2");
}

static struct str
many_fields(struct room *room, size_t n)
{
	struct out out;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < n; i++)
		out_format(&out, "%sf%zu=x", i == 0 ? "" : "&", i);
	return out_str(&out);
}

static void
fields_are_counted(void **state)
{
	struct room *room = *state;
	struct form form;
	OK(read_as(room, urlencoded, many_fields(room, FORM_FIELDS_MOST), &form));
	assert_int_equal(form.n, 1024);
	assert_str(value_of(&form, "f1023"), "x");
	assert_int_equal(read_as(room, urlencoded, many_fields(room, 1025), &form), STATUS_INVALID);
	struct out out;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < 1025; i++)
		out_format(&out, "--b\r\nContent-Disposition: form-data; name=\"f%zu\"\r\n\r\nx\r\n", i);
	out_put(&out, STR("--b--\r\n"));
	assert_int_equal(read_as(room, "multipart/form-data; boundary=b", out_str(&out), &form), STATUS_INVALID);
	out_init(&out, &room->arena);
	for (size_t i = 0; i < JSON_MEMBERS + 1; i++)
		out_format(&out, "%s\"f%zu\":\"x\"", i == 0 ? "{" : ",", i);
	out_byte(&out, '}');
	assert_int_equal(read_as(room, json, out_str(&out), &form), STATUS_INVALID);
}

static void
json_bodies_are_read(void **state)
{
	struct room *room = *state;
	struct form form;
	OK(read_as(room, json,
	    STR(" {\"a\":\"x\\r\\ny\",\"b\":null,\"c\":1,\"d\":true,\"e\":[\"x\"],\"f\":{\"a\":\"y\"},\"g\":\"\"} "),
	    &form));
	assert_str(value_of(&form, "a"), "x\ny");
	assert_null(value_of(&form, "b").at);
	assert_str(value_of(&form, "g"), "");
	static const char *const not_text[] = {"c", "d", "e", "f"};
	for (size_t i = 0; i < 4; i++) {
		assert_true(form_is_not_text(&form, not_text[i]));
		assert_null(value_of(&form, not_text[i]).at);
	}
	assert_false(form_is_not_text(&form, "a") || form_is_not_text(&form, "b") || form_is_not_text(&form, "z"));
}

static void
multipart_bodies_are_read(void **state)
{
	struct room *room = *state;
	static const char type[] = "multipart/form-data; boundary=\"b\"";
	struct form form;
	OK(read_as(room, type,
	    STR("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\ny\r\n"
	        "--b\r\ncontent-disposition: form-data; name=\"q%22\"\r\nContent-Type: text/plain\r\n\r\n\r\n--b--\r\n"),
	    &form));
	assert_str(value_of(&form, "a"), "x\ny");
	assert_str(value_of(&form, "q\""), "");
	static const char *const bad[] = {"", "--b--", "--b\r\n\r\nx\r\n--b--\r\n",
	    "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n",
	    "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
	    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n",
	    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b",
	    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n--b--\r\n",
	    "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--b--\r\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (i != 1)
			assert_int_equal(read_as(room, type, str_from(bad[i]), &form), STATUS_INVALID);
	assert_int_equal(read_as(room, "multipart/form-data", STR("--b--"), &form), STATUS_INVALID);
	assert_int_equal(read_as(room, "multipart/form-data; boundary=a; boundary=b", STR("--b--"), &form), STATUS_INVALID);
}

/* --- cut bodies -------------------------------------------------------------------------------- */

static void
read_cut(struct room *room, const char *type, struct str body, struct form *form)
{
	struct form_encoding encoding;
	OK(form_encoding(&room->arena, str_from(type), &encoding));
	form_read_cut(&room->arena, &encoding, body, form);
}

static void
assert_valid(const struct form *form)
{
	for (size_t i = 0; i < form->n; i++)
		assert_true(text_valid(form->fields[i].name) && text_valid(form->fields[i].value));
}

/* Cut at every byte: what is given back is the beginning of what was typed, never anything else. */
static void
cut_bodies_give_beginnings(void **state)
{
	struct room *room = *state;
	struct str body = STR("name=Ada&comment=caf%C3%A9+%F0%9F%98%80%0D%0Aend&email=x");
	struct str typed = STR("caf\xc3\xa9 \xf0\x9f\x98\x80\nend");
	for (size_t len = 0; len <= body.len; len++) {
		struct form form;
		read_cut(room, urlencoded, str_sub(body, 0, len), &form);
		assert_valid(&form);
		if (len > 8)
			assert_str(value_of(&form, "name"), "Ada");
		struct str comment = value_of(&form, "comment");
		if (!str_starts(typed, comment))
			fail_msg("%zu: %.*s", len, STR_FMT(comment));
		if (len > 52)
			assert_true(str_eq(comment, typed));
	}
}

static void
cut_multipart_gives_whole_parts(void **state)
{
	struct room *room = *state;
	struct str body = STR("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
	                      "--b\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\ntwo three four\r\n--b--\r\n");
	for (size_t len = 0; len <= body.len; len++) {
		struct form form;
		read_cut(room, "multipart/form-data; boundary=b", str_sub(body, 0, len), &form);
		assert_valid(&form);
		struct str a = value_of(&form, "a"), c = value_of(&form, "c");
		assert_true(a.at == NULL || str_eq(a, STR("one")));
		assert_true(c.at == NULL || str_eq(c, STR("two three four")));
		if (len > 60)
			assert_non_null(a.at);
	}
	struct form form;
	read_cut(room, json, STR("{\"a\":\"x\","), &form);
	assert_int_equal(form.n, 0);
	read_cut(room, "multipart/form-data", body, &form);
	assert_int_equal(form.n, 0);
	read_cut(room, urlencoded, many_fields(room, 1025), &form);
	assert_int_equal(form.n, 0);
	read_cut(room, urlencoded, STR("a=%00&b=1"), &form);
	assert_valid(&form);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(content_types_name_encodings),
	    TEST(urlencoded_bodies_are_read),
	    TEST(bad_bytes_are_refused),
	    TEST(duplicates_are_told_when_asked_for),
	    TEST(fields_are_counted),
	    TEST(json_bodies_are_read),
	    TEST(multipart_bodies_are_read),
	    TEST(cut_bodies_give_beginnings),
	    TEST(cut_multipart_gives_whole_parts),
	};
	json_init();
	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
