/*
 * publish.h - from the store to the plain files that the web server serves by itself.
 *
 * A thread's files are one for each page, and a feed: thread.html and thread.json hold page 1,
 * page.N.html and thread.N.json page N.  They lag behind the store while a row stands in
 * `publication`; publish_thread brings them up and removes the rows.  A lock per thread, beside
 * moderators.db where the public door cannot hold it, is held from
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

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "file.h"
#include "page/heading.h"
#include "status.h"
#include "str.h"
#include "words.h"

enum {
	PUBLISH_ROOTS = 100, /* replies to the article that stand on one page */
	PUBLISH_PAGES = 100000, /* of a thread; how many there are is the store's word, and every one is a file to write */
	PUBLISH_DEPTH = 5,   /* levels of nesting; deeper replies stand flat on the last */
	PUBLISH_FEED = 50,   /* entries of a feed */
	PUBLISH_LONG = 2000, /* bytes from which a comment is folded behind its beginning */
	PUBLISH_OPENING = 240, /* bytes of that beginning */
	PUBLISH_AT_ONCE = 64, /* threads, or pages of one, that publish_lagging and publish_thread do in one go */
	PUBLISH_WAIT = 2      /* seconds that a change is left to whoever made it before the background takes it up */
};

struct publish_press {
	const struct config *config;
	const struct words *const *words; /* of each site, in the configuration's order */
	struct db *db;
	struct file_tree public_tree; /* config->public_dir */
	int64_t now; /* seconds since 1970 */
};

/* The words of a site. */
const struct words *publish_words(const struct publish_press *press, const struct config_site *site);

/*
 * Publishes the pages of a thread that lag, lowest number first, PUBLISH_AT_ONCE of them at most.  OK
 * also when none does.  A page that fails (BUSY: disk full or read-only; BROKEN) is logged, and its
 * row says when to try again: after a few seconds, and after a failure that will not pass by itself
 * later each time, ten minutes at last.  The other pages are done.  `arena` takes the list of numbers.
 */
MUST_USE enum status publish_thread(const struct publish_press *press, struct arena *arena, int64_t thread_id);

/* The same for `most` of them at most: what a request does before its answer, where there may be many. */
MUST_USE enum status publish_some(const struct publish_press *press, struct arena *arena, int64_t thread_id, int64_t most);

/*
 * Publishes what lags and is due, or, if `eager`, whatever lags: PUBLISH_AT_ONCE threads behind *after,
 * which is then the last one tried, or 0 when there are no more.  Goes on behind a thread that fails,
 * whose status it returns.
 */
MUST_USE enum status publish_lagging(const struct publish_press *press, bool eager, int64_t *after);

/* The same for whatever lags, due or not, until nothing does or something failed. */
MUST_USE enum status publish_whatever_lags(const struct publish_press *press);

/* Is there a thread for publish_lagging?  MISSING when nothing lags that is due. */
MUST_USE enum status publish_waits(const struct publish_press *press, struct arena *arena, bool eager);

/*
 * Notes that all pages of a thread must be written anew; within a db_write. If `changed`, readers see
 * another thread then, and its `updated_at` becomes `now`; if not, the files only come back as they were.
 */
MUST_USE enum status publish_ask(struct db_conn *conn, struct arena *arena, int64_t thread_id, int64_t now, bool changed);

/*
 * Writes the site's stand-ins, for when nobody answers: the empty thread (empty/thread.html, .json,
 * feed.xml), the same of the whole site (latest, trending, counts), and what a reader is told in the place
 * of a page (down.html, .json) or when the server takes no more (over.html, .json).  Each also
 * as NAME.asis, with the answer's head before it: as a CGI program or Apache's mod_asis sends it.
 */
MUST_USE enum status publish_empty(const struct publish_press *press, struct arena *arena,
    const struct config_site *site);

/* A page that nobody has replied to, and its article's title if it is known; both empty for the static stand-in. */
struct publish_empty_thread {
	struct str page, title;
};

/* Writes what the file `name` of an empty thread holds into *content.  MISSING for a name that threads do not have. */
MUST_USE enum status publish_render_empty(const struct publish_press *press, struct arena *arena,
    const struct config_site *site, const struct publish_empty_thread *thread, struct str name, struct str *content);

/* The page of a thread's root that is published as the n-th (1, 2, ...), and n of it. */
int64_t publish_page_number(int64_t root);

/* The address of a reply under its article: "/world/astana#reply-12", or on a further page. */
struct str publish_link(struct arena *arena, const struct config_site *site, struct str page, int64_t page_number,
    int64_t reply_id);

/* The beginning of a comment as plain text, at most PUBLISH_OPENING bytes; *cut: there is more of it. */
struct str publish_excerpt(struct arena *arena, struct str comment, bool *cut);

/* A heading of level 1 to 6; NULL: no memory. */
struct page_heading *publish_heading(struct arena *arena, int64_t level, struct str text);

/* The beginning of a comment that is long enough to be folded, as plain text; else STR_NONE. */
struct str publish_opening(struct arena *arena, struct str comment);

#endif
