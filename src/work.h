/*
 * work.h - work in the background, done in slices by whoever has time: a door between requests, or
 * `rejoinder work`.
 *
 * A job is a row (table `job`) for each kind and site that says when it is due.  Whoever does it takes
 * a lease: until that ends nobody else does it, and whoever is killed meanwhile holds it up no longer.
 * A lease has a number, `turn`; a holder whose lease was taken over writes nothing more to the row.
 * What a slice does must be such that doing it twice does no harm, since a worker may die between the
 * work and its note.  The write lock of the store is held for the notes only.
 *
 * Times in the row that lie further ahead than their makers may put them come from a clock that was
 * set back since; they count as past.
 *
 * A new kind is a row of `kinds` in work.c and a function that does a slice.
 */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "db.h"
#include "publish.h"
#include "secret.h"
#include "status.h"
#include "str.h"

enum {
	WORK_LEASE = 120,        /* seconds: far more than a slice takes */
	WORK_PATIENCE = 600,     /* seconds until a failed job is tried again, at most */
	WORK_SOON = 10           /* seconds that work_next looks ahead */
};

struct work_bench {
	struct publish_press press; /* press.now is set anew before each slice */
	const int64_t *site_ids;    /* of the press's sites, in their order */
	const struct secret_key *matching; /* of the store's keyed hashes */
	struct str who;             /* program and process, for people */
	int64_t (*read_clock)(void);     /* seconds since 1970 */
	bool eager;                 /* does not wait until a failed job is due again */
	/* Told after each slice, or NULL; `site` is "" for what is of no site. */
	void (*progress)(struct str kind, struct str site, enum status status);
};

/*
 * Does one slice of each job that is due and that nobody else is at.  *done is the number of slices: 0
 * when there was nothing to do.  Goes on behind one that fails, whose status it returns; its row says
 * when to try again.
 */
MUST_USE enum status work_round(struct work_bench *bench, size_t *done);

/* When the next job is due that is due within WORK_SOON seconds; MISSING when none is. */
MUST_USE enum status work_next(struct work_bench *bench, int64_t *due_at);

#endif
