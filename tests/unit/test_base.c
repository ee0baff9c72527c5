/* The base: statuses, arenas, strings, escapes, and lines of the log. */
#include "room.h"

#include <pthread.h>
#include <stdalign.h>
#include <sys/wait.h>

#include "log.h"
#include "out.h"

static struct arena *
arena_of(void **state)
{
	return &((struct room *)*state)->arena;
}

/* --- status ------------------------------------------------------------------------------------ */

static void
statuses_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < STATUS_COUNT; i++) {
		assert_true(strlen(status_name((enum status)i)) > 1);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(status_name((enum status)i), status_name((enum status)j));
	}
	assert_string_equal(status_name(STATUS_COUNT), "unknown");
	assert_string_equal(status_name(STATUS_TOO_LARGE), "too-large");
}

/* --- arena ------------------------------------------------------------------------------------- */

static void
arena_gives_zeroed_aligned_memory(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t round = 0; round < 3; round++) {
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *at = arena_alloc(&arena, size);
			assert_non_null(at);
			assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(at[i], 0);
			memset(at, 0xff, size);
		}
		arena_reset(&arena);
	}
	arena_free(&arena);
}

static void
arena_refuses_above_its_limit(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 100 * 1024);
	assert_null(arena_alloc(&arena, 100 * 1024 + 1));
	assert_true(arena.failed);
	assert_int_equal(arena.taken, 0);
	arena_reset(&arena);
	assert_false(arena.failed);
	assert_non_null(arena_alloc(&arena, 100 * 1024));
	assert_null(arena_alloc(&arena, 1));
	assert_true(arena.failed);
	arena_free(&arena);
	assert_false(arena.failed);
	assert_non_null(arena_alloc(&arena, 100 * 1024));
	arena_free(&arena);
}

static void
arena_refuses_sizes_that_overflow(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, SIZE_MAX);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 4));
	assert_true(arena.failed);
	arena_reset(&arena);
	assert_null(arena_array(&arena, SIZE_MAX / 8 + 1, 8));
	assert_null(arena_array(&arena, 2, SIZE_MAX / 2 + 1));
	assert_true(arena.failed);
	arena_reset(&arena);
	assert_non_null(arena_array(&arena, 0, 8));
	assert_non_null(arena_array(&arena, SIZE_MAX, 0));
	assert_false(arena.failed);
	arena_free(&arena);
}

static void
arena_keeps_one_block_and_no_huge_one(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 24);
	void *first = arena_alloc(&arena, 10);
	arena_reset(&arena);
	assert_true(arena.taken > 0 && arena.taken < ARENA_KEPT);
	assert_ptr_equal(arena_alloc(&arena, 10), first);
	assert_non_null(arena_alloc(&arena, 1 << 22));
	assert_non_null(arena_alloc(&arena, 1 << 22));
	arena_reset(&arena);
	first = arena_alloc(&arena, 10);
	assert_int_equal(arena.taken, ARENA_KEPT);
	assert_non_null(arena_alloc(&arena, ARENA_KEPT - 64));
	assert_int_equal(arena.taken, ARENA_KEPT);
	assert_non_null(arena_alloc(&arena, 1 << 22));
	arena_reset(&arena);
	assert_int_equal(arena.taken, ARENA_KEPT);
	assert_ptr_equal(arena_alloc(&arena, 10), first);
	arena_free(&arena);
	assert_int_equal(arena.taken, 0);
	assert_non_null(arena_alloc(&arena, 1 << 22));
	arena_reset(&arena);
	assert_int_equal(arena.taken, 0);
	arena_free(&arena);
	arena_free(&arena);
}

static void
arena_wipes_what_a_request_left(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	unsigned char *at = arena_alloc(&arena, 1000);
	memset(at, 0xa5, 1000);
	arena_reset(&arena);
	assert_int_equal(arena.taken, 32 * 1024);
	/* The block is kept, and not handed out yet. */
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(at[i], 0);
	arena_free(&arena);
}

static void
arena_grows_the_last_thing_in_place(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	unsigned char *one = arena_alloc(&arena, 10), *two = arena_alloc(&arena, 10);
	assert_false(arena_grow(&arena, one, 10, 20));
	memset(two, 0xff, 10);
	assert_true(arena_grow(&arena, two, 10, 1000));
	for (size_t i = 10; i < 1000; i++)
		assert_int_equal(two[i], 0);
	unsigned char *three = arena_alloc(&arena, 1);
	assert_true(three >= two + 1000);
	assert_false(arena_grow(&arena, two, 1000, 1001));
	assert_false(arena_grow(&arena, three, 1, 1 << 19));
	assert_false(arena_grow(&arena, three, 1, SIZE_MAX));
	assert_false(arena_grow(&arena, three, 1, 0));
	assert_false(arena.failed);
	assert_true(arena_grow(&arena, three, 1, 1));
	arena_free(&arena);
	assert_false(arena_grow(&arena, three, 1, 1));
}

