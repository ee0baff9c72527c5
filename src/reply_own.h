/*
 * reply_own.h - what the files of `reply` share: a submission on its way, and what is asked of it twice.
 *
 * Only src/reply*.c include this: reply.c takes submissions, reply_check.c looks at their fields, and
 * reply_change.c is for what their authors do afterwards.
 */
#ifndef REPLY_OWN_H
#define REPLY_OWN_H

#include "reply.h"

struct reply_hashes {
	uint8_t author[SECRET_HASH], client[SECRET_HASH], key[SECRET_HASH];
	uint8_t submission[SECRET_HASH], comment[SECRET_HASH];
};

/* A hash as the store takes it. */
struct str reply_hash_str(const uint8_t hash[SECRET_HASH]);

/* All that one submission carries through reply_submit; short-lived, never shared. */
struct reply_work {
	const struct reply_desk *desk;
	struct arena *arena;
	const struct reply_submission *submission;
	const struct reply_client *client;
	struct reply_result *result;
	struct str title; /* of the article, where the thread is to be begun */
	struct str email; /* with its domain in A-labels */
	struct reply_hashes hashes;
	bool has_key;
	bool new_thread;
	bool known_author;
	bool sealing;  /* its batch may be shared until it is stored */
	size_t points; /* of the comment's words, as people count them */
	struct db_integer parent_id;
	struct str email_sealed, network_sealed, reasons;
	struct str former; /* reasons before an edit */
};

/* --- reply_check.c --- */

/* Notes what is wrong with a field, and that something is. */
void reply_blame(struct reply_result *result, enum reply_field field, enum reply_fault fault, int64_t limit);

/* Characters as people count them: an accent counts with its letter, however it was typed. */
size_t reply_points(struct arena *arena, struct str text);

/* Looks at all fields but page and parent, which take the store; *email has its domain in A-labels. */
void reply_check_fields(const struct reply_desk *desk, struct arena *arena, const struct reply_submission *submission,
    struct reply_result *result, struct str *email);

/* The same of what an author may change. */
void reply_check_edit(struct reply_work *work, bool new_email);

/* --- reply.c --- */

/* White space at the ends of a line field is the keyboard's, not the person's. */
struct reply_submission reply_trim(const struct reply_submission *typed);

/* Fills in the hash of the comment's words, and their number of characters. */
void reply_hash_words(struct reply_work *work);
MUST_USE enum status reply_hash_author(const struct reply_desk *desk, struct arena *arena, struct str email,
    struct reply_hashes *hashes);

/* Why the reply may be suspicious. */
MUST_USE enum status reply_find_reasons(struct reply_work *work);

/* Seals e-mail and address.  Where `sealing` is true then, leave the sealer when all is stored. */
MUST_USE enum status reply_seal(struct reply_work *work);

/* Whose bucket, and how fast it fills: for pace_take. */
uint64_t reply_bucket(const struct reply_desk *desk, const char *purpose, struct str network);
struct pace_rule reply_rule_for_refusals(const struct reply_desk *desk);

#endif
