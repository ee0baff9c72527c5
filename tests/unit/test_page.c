/* Which spellings are one page, which are none, and where a page's files and article are. */
#include "room.h"

#include "page.h"
#include "text.h"

static struct str page_keys[] = {STR_INIT("p"), STR_INIT("page_id")};
static const struct config_site plain = {.base = STR_INIT("https://news.example"), .mount = STR_INIT("/comments")};
static const struct config_site keyed = {
    .base = STR_INIT("https://news.example"), .mount = STR_INIT("/comments"), .page_keys = {page_keys, 2}};

/* --- spellings --------------------------------------------------------------------------------- */

static const struct {
	const char *spelling;
	const char *page; /* NULL: refused */
} spellings[] = {
    {"/", "/"},
    {"/a", "/a"},
    {"/a/", "/a"},
    {"//a", "/a"},
    {"///", "/"},
    {"/a//b///c", "/a/b/c"},
    {"/a/./b", "/a/b"},
    {"/./", "/"},
    {"/a/b/..", "/a"},
    {"/a/../b", "/b"},
    {"/..", "/"},
    {"/../../a", "/a"},
    {"/a/b/../../../c", "/c"},
    {"/a/.", "/a"},
    {"/a/..", "/"},
    {"/a//../b", "/b"},
    {"/%2e%2e/a", "/a"},
    {"/a/%2E/b", "/a/b"},
    {"/index.html", "/"},
    {"/a/index.html", "/a"},
    {"/a/index.html/", "/a"},
    {"/a/index.html/index.html", "/a"},
    {"/a//index.html", "/a"},
    {"/a/index.htm", "/a/index.htm"},
    {"/a/Index.html", "/a/Index.html"},
    {"/aindex.html", "/aindex.html"},
    {"/index.html/b", "/index.html/b"},
    {"/a.html", "/a.html"},
    {"/A", "/A"},
    {"/%61", "/a"},
    {"/%41%2f%42", "/A/B"},
    {"/a%20b", "/a b"},
    {"/a b", "/a b"},
    {"/a+b", "/a+b"},
    {"/%2561", "/%61"},
    {"/%252e%252e/a", "/%2e%2e/a"},
    {"/100%", "/100%"},
    {"/%zz", "/%zz"},
    {"/a?b=c", "/a"},
    {"/a?", "/a"},
    {"/?p=1", "/"},
    {"/a#b", "/a"},
    {"/a#b?c", "/a"},
    {"/a?b#c", "/a"},
    {"/a#", "/a"},
    {"/a%3Fb", "/a?b"},
    {"/a%23b", "/a#b"},
    {"/caf\xc3\xa9", "/caf\xc3\xa9"},
    {"/cafe\xcc\x81", "/caf\xc3\xa9"},
    {"/caf%C3%A9", "/caf\xc3\xa9"},
    {"/cafe%cc%81", "/caf\xc3\xa9"},
    {"/\xe2\x84\xab", "/\xc3\x85"}, /* ANGSTROM SIGN */
    {"/\xf0\x9f\x98\x80", "/\xf0\x9f\x98\x80"},
    {"/~a", "/~a"},
    {"/a~/b", "/a~/b"},
    {"/a./b", "/a./b"},
    {"/a:b;c=d@e", "/a:b;c=d@e"},
    {"/a\\b", "/a\\b"},
    {"/...", NULL},
    {"", NULL},
    {"a", NULL},
    {"a/b", NULL},
    {"?a", NULL},
    {"#a", NULL},
    {"https://news.example/a", NULL},
    {"/~", NULL},
    {"/~/thread.html", NULL},
    {"/a/~/thread.html", NULL},
    {"/a/%7E", NULL},
    {"/a/%7e/b", NULL},
    {"/.well-known", NULL},
    {"/.well-known/a", NULL},
    {"/a/.htaccess", NULL},
    {"/a/%2egit", NULL},
    {"/~/..", NULL}, /* what is refused stays refused, whatever follows */
    {"/a\nb", NULL},
    {"/a%0Ab", NULL},
    {"/a%00b", NULL},
    {"/a%1fb", NULL},
    {"/a%7Fb", NULL},
    {"/a%C2%85b", NULL},
    {"/a\xc2\x80", NULL},
    {"/a%C2%A0b", "/a\xc2\xa0" "b"},
    {"/%ff", NULL},
    {"/\xc3", NULL},
    {"/%C0%AF", NULL},
    {"/%C0%AE%C0%AE/", NULL},
    {"/%ED%A0%80", NULL},
};

