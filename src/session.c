#include "session.h"

#include <string.h>

#include "session_parts.h"
#include "sql/moderators/browser.h"
#include "sql/moderators/session.h"

static bool
is_https(const struct config_site *site)
{
	return str_starts(config_moderators_base(site), STR("https://"));
}

struct str
session_cookie_name(const struct config_site *site)
{
	return is_https(site) ? STR("__Host-rejoinder") : STR("rejoinder");
}

struct str
session_browser_name(const struct config_site *site)
{
	return is_https(site) ? STR("__Host-rejoinder-browser") : STR("rejoinder-browser");
}

static struct str
set_cookie(struct arena *arena, const struct config_site *site, struct str name, const uint8_t *bytes, const char *age)
{
	struct str value = bytes == NULL ? STR("") : str_base64url(arena, bytes, SESSION_ID);
	return str_format(arena, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%s", STR_FMT(name), STR_FMT(value),
	    is_https(site) ? "; Secure" : "", bytes == NULL ? "; Max-Age=0" : age);
}

struct str
session_set_cookie(struct arena *arena, const struct config_site *site, const struct session *session)
{
	return set_cookie(arena, site, session_cookie_name(site), session == NULL ? NULL : session->id, "");
}

struct str
session_set_browser(struct arena *arena, const struct config_site *site, const struct session *session)
{
	struct str age = str_format(arena, "; Max-Age=%d", SESSION_BROWSER_DAYS * 86400);
	return set_cookie(arena, site, session_browser_name(site), session == NULL ? NULL : session->browser, age.at);
}

enum status
session_cookie(struct str name, struct str cookies, uint8_t bytes[SESSION_ID])
{
	enum status status = STATUS_INVALID;
	while (cookies.at != NULL) {
		struct str value = str_cut(&cookies, ';');
		if (!str_eq(str_trim(str_cut(&value, '=')), name))
			continue;
		if (status == STATUS_OK)
			return STATUS_INVALID;
		status = str_unbase64url(str_trim(value), bytes, SESSION_ID);
		if (status != STATUS_OK)
			return status;
	}
	return status;
}

/* A cookie is as random as a key, so no key of ours is needed: whoever has the hash cannot go back. */
void
session_hash(const void *bytes, size_t len, const char *purpose, uint8_t hash[SECRET_HASH])
{
	static const struct secret_key none;
	struct str part = {bytes, len};
	secret_hash(&none, purpose, &part, 1, hash);
}

