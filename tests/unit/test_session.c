/* Who signs in, who stays signed in, and where they go then. */
#include "room.h"

#include "password.h"
#include "session.h"
#include "session_parts.h"

#include <dlfcn.h>

/* --- a seam: how often libsodium is asked for an argon2 ------------------------------------------- */

static int argon2s;
typedef int verify(const char *stored, const char *typed, unsigned long long len);
typedef int derive(unsigned char *out, unsigned long long out_len, const char *typed, unsigned long long len,
    const unsigned char *salt, unsigned long long ops, size_t memory, int algorithm);
verify crypto_pwhash_str_verify;
derive crypto_pwhash;

static void
find_real(const char *name, void *to, size_t size)
{
	void *at = dlsym(RTLD_NEXT, name);
	assert_non_null(at);
	memcpy(to, &at, size);
}

int
crypto_pwhash_str_verify(const char *stored, const char *typed, unsigned long long len)
{
	verify *real;
	find_real("crypto_pwhash_str_verify", &real, sizeof real);
	argon2s++;
	return real(stored, typed, len);
}

int
crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *typed, unsigned long long len,
    const unsigned char *salt, unsigned long long ops, size_t memory, int algorithm)
{
	derive *real;
	find_real("crypto_pwhash", &real, sizeof real);
	argon2s++;
	assert_true(ops == SECRET_PASSWORD_OPS && memory == SECRET_PASSWORD_MEMORY);
	return real(out, out_len, typed, len, salt, ops, memory, algorithm);
}

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
	struct str cookies;
	const char *agent;
};

static enum status
try(struct room *room, struct attempt a, struct session *session, int64_t *wait)
{
	uint8_t random[2 * SESSION_ID];
	secret_random(random, sizeof random);
	struct session_attempt attempt = {.site = room->site, .name = str_from(a.name), .password = str_from(a.password),
	    .network = str_from(a.network), .cookies = a.cookies, .agent = str_from(a.agent), .now = a.now, .random = random};
	return session_sign_in(room->moderators, &room->arena, &attempt, session, wait);
}

