/*
 * keep.h - a door that is kept running by a small parent, for whom no systemd or the like does it.
 *
 * The parent holds the listening socket and nothing else: no database, no key, no request.  It runs
 * the same program again as its child, with the socket as file descriptor 0, and
 * - starts another when the child dies, at once, or after a pause that doubles up to KEEP_PAUSE_MOST
 *   seconds while children die young;
 * - on SIGHUP starts another beside the first, which is told to finish (SIGTERM) once the new one is
 *   ready: so a new configuration, or a new program, takes over without a request lost, and one that
 *   does not start leaves the first as it was;
 * - on SIGTERM or SIGINT tells its children to finish, and ends when they have.
 * Should the parent be killed, the kernel tells the child to finish.
 *
 * Whoever started the parent may wait for the first child: it names a file descriptor in the environment
 * (KEEP_STARTER), on which one byte comes when that is ready, and the end of file when it never was.
 */
#ifndef KEEP_H
#define KEEP_H

#include <stdbool.h>

#include "status.h"

enum { KEEP_PAUSE_MOST = 8 };
#define KEEP_STARTER "REJOINDER_STARTER"

/* Is this program such a child?  Then --keep means nothing to it. */
bool keep_is_child(void);

/* Tells the parent, if there is one, that requests can be answered. */
void keep_ready(void);

/*
 * Runs and keeps `argv` with `listener`.  Returns when all is over: 0, or what the first child ended
 * with if it never became ready (which has said why).
 */
int keep_run(char **argv, int listener);

#endif
