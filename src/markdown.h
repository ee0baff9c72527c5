/*
 * markdown.h - from what somebody typed to HTML, and the only place that knows md4c.
 *
 * md4c parses; what is written is our own allow-list, and nothing else can come out:
 *
 *	tags        p br em strong code pre blockquote ol ul li a
 *	attributes  a: href (http or https only) and rel="ugc nofollow noopener noreferrer"; ol: start
 *
 * It is CommonMark, and differs where a comment does: a single newline is a <br>; bare addresses
 * (http://, https://, www.) are links; raw HTML, links with another scheme, headings and rules are
 * shown as typed (a link «[x](javascript:y)» with its brackets, «# x» with its hash, an underlined
 * heading with «---» below, a rule as «---»); an image is a link to it, named by its text; links in
 * links are text.  Numeric and the commonest named character references are decoded, others shown.
 *
 * Bounds: blocks in blocks and spans in spans are nested MARKDOWN_DEPTH deep and flat below; output
 * is at most MARKDOWN_GROWTH times as long as input plus a kilobyte, and what would exceed it (one
 * address referred to a thousand times) is shown as typed in paragraphs, with `typed` set, so a
 * stored comment always has a rendering and a form may refuse it with a reason.
 */
#ifndef MARKDOWN_H
#define MARKDOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "html.h"
#include "status.h"
#include "str.h"

enum {
	MARKDOWN_DEPTH = 16,
	MARKDOWN_GROWTH = 16,
	MARKDOWN_MAX = 1024 * 1024 /* bytes; longer input is TOO_LARGE */
};

struct markdown {
	struct html html; /* balanced; empty for empty input */
	size_t links;	  /* links and images that were typed, those that came out as text too */
	bool typed;	  /* shown as typed: over the bound on output, or else nothing would be seen */
};

/*
 * `text` is valid UTF-8 (text_valid) with LF line ends; a NUL comes out as U+FFFD.  The same input
 * gives the same output always.  TOO_LARGE over MARKDOWN_MAX; BROKEN when memory fails.
 */
MUST_USE enum status markdown_html(struct arena *arena, struct str text, struct markdown *result);

/*
 * The words alone, for mail and lists of latest replies: markup dropped, one LF between blocks and
 * at line breaks, not escaped.  Errors as markdown_html.
 */
MUST_USE enum status markdown_text(struct arena *arena, struct str text, struct str *plain);

#endif
