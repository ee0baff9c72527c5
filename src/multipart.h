/*
 * multipart.h - multipart/form-data (RFC 7578) without file parts, as browsers send it.
 *
 * Strict where it costs nobody: parts begin at the body's first byte, headers end in CR LF, each part
 * has a Content-Disposition of form-data with one name, and the closing delimiter must be there, so
 * that a body which was cut short is refused rather than taken for a shorter one.
 */
#ifndef MULTIPART_H
#define MULTIPART_H

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	MULTIPART_BOUNDARY_MOST = 70, /* bytes (RFC 2046 section 5.1.1) */
	MULTIPART_HEAD_MOST = 2048    /* bytes of a part's headers */
};

struct multipart_part {
	struct str name;  /* with %22, %0D and %0A decoded, as the HTML standard encodes them */
	struct str value; /* bytes as sent, inside the body */
};

/* The boundary that a Content-Type names; INVALID when there is none or it is none. */
MUST_USE enum status multipart_boundary(struct arena *arena, struct str content_type, struct str *boundary);

/*
 * Takes the next part off `body` into *part; MISSING behind the closing delimiter; INVALID for a
 * broken body and for a part that is a file.  Call it first with the whole body.  `boundary` is
 * multipart_boundary()'s.
 */
MUST_USE enum status multipart_next(struct arena *arena, struct str boundary, struct str *body,
    struct multipart_part *part);

#endif
