/*
 * publish.h - from the store to the plain files that the web server serves by itself.
 *
 * A thread's files are one for each page, and a feed: thread.html and thread.json hold page 1,
 * page.N.html and thread.N.json page N.  They lag behind the store while a row stands in
 * `publication`; publish_thread brings them up and removes the rows.  A lock per thread is held from
 * the list of its pages to the last removal, the write lock of the store only for a removal itself.
 * Each page is read in a snapshot of its own, written and noted before the next, so a thread takes as
 * much memory as its largest page.
 *
 * `pages` in a page's JSON is as of the moment that the file was written.  A page that opens is told
 * to page 1 and to the page before it, whose `next` it is; the files of the others stay as they are
 * until a reply of theirs changes, so whoever wants the number of pages reads page 1.
 */
#ifndef PUBLISH_H
#define PUBLISH_H

#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "file.h"
#include "status.h"
#include "str.h"
#include "words.h"

enum {
	PUBLISH_ROOTS = 100, /* replies to the article that stand on one page */
	PUBLISH_DEPTH = 5,   /* levels of nesting; deeper replies stand flat on the last */
	PUBLISH_FEED = 50,   /* entries of a feed */
	PUBLISH_LONG = 2000, /* bytes from which a comment is folded behind its beginning */
	PUBLISH_OPENING = 240 /* bytes of that beginning */
};

struct publish_press {
	const struct config *config;
	const struct words *const *words; /* of each site, in the configuration's order */
	struct db *db;
	struct file_tree public_tree; /* config->public_dir */
};

/*
 * Publishes the pages of a thread that lag, lowest number first.  OK also when none does.  A page that
 * fails (BUSY: disk full or read-only; BROKEN) is logged; its row and those behind it stay, so a later
 * call tries again, and the pages before it are done.  `arena` takes the list of numbers, no page.
 */
MUST_USE enum status publish_thread(const struct publish_press *press, struct arena *arena, int64_t thread_id);

/* Publishes whatever lags; goes on behind a thread that fails, whose status it returns. */
MUST_USE enum status publish_lagging(const struct publish_press *press);

/* Notes that all pages of a thread must be written anew; within a db_write. */
MUST_USE enum status publish_ask(struct db_conn *conn, struct arena *arena, int64_t thread_id, int64_t now);

/* Writes the site's static empty thread, for when nobody answers: empty/thread.html, .json, feed.xml. */
MUST_USE enum status publish_empty(const struct publish_press *press, struct arena *arena,
    const struct config_site *site);

/*
 * Writes what the file `name` of an empty thread holds into *content, for a page that nobody has
 * replied to; `page` may be empty for the static one.  MISSING for a name that threads do not have.
 */
MUST_USE enum status publish_render_empty(const struct publish_press *press, struct arena *arena,
    const struct config_site *site, struct str page, struct str name, struct str *content);

/* The page of a thread's root that is published as the n-th (1, 2, ...), and n of it. */
int64_t publish_page_number(int64_t root);

/* The address of a reply under its article: "/world/astana#reply-12", or on a further page. */
struct str publish_link(struct arena *arena, const struct config_site *site, struct str page, int64_t page_number,
    int64_t reply_id);

/* The beginning of a comment that is long enough to be folded, as plain text; else STR_NONE. */
struct str publish_opening(struct arena *arena, struct str comment);

#endif
