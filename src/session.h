/*
 * session.h - who signs in, and who is signed in.
 *
 * A session's id is 32 random bytes in a cookie; the database holds its hash.  Its token, which each
 * form carries, is derived from the id, so it needs no column and dies with the session.
 *
 * The throttle.  Wrong passwords are counted for a network and for a name, known or not.  From the
 * SESSION_FAILURES_NETWORK-th of a network or the SESSION_FAILURES_NAME-th of a name on, the next try
 * must wait: SESSION_WAIT_LEAST seconds, twice as long after each further one, SESSION_WAIT_MOST at
 * most; tries during that time are not looked at and change nothing.  Each SESSION_FAILURES_WITHIN
 * seconds without a wrong one, counted from the end of the wait, halve the count, so that all is
 * forgotten after an hour and a quarter.
 *
 * That alone would let anybody lock an owner out.  So a browser gets a second cookie when somebody
 * signs in, the browser's; whoever brings one that the account has signed in with has a count of its
 * own, of SESSION_FAILURES_NETWORK, and neither adds to the others nor waits for them.  It changes with each sign-in, lasts
 * SESSION_BROWSER_DAYS days, and dies with a new password and with signing out everywhere.
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
	SESSION_BACK = 60,             /* seconds that a clock may be set back without ending a session */
	SESSION_KEPT = 100,            /* sessions of an account; the one last used longest ago goes */
	SESSION_FAILURES_WITHIN = 600, /* seconds without a wrong password that halve their number */
	SESSION_FAILURES_NETWORK = 10, /* wrong ones from one network until it must wait */
	SESSION_FAILURES_NAME = 30,    /* and for one name from anywhere */
	SESSION_FAILURES_KEPT = 4096,  /* rows: those that count least go */
	SESSION_WAIT_LEAST = 60,       /* seconds */
	SESSION_WAIT_MOST = 900,       /* seconds */
	SESSION_BROWSER_DAYS = 180,    /* that a browser is known after its last sign-in */
	SESSION_BROWSERS_KEPT = 20,    /* of an account */
	SESSION_AGENT_MOST = 200       /* bytes of a User-Agent that are kept */
};

/* Somebody who is signed in. */
struct session {
	int64_t account_id;
	struct str name;
	struct str token; /* for the forms of this session */
	bool by_server;   /* the web server signed in (REMOTE_USER): there is no password to ask for */
	uint8_t id[SESSION_ID];
	uint8_t browser[SESSION_ID]; /* after signing in: the browser's cookie */
};

/* The cookie's name: with the __Host- prefix and Secure where the site is https. */
struct str session_cookie_name(const struct config_site *site);

/* A Set-Cookie value that sets the session's id, or, where `session` is NULL, ends it. */
struct str session_set_cookie(struct arena *arena, const struct config_site *site, const struct session *session);

/* The same for the browser's cookie; where `session` is NULL, the browser forgets it. */
struct str session_set_browser(struct arena *arena, const struct config_site *site, const struct session *session);

/*
 * Whose session a Cookie header names.  DENIED for none, an ended, idle or disabled one, one that is
 * younger than the clock by more than SESSION_BACK, and one that REMOTE_USER began; two
 * cookies of our name are DENIED as well.  `seen_at` is written at most every SESSION_SEEN_EVERY.
 */
MUST_USE enum status session_current(struct db *db, struct arena *arena, const struct config_site *site,
    struct str cookies, int64_t now, struct session *session);

/* The same without writing `seen_at`: what a page's script asks by the clock must not keep an idle session. */
MUST_USE enum status session_peek(struct db *db, struct arena *arena, const struct config_site *site,
    struct str cookies, int64_t now, struct session *session);

/* Is `token` the session's?  In constant time. */
bool session_token_fits(const struct session *session, struct str token);

/*
 * Is this request one of the site's own pages', as far as the browser tells?  Origin must be the
 * base of the moderators' door or, where that is the site's, one of its origins; without Origin, Sec-Fetch-Site must not say otherwise.
 */
bool session_origin_fits(const struct config_site *site, struct str origin, struct str fetch_site);

struct session_attempt {
	const struct config_site *site;
	struct str name;
	struct str password;
	struct str network; /* address_network() of the peer */
	struct str cookies; /* the Cookie header: perhaps a known browser's */
	struct str agent;   /* the User-Agent header; its beginning is kept */
	bool unseen;        /* asked by a clock: neither begins a session nor keeps an idle one */
	int64_t now;
	const uint8_t *random; /* 2 * SESSION_ID fresh bytes */
};

/*
 * Signs in: OK with a new session; DENIED for an unknown name, a disabled account and a wrong
 * password alike, after the same work; TOO_MANY when the network, the name or the known browser must
 * wait *wait seconds.  The caller holds a lock, since each try takes 19 MiB and 33 ms.
 */
MUST_USE enum status session_sign_in(struct db *db, struct arena *arena, const struct session_attempt *attempt,
    struct session *session, int64_t *wait);

/* Is it a browser that this name has signed in from?  For keeping a place in the line before that lock. */
bool session_known_browser(struct db *db, struct arena *arena, const struct session_attempt *attempt);

/*
 * Gives the account that `session` is of another password, after asking for its present one as
 * session_sign_in does, with the same errors and throttle.  All its sessions end, all its browsers
 * are forgotten, and *session is a new one.  `fresh` is what password.h lets pass.
 */
MUST_USE enum status session_change_password(struct db *db, struct arena *arena, const struct session_attempt *attempt,
    struct str fresh, struct session *session, int64_t *wait);

/*
 * The session of whom the web server signed in: the cookie's, if it is one of this account that
 * REMOTE_USER began, else a new one (*fresh: the cookie must be set).  DENIED for a name that has no account,
 * or a disabled one.  Of `attempt` the password is not looked at, and nothing is throttled.
 */
MUST_USE enum status session_by_server(struct db *db, struct arena *arena, const struct session_attempt *attempt,
    struct session *session, bool *fresh);

/* Ends a session. */
MUST_USE enum status session_sign_out(struct db *db, const struct session *session);

/* Ends one of the same account, by what session_open says of it; OK also when it is over already. */
MUST_USE enum status session_sign_out_other(struct db *db, const struct session *session, struct str handle);

/* Ends all of its account, and forgets its browsers. */
MUST_USE enum status session_sign_out_everywhere(struct db *db, const struct session *session);

/* The same within a db_write, for the command line. */
MUST_USE enum status session_end_of_account(struct db_conn *conn, int64_t account_id);

/*
 * Lets a name, and whoever else must wait, try again at once: what is held against the name, against
 * networks, and against known browsers is forgotten.  Within a db_write.
 */
MUST_USE enum status session_unlock(struct db_conn *conn, struct arena *arena, struct str name);

/* Ends everybody's: a clock was set back, so nobody can say how long they have lasted. */
MUST_USE enum status session_end_everybodys(struct db *db);

/* An open session, for the account's own eyes. */
struct session_open {
	struct str handle; /* names it in a form; tells nothing about its cookie */
	int64_t begun_at, seen_at;
	struct str network, agent;
	bool by_server;
	bool own; /* the one that asks */
};
MUST_USE enum status session_opens(struct db *db, struct arena *arena, const struct session *session, int64_t now,
    struct session_open **opens, size_t *opens_n);

/* A path of the site that somebody may be sent to after signing in: `wanted` if it is one, else `otherwise`. */
struct str session_next(struct str wanted, struct str mount, struct str otherwise);

#endif
