/*
 * fcgi_collect.h - a request that comes in pieces: its records are taken apart as they come, and when it
 * is whole it is written down again, in records that libfcgi finds nothing wrong with.
 *
 * Whatever a peer sends, libfcgi sees only this: it trusts lengths, overflows on management records,
 * and aborts on some others.  Of a body that is too large one byte more than the limit is kept, which
 * is enough to say so, and the rest is read and dropped.
 */
#ifndef FCGI_COLLECT_H
#define FCGI_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum {
	FCGI_RECORD_HEAD = 8,
	FCGI_PARAMS_MOST = 256 * 1024,     /* bytes of all names and values */
	FCGI_DROPPED_MOST = 4 * 1024 * 1024 /* bytes of a body that are read in vain */
};

/* What these bytes of a connection are (FastCGI specification 1.0, sections 3.3 to 5.3). */
enum fcgi_gather_state {
	FCGI_GATHER_PART,  /* of a request: more must come */
	FCGI_GATHER_WHOLE, /* a request ends within them */
	FCGI_GATHER_BROKEN /* no such request, and never will be */
};

struct fcgi_bytes {
	uint8_t *at;
	size_t len, room;
};

struct fcgi_collect {
	uint8_t head[FCGI_RECORD_HEAD]; /* of the record that is coming */
	uint8_t begin[8];               /* the content of the first one */
	size_t head_n, begin_n;
	size_t content, padding;        /* bytes of it that are still to come */
	bool begun, has_params;
	unsigned id;
	size_t body_most, dropped;
	struct fcgi_bytes params, body;
};

/* `body_most`: bytes of a body.  Zeroed memory is no beginning: call this. */
void fcgi_collect_begin(struct fcgi_collect *collect, size_t body_most);
void fcgi_collect_free(struct fcgi_collect *collect);

/* Takes the next bytes.  BROKEN also when there is no memory.  What stands behind a whole request is dropped. */
enum fcgi_gather_state fcgi_collect_feed(struct fcgi_collect *collect, const uint8_t *bytes, size_t len);

/* Bytes of memory that it holds. */
size_t fcgi_collect_size(const struct fcgi_collect *collect);

/* A whole request as a file in memory, to be read from its beginning; -1, logged, when the system refuses. */
int fcgi_collect_file(const struct fcgi_collect *collect);

/* Are these names and values (section 3.4), as far as they go, and in full if that was `all`? */
bool fcgi_params_fit(const uint8_t *bytes, size_t len, bool all);

#endif
