/* status.h - the one vocabulary of outcomes, from the disk to the browser. */
#ifndef STATUS_H
#define STATUS_H

enum status {
	STATUS_OK,        /* done */
	STATUS_INVALID,   /* what was sent is wrong; a message says which field */
	STATUS_DENIED,    /* known who you are, or who you are not: no */
	STATUS_MISSING,   /* there is no such thing */
	STATUS_CONFLICT,  /* somebody, or yourself, was there before */
	STATUS_TOO_LARGE, /* over a limit that is told */
	STATUS_TOO_MANY,  /* over a pace that is told */
	STATUS_BUSY,      /* not now: a lock, a full disk, a read-only store; try again */
	STATUS_BROKEN,    /* a fault of ours, or damage; logged where it was first known */
	STATUS_COUNT
};

/* Every function that returns a status is marked so: a caller that drops one does not compile. */
#define MUST_USE __attribute__((warn_unused_result))

/* A short lower-case name ("too-large"), for logs and for what failed in the store.  A handler knows what its answer is. */
const char *status_name(enum status status);

#endif
