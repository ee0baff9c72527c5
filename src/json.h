/*
 * json.h - a JSON request body, and the only place that knows jansson.
 *
 * A body is one object whose members are the fields of a form.  Everything, jansson's own memory too, is
 * the arena's, so nothing outlives a request and there is nothing to free.  jansson's own functions are
 * called json_* as well; the names here are none of them (json_string is, hence json_text).
 */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	JSON_DEPTH = 16,    /* arrays and objects in each other; a form needs one */
	JSON_MEMBERS = 256, /* members of the body; a form has ten */
};

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_NUMBER,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT
};

struct json_member {
	struct str name;
	enum json_kind kind;
	struct str text; /* the string; "true" or "false" of a bool; else STR_NONE */
};

struct json {
	struct json_member *members; /* in the order of the body */
	size_t members_n;
};

/*
 * Gives jansson the arena for its memory and seeds its hash tables from the system's randomness.  Call
 * once, before threads start and before a sandbox hides /dev/urandom.
 */
void json_init(void);

/*
 * Strict RFC 8259: the whole of `body` is one object in UTF-8 without a byte order mark.  INVALID for
 * anything else: bytes before or behind it, a member twice (at any depth), NUL raw or escaped, a lone
 * surrogate, deeper than JSON_DEPTH, a number out of range, another value than an object.
 * TOO_LARGE for more than JSON_MEMBERS members.  BROKEN when memory fails.
 */
MUST_USE enum status json_read(struct arena *arena, struct str body, struct json **json);

/* The string member `name`: MISSING if there is none or it is null, INVALID if it is no string. */
MUST_USE enum status json_text(const struct json *json, const char *name, struct str *value);

#endif
