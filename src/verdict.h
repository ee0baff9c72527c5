/*
 * verdict.h - what a moderator decides about replies.
 *
 * A decision is a compare-and-set on the revision that the moderator saw: whatever happened to a
 * reply since is told, never overruled.  With the reply's state change go, in one transaction, its
 * row in the log, the kept counts, and the request to publish the pages that change.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "db.h"
#include "journal.h"
#include "status.h"
#include "str.h"

enum verdict_state { VERDICT_HELD, VERDICT_PUBLISHED, VERDICT_SPAM, VERDICT_TRASH, VERDICT_STATES };

/* As in the form, the database and the addresses: "held", "published", "spam", "trash". */
extern const struct str verdict_state_names[VERDICT_STATES];

/* INVALID for a name of none of them. */
MUST_USE enum status verdict_state(struct str name, enum verdict_state *state);

/* A reply as it was seen. */
struct verdict_target {
	int64_t id;
	int64_t revision;
};

/* Reads "<id>:<revision>"; INVALID for anything else. */
MUST_USE enum status verdict_target(struct str value, struct verdict_target *target);

struct verdict_order {
	const struct secret_key *key; /* of the log */
	int64_t site_id;
	const struct verdict_target *targets;
	size_t targets_n;
	enum verdict_state state; /* that they shall have */
	struct str moderator;     /* name of the account */
	struct str network;       /* address_network() of the moderator */
	struct str why;           /* journal_why() */
	int64_t now; /* seconds since 1970 */
};

/* What became of one target. */
struct verdict_result {
	int64_t id;
	enum status status;    /* OK; CONFLICT: somebody was first; MISSING: there is none */
	struct str name;       /* of the reply's author */
	struct str title;      /* of its page */
	struct str comment;    /* as it is now */
	enum verdict_state from;
	int64_t revision;      /* after the decision, or now where it was refused */
	struct str now_state;  /* where it was refused: what the reply is now */
	struct str moderator;  /* and who made it so, "" if nobody did: its author edited it */
	bool edited;           /* that moderator changed its words, not its state */
	int64_t decided_at;    /* when */
	int64_t batch;         /* in which the log has it; 0 where nothing changed */
	int64_t thread_id;
	bool changes_files;    /* the thread must be published */
	int64_t shown;         /* replies that readers see now, or (where it vanished) no more, itself included;
	                          others of the same decision are not among them */
};

/*
 * Replies that came (above 0) or went (below 0) with those of a decision or an undo, because they hang on
 * them: each once, and none that was decided about.
 */
int64_t verdict_with(const struct verdict_result *results, size_t n);

/*
 * Decides about all targets in one transaction: those that are as they were seen change, the others
 * are reported.  `results` has targets_n places, in the order of the targets.
 */
MUST_USE enum status verdict_decide(struct db *db, struct arena *arena, const struct verdict_order *order,
    struct verdict_result *results);

/* The same within a transaction of the caller's, who says what the log calls it. */
MUST_USE enum status verdict_decide_in(struct db_conn *conn, struct arena *arena, const struct verdict_order *order,
    enum journal_action action, struct verdict_result *results);

/*
 * Within a transaction of the caller's, who makes a published reply something else than a decision can:
 * hides it with what hangs on it, counts, and asks for the pages.  *shown as in verdict_result.
 */
MUST_USE enum status verdict_hide(struct db_conn *conn, struct arena *arena, int64_t site_id, int64_t id, int64_t now,
    int64_t *shown);

/*
 * Takes a batch of the moderator's own back, in one transaction: each reply that is still as the batch
 * left it gets the state that it had; the others are reported.  Targets of the order, if it has any, say
 * which replies of the batch alone; its state does not count.
 * The results are in `arena`.  MISSING where the log has no such batch of decisions of this moderator
 * and site; INVALID where another hand has written in it, and then nothing is done.
 */
MUST_USE enum status verdict_undo(struct db *db, struct arena *arena, const struct verdict_order *order, int64_t batch,
    struct verdict_result **results, size_t *results_n);

#endif
