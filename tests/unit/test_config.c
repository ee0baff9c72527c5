/* rejoinder.conf: what is meant when nothing is said, and what is said when something is wrong. */
#include "room.h"

#define KEY "sealing_key = \"0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef\"\n"
#define SITE "site main { base = \"https://news.example\" }\n"

static enum status
read_text(struct room *room, const char *text, struct config **config)
{
	room_write(room, "x.conf", str_from(text));
	return config_read(&room->arena, room_path(room, "x.conf"), config);
}

static void
defaults_are_those_of_the_manual(void **state)
{
	struct room *room = *state;
	struct config *config = NULL;
	OK(read_text(room, KEY SITE, &config));
	assert_string_equal(config->database, "/var/lib/rejoinder/rejoinder.db");
	assert_string_equal(config->public_dir, "/var/lib/rejoinder/public");
	assert_string_equal(config->run_dir, "/run/rejoinder");
	assert_string_equal(config->matching_key, "/etc/rejoinder/matching.key");
	assert_string_equal(config->receipt_key, "/etc/rejoinder/receipt.key");
	assert_string_equal(config->moderators_database, "/var/lib/rejoinder-moderators/moderators.db");
	assert_string_equal(config->secret_key, "/var/lib/rejoinder-moderators/secret.key");
	assert_int_equal(config->workers, 16);
	assert_int_equal(config->sealing_key[1], 0x23);
	assert_str(config->path, room_path(room, "x.conf"));
	const struct config_site *site = &config->sites[0];
	assert_str(site->name, "main");
	assert_str(site->title, "");
	assert_str(site->mount, "/comments");
	assert_str(site->document_root, "");
	assert_int_equal(site->pages.n, 1);
	assert_str(site->pages.items[0], "**");
	assert_int_equal(site->page_keys.n + site->listed_words.n + site->origins.n, 0);
	assert_false(site->paused);
	assert_int_equal(site->comment_most, 10000);
	assert_int_equal(site->edit_for, 900);
	assert_int_equal(site->pace_burst, 10);
	assert_int_equal(site->pace_every, 30);
	assert_int_equal(config_body_most(config), 256 * 1024);
	config->sites[0].comment_most = 100000;
	assert_true(config_body_most(config) >= 12 * 100000);
}

static void
sites_are_found_by_name(void **state)
{
	struct room *room = *state;
	struct config *config = NULL;
	OK(read_text(room, "# two sites\n" KEY SITE "site other_2-x { base = \"http://localhost:8080\" mount = \"\" paused = true\n"
	                   "  pages = {\"/a/*\", \"/b\"} page_keys = {\"p\"} comment_most = 2 }\n", &config));
	assert_int_equal(config->sites_n, 2);
	OK(read_text(room, "/* 5\" wide */\n" KEY SITE "site other_2-x { base = \"http://localhost:8080\" mount = \"\" paused = true\n"
	                   "  pages = {\"/a/*\", \"/b\"} page_keys = {\"p\"} comment_most = 2 }\n", &config));
	assert_str(config_site(config, STR("other_2-x"))->base, "http://localhost:8080");
	assert_str(config_site(config, STR(""))->name, "main");
	assert_str(config_site(config, STR_NONE)->name, "main");
	assert_null(config_site(config, STR("Main")));
	const struct config_site *site = config_site(config, STR("other_2-x"));
	assert_true(site->paused);
	assert_str(site->mount, "");
	assert_int_equal(site->pages.n, 2);
	assert_str(site->pages.items[1], "/b");
	assert_str(site->page_keys.items[0], "p");
	/* The root has two spellings. */
	OK(read_text(room, KEY "site main { base = \"https://a.example\" mount = \"/\" }", &config));
	assert_str(config->sites[0].mount, "");
	OK(read_text(room, KEY "site main { base = \"https://a.example\" mount = \"/deep/er-2\" }", &config));
	assert_str(config->sites[0].mount, "/deep/er-2");
}

