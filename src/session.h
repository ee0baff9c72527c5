/*
 * session.h - who signs in, and who is signed in.
 *
 * A session's id is 32 random bytes in a cookie; the database holds its hash.  Its token, which each
 * form carries, is derived from the id, so it needs no column and dies with the session.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "secret.h"
#include "status.h"
#include "str.h"

enum {
	SESSION_ID = 32,               /* bytes */
	SESSION_IDLE = 30 * 60,        /* seconds without a request */
	SESSION_MOST = 12 * 3600,      /* seconds altogether */
	SESSION_SEEN_EVERY = 5 * 60,   /* seconds between writes of seen_at */
	SESSION_FAILURES_WITHIN = 600, /* seconds that wrong passwords are remembered */
	SESSION_FAILURES_NETWORK = 10, /* wrong ones from one network until it must wait */
	SESSION_FAILURES_NAME = 30,    /* and for one name from anywhere */
	SESSION_PASSWORD_LEAST = 15,   /* bytes */
	SESSION_PASSWORD_MOST = 1024   /* bytes */
};

/* Somebody who is signed in. */
struct session {
	int64_t account_id;
	struct str name;
	struct str token; /* for the forms of this session */
	uint8_t id[SESSION_ID];
};

/* The cookie's name: with the __Host- prefix and Secure where the site is https. */
struct str session_cookie_name(const struct config_site *site);

/* A Set-Cookie value that sets the session's id, or, where `session` is NULL, ends it. */
struct str session_set_cookie(struct arena *arena, const struct config_site *site, const struct session *session);

/*
 * Whose session a Cookie header names.  DENIED for none, an ended, idle or disabled one; two
 * cookies of our name are DENIED as well.  `seen_at` is written at most every SESSION_SEEN_EVERY.
 */
MUST_USE enum status session_current(struct db *db, struct arena *arena, const struct config_site *site,
    struct str cookies, int64_t now, struct session *session);

/* Is `token` the session's?  In constant time. */
bool session_token_fits(const struct session *session, struct str token);

/*
 * Is this request one of the site's own pages', as far as the browser tells?  Origin must be the
 * site's base or one of its origins; without Origin, Sec-Fetch-Site must not say otherwise.
 */
bool session_origin_fits(const struct config_site *site, struct str origin, struct str fetch_site);

struct session_attempt {
	struct str name;
	struct str password;
	struct str network; /* address_network() of the peer */
	int64_t now;
	const uint8_t *random; /* SESSION_ID fresh bytes */
};

/*
 * Signs in: OK with a new session; DENIED for an unknown name, a disabled account and a wrong
 * password alike, after the same time; TOO_MANY when the network or the name must wait *wait
 * seconds.  The caller holds a lock, since each try takes 19 MiB and 33 ms.
 */
MUST_USE enum status session_sign_in(struct db *db, struct arena *arena, const struct session_attempt *attempt,
    struct session *session, int64_t *wait);

/* Ends a session. */
MUST_USE enum status session_sign_out(struct db *db, const struct session *session);

/* INVALID for a password that is too short, too long, or holds NUL or bad UTF-8. */
MUST_USE enum status session_password(struct str password);

/* A path of the site that somebody may be sent to after signing in: `wanted` if it is one, else `otherwise`. */
struct str session_next(struct str wanted, struct str mount, struct str otherwise);

#endif
