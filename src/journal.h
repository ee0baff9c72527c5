/*
 * journal.h - the log: who did what, when, from where and why, so that nobody can change it unnoticed.
 *
 * It is the table `decision` of rejoinder.db, in which whoever has taken over reader.fcgi can write as
 * well.  So each row has a mac under a key that the moderators' user alone can read: over all its
 * columns, its id and the mac of the row before.  That chain shows a changed, a removed and a foreign
 * row; the head, kept in moderators.db, shows that the end is missing.  It is written after the row's
 * commit, so a crash between the two leaves it behind the log, which is no fault: it catches up.
 *
 * What is personal (account's name, network, reason) goes into the mac by a digest of each that stands
 * in the row: a value can be emptied later, and the chain holds.
 *
 * A program without the key (reader.fcgi, when an author withdraws) leaves a slip, which
 * moderator.fcgi copies into the log.  A slip proves nothing: it says what rejoinder.db said.  One of what only
 * moderators or the owner do is dropped.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "db.h"
#include "secret.h"
#include "status.h"
#include "str.h"

enum {
	JOURNAL_WHY_MOST = 500, /* characters */
	JOURNAL_DIGEST = 16     /* bytes of the digest of one personal value */
};

enum journal_action {
	JOURNAL_DECIDE,   /* a reply gets another state */
	JOURNAL_UNDO,     /* a batch of decisions is taken back */
	JOURNAL_EDIT,     /* a moderator changes a reply's words */
	JOURNAL_ANSWER,   /* a moderator replies */
	JOURNAL_CLOSE,    /* a page takes no new replies */
	JOURNAL_REOPEN,
	JOURNAL_PAUSE,    /* a site takes no new replies */
	JOURNAL_RESUME,
	JOURNAL_WITHDRAW, /* an author takes a reply back */
	JOURNAL_ERASE,    /* what somebody wrote is removed for good */
	JOURNAL_IMPORT,
	JOURNAL_MOVE,     /* a page has another address */
	JOURNAL_ACCEPT,   /* the owner takes the log as it is */
	JOURNAL_RESTORE,  /* the owner puts a backup in the place of the store */
	JOURNAL_ACTIONS
};

/* As in the database: "decide", "undo" ... */
extern const struct str journal_action_names[JOURNAL_ACTIONS];

/* INVALID for a name of none of them. */
MUST_USE enum status journal_action(struct str name, enum journal_action *action);

/* What is to be written; 0 and STR_NONE where there is none. */
struct journal_entry {
	int64_t batch; /* 0 begins one; journal_add puts the row's id here, for the rows that belong to it */
	enum journal_action action;
	int64_t site_id;
	int64_t reply_id, thread_id;
	int64_t revision; /* of the reply, afterwards */
	struct str from_state, to_state;
	int64_t undoes;
	struct str moderator, network, why;
	int64_t decided_at;
};

/*
 * Adds a row; `conn` is that of the transaction in which the thing itself is done (db_write).  `key` is
 * journal_key's; NULL leaves a slip, without moderator, network and reason, and entry->batch alone.
 * Rows that another hand wrote at the end of all numbers do not stop it, unless they are a thousand: that is BROKEN,
 * and logged with what helps.
 */
MUST_USE enum status journal_add(const struct secret_key *key, struct db_conn *conn, struct arena *arena,
    struct journal_entry *entry);

/* INVALID for a reason that is too long or no text of one or more lines. */
MUST_USE enum status journal_why(struct arena *arena, struct str typed, struct str *why);

/* --- the moderators' side ------------------------------------------------------------------------ */

struct journal {
	struct db *db, *moderators;
	struct secret_key key;
	_Atomic bool cried; /* a head that does not fit was logged: once is enough */
};

/*
 * Reads the key.  Where the log was never signed, `begin` makes the key if there is none, and signs the
 * rows of older versions; without `begin` that is MISSING, and not logged.  Any other failure has been
 * logged.  Whoever opens it closes it, before the databases.
 */
MUST_USE enum status journal_open(const char *key_path, struct db *db, struct db *moderators, bool begin,
    struct journal *journal);
void journal_close(struct journal *journal);

/*
 * What is due after a request that wrote, and in each tick: slips are copied, and the head follows the
 * log.  CONFLICT when the log does not hold the row that the head knows (logged once).
 */
MUST_USE enum status journal_keep_up(struct journal *journal);

/* A row as it is stored, to be looked at. */
struct journal_row {
	int64_t id, batch;
	struct str action;
	int64_t site_id;
	struct db_integer reply_id, thread_id, revision;
	struct str from_state, to_state;
	struct db_integer undoes;
	struct str moderator, network, why;
	int64_t decided_at;
	struct str digests, mac;
};

/* The first row from `id` on, and whether its mac and its digests fit; MISSING behind the end. */
MUST_USE enum status journal_look(const struct secret_key *key, struct db_conn *conn, struct arena *arena, int64_t id,
    struct journal_row *row, bool *good);

enum journal_fault {
	JOURNAL_CHANGED,  /* the row is not as it was written, or another hand wrote it */
	JOURNAL_GAP,      /* rows `from` to `id` - 1 are missing */
	JOURNAL_UNSIGNED, /* it has no mac */
	JOURNAL_SHORT,    /* the log ends at `from`, before the row `id` that the head knows */
	JOURNAL_OTHER,    /* the head knows another row of this id */
	JOURNAL_BEYOND    /* it stands where no row of ours can, before the first or at the end of all numbers */
};

/* What a check found; called once for each fault, in the order of the rows. */
typedef void journal_tell(void *context, enum journal_fault fault, int64_t from, int64_t id, bool accepted);

struct journal_findings {
	int64_t rows;      /* compared */
	int64_t faults;    /* told, without those that the owner has accepted */
	int64_t forgotten; /* rows that have lost a name, a network or a reason on purpose */
};

/* Compares the whole log, in steps and bounded memory. */
MUST_USE enum status journal_check(const struct journal *journal, journal_tell *tell, void *context,
    struct journal_findings *findings);

/*
 * Takes the log's end as it is: a row says so, and the head follows wherever it was.  `action` is
 * JOURNAL_ACCEPT, after which what is wrong up to there counts no more, or JOURNAL_RESTORE.  What stands
 * where no row of ours can (JOURNAL_BEYOND) is removed.
 */
MUST_USE enum status journal_accept(struct journal *journal, enum journal_action action, int64_t now);

#endif
