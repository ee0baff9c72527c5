/* The words that are compiled in, overriding them, and the choice of plural forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "words.h"

enum { MEMORY = 1 << 22 };

static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, MEMORY);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void
assert_str(struct str s, const char *expected)
{
	assert_non_null(s.at);
	assert_string_equal(str_c(&arena, s), expected);
}

/* --- the words that are compiled in ----------------------------------------------------------- */

static void
every_word_can_be_said(void **state)
{
	(void)state;
	assert_true(WORD_COUNT > 0);
	for (size_t i = 0; i < WORD_COUNT; i++) {
		assert_true(words_list_keys[i].key.len > 0);
		assert_true(words_default()->texts[i].form[WORDS_OTHER].len > 0);
	}
}

/* Every hole that stands in a text is among those that an override may use. */
static void
every_hole_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < WORD_COUNT; i++) {
		for (size_t form = 0; form < WORDS_FORMS; form++) {
			struct str text = words_default()->texts[i].form[form];
			struct str literal;
			struct str hole;
			while (words_file_piece(&text, &literal, &hole)) {
				struct str known = words_list_keys[i].holes;
				bool found = hole.at == NULL;
				while (!found && known.at != NULL)
					found = str_eq(str_cut(&known, ' '), hole);
				assert_true(found);
			}
		}
	}
}

/* --- overriding ------------------------------------------------------------------------------- */

static const struct words *
overridden(const char *text)
{
	struct words *words = NULL;
	struct str why;
	assert_int_equal(words_override(&arena, words_default(), str_from(text), &words, &why), STATUS_OK);
	assert_null(why.at);
	return words;
}

static void
assert_refused(const char *text, const char *reason)
{
	struct words *words = NULL;
	struct str why;
	assert_int_equal(
	    words_override(&arena, words_default(), str_from(text), &words, &why), STATUS_INVALID);
	assert_null(words);
	assert_str(why, reason);
}

static void
an_override_replaces_its_keys_only(void **state)
{
	(void)state;
	const struct words *words = overridden("# ours\r\n\r\n form.title =  Say = it \r\n");
	assert_str(words_say(&arena, words, WORD_FORM_TITLE, NULL, 0), "Say = it");
	assert_true(str_eq(words->texts[WORD_REPLY_BY].form[WORDS_OTHER],
	    words_default()->texts[WORD_REPLY_BY].form[WORDS_OTHER]));
	assert_false(str_eq(words_default()->texts[WORD_FORM_TITLE].form[WORDS_OTHER], STR("Say = it")));
}

static void
an_override_keeps_no_pointer_into_the_file(void **state)
{
	(void)state;
	char text[] = "form.title = Mine";
	const struct words *words = overridden(text);
	text[13] = 'X';
	assert_str(words_say(&arena, words, WORD_FORM_TITLE, NULL, 0), "Mine");
}

static void
an_override_may_be_empty(void **state)
{
	(void)state;
	assert_str(words_say(&arena, overridden("form.title ="), WORD_FORM_TITLE, NULL, 0), "");
	assert_true(overridden("")->texts[WORD_FORM_TITLE].form[WORDS_OTHER].len > 0);
}

static void
a_mistake_is_told_with_its_line(void **state)
{
	(void)state;
	assert_refused("# a\n\nform.titel = x\n", "line 3: unknown key form.titel");
	assert_refused("form.title = {nobody}", "line 1: form.title has no hole {nobody}");
	assert_refused("form.title = {",
	    "line 1: a hole is {name}, in lower-case letters; a literal brace is written {{");
	assert_refused(
	    "form.title[one] = x", "line 1: form.title has no number {n} to choose a plural form by");
	assert_refused("form.title = a\nform.title = b", "line 2: form.title is set twice");
	assert_refused("reply.count[one] = a\nreply.count = b", "line 2: reply.count is set twice");
	assert_refused("reply.count = a\nreply.count[few] = b", "line 2: reply.count is set twice");
	assert_refused("reply.count[two] = a", "line 1: a plural form is [one], [few], [many] or [other]");
	assert_refused("reply.count[one = a", "line 1: a plural form is [one], [few], [many] or [other]");
	assert_refused("form.title", "line 1: a line is `key = text`");
	assert_refused("= x", "line 1: a key is lower-case words of letters, digits and _, joined by dots");
	assert_refused(
	    "form..title = x", "line 1: a key is lower-case words of letters, digits and _, joined by dots");
	assert_refused(
	    "plural = klingon", "line 1: plural is one-other, none, french, slavic, polish or czech");
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"\xfc", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
	    "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\x1b[m", "\x7f",
	    "a\xe2\x82"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct str text = str_format(&arena, "form.title = a%sb", bad[i]);
		assert_refused(text.at, "line 1: the text is no UTF-8, or has control characters");
	}
	assert_str(
	    words_say(&arena, overridden("form.title = ü€😀\xf4\x8f\xbf\xbf"), WORD_FORM_TITLE, NULL, 0),
	    "ü€😀\xf4\x8f\xbf\xbf");
}

static void
a_full_arena_is_no_mistake_of_the_file(void **state)
{
	(void)state;
	struct arena small;
	arena_init(&small, 16);
	struct words *words = NULL;
	struct str why;
	assert_int_equal(
	    words_override(&small, words_default(), STR("form.title = x"), &words, &why), STATUS_BROKEN);
	assert_null(why.at);
	arena_free(&small);
}