static struct session
sign_in(struct room *room, int64_t now)
{
	struct session session;
	int64_t wait;
	OK(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n1", .now = now}, &session, &wait));
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
	/* Nor does it stand in the database, which others may come to read. */
	uint8_t stored[SECRET_HASH];
	session_hash(session.id, SESSION_ID, "session", stored);
	assert_false(str_eq(session.token, str_base64url(&room->arena, stored, sizeof stored)));
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
	OK(current(room, mine, ROOM_NOW - SESSION_BACK));
	assert_int_equal(current(room, mine, ROOM_NOW - SESSION_BACK - 1), STATUS_DENIED);
	/* Behind when it was seen last, though not behind its beginning. */
	struct session used = sign_in(room, ROOM_NOW - 1000);
	OK(current(room, cookie(room, &used), ROOM_NOW));
	assert_int_equal(current(room, cookie(room, &used), ROOM_NOW - SESSION_BACK - 1), STATUS_DENIED);
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
	assert_int_equal(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n1", .now = ROOM_NOW}, &session, &wait), STATUS_DENIED);
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
		assert_int_equal(try(room, (struct attempt){.name = wrong[i][0], .password = wrong[i][1], .network = "n1", .now = ROOM_NOW}, &session, &wait),
		    STATUS_DENIED);
	OK(try(room, (struct attempt){.name = "eve", .password = password, .network = "n1", .now = ROOM_NOW}, &session, &wait));
	assert_str(session.name, "Eve");
	assert_int_equal(wait, 0);
	assert_str(room_value_in(room, "moderators.db", "SELECT sum(n) FROM failure WHERE kind = 'network'"), "6");
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM session"), "1");
}

static void
everybody_costs_one_argon2(void **state)
{
	struct room *room = *state;
	struct session session;
	int64_t wait;
	room_run_in(room, "moderators.db",
	    "INSERT INTO account (name, password, disabled, created_at) SELECT 'Off', password, 1, 1 FROM account");
	static const char *const cases[][2] = {{"Eve", "wrong"}, {"Mallory", "wrong"}, {"Off", "wrong"}, {"Off", "correct horse battery"},
	    {"", ""}, {"Eve", ""}, {"Eve", "correct horse battery"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		argon2s = 0;
		enum status status = try(room,
		    (struct attempt){.name = cases[i][0], .password = cases[i][1], .network = "n1", .now = ROOM_NOW}, &session, &wait);
		assert_int_equal(status, i == 6 ? STATUS_OK : STATUS_DENIED);
		assert_int_equal(argon2s, 1);
	}
	/* Who must wait costs none. */
	room_run_in(room, "moderators.db", "UPDATE failure SET n = 100");
	argon2s = 0;
	assert_int_equal(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n1", .now = ROOM_NOW}, &session, &wait),
	    STATUS_TOO_MANY);
	assert_int_equal(argon2s, 0);
}

/* Failures are put there by SQL: thirty real ones take a second of argon2. */
static void
fail_before(struct room *room, const char *kind, const char *who, int n, int64_t last)
{
	uint8_t hash[SECRET_HASH];
	static const struct secret_key none;
	struct str part = str_from(who);
	secret_hash(&none, kind, &part, 1, hash);
	room_run_in(room, "moderators.db",
	    str_format(&room->arena, "INSERT OR REPLACE INTO failure (kind, who, n, last) VALUES ('%s', x'%.*s', %d, %lld)", kind,
	        STR_FMT(str_hex(&room->arena, hash, 16)), n, (long long)last)
	        .at);
}

/* What a try with the right password must wait at `now`; 0 when it got in. */
static int64_t
wait_at(struct room *room, const char *network, int64_t now)
{
	struct session session;
	int64_t wait;
	enum status status = try(room,
	    (struct attempt){.name = "Eve", .password = password, .network = network, .now = now}, &session, &wait);
	assert_int_equal(status, wait > 0 ? STATUS_TOO_MANY : STATUS_OK);
	return wait;
}

static void
fail_once(struct room *room, const char *name, const char *network, int64_t now)
{
	struct session session;
	int64_t wait;
	assert_int_equal(try(room, (struct attempt){.name = name, .password = "wrong", .network = network, .now = now},
	                     &session, &wait),
	    STATUS_DENIED);
}

static void
the_throttle_grows(void **state)
{
	struct room *room = *state;
	int64_t now = ROOM_NOW;
	fail_before(room, "network", "n1", SESSION_FAILURES_NETWORK - 1, now);
	static const int64_t waits[] = {60, 120, 240, 480, 900, 900, 900};
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		fail_once(room, "Nobody", "n1", now);
		assert_int_equal(wait_at(room, "n1", now), waits[i]);
		assert_int_equal(wait_at(room, "n1", now + waits[i] - 1), 1);
		/* A request that was accepted before the last failure came does not slip through. */
		assert_true(wait_at(room, "n1", now - SESSION_BACK) >= waits[i]);
		/* From elsewhere the right password still works. */
		assert_int_equal(wait_at(room, "n2", now), 0);
		now += waits[i];
	}
	assert_int_equal(wait_at(room, "n1", now), 0);
}

static void
who_must_wait_writes_nothing(void **state)
{
	struct room *room = *state;
	struct session session;
	int64_t wait;
	static const char rows[] = "SELECT group_concat(kind || hex(who) || n || last) FROM failure";
	fail_before(room, "network", "n1", SESSION_FAILURES_NETWORK, ROOM_NOW);
	struct str before = room_value_in(room, "moderators.db", rows);
	for (int i = 0; i < 5; i++)
		assert_int_equal(try(room, (struct attempt){.name = "Eve", .password = "wrong", .network = "n1", .now = ROOM_NOW + i},
		                     &session, &wait),
		    STATUS_TOO_MANY);
	assert_str(room_value_in(room, "moderators.db", rows), before.at);
}

static void
a_name_is_throttled_from_everywhere(void **state)
{
	struct room *room = *state;
	fail_before(room, "name", "eve", SESSION_FAILURES_NAME - 1, ROOM_NOW);
	assert_int_equal(wait_at(room, "n2", ROOM_NOW), 0);
	fail_once(room, "eVe", "far away", ROOM_NOW);
	assert_int_equal(wait_at(room, "n3", ROOM_NOW), 60);
	/* A clock set back does not lock anybody out until it has come round again. */
	assert_int_equal(wait_at(room, "n3", ROOM_NOW - 86400), 0);
}

static enum status
unlock(struct db_conn *conn, void *context)
{
	struct room *room = context;
	return session_unlock(conn, &room->arena, STR("EVE"));
}

static void
the_shell_unlocks(void **state)
{
	struct room *room = *state;
	fail_before(room, "name", "eve", 100, ROOM_NOW);
	fail_before(room, "name", "other", 100, ROOM_NOW);
	fail_before(room, "network", "n1", 100, ROOM_NOW);
	assert_int_equal(wait_at(room, "n1", ROOM_NOW), 900);
	OK(db_write(room->moderators, unlock, room));
	assert_int_equal(wait_at(room, "n1", ROOM_NOW), 0);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM failure"), "1");
}

static void
failures_are_forgotten(void **state)
{
	struct room *room = *state;
	static const char n[] = "SELECT n FROM failure WHERE kind = 'network'";
	static const struct {
		int n;
		int64_t after;
		const char *then; /* with the new one */
	} cases[] = {
	    {9, SESSION_FAILURES_WITHIN - 1, "10"}, {9, SESSION_FAILURES_WITHIN, "5"}, {9, 2 * SESSION_FAILURES_WITHIN, "3"},
	    {9, 4 * SESSION_FAILURES_WITHIN, "1"}, {14, 900 + SESSION_FAILURES_WITHIN - 1, "14"},
	    {14, 900 + SESSION_FAILURES_WITHIN, "8"}, {14, 900 + 4 * SESSION_FAILURES_WITHIN, "1"}, {14, 86400, "1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fail_before(room, "network", "n1", cases[i].n, ROOM_NOW);
		fail_once(room, "Nobody", "n1", ROOM_NOW + cases[i].after);
		assert_str(room_value_in(room, "moderators.db", n), cases[i].then);
	}
	/* Rows that count for nothing go. */
	fail_before(room, "network", "n2", 14, ROOM_NOW);
	fail_once(room, "Nobody", "n1", ROOM_NOW + 86400);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM failure"), "2");
}

static void
a_flood_of_failures_is_bounded(void **state)
{
	struct room *room = *state;
	room_run_in(room, "moderators.db",
	    str_format(&room->arena,
	        "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d)"
	        "INSERT INTO failure (kind, who, n, last) SELECT 'name', randomblob(16), 1, %d FROM i",
	        SESSION_FAILURES_KEPT + 500, ROOM_NOW)
	        .at);
	fail_before(room, "name", "eve", SESSION_FAILURES_NAME - 1, ROOM_NOW - 60);
	fail_once(room, "Somebody", "n1", ROOM_NOW);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM failure"),
	    str_format(&room->arena, "%d", SESSION_FAILURES_KEPT).at);
	/* What the flood was to wash away is still there. */
	fail_once(room, "Eve", "n2", ROOM_NOW);
	assert_int_equal(wait_at(room, "n3", ROOM_NOW), 60);
}

/* --- known browsers ------------------------------------------------------------------------------ */

static struct str
browser_of(struct room *room, const struct session *session)
{
	struct str set = session_set_browser(&room->arena, room->site, session);
	return str_cut(&set, ';');
}

static enum status
try_from(struct room *room, const char *name, const char *typed, struct str cookies, int64_t now, struct session *session)
{
	int64_t wait;
	return try(room, (struct attempt){.name = name, .password = typed, .network = "n1", .now = now, .cookies = cookies},
	    session, &wait);
}

static void
a_known_browser_is_not_locked_out(void **state)
{
	struct room *room = *state;
	struct session session = sign_in(room, ROOM_NOW), next;
	struct str mine = browser_of(room, &session);
	assert_str(session_set_browser(&room->arena, room->site, NULL),
	    "__Host-rejoinder-browser=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
	assert_holds(session_set_browser(&room->arena, room->site, &session), "; Secure; Max-Age=15552000");
	fail_before(room, "network", "n1", 100, ROOM_NOW);
	fail_before(room, "name", "eve", 100, ROOM_NOW);
	assert_int_equal(wait_at(room, "n1", ROOM_NOW), 900);
	/* Its own wrong ones count for itself alone, and it has a throttle too. */
	for (int i = 0; i < SESSION_FAILURES_NETWORK; i++)
		assert_int_equal(try_from(room, "Eve", "wrong", mine, ROOM_NOW, &next), STATUS_DENIED);
	assert_int_equal(try_from(room, "Eve", password, mine, ROOM_NOW, &next), STATUS_TOO_MANY);
	assert_str(room_value_in(room, "moderators.db", "SELECT sum(n) FROM failure WHERE kind <> 'browser'"), "200");
	OK(try_from(room, "Eve", password, mine, ROOM_NOW + SESSION_WAIT_LEAST, &next));
	/* It changes with each use: a copy is worth nothing from then on. */
	struct str again = browser_of(room, &next);
	assert_false(str_eq(again, mine));
	assert_int_equal(try_from(room, "Eve", password, mine, ROOM_NOW + 60, &session), STATUS_TOO_MANY);
	OK(try_from(room, "Eve", password, again, ROOM_NOW + 60, &session));
}

static void
a_browser_is_forgotten(void **state)
{
	struct room *room = *state;
	static const int64_t day = 86400;
	struct session session = sign_in(room, ROOM_NOW), next;
	struct session_attempt attempt = {.site = room->site, .name = STR("eve"), .cookies = browser_of(room, &session),
	    .now = ROOM_NOW + SESSION_BROWSER_DAYS * day};
	assert_true(session_known_browser(room->moderators, &room->arena, &attempt));
	attempt.now++;
	assert_false(session_known_browser(room->moderators, &room->arena, &attempt));
	attempt.now = ROOM_NOW;
	attempt.name = STR("Nobody");
	assert_false(session_known_browser(room->moderators, &room->arena, &attempt));
	attempt.name = STR("Eve");
	attempt.cookies = str_format(&room->arena, "%.*s; %.*s", STR_FMT(attempt.cookies), STR_FMT(attempt.cookies));
	assert_false(session_known_browser(room->moderators, &room->arena, &attempt));
	attempt.cookies = browser_of(room, &session);
	/* A session's cookie is no browser's, nor the other way round. */
	struct session other = session;
	memcpy(other.browser, session.id, SESSION_ID);
	attempt.cookies = browser_of(room, &other);
	assert_false(session_known_browser(room->moderators, &room->arena, &attempt));
	memcpy(other.id, session.browser, SESSION_ID);
	assert_int_equal(current(room, cookie(room, &other), ROOM_NOW), STATUS_DENIED);
	attempt.cookies = browser_of(room, &session);
	OK(session_sign_out_everywhere(room->moderators, &session));
	assert_false(session_known_browser(room->moderators, &room->arena, &attempt));
	assert_int_equal(current(room, cookie(room, &session), ROOM_NOW), STATUS_DENIED);
	/* No more of an account than so many, the last ones. */
	for (int i = 0; i < SESSION_BROWSERS_KEPT + 3; i++)
		next = sign_in(room, ROOM_NOW + i);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM browser"),
	    str_format(&room->arena, "%d", SESSION_BROWSERS_KEPT).at);
	attempt.cookies = browser_of(room, &next);
	assert_true(session_known_browser(room->moderators, &room->arena, &attempt));
}

static void
two_moderators_share_a_browser(void **state)
{
	struct room *room = *state;
	room_run_in(room, "moderators.db",
	    "INSERT INTO account (id, name, password, created_at) SELECT 2, 'Adam', password, 1 FROM account WHERE id = 1");
	struct session one = sign_in(room, ROOM_NOW), two;
	OK(try_from(room, "Adam", password, browser_of(room, &one), ROOM_NOW, &two));
	struct session_attempt attempt = {.site = room->site, .cookies = browser_of(room, &two), .now = ROOM_NOW};
	attempt.name = STR("Eve");
	assert_true(session_known_browser(room->moderators, &room->arena, &attempt));
	attempt.name = STR("Adam");
	assert_true(session_known_browser(room->moderators, &room->arena, &attempt));
}

/* --- passwords and sessions ------------------------------------------------------------------------ */

static void
a_password_is_changed(void **state)
{
	struct room *room = *state;
	struct session old = sign_in(room, ROOM_NOW), fresh = {0};
	uint8_t random[2 * SESSION_ID];
	int64_t wait = 0;
	secret_random(random, sizeof random);
	struct session_attempt attempt = {.site = room->site, .name = old.name, .password = STR("wrong"), .network = STR("n1"),
	    .cookies = browser_of(room, &old), .now = ROOM_NOW, .random = random};
	assert_int_equal(session_change_password(room->moderators, &room->arena, &attempt, STR("another password, too"), &fresh, &wait),
	    STATUS_DENIED);
	assert_str(room_value_in(room, "moderators.db", "SELECT sum(n) FROM failure WHERE kind = 'browser'"), "1");
	OK(current(room, cookie(room, &old), ROOM_NOW));
	attempt.password = str_from(password);
	OK(session_change_password(room->moderators, &room->arena, &attempt, STR("another password, too"), &fresh, &wait));
	assert_int_equal(current(room, cookie(room, &old), ROOM_NOW), STATUS_DENIED);
	OK(current(room, cookie(room, &fresh), ROOM_NOW));
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM browser"), "1");
	struct session session;
	assert_int_equal(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n2", .now = ROOM_NOW}, &session, &wait),
	    STATUS_DENIED);
	OK(try(room, (struct attempt){.name = "Eve", .password = "another password, too", .network = "n2", .now = ROOM_NOW}, &session,
	    &wait));
}

static void
a_hash_of_lower_cost_is_made_anew(void **state)
{
	struct room *room = *state;
	/* libsodium's "$argon2id$v=19$m=8,t=1,p=1$..." of `password`, as an earlier release with lower cost might have made it. */
	static const char stored[] = "SELECT password FROM account";
	struct str ours = room_value_in(room, "moderators.db", stored);
	assert_holds(ours, "m=19456,t=2,p=1");
	room_run_in(room, "moderators.db", "UPDATE account SET password = '$argon2id$v=19$m=8,t=1,p=1$B6bCPpKXAbc7P4kq53UgNg$O2vpW2PqxbSL4h7x3JXXTChEz4dF1TEjkZlaJojCpKA'");
	sign_in(room, ROOM_NOW);
	struct str better = room_value_in(room, "moderators.db", stored);
	assert_holds(better, "$argon2id$v=19$m=19456,t=2,p=1$");
	sign_in(room, ROOM_NOW);
	assert_str(room_value_in(room, "moderators.db", stored), better.at);
}

static void
open_sessions_are_told(void **state)
{
	struct room *room = *state;
	struct session mine, other, over = sign_in(room, ROOM_NOW - SESSION_MOST - 1);
	struct session_open *opens;
	int64_t wait;
	size_t n;
	(void)over;
	OK(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n7", .now = ROOM_NOW - 7, .agent = "Lynx/2.9"},
	    &other, &wait));
	mine = sign_in(room, ROOM_NOW);
	OK(session_opens(room->moderators, &room->arena, &mine, ROOM_NOW, &opens, &n));
	assert_int_equal(n, 2);
	assert_true(opens[0].own && !opens[1].own);
	assert_str(opens[1].agent, "Lynx/2.9");
	assert_str(opens[1].network, "n7");
	assert_int_equal(opens[1].begun_at, ROOM_NOW - 7);
	/* A handle ends only the account's own, and is no cookie. */
	struct session stranger = {.account_id = 99};
	OK(session_sign_out_other(room->moderators, &stranger, opens[1].handle));
	OK(current(room, cookie(room, &other), ROOM_NOW));
	OK(session_sign_out_other(room->moderators, &mine, opens[1].handle));
	assert_int_equal(current(room, cookie(room, &other), ROOM_NOW), STATUS_DENIED);
	OK(current(room, cookie(room, &mine), ROOM_NOW));
	OK(session_sign_out_other(room->moderators, &mine, opens[1].handle));
	assert_int_equal(session_sign_out_other(room->moderators, &mine, STR("x")), STATUS_INVALID);
	assert_int_equal(session_sign_out_other(room->moderators, &mine, STR_NONE), STATUS_INVALID);
}

static void
an_agent_is_cut_and_plain(void **state)
{
	struct room *room = *state;
	struct session session;
	int64_t wait;
	char *agent = arena_alloc(&room->arena, 1001);
	memset(agent, 'x', 1000);
	agent[1000] = '\0';
	static const char last[] = "SELECT length(agent) FROM session ORDER BY created_at DESC LIMIT 1";
	OK(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n", .now = ROOM_NOW, .agent = agent}, &session, &wait));
	assert_str(room_value_in(room, "moderators.db", last), "200");
	OK(try(room, (struct attempt){.name = "Eve", .password = password, .network = "n", .now = ROOM_NOW + 1, .agent = "a\xff\nb"}, &session,
	    &wait));
	assert_str(room_value_in(room, "moderators.db", last), "0");
}

static void
an_account_has_only_so_many_sessions(void **state)
{
	struct room *room = *state;
	room_run_in(room, "moderators.db",
	    str_format(&room->arena,
	        "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 500)"
	        "INSERT INTO session (hash, account_id, created_at, seen_at) SELECT randomblob(32), 1, %d - n, %d - n FROM i",
	        ROOM_NOW, ROOM_NOW)
	        .at);
	struct session session = sign_in(room, ROOM_NOW);
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM session"),
	    str_format(&room->arena, "%d", SESSION_KEPT).at);
	OK(current(room, cookie(room, &session), ROOM_NOW));
}

static void
ids_do_not_repeat(void **state)
{
	struct room *room = *state;
	/* As the door makes them: 10,000 cookies, none twice. */
	room_run_in(room, "moderators.db", "CREATE TABLE seen (cookie TEXT PRIMARY KEY)");
	struct out sql;
	out_init(&sql, &room->arena);
	out_put(&sql, STR("INSERT INTO seen VALUES ('')"));
	for (int i = 0; i < 10000; i++) {
		struct session session = {0};
		secret_random(session.id, sizeof session.id);
		out_format(&sql, ",('%.*s')", STR_FMT(cookie(room, &session)));
	}
	room_run_in(room, "moderators.db", str_c(&room->arena, out_str(&sql)));
	assert_str(room_value_in(room, "moderators.db", "SELECT count(*) FROM seen"), "10001");
	room_run_in(room, "moderators.db", "DROP TABLE seen");
}

/* --- the web server's own sign-in -------------------------------------------------------------------- */

static void
the_web_server_signs_in(void **state)
{
	struct room *room = *state;
	struct session first, again, session;
	uint8_t random[2 * SESSION_ID];
	bool fresh;
	secret_random(random, sizeof random);
	struct session_attempt attempt = {.site = room->site, .name = STR("eve"), .network = STR("n1"), .now = ROOM_NOW, .random = random};
	OK(session_by_server(room->moderators, &room->arena, &attempt, &first, &fresh));
	assert_true(fresh && first.by_server && first.account_id == 1);
	assert_str(first.name, "Eve");
	attempt.cookies = cookie(room, &first);
	OK(session_by_server(room->moderators, &room->arena, &attempt, &again, &fresh));
	assert_false(fresh);
	assert_true(str_eq(first.token, again.token));
	/* Without REMOTE_USER its cookie is worth nothing, and with another's name neither. */
	assert_int_equal(current(room, attempt.cookies, ROOM_NOW), STATUS_DENIED);
	room_run_in(room, "moderators.db",
	    "INSERT INTO account (id, name, password, created_at) SELECT 2, 'Adam', password, 1 FROM account WHERE id = 1");
	attempt.name = STR("Adam");
	secret_random(random, sizeof random);
	OK(session_by_server(room->moderators, &room->arena, &attempt, &session, &fresh));
	assert_true(fresh && session.account_id == 2);
	/* A password's session is none of the web server's. */
	struct session typed = sign_in(room, ROOM_NOW);
	attempt.name = STR("Eve");
	attempt.cookies = cookie(room, &typed);
	secret_random(random, sizeof random);
	OK(session_by_server(room->moderators, &room->arena, &attempt, &session, &fresh));
	assert_true(fresh);
	static const char *const nobody[] = {"", "Mallory", "Eve ", "\xff"};
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		attempt.name = str_from(nobody[i]);
		assert_int_equal(session_by_server(room->moderators, &room->arena, &attempt, &session, &fresh), STATUS_DENIED);
	}
	room_run_in(room, "moderators.db", "UPDATE account SET disabled = 1");
	attempt.name = STR("Eve");
	attempt.cookies = cookie(room, &first);
	assert_int_equal(session_by_server(room->moderators, &room->arena, &attempt, &session, &fresh), STATUS_DENIED);
}