/* --- str --------------------------------------------------------------------------------------- */

static void
strings_compare_by_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR("a"), STR("a")));
	assert_false(str_eq(STR("a"), STR("A")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_eq(STR_NONE, STR("")));
	assert_true(str_eq_nocase(STR("HtTp"), STR("hTtP")));
	assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("a"), STR("ab")));
	assert_true(str_starts(STR_NONE, STR("")) && str_ends(STR_NONE, STR("")));
	assert_true(str_ends(STR("abc"), STR("bc")) && str_ends(STR("abc"), STR("abc")));
	assert_false(str_ends(STR("bc"), STR("abc")));
	assert_true(str_has(STR("a\0b"), '\0'));
	assert_false(str_has(STR("ab"), '\0'));
	assert_false(str_has(STR_NONE, 'a'));
}

static void
strings_are_searched_and_cut(void **state)
{
	(void)state;
	assert_int_equal(str_find(STR("abcb"), 'b'), 1);
	assert_int_equal(str_find(STR("abcb"), 'x'), 4);
	assert_int_equal(str_find(STR_NONE, 'x'), 0);
	assert_int_equal(str_search(STR("aabab"), STR("bab")), 2);
	assert_int_equal(str_search(STR("aabab"), STR("c")), 5);
	assert_int_equal(str_search(STR("ab"), STR("abc")), 2);
	assert_int_equal(str_search(STR_NONE, STR("a")), 0);
	assert_int_equal(str_search(STR("ab"), STR("")), 0);
	assert_str(str_sub(STR("abc"), 1, 1), "b");
	assert_str(str_sub(STR("abc"), 1, SIZE_MAX), "bc");
	assert_str(str_sub(STR("abc"), 9, 1), "");
	assert_null(str_sub(STR_NONE, 1, 1).at);
	assert_str(str_trim(STR(" \t\r\n a b \n")), "a b");
	assert_str(str_trim(STR(" \n ")), "");
	assert_str(str_trim(STR("\xc2\xa0x")), "\xc2\xa0x");
	assert_null(str_trim(STR_NONE).at);
	struct str rest = STR("a,,b,");
	static const char *const pieces[] = {"a", "", "b", ""};
	size_t n = 0;
	while (rest.at != NULL)
		assert_str(str_cut(&rest, ','), pieces[n++]);
	assert_int_equal(n, 4);
	assert_null(str_cut(&rest, ',').at);
}

static void
strings_are_copied_with_a_nul(void **state)
{
	struct arena *arena = arena_of(state), none;
	struct str copy = str_copy(arena, STR("a\0b"));
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.at, "a\0b", 4);
	assert_null(str_copy(arena, STR_NONE).at);
	assert_str(str_copy(arena, STR("")), "");
	assert_string_equal(str_c(arena, STR("xyz")), "xyz");
	assert_string_equal(str_c(arena, STR_NONE), "");
	assert_str(str_join(arena, STR("a"), STR("bc")), "abc");
	assert_str(str_join(arena, STR_NONE, STR_NONE), "");
	assert_str(str_format(arena, "%d-%s-%.*s", 7, "x", STR_FMT(STR("yz"))), "7-x-yz");
	assert_str(str_format(arena, "%s", ""), "");
	assert_str(str_from("abc"), "abc");
	assert_null(str_from(NULL).at);
	arena_init(&none, 0);
	assert_null(str_copy(&none, STR("a")).at);
	assert_null(str_c(&none, STR("a")));
	assert_null(str_join(&none, STR("a"), STR("b")).at);
	assert_null(str_format(&none, "x").at);
	assert_null(str_hex(&none, "x", 1).at);
	assert_null(str_base64url(&none, "x", 1).at);
	assert_null(str_percent_decode(&none, STR("x"), false).at);
	assert_true(none.failed);
}

