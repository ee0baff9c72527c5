/*
 * overview.h - what a whole site shows of its replies: plain files beside the threads.
 *
 * latest.html and .json (the newest replies), feed.xml (the same in Atom), trending.html and .json (the
 * pages with most replies in seven days), counts.json (how many replies the most discussed pages
 * have).  Only replies that are shown count: published, and so are all above them.
 *
 * They follow the threads' files: whoever has written one of those asks, and background work writes
 * these, at most every OVERVIEW_PAUSE seconds, and every OVERVIEW_EVERY seconds even if nobody asks,
 * since a week goes on.  A file whose content is the same is left alone.  What they cost does not
 * depend on how many replies the site has, but on how many were published within a week.
 */
#ifndef OVERVIEW_H
#define OVERVIEW_H

#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "publish.h"
#include "status.h"
#include "str.h"

#define OVERVIEW_JOB "overview" /* its kind of background work */

enum {
	OVERVIEW_LATEST = 50,
	OVERVIEW_TRENDING = 50,
	OVERVIEW_COUNTS = 1000,
	OVERVIEW_DAYS = 7,
	OVERVIEW_PAUSE = 10,
	OVERVIEW_EVERY = 3600
};

/* Notes that a site's files lag; within a db_write. */
MUST_USE enum status overview_ask(struct db_conn *conn, int64_t site_id, int64_t now);

/* Reads in one snapshot, and writes the files that change.  BUSY and BROKEN as file_replace. */
MUST_USE enum status overview_write(const struct publish_press *press, struct arena *arena,
    const struct config_site *site, int64_t site_id);

/* What the file `name` of a site without replies holds; MISSING for a name that is none of them. */
MUST_USE enum status overview_render_empty(const struct publish_press *press, struct arena *arena,
    const struct config_site *site, struct str name, struct str *content);

#endif
