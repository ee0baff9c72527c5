/*
 * letter.h - a plain mail as RFC 5322 and RFC 2045 want it: whatever is in the fields, no line of it
 * becomes a header, and nothing of it ends the message early.
 */
#ifndef LETTER_H
#define LETTER_H

#include <stdint.h>

#include "arena.h"
#include "out.h"
#include "status.h"
#include "str.h"

enum { LETTER_SUBJECT = 200 /* bytes; a longer one is cut at a character */ };

struct letter {
	struct str from;      /* an address by address_email() */
	struct str from_name; /* any text, or "" */
	struct str to;        /* an address by address_email() */
	struct str subject;   /* any text */
	struct str event;     /* of the Message-ID, left of the @: letters, digits, '.' and '-' */
	struct str body;      /* any text in UTF-8; lines end in LF */
	int64_t made_at;      /* seconds since 1970 */
};

/*
 * Writes headers and body, lines ended by CR LF, none longer than 78 bytes but for addresses: names in
 * encoded words (RFC 2047), the body quoted-printable (RFC 2045 section 6.7).  The same letter gives
 * the same bytes, so one that is sent again after a crash is known by its Message-ID.  INVALID when an
 * address or the event holds a byte that may not stand in a header.
 */
MUST_USE enum status letter_write(struct out *out, const struct letter *letter);

#endif
