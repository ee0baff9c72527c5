/*
 * retention.h - forgets by rule what is needed no more, so many days after the decision (config_keep).
 *
 * Nothing of a held reply is forgotten, however long it waits.  A refused reply becomes what an erased one is
 * (erase.h), without a row in the log: the rule stands in the configuration, and there may be thousands a day.
 * E-mails, and networks with what is compared with them, go from replies that stay; whether an author has
 * replied before is still known by author_hash, by which an erasure finds them, too.
 *
 * The caller empties the WAL afterwards.  A clock that runs ahead makes it forget early.
 */
#ifndef RETENTION_H
#define RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "secret.h"
#include "status.h"

enum {
	RETENTION_AT_ONCE = 200, /* rows that a slice changes of each sort: the write lock is held for milliseconds */
	RETENTION_EVERY = 86400  /* seconds */
};

/* One slice, in transactions of its own; *more: there is something left to do. */
MUST_USE enum status retention_slice(const struct config_keep *keep, struct db *db, const struct secret_key *matching,
    struct arena *arena, int64_t now, bool *more);

#endif