/* --- rules ------------------------------------------------------------------------------------- */

static enum password_fault
fault_of(struct room *room, struct str typed)
{
	enum password_fault fault;
	OK(password_fault(&room->arena, room->config, STR("Evelyn"), typed, &fault));
	return fault;
}

static void
passwords_have_a_length(void **state)
{
	struct room *room = *state;
	char *at = arena_alloc(&room->arena, 2000);
	for (size_t i = 0; i < 2000; i++)
		at[i] = (char)('a' + (i * i + i / 7) % 26);
	assert_int_equal(fault_of(room, (struct str){at, 14}), PASSWORD_SHORT);
	assert_int_equal(fault_of(room, (struct str){at, 15}), PASSWORD_FINE);
	assert_int_equal(fault_of(room, (struct str){at, 1024}), PASSWORD_FINE);
	assert_int_equal(fault_of(room, (struct str){at, 1025}), PASSWORD_LONG);
	assert_int_equal(fault_of(room, STR("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4 \t\xf0\x9f\x98\x80\xc3\xa4")), PASSWORD_FINE);
	assert_int_equal(fault_of(room, STR("0123x56789abcde\0")), PASSWORD_TEXT);
	assert_int_equal(fault_of(room, STR("0123x56789abcde\xff")), PASSWORD_TEXT);
	assert_int_equal(fault_of(room, STR_NONE), PASSWORD_SHORT);
}

