/*
 * fcgi_gather.h - connections that have not yet said all they want to say.
 *
 * libfcgi reads with plain blocking reads, so a peer that is silent, or sends a byte a second, would
 * hold the worker that serves it.  Here connections wait, at the price of a descriptor each, until
 * their whole request lies in the socket's buffer (looked at with MSG_PEEK, nothing is taken out), or
 * as much of it as the buffer is trusted to hold; only then a worker sees them.  One thread uses it.
 */
#ifndef FCGI_GATHER_H
#define FCGI_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum {
	FCGI_GATHER_MOST = 512,       /* connections that wait; more stay in the backlog */
	/*
	 * Bytes from which a request is whole enough.  Few: how many can be looked at ahead is limited by
	 * the sender's buffer, in which each small write takes far more room than its bytes.
	 */
	FCGI_GATHER_PEEK = 4 * 1024,
	FCGI_GATHER_EVENTS = 64       /* that one wait reports at most */
};

struct fcgi_gather;

/* `seconds`: how long a connection may take to become whole. BROKEN when the system refuses. */
MUST_USE enum status fcgi_gather_open(int listener, int wake, int seconds, struct fcgi_gather **gather);
/* Closes all connections that wait. */
void fcgi_gather_close(struct fcgi_gather *gather);

/*
 * Waits at most `ms` for something to happen, accepts new connections unless `full`, drops those
 * whose time is over, and puts up to FCGI_GATHER_EVENTS descriptors of whole requests into `whole`;
 * returns how many.  Those are the caller's to close.  Bytes on `wake` are taken out and end the wait.
 */
size_t fcgi_gather_wait(struct fcgi_gather *gather, bool full, int ms, int whole[FCGI_GATHER_EVENTS]);

/* How many connections wait. */
size_t fcgi_gather_count(const struct fcgi_gather *gather);

/* What these first bytes of a connection are (FastCGI specification 1.0, section 3.3). */
enum fcgi_gather_state {
	FCGI_GATHER_PART,  /* of a request: more must come */
	FCGI_GATHER_WHOLE, /* a request ends within them */
	FCGI_GATHER_BROKEN /* no FastCGI records */
};
enum fcgi_gather_state fcgi_gather_state(const uint8_t *bytes, size_t len);

#endif
