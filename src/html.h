/*
 * html.h - ready HTML has a type of its own.
 *
 * Only src/markdown.c makes one, from what somebody wrote; a page template prints it as `{{body
 * html}}`, in text and nowhere else.  Whoever builds one elsewhere opens a hole for scripts.
 */
#ifndef HTML_H
#define HTML_H

#include "str.h"

struct html {
	struct str markup;
};

#endif
