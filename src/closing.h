/*
 * closing.h - taking no new replies: on a page, or on a whole site for a while.
 *
 * A page that is closed says so in its published files.  A site that is paused does not: its pages
 * keep their «Reply» links, and the form's address says that nothing is taken at the moment.  To
 * rewrite every file of a site twice for a pause of an hour would cost more than it tells.
 */
#ifndef CLOSING_H
#define CLOSING_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "db.h"
#include "secret.h"
#include "status.h"
#include "str.h"

struct closing_order {
	int64_t site_id;
	struct str page;  /* canonical; STR_NONE: the site */
	struct str title; /* of the page, for one that nobody has replied to yet */
	bool closed;      /* and not reopened; paused, and not resumed */
	const struct secret_key *key;  /* the log's; NULL leaves a slip (journal.h) */
	struct str moderator, network; /* STR_NONE: the command line */
	int64_t now;
};

struct closing_result {
	bool changed;      /* false: it was so already, and nothing was done */
	int64_t thread_id; /* to be published, if changed; 0 for a site */
};

/* Closes or reopens, with its row in the log, in one transaction. */
MUST_USE enum status closing_do(struct db *db, struct arena *arena, const struct closing_order *order,
    struct closing_result *result);

#endif
