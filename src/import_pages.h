/*
 * import_pages.h - takes a site's page list: which pages may have replies, and what they are called.
 *
 * A list is CSV (path, title, published; with or without a line of headings) or a sitemap (XML,
 * sitemaps.org).  It is read in pieces, twice: once to tell all that is wrong and what would change,
 * and once, when nothing is wrong, to write.  Memory does not grow with the list, but for one number a
 * page.  What a list does not tell (an empty title, a sitemap's titles) stays as it was; nothing is
 * removed; the same list twice changes nothing.
 *
 * A new title is given to the page's thread, too, if it has one, and its files are asked for
 * (publish_ask), so the caller publishes afterwards.
 */
#ifndef IMPORT_PAGES_H
#define IMPORT_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "csv.h"
#include "db.h"
#include "status.h"
#include "str.h"

enum { IMPORT_PAGES_MOST = 1000000 }; /* pages of one list; a sitemap has 50000 */

enum import_pages_kind { IMPORT_PAGES_CSV, IMPORT_PAGES_SITEMAP, IMPORT_PAGES_GZIP };

/* What a list is, by its first bytes (16 or more, unless it has fewer). Nothing takes GZIP. */
enum import_pages_kind import_pages_kind(struct str beginning);

enum import_pages_finding {
	/* Faults: nothing is written. */
	IMPORT_PAGES_TABLE,    /* no RFC 4180; see `table` */
	IMPORT_PAGES_XML,      /* no XML; `what` says why */
	IMPORT_PAGES_ROOT,     /* XML, but no sitemap */
	IMPORT_PAGES_INDEX,    /* an index of sitemaps, which are elsewhere */
	IMPORT_PAGES_ENCODING, /* no UTF-8 */
	IMPORT_PAGES_FIELDS,   /* more than three */
	IMPORT_PAGES_PATH,     /* `what` cannot be a page */
	IMPORT_PAGES_OUTSIDE,  /* `what` is an address, but not of this site */
	IMPORT_PAGES_TITLE,    /* a control character in it */
	IMPORT_PAGES_DATE,     /* `what` is no date */
	IMPORT_PAGES_TOO_MANY,
	IMPORT_PAGES_NOTHING,  /* no page in it at all */
	IMPORT_PAGES_FAULTS,
	/* Notes. */
	IMPORT_PAGES_TWICE = IMPORT_PAGES_FAULTS, /* page `what` was there before; this time is passed over */
	IMPORT_PAGES_ELSEWHERE,                   /* a sitemap's address of another site is passed over */
	IMPORT_PAGES_PATTERN,                     /* page `what` is taken, but the site's patterns exclude it */
	IMPORT_PAGES_FINDINGS
};

struct import_pages_told {
	enum import_pages_finding finding;
	enum csv_fault table;
	int64_t line;    /* 0: of the list as a whole */
	struct str what; /* valid until the function returns; not yet checked for anything */
};

struct import_pages_counts {
	int64_t faults;
	int64_t added, changed, same; /* pages */
	int64_t retitled;             /* threads */
};

struct import_pages_job {
	const struct config_site *site;
	int64_t site_id;
	struct db *db;
	int64_t now;
	enum import_pages_kind kind;
	bool write; /* else only tell */
	void (*tell)(void *context, const struct import_pages_told *told);
	void *context;
};

struct import_pages;

/* `arena` keeps what lives until the end.  BROKEN when memory fails. */
MUST_USE enum status import_pages_begin(struct arena *arena, const struct import_pages_job *job,
    struct import_pages **import);

/*
 * The next piece of the list.  INVALID when nothing behind it can be read; it was told.  BUSY or BROKEN
 * when the store does not answer: what was written so far stays, and the same list again brings the rest.
 */
MUST_USE enum status import_pages_feed(struct import_pages *import, struct str piece);

/* The list is over.  To be called in any case; INVALID when a fault was told. */
MUST_USE enum status import_pages_end(struct import_pages *import, struct import_pages_counts *counts);

#endif