static void
spellings_lead_to_one_page(void **state)
{
	struct room *room = *state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		struct str page = STR_NONE;
		enum status status = page_canonical(&room->arena, &plain, str_from(spellings[i].spelling), &page);
		if (status != (spellings[i].page == NULL ? STATUS_INVALID : STATUS_OK))
			fail_msg("%s: %s", spellings[i].spelling, status_name(status));
		if (spellings[i].page != NULL)
			assert_str(page, spellings[i].page);
	}
}

static void
decoded_paths_are_not_decoded_again(void **state)
{
	struct room *room = *state;
	static const char *const cases[][2] = {{"/a%20b", "/a%20b"}, {"/a?b", "/a?b"}, {"/a#b", "/a#b"}, {"/a//b/", "/a/b"},
	    {"/a/../b/index.html", "/b"}, {"/%2e%2e/a", "/%2e%2e/a"}, {"/cafe\xcc\x81", "/caf\xc3\xa9"}, {"/", "/"},
	    {"/p=12", "/p=12"}};
	static const char *const bad[] = {"", "a", "/~", "/.git", "/a\nb", "/\xff", "/a/~/b"};
	struct str page;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		OK(page_of_path(&room->arena, str_from(cases[i][0]), &page));
		assert_str(page, cases[i][1]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(page_of_path(&room->arena, str_from(bad[i]), &page), STATUS_INVALID);
	assert_int_equal(page_of_path(&room->arena, STR("/a\0b"), &page), STATUS_INVALID);
	assert_int_equal(page_of_path(&room->arena, STR_NONE, &page), STATUS_INVALID);
}

static void
named_query_keys_belong_to_the_page(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *spelling, *page;
	} cases[] = {
	    {"/?p=12", "/p=12"},
	    {"/index.html?p=12", "/p=12"},
	    {"/a?p=12&utm_source=x", "/a/p=12"},
	    {"/a?utm_source=x&p=12#c", "/a/p=12"},
	    {"/a?page_id=3&p=12", "/a/p=12&page_id=3"},
	    {"/a?p=12&page_id=3", "/a/p=12&page_id=3"},
	    {"/a?q=1", "/a"},
	    {"/a?p=", "/a"},
	    {"/a?p", "/a"},
	    {"/a?P=12", "/a"},
	    {"/a?pp=12", "/a"},
	    {"/a?%70=%31", "/a/p=1"},
	    {"/a?p=1&p=2", "/a/p=1"},
	    {"/a?p=caf%C3%A9", "/a/p=caf\xc3\xa9"},
	    {"/a?p=..", "/a/p=.."},
	    {"/a?p=x%2fy", NULL},
	    {"/a?p=x/y", NULL},
	    {"/a?p=x%26y", NULL},
	    {"/a?p=%00", NULL},
	    {"/a?p=%ff", NULL},
	    {"/a?p=%0a", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str page = STR_NONE;
		enum status status = page_canonical(&room->arena, &keyed, str_from(cases[i].spelling), &page);
		if (status != (cases[i].page == NULL ? STATUS_INVALID : STATUS_OK))
			fail_msg("%s: %s", cases[i].spelling, status_name(status));
		if (cases[i].page != NULL)
			assert_str(page, cases[i].page);
	}
}

/* --- limits ------------------------------------------------------------------------------------ */

static struct str
repeated(struct room *room, const char *unit, size_t n)
{
	struct out out;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < n; i++)
		out_put(&out, str_from(unit));
	return out_str(&out);
}

static enum status
canonical(struct room *room, struct str spelling, struct str *page)
{
	return page_canonical(&room->arena, &plain, spelling, page);
}

static void
limits_count_bytes_of_the_canonical_page(void **state)
{
	struct room *room = *state;
	struct arena *arena = &room->arena;
	struct str page, slash = STR("/");
	struct str most = str_join(arena, slash, repeated(room, "x", PAGE_SEGMENT_MOST));
	OK(canonical(room, most, &page));
	assert_int_equal(page.len, 1 + PAGE_SEGMENT_MOST);
	assert_int_equal(canonical(room, str_join(arena, most, STR("x")), &page), STATUS_INVALID);
	assert_int_equal(canonical(room, str_join(arena, most, STR("%78")), &page), STATUS_INVALID);
	OK(canonical(room, str_join(arena, most, STR("/x")), &page));
	/* 255 + 255 + two slashes is 512. */
	struct str full = str_join(arena, most, most);
	OK(canonical(room, full, &page));
	assert_int_equal(page.len, PAGE_MOST);
	OK(page_of_path(arena, full, &page));
	OK(canonical(room, str_join(arena, full, STR("/")), &page));
	OK(canonical(room, str_join(arena, full, STR("/index.html")), &page));
	assert_int_equal(page.len, PAGE_MOST);
	assert_int_equal(canonical(room, str_join(arena, full, STR("/x")), &page), STATUS_INVALID);
	assert_int_equal(page_of_path(arena, str_join(arena, full, STR("/x")), &page), STATUS_INVALID);
	/* Percent-encoded it is three times as long, and still the same page. */
	struct str encoded = str_join(arena, slash, repeated(room, "%78", PAGE_SEGMENT_MOST));
	OK(canonical(room, str_join(arena, encoded, encoded), &page));
	assert_int_equal(page.len, PAGE_MOST);
	assert_int_equal(canonical(room, repeated(room, "/x", 100000), &page), STATUS_INVALID);
	assert_int_equal(page_of_path(arena, repeated(room, "/x", 100000), &page), STATUS_INVALID);
}

