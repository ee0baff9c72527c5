/*
 * xml.h - reads XML 1.0 in pieces (expat), for imports.
 *
 * Memory is bounded whatever the document is: elements nest at most XML_DEPTH deep, the text of the elements
 * that are open at a time has at most XML_TEXT_MOST bytes, and a tag or a comment twice as many.  A document
 * type declaration is refused, so there are no entities but the five of XML itself and character references,
 * and nothing is ever fetched.  What is handed on is valid UTF-8, whatever the document was encoded in.
 */
#ifndef XML_H
#define XML_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"
#include "str.h"

enum {
	XML_DEPTH = 64,
	XML_TEXT_MOST = 1024 * 1024 /* bytes */
};

/* An element's name: `space` is its namespace's address, or empty. */
struct xml_name {
	struct str space, name;
};

/* Strings are valid until the function returns.  `depth` is 1 for the outermost element. */
struct xml_events {
	/* An element begins; `attributes` are name and value in turn, NULL behind the last.  May be NULL. */
	void (*begin)(void *context, const struct xml_name *name, const char *const *attributes, int depth);
	/* It ends; `text` is what stood in it outside of inner elements. */
	void (*end)(void *context, const struct xml_name *name, struct str text, int depth);
	void *context;
};

struct xml;

/* BROKEN when memory fails.  Free it with xml_free. */
MUST_USE enum status xml_new(const struct xml_events *events, struct xml **xml);
void xml_free(struct xml *xml);

/*
 * The next piece, `last` with the final one, which may be empty.  INVALID when it is no XML or holds a
 * document type, TOO_LARGE above a limit; from then on every call says the same.
 */
MUST_USE enum status xml_feed(struct xml *xml, struct str piece, bool last);

/* Where it stands: while an event is handed on, the line of that; after a failure, the line of the fault. */
int64_t xml_line(const struct xml *xml);

/* After a failure: what is wrong, in English, as in "mismatched tag".  Lives as long as the program. */
const char *xml_fault(const struct xml *xml);

#endif
