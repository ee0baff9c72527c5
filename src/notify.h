/*
 * notify.h - moderators are told by mail what waits, without a word or an address of any reader.
 *
 * Replies that come to wait are noted in `outbox`, in the transaction that stores them.  notify_gather
 * makes of that at most one unsent mail for each moderator and site; whatever happens then, it stays
 * until it was sent, was refused for good, or nothing waits any more.  What it says is of the moment
 * when it is sent.  Its Message-ID stays the same: whoever is killed between sending it and noting that
 * sends it once more, and the other side knows it again.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "letter.h"
#include "status.h"
#include "str.h"
#include "words.h"

enum {
	NOTIFY_PAGES = 20,           /* pages that a mail names */
	NOTIFY_LOOK = 2000,          /* replies that are counted for it */
	NOTIFY_RETRY = 60,           /* seconds until the second try; then twice as long each time, */
	NOTIFY_RETRY_MOST = 6 * 3600, /* up to this */
	NOTIFY_KEEP = 30 * 86400     /* seconds that rows of sent mails are kept */
};

/* A site as mail sees it. */
struct notify_site {
	const struct config_site *config;
	const struct words *words;
	int64_t id; /* in rejoinder.db */
};

struct notify_desk {
	const struct config *config;
	const struct notify_site *sites;
	size_t sites_n;
	struct db *db;
	struct db *moderators;
	int64_t now; /* seconds since 1970 */
};

/*
 * Makes the mails that are due: for each moderator with an address and each site with replies that came
 * and wait still, unless one is unsent, or the last went out less than config->mail.every ago.  `random`
 * are 16 fresh bytes for their Message-IDs.
 */
MUST_USE enum status notify_gather(const struct notify_desk *desk, struct arena *arena, const uint8_t random[16]);

/* A mail that is to be sent now. */
struct notify_mail {
	int64_t id;
	int64_t tries; /* that failed */
	int64_t through_id; /* the newest reply that it tells of */
	struct str name; /* of the moderator */
	struct letter letter;
};

/*
 * The next one behind `after` (0: the first) whose time has come; MISSING when there is none.  Those of
 * which nothing waits any more are dropped on the way.
 */
MUST_USE enum status notify_next(const struct notify_desk *desk, struct arena *arena, int64_t after,
    struct notify_mail *mail);

/*
 * What became of it: OK sent, DENIED refused for good (parked until notify_retry), anything else to be
 * tried again later.  `why` is kept for whoever looks.
 */
MUST_USE enum status notify_done(const struct notify_desk *desk, const struct notify_mail *mail, enum status sent,
    struct str why);

/* Tries all that is parked or waits at the next occasion. */
MUST_USE enum status notify_retry(const struct notify_desk *desk);

#endif