static void
integers_are_whole_and_in_range(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum status status;
		int64_t value;
	} cases[] = {
	    {"0", STATUS_OK, 0},
	    {"-0", STATUS_OK, 0},
	    {"007", STATUS_OK, 7},
	    {"-12", STATUS_OK, -12},
	    {"9223372036854775807", STATUS_OK, INT64_MAX},
	    {"-9223372036854775808", STATUS_OK, INT64_MIN},
	    {"9223372036854775808", STATUS_INVALID, 0},
	    {"-9223372036854775809", STATUS_INVALID, 0},
	    {"99999999999999999999999", STATUS_INVALID, 0},
	    {"", STATUS_INVALID, 0},
	    {"-", STATUS_INVALID, 0},
	    {"--1", STATUS_INVALID, 0},
	    {"+1", STATUS_INVALID, 0},
	    {" 1", STATUS_INVALID, 0},
	    {"1 ", STATUS_INVALID, 0},
	    {"1.0", STATUS_INVALID, 0},
	    {"0x1", STATUS_INVALID, 0},
	    {"\xd9\xa1", STATUS_INVALID, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t value = 0;
		assert_int_equal(str_integer(str_from(cases[i].text), &value), cases[i].status);
		assert_int_equal(value, cases[i].value);
	}
	int64_t value;
	assert_int_equal(str_integer(STR("1\0"), &value), STATUS_INVALID);
	assert_int_equal(str_integer(STR_NONE, &value), STATUS_INVALID);
}

