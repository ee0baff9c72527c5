/*
 * session_enter.c - the way in: passwords, the throttle, known browsers.
 */
#include <string.h>

#include "session.h"
#include "session_parts.h"
#include "session_throttle.h"
#include "sql/moderators/account.h"
#include "sql/moderators/browser.h"
#include "sql/moderators/session.h"
#include "text.h"

struct sign_in {
	struct arena *arena;
	const struct session_attempt *attempt;
	struct account_find_row account; /* id 0: none of that name */
	struct session_throttle throttle;
	bool has_browser;                 /* the request brought a browser's cookie, */
	bool known;                       /* and this account has signed in with it */
	uint8_t browser[SECRET_HASH];     /* its hash */
	struct session *session;          /* the new one */
	struct str hash;                  /* of its id */
	struct str fresh;                 /* of its browser */
	struct str password;              /* hashed anew, where it must be written */
	bool change;                      /* the password is another one */
	bool by_server;
};

static struct str
bytes(const uint8_t *hash)
{
	return (struct str){(const char *)hash, SECRET_HASH};
}

/* The account, and whether it has signed in from this browser. */
static enum status
read_account(struct sign_in *in, struct db_conn *conn)
{
	const struct session_attempt *attempt = in->attempt;
	uint8_t cookie[SESSION_ID];
	struct browser_find_row row;
	in->has_browser = session_cookie(session_browser_name(attempt->site), attempt->cookies, cookie) == STATUS_OK;
	if (in->has_browser)
		session_hash(cookie, sizeof cookie, "browser", in->browser);
	enum status status = account_find(conn, in->arena, &(struct account_find_in){.name = attempt->name}, &in->account);
	if (status == STATUS_MISSING)
		in->account = (struct account_find_row){0};
	if ((status != STATUS_OK && status != STATUS_MISSING) || !in->has_browser)
		return status == STATUS_MISSING ? STATUS_OK : status;
	struct browser_find_in find = {.hash = bytes(in->browser), .account_id = in->account.id,
	    .after = attempt->now - (int64_t)SESSION_BROWSER_DAYS * 86400};
	status = browser_find(conn, in->arena, &find, &row);
	in->known = status == STATUS_OK;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
read_attempt(struct sign_in *in, struct db *db, int64_t *wait)
{
	const struct session_attempt *attempt = in->attempt;
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = read_account(in, conn);
	if (status == STATUS_OK && in->known)
		session_throttle_browser(&in->throttle, bytes(in->browser), in->account.id);
	else
		session_throttle_stranger(&in->throttle, in->arena, attempt->network, attempt->name);
	if (status == STATUS_OK)
		status = session_throttle_wait(&in->throttle, conn, in->arena, attempt->now, wait);
	db_release(conn);
	return status;
}

bool
session_known_browser(struct db *db, struct arena *arena, const struct session_attempt *attempt)
{
	struct sign_in in = {.arena = arena, .attempt = attempt};
	struct db_conn *conn;
	if (db_read(db, &conn) != STATUS_OK)
		return false;
	enum status status = read_account(&in, conn);
	db_release(conn);
	return status == STATUS_OK && in.known;
}

/* --- the new session --------------------------------------------------------------------------------- */

/* The beginning of a User-Agent that is plain text. */
static struct str
agent_of(struct str agent)
{
	agent = str_sub(agent, 0, SESSION_AGENT_MOST);
	for (size_t i = 0; i < agent.len; i++)
		if (agent.at[i] < ' ' || agent.at[i] > '~')
			return STR("");
	return agent.at == NULL ? STR("") : agent;
}

static enum status
write_browser(const struct sign_in *in, struct db_conn *conn)
{
	int64_t now = in->attempt->now, id = in->account.id;
	enum status status = STATUS_OK;
	if (in->has_browser)
		status = browser_rotate(conn, &(struct browser_rotate_in){.hash = bytes(in->browser), .fresh = in->fresh}, NULL);
	if (status == STATUS_OK)
		status = browser_add(conn, &(struct browser_add_in){.hash = in->fresh, .account_id = id, .seen_at = now}, NULL);
	if (status == STATUS_OK)
		status = browser_forget(conn, &(struct browser_forget_in){.account_id = id,
		                                  .before = now - (int64_t)SESSION_BROWSER_DAYS * 86400}, NULL);
	return status == STATUS_OK
	           ? browser_trim(conn, &(struct browser_trim_in){.account_id = id, .most = SESSION_BROWSERS_KEPT}, NULL)
	           : status;
}

/* What of the account is over, or too much. */
static enum status
tidy_sessions(const struct sign_in *in, struct db_conn *conn)
{
	struct session_forget_in forget = {.account_id = in->account.id,
	    .seen_before = in->attempt->now - SESSION_IDLE, .begun_before = in->attempt->now - SESSION_MOST};
	enum status status = session_forget(conn, &forget, NULL);
	return status == STATUS_OK
	           ? session_trim(conn, &(struct session_trim_in){.account_id = in->account.id, .most = SESSION_KEPT - 1}, NULL)
	           : status;
}

static enum status
write_session(struct db_conn *conn, void *context)
{
	const struct sign_in *in = context;
	const struct session_attempt *attempt = in->attempt;
	struct session_add_in add = {.hash = in->hash, .account_id = in->account.id, .created_at = attempt->now,
	    .network = attempt->network, .agent = agent_of(attempt->agent), .by_server = in->by_server ? 1 : 0};
	enum status status = in->change ? session_end_of_account(conn, in->account.id) : tidy_sessions(in, conn);
	if (status == STATUS_OK)
		status = session_add(conn, &add, NULL);
	if (status == STATUS_OK && !in->by_server)
		status = write_browser(in, conn);
	if (status == STATUS_OK && in->password.at != NULL)
		status = account_password(conn,
		    &(struct account_password_in){.id = in->account.id, .password = in->password}, NULL);
	struct account_signed_in_in signed_in = {.id = in->account.id, .signed_in_at = {true, attempt->now}};
	return status == STATUS_OK ? account_signed_in(conn, &signed_in, NULL) : status;
}

static enum status
begin_session(struct db *db, struct sign_in *in, struct session *session)
{
	uint8_t hash[SECRET_HASH], fresh[SECRET_HASH];
	*session = (struct session){.account_id = in->account.id, .name = in->account.name, .by_server = in->by_server};
	memcpy(session->id, in->attempt->random, SESSION_ID);
	memcpy(session->browser, in->attempt->random + SESSION_ID, SESSION_ID);
	session_hash(session->id, SESSION_ID, "session", hash);
	session_hash(session->browser, SESSION_ID, "browser", fresh);
	in->hash = bytes(hash);
	in->fresh = bytes(fresh);
	enum status status = db_write(db, write_session, in);
	return status == STATUS_OK ? session_fill(in->arena, session) : status;
}

/* --- the password ------------------------------------------------------------------------------------- */

static bool
password_fits(const struct sign_in *in)
{
	struct str password = in->attempt->password;
	if (in->account.id == 0 || in->account.disabled != 0) {
		secret_password_dummy(password);
		return false;
	}
	return secret_password_matches(in->account.password, password);
}

static enum status
write_failure(struct db_conn *conn, void *context)
{
	const struct sign_in *in = context;
	return session_throttle_add(&in->throttle, conn, in->arena, in->attempt->now);
}

/* One look at the password: unless somebody must wait, the same work whoever it is. */
static enum status
check_password(struct db *db, struct sign_in *in, int64_t *wait)
{
	enum status status = read_attempt(in, db, wait);
	if (status != STATUS_OK)
		return status;
	if (*wait > 0)
		return STATUS_TOO_MANY;
	if (password_fits(in))
		return STATUS_OK;
	status = db_write(db, write_failure, in);
	return status == STATUS_OK ? STATUS_DENIED : status;
}

enum status
session_sign_in(struct db *db, struct arena *arena, const struct session_attempt *attempt, struct session *session,
    int64_t *wait)
{
	struct sign_in in = {.arena = arena, .attempt = attempt};
	enum status status = check_password(db, &in, wait);
	if (status == STATUS_OK && secret_password_outdated(in.account.password))
		status = secret_password_hash(arena, attempt->password, &in.password);
	return status == STATUS_OK ? begin_session(db, &in, session) : status;
}

enum status
session_change_password(struct db *db, struct arena *arena, const struct session_attempt *attempt, struct str fresh,
    struct session *session, int64_t *wait)
{
	struct sign_in in = {.arena = arena, .attempt = attempt, .change = true};
	enum status status = check_password(db, &in, wait);
	if (status == STATUS_OK)
		status = secret_password_hash(arena, fresh, &in.password);
	return status == STATUS_OK ? begin_session(db, &in, session) : status;
}

/* --- the web server's own sign-in --------------------------------------------------------------------- */

enum status
session_by_server(struct db *db, struct arena *arena, const struct session_attempt *attempt, struct session *session,
    bool *fresh)
{
	struct sign_in in = {.arena = arena, .attempt = attempt, .by_server = true};
	struct db_conn *conn;
	*fresh = false;
	if (!text_valid(attempt->name))
		return STATUS_DENIED;
	enum status status = session_of_cookie(db, arena, attempt->site, attempt->cookies, attempt->now,
	    attempt->unseen, session);
	if (status == STATUS_OK && session->by_server && str_eq_nocase(session->name, attempt->name))
		return STATUS_OK;
	if ((status != STATUS_OK && status != STATUS_DENIED) || attempt->unseen)
		return status == STATUS_OK ? STATUS_DENIED : status;
	status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = read_account(&in, conn);
	db_release(conn);
	if (status == STATUS_OK && (in.account.id == 0 || in.account.disabled != 0))
		return STATUS_DENIED;
	*fresh = status == STATUS_OK;
	return status == STATUS_OK ? begin_session(db, &in, session) : status;
}
