/*
 * page.h - which article a reply belongs to: one canonical path for all the spellings of a page.
 *
 * Canonical is: percent-decoded once, UTF-8 in NFC, dot segments resolved (RFC 3986 section 5.2.4),
 * repeated slashes one, no fragment, no final slash or /index.html (the root is "/"), query dropped
 * but for the site's page_keys, which become a last segment "key=value".
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>

#include "arena.h"
#include "config.h"
#include "status.h"
#include "str.h"

enum {
	PAGE_MOST = 512,        /* bytes of a canonical page */
	PAGE_SEGMENT_MOST = 255 /* bytes of a segment: it becomes a folder's name */
};

/*
 * The canonical page of `spelling`, a path with or without query and fragment.  INVALID when it
 * does not begin with '/', is no UTF-8, holds a control character, exceeds a limit, or has a
 * segment that is '~' or begins with '.'.
 */
MUST_USE enum status page_canonical(struct arena *arena, const struct config_site *site, struct str spelling,
    struct str *page);

/*
 * The same of what somebody typed or pasted: a path, or a whole address at the site's base or one of its
 * origins, with or without a scheme; also that of a file of the page's thread.  MISSING for an address that
 * is not of the site.
 */
MUST_USE enum status page_typed(struct arena *arena, const struct config_site *site, struct str typed, struct str *page);

/* Is it a whole address, with a scheme of the web? */
bool page_is_address(struct str typed);

/* The path of an address at the site's base or one of its origins, whichever the scheme; STR_NONE for another. */
struct str page_behind_site(struct arena *arena, const struct config_site *site, struct str address);

/*
 * The canonical page of a path that was percent-decoded already and has no query: of an address of
 * ours, where '?', '#' and '%' stand for themselves.  Errors as page_canonical.
 */
MUST_USE enum status page_of_path(struct arena *arena, struct str path, struct str *page);

/* May this canonical page have replies? By the site's patterns. */
bool page_allowed(const struct config_site *site, struct str page);

/* Does `page` fit `pattern`: '*' stands for anything within a segment, "**" across segments. */
bool page_fits(struct str pattern, struct str page);

/* A page's file below the site's folder: "threads/world/astana/~/thread.html"; STR_NONE: no memory. */
struct str page_file(struct arena *arena, struct str page, struct str name);

/* The article's address on the site, percent-encoded; a "key=value" segment becomes a query again. */
struct str page_url(struct arena *arena, const struct config_site *site, struct str page);

#endif
