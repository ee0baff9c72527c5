/*
 * host.h - host names, and the only place that knows libidn2.
 */
#ifndef HOST_H
#define HOST_H

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	HOST_MAX = 253,	  /* bytes of a host name in A-labels (RFC 1035 without the root's dot) */
	HOST_LABEL = 63,  /* bytes of one label */
	HOST_INPUT = 1024 /* bytes that are looked at before conversion; longer ones are INVALID */
};

/*
 * The name in lower-case A-labels, in `arena` ("Bücher.example" gives "xn--bcher-kva.example"), by
 * IDNA2008 with the non-transitional mapping of UTS #46 and the ASCII rules of STD 3.  `host` is
 * valid UTF-8 in any normalisation form.
 *
 * INVALID for anything else: an empty name or label, a dot at the end, a label that begins or ends
 * with '-', a character that IDNA2008 does not allow, a false A-label.  A name of digits and dots
 * passes as what it is: whether an address may stand there is the caller's rule.  One label alone
 * ("localhost") passes as well.  BROKEN when memory fails.
 */
MUST_USE enum status host_ascii(struct arena *arena, struct str host, struct str *ascii);

#endif
