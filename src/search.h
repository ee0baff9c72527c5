/*
 * search.h - finds replies for moderators, by what they ask for.
 *
 * One index drives each search: a state, or a state of one thread.  All other filters are residual: rows
 * are fetched in slices along the index and looked at here, SEARCH_LOOKS of them at most, so that a
 * filter that fits nothing costs a request no more than one that fits a page.  A search that ends there
 * tells how far it looked, and goes on from that place when it is asked again.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "db.h"
#include "spam.h"
#include "status.h"
#include "str.h"

enum {
	SEARCH_LOOKS = 5000, /* replies looked at for one page */
	SEARCH_SLICE = 250   /* of them at once, where there is a residual filter */
};

struct search {
	int64_t site_id;
	int64_t thread_id; /* only of this one; 0: of all */
	struct str state;
	bool links;        /* with a web address in their words */
	unsigned reasons;  /* with all of these: bits 1 << enum spam_kind */
	bool up;           /* from `from` towards newer ones; else towards older ones */
	int64_t from;      /* not itself; 0 up or INT64_MAX down begins at the end */
	size_t most;       /* that are wanted */
	size_t looks;      /* that are looked at, SEARCH_LOOKS as a rule */
};

struct search_found {
	int64_t *ids;   /* in the order in which the search went */
	size_t n;
	bool more;      /* there is at least one more that fits */
	bool cut;       /* no more were looked at; there may be more that fit behind `last` */
	int64_t last;   /* the last that was looked at; `from` where none was */
	size_t looked;
};

/* Searches in one snapshot (or transaction). BUSY or BROKEN when the store does not answer. */
MUST_USE enum status search_find(struct db_conn *conn, struct arena *arena, const struct search *search,
    struct search_found *found);

#endif
