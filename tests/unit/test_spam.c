/* Why a reply deserves a second look, as stored and as read back. */
#include "room.h"

#include "spam.h"

static struct str listed[] = {STR_INIT("casino"), STR_INIT("sex"), STR_INIT("\xc3\x84pfel"), STR_INIT("two words"),
    STR_INIT("evil.example")};
static const struct config_site site = {.listed_words = {listed, 5}};
static const struct config_site without = {.title = STR_INIT("")};

static struct spam_signs
harmless(const char *comment)
{
	return (struct spam_signs){.name = STR("Ada"), .website = STR(""), .comment = str_from(comment), .known_author = true};
}

static void
each_sign_is_a_reason(void **state)
{
	struct room *room = *state;
	struct spam_signs signs = harmless("hello");
	assert_str(spam_reasons(&room->arena, &site, &signs), "");
	signs.links = SPAM_LINKS_MOST;
	assert_str(spam_reasons(&room->arena, &site, &signs), "");
	signs.links = SPAM_LINKS_MOST + 1;
	assert_str(spam_reasons(&room->arena, &site, &signs), "links 3");
	signs = harmless("hello");
	signs.known_author = false;
	assert_str(spam_reasons(&room->arena, &site, &signs), "first");
	signs = harmless("hello");
	signs.honeypot = true;
	assert_str(spam_reasons(&room->arena, &site, &signs), "honeypot");
	signs = harmless("buy at the casino");
	signs.links = 9;
	signs.known_author = false;
	signs.honeypot = signs.timed = true;
	signs.age = 1;
	assert_str(spam_reasons(&room->arena, &site, &signs), "links 9\nfirst\nhoneypot\nquick 1\nword casino");
	assert_str(spam_reasons(&room->arena, &without, &signs), "links 9\nfirst\nhoneypot\nquick 1");
}

static void
too_quick_is_measured_when_it_can_be(void **state)
{
	struct room *room = *state;
	static const struct {
		bool timed;
		int64_t age;
		const char *reasons;
	} cases[] = {{true, 0, "quick 0"}, {true, SPAM_QUICK - 1, "quick 2"}, {true, SPAM_QUICK, ""}, {true, -1, ""},
	    {true, INT64_MAX, ""}, {true, INT64_MIN, ""}, {false, 0, ""}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct spam_signs signs = harmless("hello");
		signs.timed = cases[i].timed;
		signs.age = cases[i].age;
		assert_str(spam_reasons(&room->arena, &site, &signs), cases[i].reasons);
	}
}

static void
listed_words_are_whole_words(void **state)
{
	struct room *room = *state;
	static const char *const cases[][2] = {
	    {"the casino", "word casino"},
	    {"CASINO!", "word casino"},
	    {"(casino)", "word casino"},
	    {"casino casino", "word casino"},
	    {"casinos", ""},
	    {"mycasino", ""},
	    {"casino2", ""},
	    {"Essex", ""},
	    {"Essex, sex", "word sex"},
	    {"unisex sexy sex", "word sex"},
	    {"a-sex-b", "word sex"},
	    {"\xc3\xa4sex", ""},
	    {"sex\xc3\xa4", ""},
	    {"\xc3\xa4pfel", "word \xc3\x84pfel"},
	    {"a\xcc\x88PFEL", "word \xc3\x84pfel"},
	    {"\xef\xbd\x83\xef\xbd\x81sino", "word casino"}, /* full-width letters */
	    {"cas\xc2\xad" "ino", "word casino"}, /* soft hyphen */
	    {"two words", "word two words"},
	    {"two  words", ""},
	    {"http://evil.example/x", "word evil.example"},
	    {"evilxexample", ""},
	    {"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct spam_signs signs = harmless(cases[i][0]);
		assert_str(spam_reasons(&room->arena, &site, &signs), cases[i][1]);
	}
	struct spam_signs signs = harmless("hello");
	signs.name = STR("Casino");
	signs.website = STR("https://evil.example");
	assert_str(spam_reasons(&room->arena, &site, &signs), "word casino\nword evil.example");
}

static void
listed_words_are_not_counted_for_ever(void **state)
{
	struct room *room = *state;
	struct str words[20];
	struct config_site many = {.listed_words = {words, 20}};
	struct out out;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < 20; i++) {
		words[i] = str_format(&room->arena, "word%zu", i);
		out_format(&out, "word%zu ", i);
	}
	struct spam_signs signs = harmless("");
	signs.comment = out_str(&out);
	struct str stored = spam_reasons(&room->arena, &many, &signs);
	struct spam_reason reason;
	size_t n = 0;
	for (; spam_next(&stored, &reason); n++) {
		assert_int_equal(reason.kind, SPAM_WORD);
		assert_true(str_eq(reason.word, words[n]));
	}
	assert_int_equal(n, SPAM_REASONS_MOST);
	many.listed_words.n = 1;
	words[0] = STR("");
	assert_str(spam_reasons(&room->arena, &many, &signs), "");
}

static void
stored_reasons_are_read_back(void **state)
{
	(void)state;
	struct str stored = STR("links 3\nfirst\nhoneypot\nquick 2\nword two words");
	static const struct {
		enum spam_kind kind;
		int64_t n;
		const char *word;
	} wanted[] = {{SPAM_LINKS, 3, NULL}, {SPAM_FIRST, 0, NULL}, {SPAM_HONEYPOT, 0, NULL}, {SPAM_TOO_QUICK, 2, NULL},
	    {SPAM_WORD, 0, "two words"}};
	struct spam_reason reason;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		assert_true(spam_next(&stored, &reason));
		assert_int_equal(reason.kind, wanted[i].kind);
		assert_int_equal(reason.n, wanted[i].n);
		if (wanted[i].word != NULL)
			assert_str(reason.word, wanted[i].word);
	}
	assert_false(spam_next(&stored, &reason));
	assert_false(spam_next(&stored, &reason));
}

static void
strange_lines_do_no_harm(void **state)
{
	(void)state;
	struct str stored = STR("\nnews 7\n links 1\nLINKS 2\nlinks\nlinks x\nlinks 99999999999999999999\nword\nlinks 4\n\n");
	static const int64_t numbers[] = {0, 0, 0, 0, 4};
	struct spam_reason reason;
	for (size_t i = 0; i < 5; i++) {
		assert_true(spam_next(&stored, &reason));
		assert_int_equal(reason.kind, i == 3 ? SPAM_WORD : SPAM_LINKS);
		assert_int_equal(reason.n, numbers[i]);
	}
	assert_false(spam_next(&stored, &reason));
	stored = STR_NONE;
	assert_false(spam_next(&stored, &reason));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(each_sign_is_a_reason),
	    TEST(too_quick_is_measured_when_it_can_be),
	    TEST(listed_words_are_whole_words),
	    TEST(listed_words_are_not_counted_for_ever),
	    cmocka_unit_test(stored_reasons_are_read_back),
	    cmocka_unit_test(strange_lines_do_no_harm),
	};
	return cmocka_run_group_tests_name("spam", tests, NULL, NULL);
}
