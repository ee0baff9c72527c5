/*
 * out.h - a growing buffer, and the only escapes there are.
 *
 * An `out` lives in an arena and never fails aloud: after a refused allocation it drops what it is
 * given and `failed` stays set, so a page is composed without a check a line and out_status() is
 * asked once before it is sent.  Each escape names the one context that it is safe in.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"
#include "str.h"

struct out {
	struct arena *arena;
	char *at;
	size_t len;
	size_t room;
	bool failed;
};

void out_init(struct out *out, struct arena *arena);

/* What was written so far; valid until the next append. */
struct str out_str(const struct out *out);

/* STATUS_OK, or STATUS_BROKEN when anything was dropped. */
MUST_USE enum status out_status(const struct out *out);

/* As they are: for bytes that are right for the place already (markup of our own, digits). */
void out_put(struct out *out, struct str s);
void out_byte(struct out *out, char byte);
void out_integer(struct out *out, int64_t n);
void out_format(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* HTML text and double-quoted attribute values: & < > " ' become references. */
void out_html(struct out *out, struct str s);

/*
 * A URL that begins an href, src, action or the like: http: and https: ones, and those that begin
 * with '/' (but not '//' or '/\'), '?' or '#', or are empty, are written HTML-escaped; anything
 * else is written as "#", since a script may hide in it.
 */
void out_url(struct out *out, struct str s);

/* One component of a URL (RFC 3986): all but unreserved characters percent-encoded. Safe in attributes. */
void out_url_part(struct out *out, struct str s);

/* A path: as out_url_part, but '/' stays. */
void out_url_path(struct out *out, struct str s);

/* A JSON string with its quotes (RFC 8259), < > & U+2028 U+2029 escaped so that it may stand in HTML. */
void out_json(struct out *out, struct str s);

/* XML 1.0 text and double-quoted attributes; characters that XML forbids become U+FFFD. */
void out_xml(struct out *out, struct str s);

#endif
