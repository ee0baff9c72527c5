/*
 * pace.h - how fast somebody may come: buckets in a small file that processes share by mmap(2).
 *
 * Each bucket is one time (the «theoretical arrival time» of the generic cell rate algorithm, ITU-T
 * I.371): a rule allows `burst` at once and one more every `every` milliseconds.  The file has a
 * fixed size; when a row is full the bucket that is nearest to empty is given to the newcomer, so
 * under a flood of networks the file forgets the harmless ones first.  A damaged or foreign file is
 * made anew.  Nothing here is written to a database, for an attacker chooses how often it happens.
 */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

struct pace;

struct pace_rule {
	int64_t burst; /* at least 1 */
	int64_t every; /* milliseconds; 0 allows everything */
};

/* Opens or makes the file (mode 0660).  The reason of a failure is logged. */
MUST_USE enum status pace_open(const char *path, struct pace **pace);
void pace_close(struct pace *pace);

/*
 * Takes one from the bucket of `who` (any 64 evenly spread bits, as of a keyed hash, that include
 * what the bucket is for) at `now`, milliseconds since 1970.  False when it is empty; then *wait is
 * the number of whole seconds, at least 1, until one is there.  Safe from any thread and process.
 */
bool pace_take(struct pace *pace, uint64_t who, struct pace_rule rule, int64_t now, int64_t *wait);

/* Gives back what pace_take took for something that then did not happen. */
void pace_give(struct pace *pace, uint64_t who, struct pace_rule rule);

#endif