/* Each fault is one line that names the file and the option or the line. */
static void
faults_are_named(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *text, *said;
	} cases[] = {
	    {"", "sealing_key"},
	    {SITE, "sealing_key"},
	    {KEY, "site: there is no section"},
	    {"sealing_key = \"0123\"\n" SITE, "line 1: sealing_key: wants the 64 hexadecimal digits that `rejoinder init` wrote here; a copy"},
	    {KEY "nonsense = 1\n" SITE, "line 2"},
	    {KEY "nonsense = 1\n" SITE, "nonsense"},
	    {KEY SITE "site x { bse = \"y\" }", "bse"},
	    {KEY "workers = many\n" SITE, "workers"},
	    {KEY "workers = 0\n" SITE, "workers: give 1 to 256"},
	    {KEY "workers = 257\n" SITE, "workers: give 1 to 256"},
	    {KEY "site main {\n  base = \"https://news.example\"\n", "closing brace"},
	    {KEY "database = \"unterminated\n" SITE, "x.conf"},
	    {KEY SITE SITE, "main"},
	    {KEY "site main { }", "base"},
	    {KEY "site main { base = \"news.example\" }", "base"},
	    {KEY "site main { base = \"https://\" }", "base"},
	    {KEY "site main { base = \"https://news.example/\" }", "base"},
	    {KEY "site main { base = \"ftp://news.example\" }", "base"},
	    {KEY "site Main { base = \"https://news.example\" }", "site: the name"},
	    {KEY "site \"../x\" { base = \"https://news.example\" }", "site: the name"},
	    {KEY "site \"\" { base = \"https://news.example\" }", "site: the name"},
	    {KEY "site main { base = \"https://a.example\" mount = \"comments\" }", "mount"},
	    {KEY "site main { base = \"https://a.example\" mount = \"/comments/\" }", "mount"},
	    {KEY "site main { base = \"https://a.example\" mount = \"//\" }", "mount"},
	    {KEY "site main { base = \"https://a.example\" mount = \"/a//b\" }", "mount"},
	    {KEY "site main { base = \"https://a.example\" mount = \"/a/../b\" }", "mount"},
	    {KEY "site main { base = \"https://a.example\" mount = \"/a b\" }", "mount"},
	    {KEY "site main { base = \"https://a.example\" comment_most = 1 }", "comment_most"},
	    {KEY "site main { base = \"https://a.example\" comment_most = 100001 }", "comment_most"},
	    {KEY "site main { base = \"https://a.example\" edit_for = -1 }", "edit_for"},
	    {KEY "site main { base = \"https://a.example\" pace_burst = 0 }", "pace"},
	    {KEY "site main { base = \"https://a.example\" pace_every = -1 }", "pace"},
	    {KEY "site main { base = \"https://a.example\" pace_site = 0 }", "pace"},
	    {KEY "site main { base = \"https://a.example\" paused = perhaps }", "paused"},
	    {KEY "} " SITE, "line 2"},
	    /* libconfuse counts lines with comments as several. */
	    {"# one\n  # two\n" KEY "title = \"# none // either\" // four\n" SITE, "line 4: no such option 'title'"},
	    {KEY "# two\nsite main {\n  base = \"https://a.example\" # \"four\n  mount = \"x\"\n}\n", "line 5: mount: "},
	    {KEY "/* the owner's \"own\"\n it's */ # three\nworkers = 999 # the \"fourth\"\n" SITE, "line 4: workers: "},
	    {KEY "workers = \"1\"\nworkers = 999\n" SITE, "line 2: workers: "},
	    {KEY SITE "site \"b\" {\n  base = \"https://b.example\"\n  mount = \"x\"\n}\n", "line 5: mount: "},
	    {KEY SITE "site B {\n  base = \"https://b.example\"\n}\n", "line 3: site: "},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *config = NULL;
		room_listen(room);
		enum status status = read_text(room, cases[i].text, &config);
		struct str heard = room_heard(room);
		if (status != STATUS_INVALID || config != NULL)
			fail_msg("case %zu: %s: %s", i, cases[i].said, status_name(status));
		assert_holds(heard, cases[i].said);
		assert_holds(heard, "x.conf");
		assert_int_equal(str_find(heard, '\n'), heard.len - 1);
	}
}

static void
missing_files_are_missing(void **state)
{
	struct room *room = *state;
	struct config *config = NULL;
	room_listen(room);
	assert_int_equal(config_read(&room->arena, room_path(room, "none.conf"), &config), STATUS_MISSING);
	enum status folder = config_read(&room->arena, room->folder, &config);
	struct str heard = room_heard(room);
	assert_holds(heard, "none.conf: No such file or directory; name another with --config");
	assert_int_not_equal(folder, STATUS_OK);
	assert_null(config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(defaults_are_those_of_the_manual),
	    TEST(sites_are_found_by_name),
	    TEST(faults_are_named),
	    TEST(missing_files_are_missing),
	};
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
