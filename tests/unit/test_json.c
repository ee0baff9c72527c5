#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "json.h"

static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	json_init();
	arena_init(&arena, 16 * 1024 * 1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct json *
parsed(struct str body)
{
	struct json *json = NULL;
	assert_int_equal(json_read(&arena, body, &json), STATUS_OK);
	assert_non_null(json);
	return json;
}

static void
members_are_found(void **state)
{
	(void)state;
	struct json *json = parsed(
	    STR(" {\"name\":\"An\\u00e9\\n\\\"\", \"empty\":\"\", \"nothing\":null, \"n\":1, \"r\":1.5,"
		" \"yes\":true, \"no\":false, \"list\":[\"x\"], \"map\":{\"name\":\"y\"}}\r\n"));
	struct str value = STR_NONE;
	assert_int_equal(json->members_n, 9);
	assert_int_equal(json_text(json, "name", &value), STATUS_OK);
	assert_true(str_eq(value, STR("An\xc3\xa9\n\"")));
	assert_int_equal(json_text(json, "empty", &value), STATUS_OK);
	assert_int_equal(value.len, 0);
	assert_non_null(value.at);
	assert_int_equal(json_text(json, "nothing", &value), STATUS_MISSING);
	assert_int_equal(json_text(json, "nam", &value), STATUS_MISSING);
	assert_int_equal(json_text(json, "namee", &value), STATUS_MISSING);
	static const char *const others[] = {"n", "r", "yes", "no", "list", "map"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(json_text(json, others[i], &value), STATUS_INVALID);
}

static void
members_keep_order_and_kind(void **state)
{
	(void)state;
	struct json *json =
	    parsed(STR("{\"z\":true,\"a\":[],\"m\":{},\"b\":-0.1,\"c\":null,\"d\":false,\"e\":\"\"}"));
	static const enum json_kind kinds[] = {JSON_KIND_BOOL, JSON_KIND_ARRAY, JSON_KIND_OBJECT,
	    JSON_KIND_NUMBER, JSON_KIND_NULL, JSON_KIND_BOOL, JSON_KIND_STRING};
	static const char names[] = "zambcde";
	assert_int_equal(json->members_n, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(json->members[i].kind, kinds[i]);
		assert_int_equal(json->members[i].name.at[0], names[i]);
	}
	assert_true(str_eq(json->members[0].text, STR("true")));
	assert_true(str_eq(json->members[5].text, STR("false")));
	assert_int_equal(parsed(STR("{}"))->members_n, 0);
}

static void
everything_else_is_refused(void **state)
{
	(void)state;
	static const struct str bodies[] = {
	    STR_INIT(""),
	    STR_INIT(" "),
	    STR_INIT("null"),
	    STR_INIT("\"name\""),
	    STR_INIT("1"),
	    STR_INIT("[]"),
	    STR_INIT("[{}]"),
	    STR_INIT("{"),
	    STR_INIT("{\"a\"}"),
	    STR_INIT("{\"a\":\"b\""),
	    STR_INIT("{\"a\":\"b\",}"),
	    STR_INIT("{a:\"b\"}"),
	    STR_INIT("{'a':'b'}"),
	    STR_INIT("{\"a\":\"b\"} x"),
	    STR_INIT("{\"a\":\"b\"}{}"),
	    STR_INIT("x{}"),
	    STR_INIT("{}\0"),
	    STR_INIT("{\"a\":\"b\0c\"}"),
	    STR_INIT("{\"a\":\"b\\u0000c\"}"),
	    STR_INIT("{\"a\":true\0}"),
	    STR_INIT("{\"a\":null\0,\"b\":false}"),
	    STR_INIT("{\"b\\u0000c\":\"a\"}"),
	    STR_INIT("{\"a\":\"1\",\"a\":\"2\"}"),
	    STR_INIT("{\"a\":\"1\",\"\\u0061\":\"2\"}"),
	    STR_INIT("{\"m\":{\"a\":1,\"a\":2}}"),
	    STR_INIT("{\"a\":\"\xff\"}"),
	    STR_INIT("{\"a\":\"\xc0\xaf\"}"),
	    STR_INIT("{\"a\":\"\xed\xa0\x80\"}"),
	    STR_INIT("{\"a\":\"\\ud800\"}"),
	    STR_INIT("{\"a\":\"\\udc00\\ud800\"}"),
	    STR_INIT("{\"a\":\"\n\"}"),
	    STR_INIT("{\"a\":\"\\x\"}"),
	    STR_INIT("{\"a\":01}"),
	    STR_INIT("{\"a\":NaN}"),
	    STR_INIT("{\"a\":1e999}"),
	    STR_INIT("{\"a\":99999999999999999999}"),
	    STR_INIT("{/**/}"),
	    STR_INIT("\xef\xbb\xbf{}"),
	    STR_INIT("{\"a\":\"\\\"}"),
	};
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct json *json;
		if (json_read(&arena, bodies[i], &json) != STATUS_INVALID)
			fail_msg("body %zu passes: %.*s", i, STR_FMT(bodies[i]));
	}
	struct json *json;
	assert_int_equal(json_read(&arena, STR_NONE, &json), STATUS_INVALID);
}

/* {"a":[[...]]} with `depth` levels in all. */
static struct str
nested(size_t depth, bool closed)
{
	char *at = arena_alloc(&arena, 2 * depth + 16);
	assert_non_null(at);
	memcpy(at, "{\"a\":", 5);
	memset(at + 5, '[', depth - 1);
	memset(at + 5 + depth - 1, ']', depth - 1);
	at[5 + 2 * (depth - 1)] = '}';
	return (struct str){at, closed ? 6 + 2 * (depth - 1) : 4 + depth};
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	struct json *json;
	assert_int_equal(json_read(&arena, nested(JSON_DEPTH, true), &json), STATUS_OK);
	assert_int_equal(json_read(&arena, nested(JSON_DEPTH + 1, true), &json), STATUS_INVALID);
	assert_int_equal(json_read(&arena, nested(1000000, false), &json), STATUS_INVALID);
	/* Brackets in strings are no depth, whatever is escaped. */
	struct str value;
	struct str body =
	    STR("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{{{{{{{{{{\\\\\",\"b\":\"\\\\\"}");
	assert_int_equal(json_text(parsed(body), "b", &value), STATUS_OK);
	assert_true(str_eq(value, STR("\\")));
}

static struct str
many(size_t members)
{
	struct str body = STR("{");
	for (size_t i = 0; i < members; i++)
		body = str_join(
		    &arena, body, str_format(&arena, "%s\"m%zu\":\"v%zu\"", i == 0 ? "" : ",", i, i));
	return str_join(&arena, body, STR("}"));
}

static void
members_are_bounded(void **state)
{
	(void)state;
	struct json *json;
	struct str value;
	assert_int_equal(json_read(&arena, many(JSON_MEMBERS), &json), STATUS_OK);
	assert_int_equal(json_text(json, "m255", &value), STATUS_OK);
	assert_true(str_eq(value, STR("v255")));
	assert_int_equal(json_read(&arena, many(JSON_MEMBERS + 1), &json), STATUS_TOO_LARGE);
}

static void
nothing_points_into_the_body(void **state)
{
	(void)state;
	char body[] = "{\"name\":\"value\"}";
	struct json *json = parsed((struct str){body, sizeof body - 1});
	memset(body, 'x', sizeof body);
	struct str value;
	assert_int_equal(json_text(json, "name", &value), STATUS_OK);
	assert_true(str_eq(value, STR("value")));
}

static void
no_memory_is_told(void **state)
{
	(void)state;
	struct arena small;
	arena_init(&small, 8);
	struct json *json;
	assert_int_equal(json_read(&small, STR("{\"a\":\"b\"}"), &json), STATUS_BROKEN);
	arena_free(&small);
}

/* Whatever memory there is, it is not enough or every byte is there: no string is cut, none runs over. */
static void
any_memory_is_enough_or_told(void **state)
{
	static const struct str body = STR_INIT("{\"page\":\"/world/astana\",\"comment\":\"A sentence that is longer than the "
	    "sixteen bytes with which a buffer begins, so that it must grow more than once while it is read.\",\"list\":[1,2,3,4,5,6,7,8,9]}");
	struct str value = STR_NONE;
	bool told = false, enough = false;
	(void)state;
	for (size_t taken = 0; taken < 65536 + 8192; taken += 64) {
		struct arena small;
		struct json *json = NULL;
		arena_init(&small, 2 * 65536);
		(void)arena_alloc(&small, 65536 - 4096 + taken);
		enum status status = json_read(&small, body, &json);
		assert_true(status == STATUS_OK || status == STATUS_BROKEN);
		told = told || status == STATUS_BROKEN;
		if (status == STATUS_OK) {
			enough = true;
			assert_int_equal(json_text(json, "comment", &value), STATUS_OK);
			assert_true(str_search(body, value) < body.len && str_ends(value, STR("while it is read.")));
			assert_true(str_starts(value, STR("A sentence")));
		}
		arena_free(&small);
	}
	assert_true(told && enough);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_found),
	    cmocka_unit_test(members_keep_order_and_kind),
	    cmocka_unit_test(everything_else_is_refused),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(members_are_bounded),
	    cmocka_unit_test(nothing_points_into_the_body),
	    cmocka_unit_test(no_memory_is_told),
	    cmocka_unit_test(any_memory_is_enough_or_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
