#include "session.h"

#include <string.h>

#include "sql/moderators/account.h"
#include "sql/moderators/session.h"
#include "text.h"

static bool
is_https(const struct config_site *site)
{
	return str_starts(site->base, STR("https://"));
}

struct str
session_cookie_name(const struct config_site *site)
{
	return is_https(site) ? STR("__Host-rejoinder") : STR("rejoinder");
}

struct str
session_set_cookie(struct arena *arena, const struct config_site *site, const struct session *session)
{
	struct str value = session == NULL ? STR("") : str_base64url(arena, session->id, SESSION_ID);
	return str_format(arena, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%s", STR_FMT(session_cookie_name(site)),
	    STR_FMT(value), is_https(site) ? "; Secure" : "", session == NULL ? "; Max-Age=0" : "");
}

/* INVALID for no such cookie, for two of them, and for a value of another form. */
static enum status
cookie_id(const struct config_site *site, struct str cookies, uint8_t id[SESSION_ID])
{
	enum status status = STATUS_INVALID;
	while (cookies.at != NULL) {
		struct str value = str_cut(&cookies, ';');
		if (!str_eq(str_trim(str_cut(&value, '=')), session_cookie_name(site)))
			continue;
		if (status == STATUS_OK)
			return STATUS_INVALID;
		status = str_unbase64url(str_trim(value), id, SESSION_ID);
		if (status != STATUS_OK)
			return status;
	}
	return status;
}

/* The id is as random as a key, so no key of ours is needed: whoever has the hash cannot go back. */
static void
hash_id(const uint8_t id[SESSION_ID], const char *purpose, uint8_t hash[SECRET_HASH])
{
	static const struct secret_key none;
	struct str part = {(const char *)id, SESSION_ID};
	secret_hash(&none, purpose, &part, 1, hash);
}

static enum status
fill(struct arena *arena, struct session *session)
{
	uint8_t token[SECRET_HASH];
	hash_id(session->id, "token", token);
	session->token = str_base64url(arena, token, sizeof token);
	return session->token.at == NULL ? STATUS_BROKEN : STATUS_OK;
}

bool
session_token_fits(const struct session *session, struct str token)
{
	return token.len == session->token.len && secret_same(token.at, session->token.at, token.len);
}

/* A clock that was set back does not lengthen a session: it ends it. */
static bool
is_over(const struct session_find_row *row, int64_t now)
{
	return row->disabled != 0 || now - row->seen_at > SESSION_IDLE || now - row->created_at > SESSION_MOST ||
	       row->created_at - now > SESSION_IDLE || row->seen_at - now > SESSION_IDLE;
}

static enum status
look_up(struct db *db, struct arena *arena, struct str hash, struct session_find_row *row)
{
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = session_find(conn, arena, &(struct session_find_in){.hash = hash}, row);
	db_release(conn);
	return status == STATUS_MISSING ? STATUS_DENIED : status;
}

static enum status
write_seen(struct db_conn *conn, void *context)
{
	return session_seen(conn, context, NULL);
}

enum status
session_current(struct db *db, struct arena *arena, const struct config_site *site, struct str cookies, int64_t now,
    struct session *session)
{
	struct session_find_row row;
	uint8_t hash[SECRET_HASH];
	if (cookie_id(site, cookies, session->id) != STATUS_OK)
		return STATUS_DENIED;
	hash_id(session->id, "session", hash);
	struct str hash_str = {(const char *)hash, sizeof hash};
	enum status status = look_up(db, arena, hash_str, &row);
	if (status != STATUS_OK)
		return status;
	if (is_over(&row, now))
		return STATUS_DENIED;
	session->account_id = row.account_id;
	session->name = row.name;
	if (now - row.seen_at >= SESSION_SEEN_EVERY) {
		struct session_seen_in seen = {.hash = hash_str, .seen_at = now};
		/* A store that cannot be written now does not sign anybody out. */
		status = db_write(db, write_seen, &seen);
	}
	return status == STATUS_OK || status == STATUS_BUSY ? fill(arena, session) : status;
}

bool
session_origin_fits(const struct config_site *site, struct str origin, struct str fetch_site)
{
	if (str_eq(fetch_site, STR("cross-site")))
		return false;
	if (origin.len > 0) {
		for (size_t i = 0; i < site->origins.n; i++)
			if (str_eq(origin, site->origins.items[i]))
				return true;
		return str_eq(origin, site->base);
	}
	return fetch_site.len == 0 || str_eq(fetch_site, STR("same-origin")) || str_eq(fetch_site, STR("none"));
}

/* --- signing in ---------------------------------------------------------------------------------- */

struct sign_in {
	struct arena *arena;
	const struct session_attempt *attempt;
	struct account_find_row account; /* id 0: none of that name */
	int64_t wait;                    /* seconds until the next try */
	struct str hash;                 /* of the new session */
	struct str better;               /* password hashed anew, where its cost has changed */
};

