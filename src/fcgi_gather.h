/*
 * fcgi_gather.h - connections that have not yet said all they want to say.
 *
 * libfcgi reads with plain blocking reads, so a peer that is silent, or sends a byte a second, would
 * hold the worker that serves it.  Here connections wait, at the price of a descriptor and of what they
 * have said so far, until their request is whole; only then a worker sees them.  One thread uses it.
 */
#ifndef FCGI_GATHER_H
#define FCGI_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi_collect.h"
#include "status.h"

enum {
	FCGI_GATHER_MOST = 512,       /* connections that wait; more stay in the backlog */
	FCGI_GATHER_PEEK = 4 * 1024,  /* bytes that are looked at before any are taken */
	FCGI_GATHER_MEMORY = 128 * 1024 * 1024, /* bytes of all of them; who wants more is dropped */
	FCGI_GATHER_EVENTS = 64       /* that one wait reports at most */
};

struct fcgi_gather;

/* A connection whose request is there. Both are whoever's that gets it. */
struct fcgi_gathered {
	int fd;      /* the answer goes there */
	int request; /* a file with the request, or -1: then it lies in the buffer of `fd`, in at most FCGI_GATHER_PEEK bytes */
};

/*
 * `seconds`: how long a connection may take to become whole; `body_most`: bytes of its body that are
 * kept.  Several programs may share the `listener`, which is made non-blocking for all of them.  BROKEN when
 * the system refuses.
 */
MUST_USE enum status fcgi_gather_open(int listener, int wake, int seconds, size_t body_most, struct fcgi_gather **gather);
/* Closes all connections that wait. */
void fcgi_gather_close(struct fcgi_gather *gather);

/*
 * Waits at most `ms` for something to happen, accepts new connections unless `full`, drops those
 * whose time is over, and puts up to FCGI_GATHER_EVENTS whole requests into `whole`; returns how
 * many.  Bytes on `wake` are taken out and end the wait.
 */
size_t fcgi_gather_wait(struct fcgi_gather *gather, bool full, int ms, struct fcgi_gathered whole[FCGI_GATHER_EVENTS]);

/* How many connections wait. */
size_t fcgi_gather_count(const struct fcgi_gather *gather);

/*
 * The same of the first bytes, looked at without taking them: most requests are whole there and then,
 * and go on as they are.
 */
enum fcgi_gather_state fcgi_gather_state(const uint8_t *bytes, size_t len);

#endif