static void
limits_hold_after_normalisation(void **state)
{
	struct room *room = *state;
	struct str page;
	/* HEBREW LETTER ALEF WITH MAPIQ (2 of 3 bytes as U+FB30) becomes 4 bytes in NFC: it grows. */
	struct str long_in_nfc = str_join(&room->arena, STR("/"), repeated(room, "\xef\xac\xb0", 85));
	enum status status = canonical(room, long_in_nfc, &page);
	assert_true(status == STATUS_INVALID || page.len <= 1 + PAGE_SEGMENT_MOST);
	assert_int_equal(status, STATUS_INVALID);
	/* And NFD input of more than 255 bytes that is a fit segment in NFC may be refused or taken, never cut. */
	struct str nfd = str_join(&room->arena, STR("/"), repeated(room, "e\xcc\x81", 127));
	status = canonical(room, nfd, &page);
	assert_true(status == STATUS_INVALID || page.len == 1 + 2 * 127);
}

/* --- properties -------------------------------------------------------------------------------- */

static void
random_spelling(unsigned *seed, char *to, size_t *len)
{
	static const char *const pieces[] = {"/", "//", ".", "..", "/../", "/./", "%2e", "%2F", "%25", "%", "~", "a", "B",
	    "index.html", "/index.html", "?", "#", "p=1", "&", "\xc3\xa9", "e\xcc\x81", "%CC%81", "%00", "\xff", " ", "+",
	    "%7E", "=", "\\", "*", "\xe1\x84\x80", "\xe1\x85\xa1", "page_id=", "%e2%84%ab"};
	size_t n = (size_t)rand_r(seed) % 12;
	*len = 0;
	to[(*len)++] = '/';
	for (size_t i = 0; i < n; i++) {
		const char *piece = pieces[(size_t)rand_r(seed) % (sizeof pieces / sizeof *pieces)];
		memcpy(to + *len, piece, strlen(piece));
		*len += strlen(piece);
	}
}

static void
assert_canonical_form(struct room *room, struct str page)
{
	struct str again, rest = page;
	assert_true(page.len >= 1 && page.len <= PAGE_MOST && page.at[0] == '/' && text_valid(page));
	assert_true(page.len == 1 || page.at[page.len - 1] != '/');
	str_cut(&rest, '/');
	while (page.len > 1 && rest.at != NULL) {
		struct str segment = str_cut(&rest, '/');
		assert_true(segment.len > 0 && segment.len <= PAGE_SEGMENT_MOST);
		assert_int_not_equal(segment.at[0], '.');
		assert_false(str_eq(segment, STR("~")));
	}
	OK(page_of_path(&room->arena, page, &again));
	assert_true(str_eq(again, page));
}

/* Whatever comes out is canonical: taken as a path, or as an article's address, it leads to itself. */
static void
canonical_pages_are_their_own_spelling(void **state)
{
	struct room *room = *state;
	unsigned seed = room_seed();
	size_t taken = 0;
	for (size_t i = 0; i < 200000; i++) {
		char spelling[256];
		size_t len;
		struct str page, again;
		random_spelling(&seed, spelling, &len);
		arena_reset(&room->arena);
		if (page_canonical(&room->arena, &keyed, (struct str){spelling, len}, &page) != STATUS_OK)
			continue;
		taken++;
		assert_canonical_form(room, page);
		struct str url = page_url(&room->arena, &keyed, page);
		if (page_canonical(&room->arena, &keyed, url, &again) != STATUS_OK || !str_eq(again, page))
			fail_msg("%.*s -> %.*s -> %.*s -> %.*s", (int)len, spelling, STR_FMT(page), STR_FMT(url),
			    STR_FMT(again));
	}
	assert_true(taken > 20000);
}

