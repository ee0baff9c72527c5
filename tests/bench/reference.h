/*
 * reference.h - what the two reference programs share: a FastCGI program on libfcgi and nothing else,
 * as short as one can be, to see what the product's own work costs beside it.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

enum { REFERENCE_BODY = 64 * 1024 }; /* bytes of a body; what is longer is cut */

/* Does the request's work, in any worker's thread; true is answered 303, false 500. */
typedef bool reference_work(const char *body, size_t len);

/*
 * Listens on the Unix socket argv[1] with argv[2] worker threads, prints "ready" to standard error and
 * serves until SIGTERM, which makes it return.  The workers still run then: print and end.  Returns
 * false, with a line on standard error, when it cannot serve.
 */
bool reference_serve(int argc, char **argv, reference_work *work);

#endif
