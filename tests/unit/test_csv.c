/* Tables as text, whole and in pieces. */
#include "room.h"

#include "csv.h"

/* Writes each record as "line|field|field;" or "line!fault;". */
static void
note(void *context, const struct csv_record *record)
{
	struct out *out = context;
	out_format(out, "%lld", (long long)record->line);
	if (record->fault != CSV_FAULT_NONE)
		out_format(out, "!%d", (int)record->fault);
	for (size_t i = 0; i < record->fields_n; i++)
		out_format(out, "|%.*s", STR_FMT(record->fields[i]));
	out_byte(out, ';');
}

static struct str
read_all(struct room *room, struct str text, size_t step)
{
	struct csv *csv = arena_alloc(&room->arena, sizeof *csv);
	struct out *out = arena_alloc(&room->arena, sizeof *out);
	out_init(out, &room->arena);
	csv_begin(csv, note, out);
	for (size_t i = 0; i < text.len; i += step)
		csv_feed(csv, str_sub(text, i, step));
	csv_end(csv);
	return str_copy(&room->arena, out_str(out));
}

static void
records_are_read_in_any_pieces(void **state)
{
	struct room *room = *state;
	static const struct {
		struct str text;
		const char *records;
	} cases[] = {
	    {STR_INIT("a,b,c\r\nd,e,f\r\n"), "1|a|b|c;2|d|e|f;"},
	    {STR_INIT("a,b\nc,d"), "1|a|b;2|c|d;"},
	    {STR_INIT("\xef\xbb\xbf" "a\n"), "1|a;"},
	    {STR_INIT("\xef\xbb" "a\n"), "1|\xef\xbb" "a;"},
	    {STR_INIT("\n\r\na\n\n"), "3|a;"},
	    {STR_INIT(",\n"), "1||;"},
	    {STR_INIT("a,"), "1|a|;"},
	    {STR_INIT("\"\"\n"), "1|;"},
	    {STR_INIT("\"a,b\"\n"), "1|a,b;"},
	    {STR_INIT("\"a\"\"b\",\"\"\"\"\n"), "1|a\"b|\";"},
	    {STR_INIT("\"a\r\nb\",c\nd\n"), "1|a\r\nb|c;3|d;"},
	    {STR_INIT("a\rb\n"), "1|a\rb;"},
	    {STR_INIT("a\r\r\n"), "1|a\r;"},
	    {STR_INIT("a\"b\nc\n"), "1!1;2|c;"},
	    {STR_INIT("\"a\"b\nc\n"), "1!2;2|c;"},
	    {STR_INIT("\"a\"\rb\nc\n"), "1!2;2|c;"},
	    {STR_INIT("a\n\"b\nc"), "1|a;2!3;"},
	    {STR_INIT("a\0b\nc\n"), "1!6;2|c;"},
	    {STR_INIT(",,,,,,,,,,,,,,,\n,,,,,,,,,,,,,,,,\n,,,,,,,,,,,,,,,,,,\na"), "1||||||||||||||||;2!5;3!5;4|a;"},
	    {STR_INIT(""), ""},
	    {STR_INIT("\xef\xbb\xbf"), ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step < 6; step++)
			assert_str(read_all(room, cases[i].text, step), cases[i].records);
}

static void
long_records_are_bounded(void **state)
{
	struct room *room = *state;
	char *text = arena_alloc(&room->arena, CSV_RECORD_MOST + 8);
	memset(text, 'x', CSV_RECORD_MOST + 8);
	memcpy(text + CSV_RECORD_MOST, "\nab\n", 4);
	assert_int_equal(read_all(room, (struct str){text, CSV_RECORD_MOST + 4}, 1000).len, CSV_RECORD_MOST + 8);
	memcpy(text + CSV_RECORD_MOST, "x\nab\n", 5);
	assert_str(read_all(room, (struct str){text, CSV_RECORD_MOST + 5}, 1000), "1!4;2|ab;");
	text[0] = '"';
	assert_str(read_all(room, (struct str){text, CSV_RECORD_MOST + 5}, 1000), "1!4;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(records_are_read_in_any_pieces),
	    TEST(long_records_are_bounded),
	};
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
