#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64 * 1024 * 1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* Says what it got, and for which string in hexadecimal: the strings here do not show. */
static void
expect_fault(enum status status, enum text_fault got, struct str s, enum text_fault wanted)
{
	if (got != wanted)
		fail_msg("fault %d instead of %d for %.*s", (int)got, (int)wanted,
		    STR_FMT(str_hex(&arena, s.at, s.len)));
	assert_int_equal(status, wanted == TEXT_FAULT_NONE ? STATUS_OK : STATUS_INVALID);
}

static void
expect_name(struct str name, enum text_fault wanted)
{
	enum text_fault fault = TEXT_FAULT_COUNT;
	enum status status = text_name_fault(name, &fault);
	expect_fault(status, fault, name, wanted);
}

static void
expect_comment(struct str comment, enum text_fault wanted)
{
	enum text_fault fault = TEXT_FAULT_COUNT;
	enum status status = text_comment_fault(comment, &fault);
	expect_fault(status, fault, comment, wanted);
}

static struct str
repeat(struct str head, struct str s, size_t times)
{
	char *at = arena_alloc(&arena, head.len + s.len * times + 1);
	assert_non_null(at);
	memcpy(at, head.at, head.len);
	for (size_t i = 0; i < times; i++)
		memcpy(at + head.len + i * s.len, s.at, s.len);
	return (struct str){at, head.len + s.len * times};
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The best of at most a hundred: other programs run here as well. */
#define EXPECT_FASTER(milliseconds, statement)            \
	do {                                              \
		double best = 1e9;                        \
		for (int again = 0; again < 100 && best > (milliseconds); again++) { \
			double begin = now();             \
			statement;                        \
			double took = now() - begin;      \
			best = took < best ? took : best; \
		}                                         \
		if (best > (milliseconds))                \
			fail_msg("took %.1f ms", best);   \
	} while (0)

static void
valid_is_strict(void **state)
{
	(void)state;
	static const struct str good[] = {
	    STR_INIT(""),
	    STR_INIT("plain"),
	    STR_INIT("\xc2\x80"),
	    STR_INIT("\xdf\xbf"),
	    STR_INIT("\xe0\xa0\x80"),
	    STR_INIT("\xed\x9f\xbf"),
	    STR_INIT("\xee\x80\x80"),
	    STR_INIT("\xef\xbf\xbf"),
	    STR_INIT("\xf0\x90\x80\x80"),
	    STR_INIT("\xf4\x8f\xbf\xbf"),
	};
	static const struct str bad[] = {
	    STR_INIT("a\0b"),
	    STR_INIT("\x80"),
	    STR_INIT("\xbf"),
	    STR_INIT("\xc0\x80"),
	    STR_INIT("\xc0\xaf"),
	    STR_INIT("\xc1\xbf"),
	    STR_INIT("\xc2"),
	    STR_INIT("\xc2g"),
	    STR_INIT("\xe0\x80\xaf"),
	    STR_INIT("\xe0\x9f\xbf"),
	    STR_INIT("\xe2\x82"),
	    STR_INIT("\xe2\x82x"),
	    STR_INIT("\xed\xa0\x80"),
	    STR_INIT("\xed\xbf\xbf"),
	    STR_INIT("\xed\xa0\xbd\xed\xb8\x80"),
	    STR_INIT("\xf0\x80\x80\xaf"),
	    STR_INIT("\xf0\x8f\xbf\xbf"),
	    STR_INIT("\xf0\x9f\x98"),
	    STR_INIT("\xf4\x90\x80\x80"),
	    STR_INIT("\xf5\x80\x80\x80"),
	    STR_INIT("\xf8\x88\x80\x80\x80"),
	    STR_INIT("\xfc\x84\x80\x80\x80\x80"),
	    STR_INIT("\xfe"),
	    STR_INIT("\xff"),
	};
	assert_true(text_valid(STR_NONE));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!text_valid(good[i]))
			fail_msg("good string %zu is refused", i);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (text_valid(bad[i]))
			fail_msg("bad string %zu passes", i);
		expect_name(bad[i], TEXT_FAULT_ENCODING);
		expect_comment(bad[i], TEXT_FAULT_ENCODING);
	}
}

