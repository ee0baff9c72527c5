/*
 * pen.h - what moderators write: answers of their own, and changes of somebody's words.
 *
 * An answer is published at once, in the transaction that stores it, and approves the reply that it
 * answers if that one is held: an answer to what nobody sees would not be seen.  It holds nothing of a
 * person but the account's name.  A change keeps neither the words before it nor a copy of them: the log
 * says only that it was made, and by whom.
 */
#ifndef PEN_H
#define PEN_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "reply.h"
#include "secret.h"
#include "status.h"
#include "str.h"
#include "verdict.h"

/* Who writes, and where. */
struct pen {
	const struct config_site *site;
	int64_t site_id;
	struct db *db;
	const struct secret_key *matching; /* keyed hashes */
	const struct secret_key *log;      /* of the log */
	struct str moderator;              /* name of the account, and of the answer's author */
	struct str network;                /* address_network() of the moderator */
	struct str why;                    /* journal_why() */
	int64_t now;                       /* seconds since 1970 */
};

struct pen_result {
	struct reply_result checked; /* outcome: STORED, SAME, WRONG (see faults) or KEY_SPENT */
	int64_t thread_id;           /* to be published; 0 where no file changes */
	bool approved;               /* the reply that it answers was held, and is published now */
	int64_t batch;               /* in which the log has that approval, also where it is the same answer again; 0: none */
	bool shown;                  /* readers see it: nothing that it hangs on is hidden */
};

struct pen_answer {
	struct verdict_target parent; /* as it was seen */
	struct str comment;           /* as typed */
	struct str key;               /* of the form: the same one again is the same answer; may be empty */
};

/*
 * Publishes an answer.  OK whenever there is an outcome; CONFLICT where the parent is not as it was seen,
 * or neither held nor published; MISSING where there is none; BUSY or BROKEN when the store does not answer.
 */
MUST_USE enum status pen_answer(const struct pen *pen, struct arena *arena, const struct pen_answer *answer,
    struct pen_result *result);

struct pen_change {
	struct verdict_target target; /* as it was seen */
	struct str name, website, comment;
};

/*
 * Gives a reply other words, website and name; where they are the same nothing changes and nothing is
 * noted.  CONFLICT where the reply is not as it was seen, or withdrawn; else as pen_answer.  The caller
 * empties the WAL afterwards (db_truncate), where the former words still stand.
 */
MUST_USE enum status pen_change(const struct pen *pen, struct arena *arena, const struct pen_change *change,
    struct pen_result *result);

#endif