static void
addresses_lead_back_to_the_page(void **state)
{
	struct room *room = *state;
	static const char *const cases[][2] = {{"/", "/"}, {"/a/b", "/a/b"}, {"/a b", "/a%20b"},
	    {"/a?b#c%d", "/a%3Fb%23c%25d"}, {"/caf\xc3\xa9", "/caf%C3%A9"}, {"/p=12", "/?p=12"}, {"/a/p=12", "/a/?p=12"},
	    {"/a/p=12&page_id=3", "/a/?p=12&page_id=3"}, {"/a/q=12", "/a/q%3D12"}, {"/a/p=", "/a/p%3D"}, {"/a/p=1&x=2", "/a/p%3D1%26x%3D2"},
	    {"/a/page_id=3&p=1", "/a/page_id%3D3%26p%3D1"}, {"/a/p=1&p=2", "/a/p%3D1%26p%3D2"}, {"/a/p=x y", "/a/?p=x%20y"},
	    {"/a/p=\"<", "/a/?p=%22%3C"}, {"/\"><script>", "/%22%3E%3Cscript%3E"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str url = page_url(&room->arena, &keyed, str_from(cases[i][0])), page;
		assert_str(url, cases[i][1]);
		OK(page_canonical(&room->arena, &keyed, url, &page));
		assert_str(page, cases[i][0]);
	}
}

static void
files_stand_below_the_page(void **state)
{
	struct room *room = *state;
	assert_str(page_file(&room->arena, STR("/"), STR("thread.html")), "threads/~/thread.html");
	assert_str(page_file(&room->arena, STR("/a/b"), STR("feed.xml")), "threads/a/b/~/feed.xml");
}

/* --- patterns ---------------------------------------------------------------------------------- */

static void
patterns_fit_pages(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *page;
		bool fits;
	} cases[] = {
	    {"**", "/", true},
	    {"**", "/a/b", true},
	    {"*", "/", false},
	    {"/*", "/", true},
	    {"/*", "/a", true},
	    {"/*", "/a/b", false},
	    {"/**", "/a/b", true},
	    {"/a", "/a", true},
	    {"/a", "/ab", false},
	    {"/a", "/A", false},
	    {"/a/*", "/a", false},
	    {"/a/*", "/a/b", true},
	    {"/a/*/c", "/a/b/c", true},
	    {"/a/*/c", "/a/b/b/c", false},
	    {"/a/**/c", "/a/b/b/c", true},
	    {"/a/**/c", "/a/c", false},
	    {"/a/**", "/a", false},
	    {"/*.html", "/a.html", true},
	    {"/*.html", "/a/b.html", false},
	    {"/**.html", "/a/b.html", true},
	    {"/a*b*c", "/aXbYbZc", true},
	    {"/a*b*c", "/aXbYbZ", false},
	    {"/*/*", "/a/b", true},
	    {"/***", "/a/b", true},
	    {"", "/", false},
	    {"", "", true},
	    {"/a?c", "/abc", false},
	    {"/[a]", "/a", false},
	    {"/[a]", "/[a]", true},
	    {"/2026/*", "/2026/caf\xc3\xa9", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (page_fits(str_from(cases[i].pattern), str_from(cases[i].page)) != cases[i].fits)
			fail_msg("%s %s", cases[i].pattern, cases[i].page);
}

static void
patterns_take_no_exponential_time(void **state)
{
	struct room *room = *state;
	struct str page = str_join(&room->arena, STR("/"), repeated(room, "a", PAGE_MOST - 1));
	struct str pattern = str_join(&room->arena, repeated(room, "**a", 300), STR("b"));
	assert_false(page_fits(pattern, page));
	assert_false(page_fits(STR("**"), str_join(&room->arena, page, STR("a"))));
	assert_true(page_fits(STR("**"), page));
}

static void
allowed_is_what_any_pattern_allows(void **state)
{
	(void)state;
	struct str patterns[] = {STR("/blog/**"), STR("/about")};
	struct config_site site = {.pages = {patterns, 2}};
	assert_true(page_allowed(&site, STR("/blog/a")) && page_allowed(&site, STR("/about")));
	assert_false(page_allowed(&site, STR("/")) || page_allowed(&site, STR("/about/x")));
	site.pages.n = 0;
	assert_false(page_allowed(&site, STR("/about")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(spellings_lead_to_one_page),
	    TEST(decoded_paths_are_not_decoded_again),
	    TEST(named_query_keys_belong_to_the_page),
	    TEST(limits_count_bytes_of_the_canonical_page),
	    TEST(limits_hold_after_normalisation),
	    TEST(canonical_pages_are_their_own_spelling),
	    TEST(addresses_lead_back_to_the_page),
	    TEST(files_stand_below_the_page),
	    TEST(patterns_fit_pages),
	    TEST(patterns_take_no_exponential_time),
	    TEST(allowed_is_what_any_pattern_allows),
	};
	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
