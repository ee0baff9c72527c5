/*
 * receipt.h - secrets that need no storing: a reply's receipt, and the key of a form.
 *
 * Both are made from the receipt key file, so the database holds neither, and a receipt can be
 * given again to whoever sends the same submission again.
 */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <stdint.h>

#include "arena.h"
#include "secret.h"
#include "status.h"
#include "str.h"

enum { RECEIPT_RANDOM = 16 /* random bytes of a form's key */ };

/* The last segment of /comments/receipt/<secret>: 32 characters of base64url; STR_NONE: no memory. */
struct str receipt_secret(struct arena *arena, const struct secret_key *key, int64_t reply_id);

/* The reply that a secret belongs to; MISSING for any that was not made by this key. */
MUST_USE enum status receipt_reply(const struct secret_key *key, struct str secret, int64_t *reply_id);

/* A fresh key for a form that is shown `now`; it tells nobody else when that was. */
struct str receipt_form_key(struct arena *arena, const struct secret_key *key, int64_t now,
    const uint8_t random[RECEIPT_RANDOM]);

/* When the form of this key was shown; MISSING for keys that we did not make: those carry no time. */
MUST_USE enum status receipt_form_time(const struct secret_key *key, struct str form_key, int64_t *shown_at);

#endif
