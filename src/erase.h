/*
 * erase.h - takes what somebody gave out of the store.
 *
 * A reply that is erased stays as a row without content, in the state `withdrawn`: receipts are made from
 * its number, the log tells of it, and what hangs on it must know where it hung.  Or, where its author
 * agrees, its published words stay under a name that is nobody's.
 *
 * secure_delete overwrites in the file what was deleted; the caller empties the WAL afterwards (db_truncate)
 * and publishes what lags.  Copies of the database are not the store's.
 */
#ifndef ERASE_H
#define ERASE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "db.h"
#include "secret.h"
#include "status.h"
#include "str.h"

/* Whose replies, as they are compared. */
struct erase_author {
	struct str folded;
	uint8_t hash[SECRET_HASH];
};

/* INVALID for what is no e-mail (address_email). */
MUST_USE enum status erase_author(const struct secret_key *matching, struct arena *arena, struct str email,
    struct erase_author *author);

/* The keys that open e-mails: the present one and a former one, as far as they are there. */
enum { ERASE_KEYS = 2 };
struct erase_openers {
	struct secret_opener each[ERASE_KEYS];
	size_t n;
};

/*
 * Is a reply with these the author's?  The hash is enough; a box is opened where the hash says no, since it
 * may be of another matching key.  *closed: none of the keys opens the box, so nobody can tell.
 */
MUST_USE enum status erase_is_by(struct erase_openers *openers, struct arena *arena, const struct erase_author *author,
    struct str author_hash, struct str email_sealed, bool *is, bool *closed);

struct erase_order {
	const struct secret_key *matching;
	const struct secret_key *log; /* of the log; NULL leaves a slip */
	bool unlogged;                /* no row of the log: a rule does it, and many times */
	struct str name;              /* under which published words stay; STR_NONE where nothing does */
	bool any_words;               /* with `name`: also words that are not published stay */
	struct db_integer erased_at;  /* as stored with the reply */
	int64_t now;
};

/* What became of it. */
struct erase_result {
	bool erased;    /* false: it was withdrawn before, or there is none */
	bool kept;      /* its words stay */
	int64_t hidden; /* replies of others that are shown no more, since they hang on it */
};

/* Within a db_write.  `result` is set in any case. */
MUST_USE enum status erase_reply(struct db_conn *conn, struct arena *arena, const struct erase_order *order, int64_t id,
    struct erase_result *result);

/*
 * Erases in the copy `to` what `from` knows as withdrawn or erased, so that it does not come back with a backup:
 * replies of the same number and time.  Where words were kept, those of the copy stay under the same name.
 * *n is how many there were.
 */
MUST_USE enum status erase_again(struct db *from, struct db *to, const struct secret_key *matching, int64_t now,
    int64_t *n);

#endif
