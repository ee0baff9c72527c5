/* What an article is called, from its own file. */
#include "room.h"

#include "page.h"
#include "text.h"
#include "title.h"

static void
titles_are_found_in_documents(void **state)
{
	struct room *room = *state;
	static const char *const cases[][2] = {
	    {"<title>Hello</title>", "Hello"},
	    {"<!doctype html><html><head><meta><TITLE>Hello</TITLE>", "Hello"},
	    {"<title lang=\"en\">Hello</title >x", "Hello"},
	    {"<title>\n  Hello,\n\tworld \xc2\xa0!  </title>", "Hello, world \xc2\xa0!"},
	    {"<title>A &amp; B &lt;b&gt; &quot;c&quot; &#39;d&apos;</title>", "A & B <b> \"c\" 'd'"},
	    {"<title>a&mdash;b&ndash;c&hellip;&nbsp;d</title>", "a\xe2\x80\x94" "b\xe2\x80\x93" "c\xe2\x80\xa6 d"},
	    {"<title>&ldquo;x&rdquo; &lsquo;y&rsquo;</title>",
	        "\xe2\x80\x9cx\xe2\x80\x9d \xe2\x80\x98y\xe2\x80\x99"},
	    {"<title>&amp;lt;</title>", "&lt;"},
	    {"<title>&unknown; & &</title>", "&unknown; & &"},
	    {"<title>One</title><title>Two</title>", "One"},
	    {"<title></title>", ""},
	    {"<title>  \n </title>", ""},
	    {"<title>open", "open"},
	    {"<title", ""},
	    {"no title", ""},
	    {"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_str(title_in(&room->arena, str_from(cases[i][0])), cases[i][1]);
}

static struct config_site
site_of(struct room *room)
{
	return (struct config_site){
	    .title = STR("The Meridian"), .document_root = str_from(room_path(room, "root"))};
}

static void
put(struct room *room, const char *name, const char *document)
{
	const char *path = room_path(room, name);
	char *folder = str_c(&room->arena, str_from(path));
	*strrchr(folder, '/') = '\0';
	OK(file_folder(folder, 0755));
	room_write(room, name, str_from(document));
}

static void
articles_are_found_in_three_places(void **state)
{
	struct room *room = *state;
	struct config_site site = site_of(room);
	put(room, "root/a/index.html", "<title>In the folder</title>");
	put(room, "root/a.html", "<title>Beside</title>");
	put(room, "root/b.html", "<title>Beside</title>");
	put(room, "root/c", "<title>As it is</title>");
	put(room, "root/index.html", "<title>Front</title>");
	put(room, "root/d/index.html", "<p>nothing");
	put(room, "root/d.html", "<title>Second try</title>");
	put(room, "root/e e/\xc3\xa4.html", "<title>Umlaut</title>");
	static const char *const cases[][2] = {{"/a", "In the folder"}, {"/b", "Beside"}, {"/c", "As it is"},
	    {"/", "Front"}, {"/d", "Second try"}, {"/none", "/none"}, {"/none/at/all", "/none/at/all"},
	    {"/e e/\xc3\xa4", "Umlaut"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_str(title_find(&room->arena, &site, str_from(cases[i][0])), cases[i][1]);
	site.document_root = STR("");
	assert_str(title_find(&room->arena, &site, STR("/a")), "/a");
}

static void
the_site_is_taken_off(void **state)
{
	struct room *room = *state;
	struct config_site site = site_of(room);
	static const char *const cases[][2] = {
	    {"Hello \xe2\x80\x94 The Meridian", "Hello"},
	    {"Hello \xe2\x80\x93 The Meridian", "Hello"},
	    {"Hello \xc2\xb7 The Meridian", "Hello"},
	    {"Hello | The Meridian", "Hello"},
	    {"Hello - The Meridian", "Hello"},
	    {"Hello - world - The Meridian", "Hello - world"},
	    {"Hello: The Meridian", "Hello: The Meridian"},
	    {"The Meridian", "The Meridian"},
	    {" - The Meridian", "- The Meridian"},
	    {"Hello - the meridian", "Hello - the meridian"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put(room, "root/a.html", str_format(&room->arena, "<title>%s</title>", cases[i][0]).at);
		assert_str(title_find(&room->arena, &site, STR("/a")), cases[i][1]);
	}
}

static void
long_titles_are_cut_at_a_character(void **state)
{
	struct room *room = *state;
	struct config_site site = site_of(room);
	for (size_t n = 190; n < 215; n++) {
		struct out out;
		out_init(&out, &room->arena);
		out_put(&out, STR("<title>"));
		for (size_t i = 0; i < n; i++)
			out_byte(&out, 'x');
		out_put(&out, STR("\xf0\x9f\x98\x80\xf0\x9f\x98\x80</title>"));
		put(room, "root/a.html", str_copy(&room->arena, out_str(&out)).at);
		struct str title = title_find(&room->arena, &site, STR("/a"));
		assert_true(text_valid(title) && title.len <= TITLE_MOST && title.len >= TITLE_MOST - 6);
		assert_int_equal(str_ends(title, STR("\xe2\x80\xa6")), n + 8 > TITLE_MOST);
	}
}

static void
no_title_is_the_page(void **state)
{
	struct room *room = *state;
	struct config_site site = site_of(room);
	put(room, "root/bad.html", "<title>\xff\xfe</title>");
	put(room, "root/folder/x", "");
	assert_str(title_find(&room->arena, &site, STR("/bad")), "/bad");
	room_listen(room);
	struct str folder = title_find(&room->arena, &site, STR("/folder"));
	room_heard(room);
	assert_str(folder, "/folder");
	char *big = arena_alloc(&room->arena, TITLE_FILE_MOST + 20);
	memset(big, ' ', TITLE_FILE_MOST + 1);
	memcpy(big, "<title>Big</title>", 18);
	put(room, "root/x", "");
	room_write(room, "root/big.html", (struct str){big, TITLE_FILE_MOST});
	assert_str(title_find(&room->arena, &site, STR("/big")), "Big");
	room_write(room, "root/big.html", (struct str){big, TITLE_FILE_MOST + 1});
	assert_str(title_find(&room->arena, &site, STR("/big")), "/big");
}

/* An article is a plain file: a pipe, which nobody writes to, must not hold a worker for ever. */
static void
a_pipe_is_no_article(void **state)
{
	struct room *room = *state;
	struct config_site site = site_of(room);
	put(room, "root/x", "");
	assert_int_equal(mkfifo(room_path(room, "root/pipe.html"), 0644), 0);
	room_listen(room);
	alarm(20);
	struct str title = title_find(&room->arena, &site, STR("/pipe"));
	alarm(0);
	room_heard(room);
	assert_str(title, "/pipe");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(titles_are_found_in_documents),
	    TEST(articles_are_found_in_three_places),
	    TEST(the_site_is_taken_off),
	    TEST(long_titles_are_cut_at_a_character),
	    TEST(no_title_is_the_page),
	    TEST(a_pipe_is_no_article),
	};
	return cmocka_run_group_tests_name("title", tests, NULL, NULL);
}
