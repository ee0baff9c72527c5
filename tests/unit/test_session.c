/* Who signs in, who stays signed in, and where they go then. */
#include "room.h"

#include "session.h"

static const char password[] = "correct horse battery";
static const struct config_site http = {.base = STR_INIT("http://localhost:8080")};

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	struct str stored;
	room_furnish(room, "  origins = {\"https://www.news.example\"}");
	OK(secret_password_hash(&room->arena, str_from(password), &stored));
	room_run_in(room, "moderators.db",
	    str_format(&room->arena, "INSERT INTO account (id, name, password, created_at) VALUES (1, 'Eve', '%.*s', 1)",
	        STR_FMT(stored))
	        .at);
	return 0;
}

struct attempt {
	const char *name, *password, *network;
	int64_t now;
};

static enum status
try(struct room *room, struct attempt a, struct session *session, int64_t *wait)
{
	uint8_t random[SESSION_ID];
	secret_random(random, sizeof random);
	struct session_attempt attempt = {.name = str_from(a.name), .password = str_from(a.password),
	    .network = str_from(a.network), .now = a.now, .random = random};
	return session_sign_in(room->moderators, &room->arena, &attempt, session, wait);
}

static struct session
sign_in(struct room *room, int64_t now)
{
	struct session session;
	int64_t wait;
	OK(try(room, (struct attempt){"Eve", password, "n1", now}, &session, &wait));
	return session;
}

static struct str
cookie(struct room *room, const struct session *session)
{
	struct str set = session_set_cookie(&room->arena, room->site, session);
	return str_cut(&set, ';');
}

static enum status
current(struct room *room, struct str cookies, int64_t now)
{
	struct session found;
	enum status status = session_current(room->moderators, &room->arena, room->site, cookies, now, &found);
	if (status == STATUS_OK)
		assert_int_equal(found.account_id, 1);
	return status;
}

/* --- cookies ----------------------------------------------------------------------------------- */