static void
hexadecimal_goes_both_ways(void **state)
{
	struct arena *arena = arena_of(state);
	unsigned char bytes[256], back[256];
	for (size_t i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	struct str hex = str_hex(arena, bytes, sizeof bytes);
	assert_int_equal(hex.len, 512);
	OK(str_unhex(hex, back, sizeof back));
	assert_memory_equal(bytes, back, sizeof bytes);
	assert_str(str_hex(arena, "\x0a\xff", 2), "0aff");
	OK(str_unhex(STR("0AfF"), back, 2));
	assert_memory_equal(back, "\x0a\xff", 2);
	assert_int_equal(str_unhex(STR("0af"), back, 2), STATUS_INVALID);
	assert_int_equal(str_unhex(STR("0aff0"), back, 2), STATUS_INVALID);
	assert_int_equal(str_unhex(STR("0ag0"), back, 2), STATUS_INVALID);
	assert_int_equal(str_unhex(STR("0a 0"), back, 2), STATUS_INVALID);
	assert_int_equal(str_unhex(STR("0x0a"), back, 2), STATUS_INVALID);
}

static void
base64url_has_one_spelling(void **state)
{
	struct arena *arena = arena_of(state);
	static const char *const vectors[][2] = {
	    {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff\xbf", "-_-_"}};
	unsigned char back[64], bytes[64];
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		size_t len = strlen(vectors[i][0]);
		assert_str(str_base64url(arena, vectors[i][0], len), vectors[i][1]);
		OK(str_unbase64url(str_from(vectors[i][1]), back, len));
		assert_memory_equal(back, vectors[i][0], len);
	}
	for (size_t len = 0; len < sizeof bytes; len++) {
		secret_random(bytes, sizeof bytes);
		OK(str_unbase64url(str_base64url(arena, bytes, len), back, len));
		assert_memory_equal(back, bytes, len);
	}
	static const char *const bad[] = {"Zh", "Zg=", "Z", "Zg==", "Z+", "Z/", "Z ", "Z\n", "\xc5\xba"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(str_unbase64url(str_from(bad[i]), back, 1), STATUS_INVALID);
	assert_int_equal(str_unbase64url(STR("Z\0"), back, 1), STATUS_INVALID);
	assert_int_equal(str_unbase64url(STR("Zm9"), back, 2), STATUS_INVALID);
}

static void
percent_signs_are_decoded_once(void **state)
{
	struct arena *arena = arena_of(state);
	assert_str(str_percent_decode(arena, STR("a%20b+c"), false), "a b+c");
	assert_str(str_percent_decode(arena, STR("a%20b+c"), true), "a b c");
	assert_str(str_percent_decode(arena, STR("%2525%2B%2b"), true), "%25++");
	assert_str(str_percent_decode(arena, STR("%"), true), "%");
	assert_str(str_percent_decode(arena, STR("%4"), true), "%4");
	assert_str(str_percent_decode(arena, STR("%g0%0g%%41"), true), "%g0%0g%A");
	assert_str(str_percent_decode(arena, STR("\xff%ff"), true), "\xff\xff");
	assert_int_equal(str_percent_decode(arena, STR("%00"), true).len, 1);
	assert_str(str_percent_decode(arena, STR_NONE, true), "");
}

/* --- out --------------------------------------------------------------------------------------- */

typedef void writer(struct out *out, struct str s);

static struct str
written(struct arena *arena, writer *write, struct str s)
{
	struct out out;
	out_init(&out, arena);
	write(&out, s);
	OK(out_status(&out));
	return out_str(&out);
}

static void
escapes_escape(void **state)
{
	struct arena *arena = arena_of(state);
	static const struct {
		writer *write;
		const char *from, *to;
	} cases[] = {
	    {out_put, "<&>\"'", "<&>\"'"},
	    {out_html, "a<b>&\"c\" 'd' \xc3\xa4", "a&lt;b&gt;&amp;&quot;c&quot; &#39;d&#39; \xc3\xa4"},
	    {out_html, "", ""},
	    {out_html, "&amp;", "&amp;amp;"},
	    {out_url_part, "a/b c?d=e&\xc3\xa4~._-+%", "a%2Fb%20c%3Fd%3De%26%C3%A4~._-%2B%25"},
	    {out_url_path, "/a/b c?#\"'", "/a/b%20c%3F%23%22%27"},
	    {out_json, "a\"b\\c\n\r\t\x01\x1f\x7f", "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f\""},
	    {out_json, "</script>&", "\"\\u003c/script\\u003e\\u0026\""},
	    {out_json, "x\xe2\x80\xa8y\xe2\x80\xa9z\xe2\x80\xaa", "\"x\\u2028y\\u2029z\xe2\x80\xaa\""},
	    {out_json, "\xe2\x80\xa8", "\"\\u2028\""},
	    {out_json, "<\xe2\x80\xa8>\n", "\"\\u003c\\u2028\\u003e\\n\""},
	    {out_json, "", "\"\""},
	    {out_json, "\xe2\x80", "\"\xe2\x80\""},
	    {out_xml, "<a b=\"c\">'&", "&lt;a b=&quot;c&quot;&gt;&#39;&amp;"},
	    {out_xml, "\x01 \t\n\x1b", "\xef\xbf\xbd \t\n\xef\xbf\xbd"},
	    {out_xml, "<\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd>", "&lt;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&gt;"},
	    {out_xml, "\xef\xbf", "\xef\xbf"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_str(written(arena, cases[i].write, str_from(cases[i].from)), cases[i].to);
	struct str nul = written(arena, out_json, STR("a\0b"));
	assert_str(nul, "\"a\\u0000b\"");
}

static void
urls_that_could_run_are_written_as_a_hash(void **state)
{
	struct arena *arena = arena_of(state);
	static const char *const good[] = {
	    "", "/", "/a/b", "?x=1", "#y", "http://a.example/", "HTTPS://a.example/", "https://a.example/~x"};
	static const char *const bad[] = {"//evil.example", "/\\evil.example", "javascript:alert(1)", "JaVaScript:x",
	    " javascript:x", "\tjavascript:x", "java\nscript:x", "data:text/html,x", "vbscript:x", "mailto:a@b",
	    "http:/evil", "http:evil", "a/b", "/\t/evil.example", "/a b", "\x01/x", "https://a\x7f", "ftp://x",
	    "\xef\xbb\xbf/x", "&#106;avascript:x"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_str(written(arena, out_url, str_from(good[i])), good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_str(written(arena, out_url, str_from(bad[i])), "#");
	assert_str(written(arena, out_url, STR("/a?b=1&c=\"")), "/a?b=1&amp;c=&quot;");
	assert_str(written(arena, out_url, STR("/a\0b")), "#");
}

static void
output_grows_and_fails_quietly(void **state)
{
	struct arena *arena = arena_of(state), small;
	struct out out;
	out_init(&out, arena);
	assert_str(out_str(&out), "");
	for (int i = 0; i < 20000; i++)
		out_byte(&out, (char)('a' + i % 26));
	out_integer(&out, INT64_MIN);
	out_integer(&out, -1);
	out_format(&out, "%0300d", 7);
	OK(out_status(&out));
	assert_int_equal(out.len, 20000 + 20 + 2 + 300);
	for (size_t i = 0; i < 20000; i++)
		assert_int_equal(out.at[i], 'a' + (int)(i % 26));
	assert_str(str_sub(out_str(&out), 20000, 22), "-9223372036854775808-1");
	assert_str(str_sub(out_str(&out), out.len - 3, 3), "007");
	arena_init(&small, 40 * 1024);
	out_init(&out, &small);
	for (int i = 0; i < 60000; i++)
		out_byte(&out, 'x');
	assert_int_equal(out_status(&out), STATUS_BROKEN);
	size_t kept = out.len;
	out_put(&out, STR("y"));
	out_format(&out, "%0300d", 7);
	assert_int_equal(out.len, kept);
	arena_free(&small);
}

/* --- log --------------------------------------------------------------------------------------- */

static void
log_lines_cannot_be_forged(void **state)
{
	struct room *room = *state;
	room_listen(room);
	log_door("tester");
	log_request("0123456789abcdef-too-long");
	log_event(LOG_LEVEL_WARNING, "one\n2026-01-01T00:00:00Z error forged \x1b[31m \xc3\xa4 \\x41 %d", 7);
	log_request(NULL);
	log_event(LOG_LEVEL_INFO, "two");
	log_event(LOG_LEVEL_ERROR, "%s", "");
	struct str heard = room_heard(room);
	struct str first = str_cut(&heard, '\n'), second = str_cut(&heard, '\n'), third = str_cut(&heard, '\n');
	assert_str(str_sub(first, 20, first.len), " warning tester 0123456789abcdef one\\x0a2026-01-01T00:00:00Z error "
	                                          "forged \\x1b[31m \\xc3\\xa4 \\x5cx41 7");
	assert_int_equal(first.at[10], 'T');
	assert_int_equal(first.at[19], 'Z');
	assert_str(str_sub(second, 20, second.len), " info tester two");
	assert_str(str_sub(third, 20, third.len), " error tester ");
	assert_int_equal(heard.len, 0);
}

static void
log_lines_are_bounded(void **state)
{
	struct room *room = *state;
	char *text = arena_alloc(&room->arena, 100001);
	memset(text, '\n', 100000);
	room_listen(room);
	log_event(LOG_LEVEL_ERROR, "%s", text);
	memset(text, 'x', 100000);
	log_event(LOG_LEVEL_ERROR, "%s", text);
	struct str heard = room_heard(room);
	assert_true(heard.len > 1000 && heard.len < 4096);
	assert_int_equal(heard.at[heard.len - 1], '\n');
	str_cut(&heard, '\n');
	str_cut(&heard, '\n');
	assert_int_equal(heard.len, 0);
}

static void *
speak(void *id)
{
	log_request(id);
	for (int i = 0; i < 500; i++)
		log_event(LOG_LEVEL_INFO, "speaks %s end", (const char *)id);
	return NULL;
}

static void
log_lines_of_threads_do_not_mix(void **state)
{
	struct room *room = *state;
	static char ids[2][8] = {"aaaa", "bbbb"};
	pthread_t threads[2];
	room_listen(room);
	log_door("t");
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, speak, ids[i]), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	struct str heard = room_heard(room);
	size_t n = 0;
	for (; heard.len > 0; n++) {
		struct str line = str_cut(&heard, '\n');
		struct str text = str_sub(line, 20, line.len);
		assert_true(str_eq(text, STR(" info t aaaa speaks aaaa end")) ||
		            str_eq(text, STR(" info t bbbb speaks bbbb end")));
	}
	assert_int_equal(n, 1000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(statuses_have_names),
	    cmocka_unit_test(arena_gives_zeroed_aligned_memory),
	    cmocka_unit_test(arena_refuses_above_its_limit),
	    cmocka_unit_test(arena_refuses_sizes_that_overflow),
	    cmocka_unit_test(arena_keeps_one_block_and_no_huge_one),
	    cmocka_unit_test(arena_wipes_what_a_request_left),
	    cmocka_unit_test(arena_grows_the_last_thing_in_place),
	    cmocka_unit_test(strings_compare_by_bytes),
	    cmocka_unit_test(strings_are_searched_and_cut),
	    cmocka_unit_test_setup_teardown(strings_are_copied_with_a_nul, room_enter, room_leave),
	    cmocka_unit_test(integers_are_whole_and_in_range),
	    cmocka_unit_test_setup_teardown(hexadecimal_goes_both_ways, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(base64url_has_one_spelling, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(percent_signs_are_decoded_once, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(escapes_escape, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(urls_that_could_run_are_written_as_a_hash, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(output_grows_and_fails_quietly, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(log_lines_cannot_be_forged, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(log_lines_are_bounded, room_enter, room_leave),
	    cmocka_unit_test_setup_teardown(log_lines_of_threads_do_not_mix, room_enter, room_leave),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
