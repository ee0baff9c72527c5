/*
 * form.h - the fields of a request, however they were sent.
 *
 * Names and values are valid UTF-8 without NUL; line ends are LF.  A field is looked for by name,
 * so undeclared ones are ignored; one that is given twice where one is wanted is refused.
 */
#ifndef FORM_H
#define FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "status.h"
#include "str.h"

enum { FORM_FIELDS_MOST = 1024 };

enum form_kind { FORM_URLENCODED, FORM_MULTIPART, FORM_JSON, FORM_KINDS };

struct form_encoding {
	enum form_kind kind;
	struct str boundary; /* of multipart; STR_NONE when it names none, so that no body can be read */
};

struct form_field {
	struct str name;
	struct str value;
	bool text; /* false: a JSON value that is no string; value is then STR_NONE */
};

struct form {
	struct form_field *fields;
	size_t n;
};

/* Which encoding a Content-Type names; INVALID (415) for any other and for none. */
MUST_USE enum status form_encoding(struct arena *arena, struct str content_type, struct form_encoding *encoding);

/*
 * Reads a body.  INVALID (400): bad UTF-8, NUL, no JSON object, a JSON member twice, a broken
 * multipart body or a file in it, more than FORM_FIELDS_MOST fields.  BROKEN when memory fails.
 */
MUST_USE enum status form_read(struct arena *arena, const struct form_encoding *encoding, struct str body,
    struct form *form);

/*
 * What can be read of a body that was cut: whole fields and the valid beginning of the last one.
 * Multipart gives whole parts; JSON gives nothing.  For giving back what somebody typed, never for storing.
 */
void form_read_cut(struct arena *arena, const struct form_encoding *encoding, struct str body, struct form *form);

/* A query string, by the rules of urlencoded bodies. */
MUST_USE enum status form_query(struct arena *arena, struct str query, struct form *form);

/* The one value of `name`: STR_NONE when it was not sent; INVALID when it was sent twice. */
MUST_USE enum status form_one(const struct form *form, const char *name, struct str *value);

/* Was `name` sent as something that is no text? */
bool form_is_not_text(const struct form *form, const char *name);

#endif