static void
passwords_are_none_that_are_tried_first(void **state)
{
	struct room *room = *state;
	room->site->title = STR("The Steppe Post");
	static const struct {
		const char *typed;
		enum password_fault fault;
	} cases[] = {
	    {"aaaaaaaaaaaaaaaa", PASSWORD_REPEATED}, {"               ", PASSWORD_REPEATED}, {"abcabcabcabcabcab", PASSWORD_REPEATED},
	    {"PasswordPassword", PASSWORD_REPEATED}, {"123456789012345", PASSWORD_REPEATED}, {"0123456789012345", PASSWORD_REPEATED},
	    {"543210987654321", PASSWORD_REPEATED}, {"abcdefghijklmno", PASSWORD_REPEATED}, {"zyxwvutsrqponmlk", PASSWORD_REPEATED},
	    {"QwertyUiopAsdfGhjkl", PASSWORD_REPEATED}, {"1234567890qwertyuiop", PASSWORD_REPEATED},
	    {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", PASSWORD_REPEATED},
	    {"password12345678", PASSWORD_COMMON}, {"Correct Horse Battery Staple", PASSWORD_COMMON}, {"1qaz2wsx3edc4rfv", PASSWORD_COMMON},
	    {"my name is evelyn, yes", PASSWORD_NAMED}, {"EVELYNEVELYNEVELYNx", PASSWORD_NAMED}, {"i read the steppe post", PASSWORD_NAMED},
	    {"TheSteppePost2026", PASSWORD_NAMED}, {"a steppe is not a step", PASSWORD_FINE}, {"correct horse battery", PASSWORD_FINE},
	    {"abcdefghijklmn0x", PASSWORD_FINE}, {"1111111122222222", PASSWORD_FINE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (fault_of(room, str_from(cases[i].typed)) != cases[i].fault)
			fail_msg("%s: %d", cases[i].typed, (int)fault_of(room, str_from(cases[i].typed)));
	/* Names too short to be avoided do not count; marks beyond folding are nobody's password. */
	enum password_fault fault;
	OK(password_fault(&room->arena, room->config, STR("Eve"), STR("every evening at five"), &fault));
	assert_int_equal(fault, PASSWORD_FINE);
	struct out marks;
	out_init(&marks, &room->arena);
	for (int i = 0; i < 100; i++)
		out_put(&marks, STR("\xcc\x81"));
	assert_int_equal(fault_of(room, out_str(&marks)), PASSWORD_FINE);
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
	    TEST(everybody_costs_one_argon2),
	    TEST(the_throttle_grows),
	    TEST(a_name_is_throttled_from_everywhere),
	    TEST(who_must_wait_writes_nothing),
	    TEST(the_shell_unlocks),
	    TEST(failures_are_forgotten),
	    TEST(a_flood_of_failures_is_bounded),
	    TEST(a_known_browser_is_not_locked_out),
	    TEST(a_browser_is_forgotten),
	    TEST(two_moderators_share_a_browser),
	    TEST(a_password_is_changed),
	    TEST(a_hash_of_lower_cost_is_made_anew),
	    TEST(open_sessions_are_told),
	    TEST(an_agent_is_cut_and_plain),
	    TEST(an_account_has_only_so_many_sessions),
	    TEST(ids_do_not_repeat),
	    TEST(the_web_server_signs_in),
	    TEST(passwords_have_a_length),
	    TEST(passwords_are_none_that_are_tried_first),
	    TEST(origins_are_the_sites_own),
	    cmocka_unit_test(nobody_is_sent_elsewhere),
	    cmocka_unit_test(dot_segments_stay_on_the_site),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
