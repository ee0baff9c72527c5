/*
 * when.h - times as text, and how long to wait.  A time is whole seconds since 1970 UTC.
 */
#ifndef WHEN_H
#define WHEN_H

#include <stdint.h>

#include "arena.h"
#include "status.h"
#include "str.h"
#include "words.h"
#include "zone.h"

/* "2026-11-23T19:30:00Z" (RFC 3339), in `arena`. */
struct str when_rfc3339(struct arena *arena, int64_t seconds);

/* "Mon, 23 Nov 2026 19:30:00 +0000" (RFC 5322 section 3.3), in `arena`. */
struct str when_rfc5322(struct arena *arena, int64_t seconds);

/*
 * Reads a date ("2026-11-23", its midnight in UTC) or a time with its offset ("2026-11-23T20:30:00+01:00"),
 * RFC 3339, of the years 1000 to 9999; else INVALID.  Fractions of a second are dropped.
 */
MUST_USE enum status when_read(struct str text, int64_t *seconds);

/* For people, in UTC, as the words date.* have it. */
struct str when_date(struct arena *arena, const struct words *words, const struct zone *zone, int64_t seconds);

/* "just now", "5 minutes ago", "3 h ago", "2 days ago", from the words time.*. */
struct str when_ago(struct arena *arena, const struct words *words, int64_t seconds, int64_t now);

/*
 * Seconds to wait behind a failure before which there were `tries` others: `first`, then twice as long each time,
 * `most` at most.  What the store says of `tries` may be anything.
 */
int64_t when_again(int64_t tries, int64_t first, int64_t most);

#endif
