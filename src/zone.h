/*
 * zone.h - what the clocks of a place show.
 *
 * C's own localtime knows one zone a process, and takes it from the environment; here each site has
 * its own, read from a file of the system's zone database (TZif, RFC 8536, version 2 or later).
 * Behind the last change that a file lists its last rule holds; Debian's files list them to 2037.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"
#include "str.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"
enum { ZONE_FILE_MOST = 256 * 1024, ZONE_NAME_MOST = 64 };

/* Points into the file's bytes, which must stay. */
struct zone {
	struct str times, indices, types, names;
	size_t times_n, types_n;
};

/* Is it a name of the database, such as "Asia/Almaty"?  Never one that leads out of its folder. */
bool zone_is_name(struct str name);

/* INVALID for bytes that are no such file. */
MUST_USE enum status zone_read(struct str file, struct zone *zone);

/*
 * Seconds east of Greenwich at `seconds` since 1970 UTC, and in *name what the time is called there
 * ("CET", "+05"). A NULL zone is UTC.
 */
int64_t zone_offset(const struct zone *zone, int64_t seconds, struct str *name);

#endif