/* The same by the definition in RFC 3629, over everything of up to three bytes that begins alike. */
static bool
valid_by_the_book(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = s[i];
		size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || i + more >= len)
			return false;
		if (more > 0) {
			unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
			unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
			if (s[i + 1] < low || s[i + 1] > high)
				return false;
		}
		for (size_t j = 2; j <= more; j++)
			if ((s[i + j] & 0xc0) != 0x80)
				return false;
		i += more + 1;
	}
	return true;
}

static void
valid_agrees_with_the_definition(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 0x1000000; n += 3) {
		unsigned char s[4] = {
		    (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n, 0x90};
		for (size_t len = 3; len <= 4; len++)
			if (text_valid((struct str){(const char *)s, len}) != valid_by_the_book(s, len))
				fail_msg("%02x %02x %02x (%zu bytes)", s[0], s[1], s[2], len);
	}
}

static void
points_are_counted(void **state)
{
	(void)state;
	assert_int_equal(text_points(STR_NONE), 0);
	assert_int_equal(text_points(STR("abc")), 3);
	assert_int_equal(text_points(STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")), 3);
}

static void
lines_end_in_one_way(void **state)
{
	(void)state;
	static const struct {
		struct str in, out;
	} cases[] = {
	    {STR_INIT(""), STR_INIT("")},
	    {STR_INIT("a\r\nb"), STR_INIT("a\nb")},
	    {STR_INIT("a\rb"), STR_INIT("a\nb")},
	    {STR_INIT("a\r\r\nb"), STR_INIT("a\n\nb")},
	    {STR_INIT("a\n\rb"), STR_INIT("a\n\nb")},
	    {STR_INIT("\r\n\r\n"), STR_INIT("\n\n")},
	    {STR_INIT("\r"), STR_INIT("\n")},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str got = text_lines(&arena, cases[i].in);
		assert_non_null(got.at);
		assert_int_equal(got.len, cases[i].out.len);
		assert_memory_equal(got.at, cases[i].out.at, got.len);
	}
	assert_null(text_lines(&arena, STR_NONE).at);
}

static void
nfc_composes(void **state)
{
	(void)state;
	static const struct {
		struct str in, out;
	} cases[] = {
	    {STR_INIT("e\xcc\x81"), STR_INIT("\xc3\xa9")},
	    {STR_INIT("\xe2\x84\xab"), STR_INIT("\xc3\x85")},				  /* Angstrom */
	    {STR_INIT("q\xcc\x87\xcc\xa3"), STR_INIT("q\xcc\xa3\xcc\x87")},		  /* order */
	    {STR_INIT("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), STR_INIT("\xed\x95\x9c")}, /* Hangul */
	    {STR_INIT("\xef\xac\x81"), STR_INIT("\xef\xac\x81")},			  /* fi stays */
	    {STR_INIT("\xe0\xa4\x95\xe0\xa4\xbc"), STR_INIT("\xe0\xa4\x95\xe0\xa4\xbc")}, /* excluded */
	    {STR_INIT("a\nb\tc"), STR_INIT("a\nb\tc")},
	    {STR_INIT(""), STR_INIT("")},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str got = STR_NONE;
		assert_int_equal(text_nfc(&arena, cases[i].in, &got), STATUS_OK);
		assert_int_equal(got.len, cases[i].out.len);
		assert_memory_equal(got.at, cases[i].out.at, got.len);
	}
	struct str got;
	assert_int_equal(text_nfc(&arena, STR("\xff"), &got), STATUS_INVALID);
	assert_int_equal(text_nfc(&arena, STR_NONE, &got), STATUS_OK);
	assert_int_equal(text_nfc(&arena, repeat(STR("a"), STR("\xcc\x81"), TEXT_MARKS), &got), STATUS_OK);
	assert_int_equal(
	    text_nfc(&arena, repeat(STR("a"), STR("\xcc\x81"), TEXT_MARKS + 1), &got), STATUS_INVALID);
}

static void
fold_makes_equal(void **state)
{
	(void)state;
	static const struct {
		struct str one, other;
	} cases[] = {
	    {STR_INIT("STRASSE"), STR_INIT("stra\xc3\x9f\x65")},
	    {STR_INIT("\xce\xa3\xce\x91\xce\xa3"), STR_INIT("\xcf\x83\xce\xb1\xcf\x82")}, /* sigmas */
	    {STR_INIT("\xef\xac\x81x"), STR_INIT("FIX")},
	    {STR_INIT("\xef\xbc\xa1"), STR_INIT("a")}, /* full width */
	    {STR_INIT("a\xc2\xad"
		      "b\xe2\x80\x8b"),
		STR_INIT("AB")}, /* ignorable */
	    {STR_INIT("E\xcc\x81"), STR_INIT("\xc3\xa9")},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str one, other;
		assert_int_equal(text_fold(&arena, cases[i].one, &one), STATUS_OK);
		assert_int_equal(text_fold(&arena, cases[i].other, &other), STATUS_OK);
		if (!str_eq(one, other))
			fail_msg("case %zu: %.*s and %.*s", i, STR_FMT(one), STR_FMT(other));
	}
	struct str one, other;
	assert_int_equal(text_fold(&arena, STR("anna"), &one), STATUS_OK);
	assert_int_equal(text_fold(&arena, STR("anne"), &other), STATUS_OK);
	assert_false(str_eq(one, other));
	assert_int_equal(text_fold(&arena, STR("\xef\xb7\xba"), &one), STATUS_OK);
	assert_true(one.len <= 3 * 11);
	assert_int_equal(text_fold(&arena, STR("\xc0\x80"), &one), STATUS_INVALID);
}

static void
names_of_people_pass(void **state)
{
	(void)state;
	static const struct str names[] = {
	    STR_INIT("Anna"),
	    STR_INIT("J"),
	    STR_INIT("O'Neill-M\xc3\xbcller, Jr."),
	    STR_INIT("Nguy\xe1\xbb\x85n Ti\xe1\xba\xbfn"),
	    STR_INIT("Nguye\xcc\x82\xcc\x83n"),
	    STR_INIT("\xe5\xb1\xb1\xe7\x94\xb0\xe3\x80\x80\xe5\xa4\xaa\xe9\x83\x8e"),	      /* wide space */
	    STR_INIT("\xd7\xa9\xd6\xb8\xd7\x81\xd7\x9c\xd7\x95\xd6\xb9\xd7\x9d"),	      /* points */
	    STR_INIT("\xd9\x85\xd8\xad\xd9\x85\xd9\x91\xd8\xaf"),			      /* shadda */
	    STR_INIT("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85"), /* Persian */
	    STR_INIT("\xe0\xb6\xbd\xe0\xb7\x8a\xe2\x80\x8d\xe0\xb6\xbb\xe0\xb7\x93"),	      /* Sinhala */
	    STR_INIT("\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"),		      /* Devanagari */
	    STR_INIT("\xe0\xb8\x81\xe0\xb8\xb4\xe0\xb9\x88\xe0\xb8\x87"),		      /* Thai */
	    STR_INIT("\xf0\x9f\x98\x80"),
	    STR_INIT("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"),		      /* coder */
	    STR_INIT("\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x92\xbb"), /* with a tone */
	    STR_INIT("\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x94\xa5"),	      /* heart on fire */
	    STR_INIT("x\xe2\x9d\xa4\xef\xb8\x8f"),
	    STR_INIT("<script>alert(1)</script>"),
	    STR_INIT("{{name}} %s ${x}"),
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_name(names[i], TEXT_FAULT_NONE);
}

static void
names_that_hide_something_do_not(void **state)
{
	(void)state;
	static const struct {
		struct str name;
		enum text_fault fault;
	} cases[] = {
	    {STR_INIT("a\nb"), TEXT_FAULT_CONTROL}, {STR_INIT("a\tb"), TEXT_FAULT_CONTROL},
	    {STR_INIT("a\x1b[31m"), TEXT_FAULT_CONTROL}, {STR_INIT("a\x7f"), TEXT_FAULT_CONTROL},
	    {STR_INIT("a\xc2\x85"), TEXT_FAULT_CONTROL}, {STR_INIT("a\xc2\x9b"), TEXT_FAULT_CONTROL},
	    {STR_INIT("a\xe2\x80\xa8"
		      "b"),
		TEXT_FAULT_LINE},
	    {STR_INIT("a\xe2\x80\xa9"
		      "b"),
		TEXT_FAULT_LINE},
	    {STR_INIT("a\xe2\x80\xaa"
		      "b"),
		TEXT_FAULT_DIRECTION},
	    {STR_INIT("a\xe2\x80\xae"
		      "b"),
		TEXT_FAULT_DIRECTION},
	    {STR_INIT("a\xe2\x81\xa6"
		      "b"),
		TEXT_FAULT_DIRECTION},
	    {STR_INIT("a\xe2\x81\xa9"
		      "b"),
		TEXT_FAULT_DIRECTION},
	    {STR_INIT("a\xe2\x80\x8e"), TEXT_FAULT_DIRECTION},
	    {STR_INIT("a\xe2\x80\x8f"), TEXT_FAULT_DIRECTION}, {STR_INIT("a\xd8\x9c"), TEXT_FAULT_DIRECTION},
	    {STR_INIT("a\xe2\x80\x8b"
		      "b"),
		TEXT_FAULT_INVISIBLE},
	    {STR_INIT("a\xe2\x81\xa0"
		      "b"),
		TEXT_FAULT_INVISIBLE},
	    {STR_INIT("\xef\xbb\xbf"
		      "b"),
		TEXT_FAULT_INVISIBLE},
	    {STR_INIT("a\xc2\xad"), TEXT_FAULT_INVISIBLE},
	    {STR_INIT("a\xe3\x85\xa4"), TEXT_FAULT_INVISIBLE},	   /* Hangul filler */
	    {STR_INIT("a\xf3\xa0\x81\xa1"), TEXT_FAULT_INVISIBLE}, /* a tag */
	    {STR_INIT("a\xe2\x81\xa2"), TEXT_FAULT_INVISIBLE},	   /* invisible times */
	    {STR_INIT("an\xe2\x80\x8d"
		      "na"),
		TEXT_FAULT_JOINER},
	    {STR_INIT("an\xe2\x80\x8c"
		      "na"),
		TEXT_FAULT_JOINER},
	    {STR_INIT("anna\xe2\x80\x8d"), TEXT_FAULT_JOINER},
	    {STR_INIT("\xe2\x80\x8d"
		      "anna"),
		TEXT_FAULT_JOINER},
	    {STR_INIT("\xd9\x85\xe2\x80\x8c\xe2\x80\x8c\xd9\x85"), TEXT_FAULT_JOINER},
	    {STR_INIT("\xd9\x85\xe2\x80\x8c"
		      "a"),
		TEXT_FAULT_JOINER},
	    {STR_INIT("\xd9\x85\xe2\x80\x8c"), TEXT_FAULT_JOINER},
	    {STR_INIT("\xf0\x9f\x98\x80\xe2\x80\x8c\xf0\x9f\x98\x80"), TEXT_FAULT_JOINER}, /* ZWNJ in emoji */
	    {STR_INIT("\xf0\x9f\x98\x80\xe2\x80\x8d"), TEXT_FAULT_JOINER},
	    {STR_INIT("\xf0\x9f\x98\x80\xe2\x80\x8d"
		      "a"),
		TEXT_FAULT_JOINER},
	    {STR_INIT("\xcc\x81"
		      "a"),
		TEXT_FAULT_LONE_MARK},
	    {STR_INIT("a \xcc\x81"), TEXT_FAULT_LONE_MARK}, {STR_INIT("\xcc\x81"), TEXT_FAULT_LONE_MARK},
	    {STR_INIT("a\xee\x80\x80"), TEXT_FAULT_UNKNOWN}, /* private use */
	    {STR_INIT("a\xef\xbf\xbe"), TEXT_FAULT_UNKNOWN}, {STR_INIT("a\xef\xb7\x90"), TEXT_FAULT_UNKNOWN},
	    {STR_INIT("a\xf4\x8f\xbf\xbf"), TEXT_FAULT_UNKNOWN},
	    {STR_INIT("a\xcd\xb8"), TEXT_FAULT_UNKNOWN}, /* U+0378, unassigned */
	    {STR_INIT(""), TEXT_FAULT_EMPTY}, {STR_INIT("  "), TEXT_FAULT_EMPTY},
	    {STR_INIT("\xc2\xa0\xe3\x80\x80"), TEXT_FAULT_EMPTY},
	    {STR_INIT("\xe2\xa0\x80"), TEXT_FAULT_EMPTY}, /* Braille's blank */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_name(cases[i].name, cases[i].fault);
	expect_name(STR_NONE, TEXT_FAULT_EMPTY);
}

static void
marks_are_bounded(void **state)
{
	(void)state;
	struct str mark = STR("\xcc\xa9");
	expect_name(repeat(STR("Z"), mark, TEXT_NAME_MARKS), TEXT_FAULT_NONE);
	expect_name(repeat(STR("Z"), mark, TEXT_NAME_MARKS + 1), TEXT_FAULT_MARKS);
	expect_comment(repeat(STR("Z"), mark, TEXT_COMMENT_MARKS), TEXT_FAULT_NONE);
	expect_comment(repeat(STR("Z"), mark, TEXT_COMMENT_MARKS + 1), TEXT_FAULT_MARKS);
}

/* In the order that utf8proc's sorting likes least. */
static struct str
flood(size_t marks)
{
	return str_join(&arena, repeat(STR("a"), STR("\xcd\x9d"), marks / 2),
	    repeat(STR(""), STR("\xcc\xb4"), marks / 2));
}

static void
floods_cost_nothing(void **state)
{
	(void)state;
	struct str name = flood(10000), nfc;
	enum text_fault fault;
	EXPECT_FASTER(10, assert_int_equal(text_name_fault(name, &fault), STATUS_INVALID));
	EXPECT_FASTER(10, assert_int_equal(text_comment_fault(name, &fault), STATUS_INVALID));
	EXPECT_FASTER(10, assert_int_equal(text_nfc(&arena, name, &nfc), STATUS_INVALID));
	EXPECT_FASTER(10, assert_int_equal(text_fold(&arena, name, &nfc), STATUS_INVALID));
	struct str spread = repeat(STR(""), STR("a\xcd\x9d\xcc\xb4"), 5000);
	EXPECT_FASTER(20, assert_int_equal(text_nfc(&arena, spread, &nfc), STATUS_OK));
}

static void
comments_may_have_more(void **state)
{
	(void)state;
	expect_comment(STR("a\tb\n\nc"), TEXT_FAULT_NONE);
	expect_comment(STR("\xe2\x80\xaex\xe2\x80\xac"), TEXT_FAULT_NONE);
	expect_comment(STR("a\xe2\x80\x8d"
			   "b\xef\xbb\xbf"),
	    TEXT_FAULT_NONE);
	expect_comment(STR("\xee\x80\x80"), TEXT_FAULT_NONE);
	expect_comment(STR("a\xcd\xb8"), TEXT_FAULT_NONE);
	expect_comment(STR("a\rb"), TEXT_FAULT_CONTROL);
	expect_comment(STR("a\x08"), TEXT_FAULT_CONTROL);
	expect_comment(STR("a\xc2\x80"), TEXT_FAULT_CONTROL);
	expect_comment(STR("a\xef\xbf\xbf"), TEXT_FAULT_UNKNOWN);
	expect_comment(STR("a\xef\xb7\xaf"), TEXT_FAULT_UNKNOWN);
	expect_comment(STR("a\xf0\x9f\xbf\xbe"), TEXT_FAULT_UNKNOWN);
	expect_comment(STR(" \n\t"), TEXT_FAULT_EMPTY);
	expect_comment(STR("\xe2\x80\x8b\xe2\x80\x8b"), TEXT_FAULT_EMPTY);
	expect_comment(STR_NONE, TEXT_FAULT_EMPTY);
}

static void
no_memory_is_told(void **state)
{
	(void)state;
	struct arena small;
	arena_init(&small, 16);
	struct str out;
	assert_int_equal(text_nfc(&small, STR("abc"), &out), STATUS_BROKEN);
	assert_int_equal(text_fold(&small, STR("abc"), &out), STATUS_BROKEN);
	assert_null(text_lines(&small, STR("abc")).at);
	arena_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(valid_is_strict),
	    cmocka_unit_test(valid_agrees_with_the_definition),
	    cmocka_unit_test(points_are_counted),
	    cmocka_unit_test(lines_end_in_one_way),
	    cmocka_unit_test(nfc_composes),
	    cmocka_unit_test(fold_makes_equal),
	    cmocka_unit_test(names_of_people_pass),
	    cmocka_unit_test(names_that_hide_something_do_not),
	    cmocka_unit_test(marks_are_bounded),
	    cmocka_unit_test(floods_cost_nothing),
	    cmocka_unit_test(comments_may_have_more),
	    cmocka_unit_test(no_memory_is_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