static void
cookies_are_made(void **state)
{
	struct room *room = *state;
	struct session session = {.account_id = 1};
	assert_str(session_set_cookie(&room->arena, room->site, &session),
	    "__Host-rejoinder=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; Path=/; HttpOnly; SameSite=Lax; Secure");
	assert_str(session_set_cookie(&room->arena, &http, &session),
	    "rejoinder=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; Path=/; HttpOnly; SameSite=Lax");
	assert_str(session_set_cookie(&room->arena, room->site, NULL),
	    "__Host-rejoinder=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
	assert_str(session_cookie_name(&http), "rejoinder");
}

static void
cookies_are_read(void **state)
{
	struct room *room = *state;
	struct session session = sign_in(room, ROOM_NOW);
	struct str mine = cookie(room, &session), value = mine;
	str_cut(&value, '=');
	const struct {
		const char *format;
		enum status status;
	} cases[] = {
	    {"__Host-rejoinder=%.*s", STATUS_OK},
	    {"a=b; __Host-rejoinder=%.*s; c=d", STATUS_OK},
	    {"a=b;__Host-rejoinder=%.*s", STATUS_OK},
	    {"__Host-rejoinder=x; __Host-rejoinder=%.*s", STATUS_DENIED},
	    {"__Host-rejoinder=%.*s; __Host-rejoinder=x", STATUS_DENIED},
	    {"rejoinder=%.*s", STATUS_DENIED},
	    {"__host-rejoinder=%.*s", STATUS_DENIED},
	    {"__Host-rejoinder=\"%.*s\"", STATUS_DENIED},
	    {"__Host-rejoinder=%.*sA", STATUS_DENIED},
	    {"x__Host-rejoinder=%.*s", STATUS_DENIED},
	    {"%.*s", STATUS_DENIED},
	    {"__Host-rejoinder %.*s", STATUS_DENIED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str at = {strstr(cases[i].format, "%.*s"), 4};
		size_t before = (size_t)(at.at - cases[i].format);
		struct str head = str_join(&room->arena, str_sub(str_from(cases[i].format), 0, before), value);
		struct str cookies = str_join(&room->arena, head, str_from(at.at + 4));
		if (current(room, cookies, ROOM_NOW) != cases[i].status)
			fail_msg("%s", cases[i].format);
	}
	assert_int_equal(current(room, STR_NONE, ROOM_NOW), STATUS_DENIED);
	struct str twice = str_format(&room->arena, "%.*s; %.*s", STR_FMT(mine), STR_FMT(mine));
	assert_int_equal(current(room, twice, ROOM_NOW), STATUS_DENIED);
	struct session found;
	assert_int_equal(session_current(room->moderators, &room->arena, &http, mine, ROOM_NOW, &found), STATUS_DENIED);
}

static void
stored_sessions_sign_nobody_in(void **state)
{
	struct room *room = *state;
	struct session session = sign_in(room, ROOM_NOW);
	struct str hash = room_value_in(room, "moderators.db", "SELECT hash FROM session");
	assert_int_equal(hash.len, SECRET_HASH);
	struct session stolen = session;
	memcpy(stolen.id, hash.at, SESSION_ID);
	assert_int_equal(current(room, cookie(room, &stolen), ROOM_NOW), STATUS_DENIED);
	struct session fixed = {.account_id = 1};
	assert_int_equal(current(room, cookie(room, &fixed), ROOM_NOW), STATUS_DENIED);
	assert_true(session_token_fits(&session, session.token));
	struct session other = sign_in(room, ROOM_NOW);
	assert_false(session_token_fits(&session, other.token));
	assert_false(session_token_fits(&session, STR("")) || session_token_fits(&session, STR_NONE));
	assert_false(session_token_fits(&session, str_sub(session.token, 0, session.token.len - 1)));
	assert_false(str_eq(session.token, str_base64url(&room->arena, session.id, SESSION_ID)));
}

/* --- time -------------------------------------------------------------------------------------- */

static void
sessions_end(void **state)
{
	struct room *room = *state;
	struct session session = sign_in(room, ROOM_NOW);
	struct str mine = cookie(room, &session);
	static const char seen[] = "SELECT seen_at FROM session";
	OK(current(room, mine, ROOM_NOW + SESSION_SEEN_EVERY - 1));
	assert_int_equal(room_number(room, "SELECT 1"), 1);
	assert_str(room_value_in(room, "moderators.db", seen), str_format(&room->arena, "%d", ROOM_NOW).at);
	OK(current(room, mine, ROOM_NOW + SESSION_SEEN_EVERY));
	assert_str(room_value_in(room, "moderators.db", seen),
	    str_format(&room->arena, "%d", ROOM_NOW + SESSION_SEEN_EVERY).at);
	int64_t last = ROOM_NOW + SESSION_SEEN_EVERY;
	assert_int_equal(current(room, mine, last + SESSION_IDLE + 1), STATUS_DENIED);
	OK(current(room, mine, last + SESSION_IDLE));
	/* Used all the time it ends after twelve hours all the same. */
	for (int64_t now = last + SESSION_IDLE; now <= ROOM_NOW + SESSION_MOST; now += 600)
		OK(current(room, mine, now));
	OK(current(room, mine, ROOM_NOW + SESSION_MOST));
	assert_int_equal(current(room, mine, ROOM_NOW + SESSION_MOST + 1), STATUS_DENIED);
}

static void
clocks_that_jump_end_sessions(void **state)
{
	struct room *room = *state;
	struct session session = sign_in(room, ROOM_NOW);
	struct str mine = cookie(room, &session);
	OK(current(room, mine, ROOM_NOW - 60));
	OK(current(room, mine, ROOM_NOW - SESSION_IDLE));
	assert_int_equal(current(room, mine, ROOM_NOW - SESSION_IDLE - 1), STATUS_DENIED);
	assert_int_equal(current(room, mine, ROOM_NOW - (int64_t)10 * 365 * 86400), STATUS_DENIED);
	assert_int_equal(current(room, mine, ROOM_NOW + (int64_t)10 * 365 * 86400), STATUS_DENIED);
	OK(current(room, mine, ROOM_NOW));
}

static void
signing_out_and_disabling_end_sessions(void **state)
{
	struct room *room = *state;
	struct session one = sign_in(room, ROOM_NOW), two = sign_in(room, ROOM_NOW);
	OK(session_sign_out(room->moderators, &one));
	assert_int_equal(current(room, cookie(room, &one), ROOM_NOW), STATUS_DENIED);
	OK(current(room, cookie(room, &two), ROOM_NOW));
	OK(session_sign_out(room->moderators, &one));
	room_run_in(room, "moderators.db", "UPDATE account SET disabled = 1");
	assert_int_equal(current(room, cookie(room, &two), ROOM_NOW), STATUS_DENIED);
	struct session session;
	int64_t wait;
	assert_int_equal(try(room, (struct attempt){"Eve", password, "n1", ROOM_NOW}, &session, &wait), STATUS_DENIED);
}

/* --- signing in -------------------------------------------------------------------------------- */

static void
only_the_password_signs_in(void **state)
{
	struct room *room = *state;
	static const char *const wrong[][2] = {{"Eve", ""}, {"Eve", "correct horse batter"}, {"Eve", "Correct horse battery"},
	    {"Eve", "correct horse battery "}, {"Mallory", "correct horse battery"}, {"", ""}};
	struct session session;
	int64_t wait;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(try(room, (struct attempt){wrong[i][0], wrong[i][1], "n1", ROOM_NOW}, &session, &wait),
		    STATUS_DENIED);
	OK(try(room, (struct attempt){"eve", password, "n1", ROOM_NOW}, &session, &wait));
	assert_str(session.name, "Eve");
	assert_int_equal(wait, 0);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM failure"), "6");
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM session"), "1");
}

/* Failures are put there by SQL: thirty real ones take a second of argon2. */
static void
fail_before(struct room *room, int n, const char *name, const char *network, int64_t when)
{
	room_run_in(room, "moderators.db",
	    str_format(&room->arena,
	        "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d)"
	        "INSERT INTO failure (name, network, failed_at) SELECT '%s', '%s', %lld FROM i",
	        n, name, network, (long long)when)
	        .at);
}

static void
the_throttle_grows(void **state)
{
	struct room *room = *state;
	struct session session;
	int64_t wait = -1, now = ROOM_NOW;
	struct attempt right = {"Eve", password, "n1", now};
	fail_before(room, SESSION_FAILURES_NETWORK - 1, "Nobody", "n1", now);
	assert_int_equal(try(room, (struct attempt){"Eve", "wrong", "n1", now}, &session, &wait), STATUS_DENIED);
	static const int64_t waits[] = {60, 120, 240, 480, 600, 600, 600};
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		assert_int_equal(try(room, right, &session, &wait), STATUS_TOO_MANY);
		assert_int_equal(wait, waits[i]);
		fail_before(room, 1, "Nobody", "n1", now);
	}
	/* From elsewhere the right password still works, and here it does when the time is over. */
	OK(try(room, (struct attempt){"Eve", password, "n2", now}, &session, &wait));
	right.now = now + 300;
	assert_int_equal(try(room, right, &session, &wait), STATUS_TOO_MANY);
	assert_int_equal(wait, 300);
	right.now = now + 601;
	OK(try(room, right, &session, &wait));
}

static void
a_name_is_throttled_from_everywhere(void **state)
{
	struct room *room = *state;
	struct session session;
	int64_t wait;
	for (int i = 0; i < SESSION_FAILURES_NAME - 1; i++)
		fail_before(room, 1, "eVe", str_format(&room->arena, "net%d", i).at, ROOM_NOW);
	OK(try(room, (struct attempt){"Eve", password, "n2", ROOM_NOW}, &session, &wait));
	fail_before(room, 1, "Eve", "far away", ROOM_NOW);
	assert_int_equal(try(room, (struct attempt){"Eve", password, "n2", ROOM_NOW}, &session, &wait), STATUS_TOO_MANY);
	assert_int_equal(wait, 60);
	/* A known session goes on. */
	OK(current(room, cookie(room, &session), ROOM_NOW) == STATUS_OK ? STATUS_OK : STATUS_DENIED);
	/* A clock set back does not lock anybody out for longer than the wait. */
	enum status back = try(room, (struct attempt){"Eve", password, "n2", ROOM_NOW - 86400}, &session, &wait);
	assert_true(back == STATUS_OK || (back == STATUS_TOO_MANY && wait <= SESSION_FAILURES_WITHIN));
}

static void
old_failures_are_forgotten(void **state)
{
	struct room *room = *state;
	struct session session;
	int64_t wait;
	fail_before(room, 100, "Eve", "n1", ROOM_NOW - SESSION_FAILURES_WITHIN - 1);
	assert_int_equal(try(room, (struct attempt){"Eve", "wrong", "n1", ROOM_NOW}, &session, &wait), STATUS_DENIED);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM failure"), "1");
}

/* --- rules ------------------------------------------------------------------------------------- */

static void
passwords_have_a_length(void **state)
{
	struct room *room = *state;
	char *at = arena_alloc(&room->arena, 2000);
	memset(at, 'x', 2000);
	assert_int_equal(session_password((struct str){at, 14}), STATUS_INVALID);
	OK(session_password((struct str){at, 15}));
	OK(session_password((struct str){at, 1024}));
	assert_int_equal(session_password((struct str){at, 1025}), STATUS_INVALID);
	OK(session_password(STR("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 \t\xf0\x9f\x98\x80\xc3\xa4")));
	assert_int_equal(session_password(STR("0123456789abcde\0")), STATUS_INVALID);
	assert_int_equal(session_password(STR("0123456789abcde\xff")), STATUS_INVALID);
	assert_int_equal(session_password(STR_NONE), STATUS_INVALID);
}

static void
origins_are_the_sites_own(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *origin, *fetch_site;
		bool fits;
	} cases[] = {
	    {"https://news.example", "", true},
	    {"https://www.news.example", "", true},
	    {"https://news.example", "same-origin", true},
	    {"https://news.example", "cross-site", false},
	    {"https://news.example.evil.example", "", false},
	    {"https://news.exampl", "", false},
	    {"http://news.example", "", false},
	    {"https://news.example:8443", "", false},
	    {"https://evil.example", "same-origin", false},
	    {"null", "", false},
	    {"", "", true},
	    {"", "same-origin", true},
	    {"", "none", true},
	    {"", "cross-site", false},
	    {"", "same-site", false},
	    {"", "nonsense", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (session_origin_fits(room->site, str_from(cases[i].origin), str_from(cases[i].fetch_site)) != cases[i].fits)
			fail_msg("%s %s", cases[i].origin, cases[i].fetch_site);
}

static void
nobody_is_sent_elsewhere(void **state)
{
	(void)state;
	static const char *const good[] = {"/comments/moderate/", "/comments/moderate/?state=spam&before=7",
	    "/comments/moderate/#reply-7", "/comments/moderate/?q=https://x.example/"};
	static const char *const bad[] = {"", "/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
	    "\t//evil.example", " //evil.example", "https:evil.example", "https://evil.example/comments/moderate/",
	    "https://news.example@evil.example", "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x",
	    "%0d%0aLocation:x", "@evil.example", "/comments", "/comments/moderate", "/comments/moderatex/",
	    "//comments/moderate/", "/comments//moderate/", "/comments/moderate/\r\nSet-Cookie: a=b",
	    "/comments/moderate/\t", "/comments/moderate/\\evil", "/comments/moderate/ x", "/comments/moderate/\xc3\xa4",
	    "/comments/moderate/\x7f", "comments/moderate/", "/COMMENTS/moderate/", "/comments/reply",
	    "/\t/comments/moderate/", "?/comments/moderate/", "/comments/moderate/../../x",
	    "/comments/moderate/.%2e/x", "/comments/moderate/%2e%2e/x", "/comments/moderate/./x"};
	struct str mount = STR("/comments"), otherwise = STR("/comments/moderate/?default");
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_str(session_next(str_from(good[i]), mount, otherwise), good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_str(session_next(str_from(bad[i]), mount, otherwise), "/comments/moderate/?default");
	assert_str(session_next(STR_NONE, mount, otherwise), "/comments/moderate/?default");
	assert_str(session_next(STR("/comments/moderate/\0"), mount, otherwise), "/comments/moderate/?default");
	assert_str(session_next(STR("//moderate/"), STR(""), STR("/moderate/")), "/moderate/");
	assert_str(session_next(STR("/moderate/?x"), STR(""), STR("/moderate/")), "/moderate/?x");
}

/* Dot segments lead out of the moderators' door, though never off the site. */
static void
dot_segments_stay_on_the_site(void **state)
{
	(void)state;
	struct str next = session_next(STR("/comments/moderate/../../x"), STR("/comments"), STR("/d"));
	assert_true(next.at[0] == '/' && next.at[1] != '/');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(cookies_are_made),
	    TEST(cookies_are_read),
	    TEST(stored_sessions_sign_nobody_in),
	    TEST(sessions_end),
	    TEST(clocks_that_jump_end_sessions),
	    TEST(signing_out_and_disabling_end_sessions),
	    TEST(only_the_password_signs_in),
	    TEST(the_throttle_grows),
	    TEST(a_name_is_throttled_from_everywhere),
	    TEST(old_failures_are_forgotten),
	    cmocka_unit_test_setup_teardown(passwords_have_a_length, room_enter, room_leave),
	    TEST(origins_are_the_sites_own),
	    cmocka_unit_test(nobody_is_sent_elsewhere),
	    cmocka_unit_test(dot_segments_stay_on_the_site),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