/* After the last failure too many: a minute, then two, four, up to the whole window. */
static int64_t
wait_left(int64_t failures, int64_t most, struct db_integer last, int64_t now)
{
	int64_t wait = 60;
	if (failures < most || !last.set)
		return 0;
	for (int64_t over = failures - most; over > 0 && wait < SESSION_FAILURES_WITHIN; over--)
		wait *= 2;
	if (wait > SESSION_FAILURES_WITHIN)
		wait = SESSION_FAILURES_WITHIN;
	int64_t left = last.value + wait - now;
	return left > wait ? wait : left > 0 ? left : 0;
}

static enum status
read_attempt(struct sign_in *in, struct db *db)
{
	const struct session_attempt *attempt = in->attempt;
	int64_t after = attempt->now - SESSION_FAILURES_WITHIN;
	struct failures_of_network_row network;
	struct failures_of_name_row name;
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = failures_of_network(conn, in->arena,
	    &(struct failures_of_network_in){.network = attempt->network, .after = after}, &network);
	if (status == STATUS_OK)
		status = failures_of_name(conn, in->arena,
		    &(struct failures_of_name_in){.name = attempt->name, .after = after}, &name);
	if (status == STATUS_OK)
		status = account_find(conn, in->arena, &(struct account_find_in){.name = attempt->name}, &in->account);
	db_release(conn);
	if (status != STATUS_OK && status != STATUS_MISSING)
		return status;
	int64_t network_wait = wait_left(network.n, SESSION_FAILURES_NETWORK, network.last, attempt->now);
	int64_t name_wait = wait_left(name.n, SESSION_FAILURES_NAME, name.last, attempt->now);
	in->wait = network_wait > name_wait ? network_wait : name_wait;
	if (status == STATUS_MISSING)
		in->account = (struct account_find_row){0};
	return STATUS_OK;
}

static enum status
write_failure(struct db_conn *conn, void *context)
{
	const struct session_attempt *attempt = ((struct sign_in *)context)->attempt;
	struct failure_add_in add = {.name = attempt->name, .network = attempt->network, .failed_at = attempt->now};
	enum status status = failure_forget(conn,
	    &(struct failure_forget_in){.before = attempt->now - SESSION_FAILURES_WITHIN}, NULL);
	return status == STATUS_OK ? failure_add(conn, &add, NULL) : status;
}

static enum status
write_session(struct db_conn *conn, void *context)
{
	struct sign_in *in = context;
	struct session_add_in add = {.hash = in->hash, .account_id = in->account.id, .created_at = in->attempt->now};
	enum status status = session_add(conn, &add, NULL);
	if (status == STATUS_OK && in->better.at != NULL)
		status = account_password(conn,
		    &(struct account_password_in){.id = in->account.id, .password = in->better}, NULL);
	return status;
}

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
begin_session(struct db *db, struct sign_in *in, struct session *session)
{
	uint8_t hash[SECRET_HASH];
	if (secret_password_outdated(in->account.password) &&
	    secret_password_hash(in->arena, in->attempt->password, &in->better) != STATUS_OK)
		return STATUS_BROKEN;
	*session = (struct session){.account_id = in->account.id, .name = in->account.name};
	memcpy(session->id, in->attempt->random, SESSION_ID);
	hash_id(session->id, "session", hash);
	in->hash = (struct str){(const char *)hash, sizeof hash};
	enum status status = db_write(db, write_session, in);
	return status == STATUS_OK ? fill(in->arena, session) : status;
}

enum status
session_sign_in(struct db *db, struct arena *arena, const struct session_attempt *attempt, struct session *session,
    int64_t *wait)
{
	struct sign_in in = {.arena = arena, .attempt = attempt};
	enum status status = read_attempt(&in, db);
	if (status != STATUS_OK)
		return status;
	*wait = in.wait;
	if (*wait > 0)
		return STATUS_TOO_MANY;
	if (password_fits(&in))
		return begin_session(db, &in, session);
	status = db_write(db, write_failure, &in);
	return status == STATUS_OK ? STATUS_DENIED : status;
}

static enum status
delete_session(struct db_conn *conn, void *context)
{
	return session_end(conn, context, NULL);
}

enum status
session_sign_out(struct db *db, const struct session *session)
{
	uint8_t hash[SECRET_HASH];
	hash_id(session->id, "session", hash);
	struct session_end_in end = {.hash = {(const char *)hash, sizeof hash}};
	return db_write(db, delete_session, &end);
}

enum status
session_password(struct str password)
{
	bool fits = password.len >= SESSION_PASSWORD_LEAST && password.len <= SESSION_PASSWORD_MOST;
	return fits && text_valid(password) ? STATUS_OK : STATUS_INVALID;
}

struct str
session_next(struct str wanted, struct str mount, struct str otherwise)
{
	if (!str_starts(wanted, mount) || !str_starts(str_sub(wanted, mount.len, wanted.len), STR("/moderate/")))
		return otherwise;
	for (size_t i = 0; i < wanted.len; i++)
		if (wanted.at[i] <= ' ' || wanted.at[i] > '~' || wanted.at[i] == '\\')
			return otherwise;
	/* Browsers resolve dot segments, also encoded ones: out of what is ours. */
	struct str decoded = str_sub(wanted, 0, str_find(wanted, '?'));
	if (str_has(decoded, '%') || str_search(decoded, STR("/.")) < decoded.len)
		return otherwise;
	return wanted;
}