/* --- saying ----------------------------------------------------------------------------------- */

static struct str
count(const struct words *words, int64_t n)
{
	const struct word_hole holes[] = {{.name = STR_INIT("n"), .n = n}};
	return words_say(&arena, words, WORD_REPLY_COUNT, holes, 1);
}

static void
the_number_chooses_the_form(void **state)
{
	(void)state;
	const struct words *words = overridden("reply.count[one] = {n} one\nreply.count[other] = {n} more");
	assert_str(count(words, 1), "1 one");
	assert_str(count(words, 0), "0 more");
	assert_str(count(words, 21), "21 more");
	assert_str(count(words, -1), "-1 one");
	assert_str(count(words, INT64_MIN), "-9223372036854775808 more");
}

static void
a_plain_override_serves_all_forms(void **state)
{
	(void)state;
	assert_str(count(overridden("reply.count = replies: {n}"), 1), "replies: 1");
}

static void
another_language_brings_its_forms(void **state)
{
	(void)state;
	const struct words *words =
	    overridden("plural = slavic\nreply.count[one] = {n} a\nreply.count[few] = {n} b\n"
		       "reply.count[many] = {n} c");
	assert_str(count(words, 21), "21 a");
	assert_str(count(words, 22), "22 b");
	assert_str(count(words, 12), "12 c");
}

static void
holes_are_escaped_with_the_text(void **state)
{
	(void)state;
	const struct words *words = overridden("reply.by = {{&} {name}\"{name}");
	const struct word_hole holes[] = {{.name = STR_INIT("name"), .text = STR_INIT("<{name}>")}};
	struct out out;
	out_init(&out, &arena);
	words_write(&out, words, WORD_REPLY_BY, holes, 1, out_html);
	assert_str(out_str(&out), "{&amp;} &lt;{name}&gt;&quot;&lt;{name}&gt;");
	out_init(&out, &arena);
	words_write(&out, words, WORD_REPLY_BY, holes, 1, out_json);
	assert_str(out_str(&out), "\"{\\u0026} \\u003c{name}\\u003e\\\"\\u003c{name}\\u003e\"");
	assert_str(words_say(&arena, words, WORD_REPLY_BY, holes, 1), "{&} <{name}>\"<{name}>");
	assert_str(words_say(&arena, words, WORD_REPLY_BY, NULL, 0), "{&} \"");
}

static void
memory_failure_shows_in_the_page(void **state)
{
	(void)state;
	char *much = arena_array(&arena, 2, MEMORY / 16);
	const struct word_hole holes[] = {{.name = STR_INIT("name"), .text = {much, MEMORY / 8}}};
	struct arena small;
	arena_init(&small, MEMORY / 16);
	struct out out;
	out_init(&out, &small);
	words_write(&out, words_default(), WORD_REPLY_BY, holes, 1, out_html);
	assert_int_equal(out_status(&out), STATUS_BROKEN);
	assert_null(words_say(&small, words_default(), WORD_REPLY_BY, holes, 1).at);
	arena_free(&small);
}

/* --- plural rules: the forms of these numbers, by their first letters ------------------------- */

static void
rules_choose_as_cldr_says(void **state)
{
	(void)state;
	static const int64_t numbers[] = {0, 1, 2, 4, 5, 10, 11, 12, 14, 21, 22, 25, 101, 111, 112, 122};
	static const struct {
		const char *name;
		const char *forms;
	} cases[] = {
	    {"one-other", "o1oooooooooooooo"},
	    {"none", "oooooooooooooooo"},
	    {"french", "11oooooooooooooo"},
	    {"slavic", "m1ffmmmmm1fm1mmf"},
	    {"polish", "m1ffmmmmmmfmmmmf"},
	    {"czech", "o1ffoooooooooooo"},
	};
	assert_int_equal(sizeof cases / sizeof cases[0], WORDS_PLURAL_COUNT);
	for (size_t i = 0; i < WORDS_PLURAL_COUNT; i++) {
		enum words_plural plural;
		assert_int_equal(words_file_rule(str_from(cases[i].name), &plural), STATUS_OK);
		for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
			assert_int_equal("1fmo"[words_file_form(plural, numbers[j])], cases[i].forms[j]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_word_can_be_said),
	    cmocka_unit_test(every_hole_is_known),
	    cmocka_unit_test(an_override_replaces_its_keys_only),
	    cmocka_unit_test(an_override_keeps_no_pointer_into_the_file),
	    cmocka_unit_test(an_override_may_be_empty),
	    cmocka_unit_test(a_mistake_is_told_with_its_line),
	    cmocka_unit_test(bytes_that_are_no_text_are_refused),
	    cmocka_unit_test(a_full_arena_is_no_mistake_of_the_file),
	    cmocka_unit_test(the_number_chooses_the_form),
	    cmocka_unit_test(a_plain_override_serves_all_forms),
	    cmocka_unit_test(another_language_brings_its_forms),
	    cmocka_unit_test(holes_are_escaped_with_the_text),
	    cmocka_unit_test(memory_failure_shows_in_the_page),
	    cmocka_unit_test(rules_choose_as_cldr_says),
	};
	return cmocka_run_group_tests_name("words", tests, set_up, tear_down);
}
