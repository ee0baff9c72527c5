/*
 * title.h - what an article is called: never what a form says it is.
 */
#ifndef TITLE_H
#define TITLE_H

#include "arena.h"
#include "config.h"
#include "status.h"
#include "str.h"

enum {
	TITLE_MOST = 200,              /* bytes; a longer one ends in an ellipsis */
	TITLE_FILE_MOST = 1024 * 1024, /* bytes of an article's file that are looked at */
};

/*
 * The title of a canonical page: the <title> of the article's file below the site's document root
 * (PAGE/index.html, PAGE.html or PAGE), without the site's own title behind a dash or a bar; or the
 * page itself when there is no such file or no title in it.  STR_NONE only when memory fails.
 */
struct str title_find(struct arena *arena, const struct config_site *site, struct str page);

/*
 * A title that the owner's page list gives, white space collapsed, shortened like the others; empty
 * when it is.  INVALID when it is no text or holds a control character, BROKEN when memory fails.
 */
MUST_USE enum status title_listed(struct arena *arena, struct str typed, struct str *title);

/* The title in an HTML document, references decoded and white space collapsed; empty when it has none. */
struct str title_in(struct arena *arena, struct str document);

#endif
