/*
 * journal_own.h - what the files of `journal` share: macs, places in the chain, and its head.
 *
 * Only src/journal*.c include this: journal.c writes, journal_check.c compares.
 */
#ifndef JOURNAL_OWN_H
#define JOURNAL_OWN_H

#include "journal.h"
#include "sql/moderators/journal.h"
#include "sql/rejoinder/decision.h"

enum {
	JOURNAL_STEP = 500,               /* rows looked at in one snapshot, or signed in one transaction */
	JOURNAL_ARENA = 16 * 1024 * 1024, /* bytes that one step takes at most */
	JOURNAL_CROWD = 1000              /* rows of another hand at the end of all numbers that we go on below */
};

/* No row of ours has an id beyond: each is one more than the last. */
static const int64_t journal_id_most = INT64_C(1) << 62;

struct journal_head {
	struct head_find_row row;
	int64_t last_id; /* what to write */
	struct str mac;
	int64_t accepted;
};

/* A row, and the mac that goes into the next. */
struct journal_place {
	int64_t id;
	uint8_t mac[SECRET_HASH];
	size_t mac_len; /* 0 where it has none */
};

/* --- macs --- */

struct str journal_bytes(const uint8_t *at, size_t len);

/* In constant time, whatever length the store's value has. */
bool journal_same(struct str stored, const uint8_t *right, size_t len);

/* Over the digests as they stand in the row, and the mac of the row before. */
void journal_mac(const struct secret_key *key, const struct journal_row *row, struct str digests, struct str before,
    uint8_t mac[SECRET_HASH]);

/* Are moderator, network and reason what the row's digests are of?  *forgotten when one was emptied since. */
bool journal_digests_fit(const struct secret_key *key, const struct journal_row *row, bool *forgotten);

/* --- places --- */

struct journal_row journal_row_of(const struct decision_from_row *row);
void journal_stand_at(struct journal_place *place, int64_t id, struct str mac);
struct str journal_place_mac(const struct journal_place *place);

/* --- the head --- */

MUST_USE enum status journal_read_head(const struct journal *journal, struct arena *arena, struct journal_head *head);

/* Fills in the log's end, and says whether the row that the head knows is there as the head knows it. */
MUST_USE enum status journal_compare_head(const struct journal *journal, struct arena *arena, struct journal_head *head,
    bool *fits);

/* A db_work of moderators.db; `context` is the head. */
enum status journal_write_head(struct db_conn *conn, void *context);

#endif
