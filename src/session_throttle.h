/*
 * session_throttle.h - who must wait after too many wrong passwords; session.h says the rule.
 *
 * What is counted stands in the database as a hash, for people type passwords where a name belongs.
 * Somebody who must wait writes nothing, and everybody else paid with an argon2 for the one write:
 * so one processor core can write some thirty times a second at most, into
 * SESSION_FAILURES_KEPT rows.
 */
#ifndef SESSION_THROTTLE_H
#define SESSION_THROTTLE_H

#include "session.h"

enum { SESSION_THROTTLE_WHO = 16 /* bytes of the hash */ };

struct session_counted {
	struct str kind;
	uint8_t who[SECRET_HASH]; /* the first SESSION_THROTTLE_WHO bytes count */
	int64_t most; /* wrong ones without a wait */
};

/* Against whom a wrong password counts. */
struct session_throttle {
	struct session_counted counted[2];
	size_t n;
};

void session_throttle_stranger(struct session_throttle *throttle, struct arena *arena, struct str network, struct str name);
void session_throttle_browser(struct session_throttle *throttle, struct str hash, int64_t account_id);

/* Seconds until the next try, 0 for none. */
MUST_USE enum status session_throttle_wait(const struct session_throttle *throttle, struct db_conn *conn,
    struct arena *arena, int64_t now, int64_t *wait);

/* Counts a wrong one; within a db_write. */
MUST_USE enum status session_throttle_add(const struct session_throttle *throttle, struct db_conn *conn,
    struct arena *arena, int64_t now);

#endif