enum status
session_fill(struct arena *arena, struct session *session)
{
	uint8_t token[SECRET_HASH];
	session_hash(session->id, SESSION_ID, "token", token);
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
	       row->created_at - now > SESSION_BACK || row->seen_at - now > SESSION_BACK;
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
session_of_cookie(struct db *db, struct arena *arena, const struct config_site *site, struct str cookies, int64_t now,
    bool unseen, struct session *session)
{
	struct session_find_row row;
	uint8_t hash[SECRET_HASH];
	if (session_cookie(session_cookie_name(site), cookies, session->id) != STATUS_OK)
		return STATUS_DENIED;
	session_hash(session->id, SESSION_ID, "session", hash);
	struct str hash_str = {(const char *)hash, sizeof hash};
	enum status status = look_up(db, arena, hash_str, &row);
	if (status != STATUS_OK)
		return status;
	if (is_over(&row, now))
		return STATUS_DENIED;
	session->account_id = row.account_id;
	session->name = row.name;
	session->by_server = row.by_server != 0;
	if (!unseen && now - row.seen_at >= SESSION_SEEN_EVERY) {
		struct session_seen_in seen = {.hash = hash_str, .seen_at = now};
		/* A store that cannot be written now signs nobody out, and keeps nobody from the replies; db has logged it. */
		status = db_write(db, write_seen, &seen);
	}
	(void)status;
	return session_fill(arena, session);
}

enum status
session_current(struct db *db, struct arena *arena, const struct config_site *site, struct str cookies, int64_t now,
    struct session *session)
{
	enum status status = session_of_cookie(db, arena, site, cookies, now, false, session);
	return status == STATUS_OK && session->by_server ? STATUS_DENIED : status;
}

enum status
session_peek(struct db *db, struct arena *arena, const struct config_site *site, struct str cookies, int64_t now,
    struct session *session)
{
	enum status status = session_of_cookie(db, arena, site, cookies, now, true, session);
	return status == STATUS_OK && session->by_server ? STATUS_DENIED : status;
}

bool
session_origin_fits(const struct config_site *site, struct str origin, struct str fetch_site)
{
	if (str_eq(fetch_site, STR("cross-site")))
		return false;
	if (origin.len > 0) {
		/* With a host of their own the moderators have nothing to do with where articles are read. */
		for (size_t i = 0; site->moderators_base.len == 0 && i < site->origins.n; i++)
			if (str_eq(origin, site->origins.items[i]))
				return true;
		return str_eq(origin, config_moderators_base(site));
	}
	return fetch_site.len == 0 || str_eq(fetch_site, STR("same-origin")) || str_eq(fetch_site, STR("none"));
}

/* --- the end ------------------------------------------------------------------------------------- */

static enum status
delete_session(struct db_conn *conn, void *context)
{
	return session_end(conn, context, NULL);
}

enum status
session_sign_out(struct db *db, const struct session *session)
{
	uint8_t hash[SECRET_HASH];
	session_hash(session->id, SESSION_ID, "session", hash);
	struct session_end_in end = {.hash = {(const char *)hash, sizeof hash}};
	return db_write(db, delete_session, &end);
}

static enum status
delete_own(struct db_conn *conn, void *context)
{
	return session_end_own(conn, context, NULL);
}

enum status
session_sign_out_other(struct db *db, const struct session *session, struct str handle)
{
	uint8_t hash[SECRET_HASH];
	if (str_unhex(handle, hash, sizeof hash) != STATUS_OK)
		return STATUS_INVALID;
	struct session_end_own_in end = {.hash = {(const char *)hash, sizeof hash}, .account_id = session->account_id};
	return db_write(db, delete_own, &end);
}

enum status
session_end_of_account(struct db_conn *conn, int64_t account_id)
{
	enum status status = session_end_all(conn, &(struct session_end_all_in){.account_id = account_id}, NULL);
	return status == STATUS_OK ? browser_end_all(conn, &(struct browser_end_all_in){.account_id = account_id}, NULL) : status;
}

static enum status
delete_all(struct db_conn *conn, void *context)
{
	return session_end_of_account(conn, ((const struct session *)context)->account_id);
}

enum status
session_sign_out_everywhere(struct db *db, const struct session *session)
{
	struct session mine = {.account_id = session->account_id};
	return db_write(db, delete_all, &mine);
}

static enum status
delete_everybodys(struct db_conn *conn, void *context)
{
	(void)context;
	return session_end_every(conn, NULL);
}

enum status
session_end_everybodys(struct db *db)
{
	return db_write(db, delete_everybodys, NULL);
}

/* --- which are open --------------------------------------------------------------------------------- */

enum status
session_opens(struct db *db, struct arena *arena, const struct session *session, int64_t now,
    struct session_open **opens, size_t *opens_n)
{
	struct session_list_in in = {.account_id = session->account_id, .seen_after = now - SESSION_IDLE,
	    .begun_after = now - SESSION_MOST};
	struct session_list_row *rows;
	uint8_t own[SECRET_HASH];
	struct db_conn *conn;
	size_t n;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = session_list(conn, arena, &in, &rows, &n);
	db_release(conn);
	if (status != STATUS_OK)
		return status;
	*opens = arena_array(arena, n, sizeof **opens);
	if (*opens == NULL)
		return STATUS_BROKEN;
	session_hash(session->id, SESSION_ID, "session", own);
	for (*opens_n = 0; *opens_n < n; ++*opens_n) {
		const struct session_list_row *row = &rows[*opens_n];
		(*opens)[*opens_n] = (struct session_open){.handle = str_hex(arena, row->hash.at, row->hash.len),
		    .begun_at = row->created_at, .seen_at = row->seen_at, .network = row->network, .agent = row->agent,
		    .by_server = row->by_server != 0, .own = row->hash.len == sizeof own && secret_same(row->hash.at, own, sizeof own)};
	}
	return STATUS_OK;
}

/* --- where to next ------------------------------------------------------------------------------------ */

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
