/* XML within bounds. */
#include "room.h"

#include "xml.h"

static void
note_begin(void *context, const struct xml_name *name, const char *const *attributes, int depth)
{
	struct out *out = context;
	out_format(out, "%d<%.*s", depth, STR_FMT(name->name));
	if (name->space.len > 0)
		out_format(out, "@%.*s", STR_FMT(name->space));
	for (size_t i = 0; attributes[i] != NULL; i += 2)
		out_format(out, " %s=%s", attributes[i], attributes[i + 1]);
	out_byte(out, '>');
}

static void
note_end(void *context, const struct xml_name *name, struct str text, int depth)
{
	out_format(context, "%.*s</%.*s%d>", STR_FMT(text), STR_FMT(name->name), depth);
}

static enum status
read_all(struct room *room, struct str text, size_t step, struct str *told, int64_t *line)
{
	struct out *out = arena_alloc(&room->arena, sizeof *out);
	struct xml *xml;
	enum status status = STATUS_OK;
	out_init(out, &room->arena);
	struct xml_events events = {note_begin, note_end, out};
	OK(xml_new(&events, &xml));
	for (size_t i = 0; i < text.len && status == STATUS_OK; i += step)
		status = xml_feed(xml, str_sub(text, i, step), false);
	if (status == STATUS_OK)
		status = xml_feed(xml, STR(""), true);
	else
		assert_int_equal(xml_feed(xml, STR(" "), true), status);
	*told = str_copy(&room->arena, out_str(out));
	*line = xml_line(xml);
	assert_int_equal(status == STATUS_OK, strlen(xml_fault(xml)) == 0);
	xml_free(xml);
	return status;
}

static void
elements_are_told_in_order(void **state)
{
	struct room *room = *state;
	static const char *const cases[][2] = {
	    {"<a/>", "1<a></a1>"},
	    {"<a x='1' y=\"&lt;2\">t<b>u</b>v</a>", "1<a x=1 y=<2>2<b>u</b2>tv</a1>"},
	    {"<a>&amp;&#x41;<![CDATA[<&]]></a>", "1<a>&A<&</a1>"},
	    {"<a xmlns='urn:x'><b xmlns='urn:y'/></a>", "1<a@urn:x>2<b@urn:y></b2></a1>"},
	    {"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe4</a>", "1<a>\xc3\xa4</a1>"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t step = 1; step < 5; step++) {
			struct str told;
			int64_t line;
			OK(read_all(room, str_from(cases[i][0]), step, &told, &line));
			assert_str(told, cases[i][1]);
		}
	}
}

static void
what_is_no_xml_is_refused_with_its_line(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *text;
		int line;
	} cases[] = {
	    {"<a>\n\n</b>", 3},
	    {"<a>\n", 2},
	    {"", 1},
	    {"<a/>\n<b/>", 2},
	    {"<a>&b;</a>", 1},
	    {"<a>\xff</a>", 1},
	    {"\n\n<!DOCTYPE a>\n<a/>", 3},
	    {"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 1},
	    {"<!DOCTYPE a SYSTEM '/etc/passwd'><a/>", 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str told;
		int64_t line;
		assert_int_equal(read_all(room, str_from(cases[i].text), 100, &told, &line), STATUS_INVALID);
		assert_int_equal(line, cases[i].line);
		assert_holds_not(told, "passwd");
	}
}

static void
depth_and_text_are_bounded(void **state)
{
	struct room *room = *state;
	for (int depth = XML_DEPTH; depth <= XML_DEPTH + 1; depth++) {
		struct out out;
		struct str told;
		int64_t line;
		out_init(&out, &room->arena);
		for (int i = 0; i < depth; i++)
			out_put(&out, STR("<a>"));
		for (int i = 0; i < depth; i++)
			out_put(&out, STR("</a>"));
		assert_int_equal(read_all(room, out_str(&out), 7, &told, &line),
		    depth > XML_DEPTH ? STATUS_TOO_LARGE : STATUS_OK);
	}
	for (size_t more = 0; more < 2; more++) {
		struct str told;
		int64_t line;
		size_t len = XML_TEXT_MOST + more;
		char *text = arena_alloc(&room->arena, len + 14);
		memset(text, 'x', len + 14);
		memcpy(text, "<a><b>", 6);
		memcpy(text + 6 + len, "</b></a>", 8);
		assert_int_equal(read_all(room, (struct str){text, len + 14}, 65536, &told, &line),
		    more > 0 ? STATUS_TOO_LARGE : STATUS_OK);
	}
}

/* expat would keep the whole of it, and look through it again with each piece. */
static void
a_tag_has_an_end(void **state)
{
	struct room *room = *state;
	static const char *const heads[] = {"<a x='", "<a><!--", "<a><?x ", "<a><b"};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		struct str head = str_from(heads[i]), told;
		int64_t line;
		for (size_t more = 0; more < 2; more++) {
			size_t len = XML_TEXT_MOST + more * 2 * XML_TEXT_MOST;
			char *text = arena_alloc(&room->arena, len);
			memset(text, 'y', len);
			memcpy(text, head.at, head.len);
			assert_int_equal(read_all(room, (struct str){text, len}, 64 * 1024, &told, &line),
			    more == 0 ? STATUS_INVALID : STATUS_TOO_LARGE);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(elements_are_told_in_order),
	    TEST(what_is_no_xml_is_refused_with_its_line),
	    TEST(depth_and_text_are_bounded),
	    TEST(a_tag_has_an_end),
	};
	return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
