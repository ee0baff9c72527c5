/*
 * publish_sheet.h - one page of a thread on its way from the store to its files.
 *
 * Only src/publish*.c include this: publish.c reads and writes, publish_tree.c says who stands under
 * whom, publish_html.c and publish_data.c make the files' content.
 */
#ifndef PUBLISH_SHEET_H
#define PUBLISH_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "html.h"
#include "out.h"
#include "publish.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/thread.h"
#include "status.h"
#include "str.h"
#include "words.h"

/* A page of a thread as read in one snapshot. */
struct publish_sheet {
	const struct publish_press *press;
	const struct config_site *site;
	const struct words *words; /* of the site */
	struct arena *arena;
	struct thread_one_row thread;
	int64_t number, pages;
	struct page_replies_row *rows; /* by id, so a parent comes before its answers */
	size_t rows_n;
	struct html *comments; /* of the rows that are shown, for HTML and JSON alike */
	struct feed_replies_row *feed; /* only for page 1 */
	size_t feed_n;
};

/* One reply in the tree that is shown. */
struct publish_node {
	bool shown;      /* its parent is, too, or it has none */
	size_t under;    /* index of the node that it stands under, or PUBLISH_NOBODY */
	size_t depth;    /* 1 for a root */
	size_t answers;  /* nodes that stand under it */
};

#define PUBLISH_NOBODY ((size_t)-1)

/* A node for each row of the sheet; NULL: no memory. */
struct publish_node *publish_tree(const struct publish_sheet *sheet);

/* The files' content; BROKEN when memory is short. */
MUST_USE enum status publish_sheet_html(const struct publish_sheet *sheet, const struct publish_node *nodes,
    struct out *out);
MUST_USE enum status publish_sheet_json(const struct publish_sheet *sheet, const struct publish_node *nodes,
    struct out *out);
MUST_USE enum status publish_sheet_feed(const struct publish_sheet *sheet, struct out *out);

/* The names of a page's files, and the address of one of them from the site's root. */
struct str publish_html_name(struct arena *arena, int64_t number);
struct str publish_json_name(struct arena *arena, int64_t number);
struct str publish_file_url(const struct publish_sheet *sheet, struct str name);

#endif
