/*
 * secret.h - keys, boxes, keyed hashes and passwords, and the only place that knows libsodium.
 *
 * A key is 32 random bytes in a file of its own: 64 hexadecimal digits and a newline.  Each key has
 * one task (sealing, matching, receipts ...); make others from it with secret_subkey, never by hand.
 * Keys and batches live where the caller puts them, not in an arena, and are wiped by the caller.
 * After secret_init everything here may be called from any thread.
 */
#ifndef SECRET_H
#define SECRET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	SECRET_KEY = 32,		    /* bytes of every key: secret, public, or for hashes */
	SECRET_HASH = 32,		    /* bytes of a keyed hash */
	SECRET_PAD = 64,		    /* sealed plaintexts are padded to a multiple of this */
	SECRET_PLAIN = 4096,		    /* bytes that may be sealed at once */
	SECRET_OVERHEAD = 1 + 32 + 24 + 16, /* version, ephemeral public key, nonce, authenticator */
	SECRET_PASSWORD_OPS = 2,	    /* argon2id passes; OWASP's minimum, 33 ms measured on 2 cores */
	SECRET_PASSWORD_MEMORY = 19 * 1024 * 1024 /* bytes that each password function takes meanwhile */
};

struct secret_key {
	uint8_t bytes[SECRET_KEY];
};

/* Once, before anything else and before a sandbox; BROKEN when there is no randomness. */
MUST_USE enum status secret_init(void);

void secret_random(void *bytes, size_t len);
void secret_wipe(void *bytes, size_t len); /* is not optimised away */
/* In constant time: for tokens, MACs, receipts. */
bool secret_same(const void *a, const void *b, size_t len);

/* --- key files --------------------------------------------------------------------------------- */

/*
 * Makes a key file with exactly `mode` (say 0600; the umask does not count) and has it on disk, with
 * its folder, before OK.  CONFLICT when there is a file already: it is left alone.  Any other
 * failure is logged, leaves no file, and is BROKEN (BUSY for a full or read-only disk).
 */
MUST_USE enum status secret_key_make(const char *path, unsigned mode);

/*
 * Reads a key file.  `permitted` are the permission bits that it may have (0600 refuses one that a
 * group can read).  MISSING when there is none; INVALID, with the reason and the file's name logged,
 * when its permissions, its length or a digit are wrong or it is no ordinary file.
 */
MUST_USE enum status secret_key_load(const char *path, unsigned permitted, struct secret_key *key);

/*
 * A pair for sealing: the secret key goes to a file as secret_key_make does; the public one is for
 * the configuration.
 */
MUST_USE enum status secret_pair_make(const char *path, unsigned mode, struct secret_key *public);

/* The public key that belongs to a secret one. */
void secret_public(const struct secret_key *secret, struct secret_key *public);

/* 64 hexadecimal digits, as in the configuration, to a key and back. */
MUST_USE enum status secret_key_read(struct str hex, struct secret_key *key);
struct str secret_key_hex(struct arena *arena, const struct secret_key *key); /* STR_NONE: no memory */

/*
 * Another key out of `master` (BLAKE2b, crypto_kdf).  `context` has exactly 8 bytes and says what
 * for ("receipt_"); `id` tells keys of one context apart, as a day or a site.
 */
void secret_subkey(const struct secret_key *master, uint64_t id, const char *context, struct secret_key *key);

/* --- sealing ----------------------------------------------------------------------------------- */

/*
 * A sealed value is
 *
 *	1 byte version (1) | 32 ephemeral public key | 24 nonce | box of the padded plaintext
 *
 * The plaintext is one byte of purpose and the value, padded to a multiple of SECRET_PAD bytes, so a
 * box tells about a length only its 64s, and one for an e-mail is not taken for one of a network.
 * The key pair is fresh for each batch and gone at its end: what a program has sealed it cannot open.
 */
enum { SECRET_EMAIL = 'E', SECRET_NETWORK = 'N' };

struct secret_batch {
	struct secret_key ephemeral; /* its public half */
	struct secret_key shared;    /* what the recipient computes as well */
};

/* INVALID for a public key that no honest pair has. End a batch as soon as its boxes are written. */
MUST_USE enum status secret_batch_begin(struct secret_batch *batch, const struct secret_key *recipient);
/* TOO_LARGE over SECRET_PLAIN; BROKEN when memory fails.  A batch may be shared by threads. */
MUST_USE enum status secret_seal(const struct secret_batch *batch, struct arena *arena, char purpose,
    struct str plain, struct str *sealed);
void secret_batch_end(struct secret_batch *batch);

enum { SECRET_SHARED_MOST = 64 }; /* who may share a batch */

/*
 * One batch for whoever seals at the same time: making one takes a hundred times as long as a seal.
 * Its key is wiped when nobody is between join and leave, and replaced after SECRET_SHARED_MOST joins.
 */
struct secret_sealer {
	pthread_mutex_t lock;
	struct secret_key recipient; /* the public key */
	struct secret_batch batch;   /* empty while nobody has joined */
	size_t joined, joins;        /* now, and since the batch was made */
};

void secret_sealer_open(struct secret_sealer *sealer, const struct secret_key *recipient);
void secret_sealer_close(struct secret_sealer *sealer);
/* A copy of the batch for the caller, who ends it when the boxes are written, and leaves when they are stored. */
MUST_USE enum status secret_sealer_join(struct secret_sealer *sealer, struct secret_batch *batch);
void secret_sealer_leave(struct secret_sealer *sealer);

/*
 * INVALID when it does not open: another key, another purpose, one bit changed, too short or long.
 * `secret` is the recipient's.  An empty plaintext is there (at != NULL).  BROKEN when memory fails.
 */
MUST_USE enum status secret_open(
    const struct secret_key *secret, struct arena *arena, char purpose, struct str sealed, struct str *plain);

enum { SECRET_REMEMBERED = 1024 };

/*
 * The shared keys of boxes that were opened, for whoever opens the same ones again, as a queue that is
 * shown after each decision does: computing one takes fifty times as long as the rest.  It tells whoever
 * reads this memory nothing that the secret key beside it does not tell.  Shared by threads.
 */
struct secret_memory {
	pthread_mutex_t lock;
	struct {
		struct secret_key ephemeral, shared;
		bool has;
	} rows[SECRET_REMEMBERED]; /* each ephemeral key has one place, that of its first bytes */
};

void secret_memory_open(struct secret_memory *memory);
void secret_memory_close(struct secret_memory *memory); /* wipes it */

/*
 * Opens many: boxes of one batch share a key that takes most of the time, so the last one is kept.
 * Begin with {.secret = the key, .memory = where others look as well}; wipe it at the end.  A `former`
 * key, or NULL, is tried where that does not open: while addresses are resealed, some belong to the one
 * and some to the other.
 */
struct secret_opener {
	const struct secret_key *secret, *former;
	struct secret_memory *memory; /* or NULL */
	struct secret_key ephemeral, shared; /* of the last box, if `has` */
	bool has;
};
MUST_USE enum status secret_open_next(
    struct secret_opener *opener, struct arena *arena, char purpose, struct str sealed, struct str *plain);

/* --- keyed hashes ------------------------------------------------------------------------------ */

/*
 * BLAKE2b of `parts` under `key`: for matching (author, network) as well as for MACs (receipts,
 * tokens).  Purpose and parts go in with their lengths, so ("ab", "c") and ("a", "bc") differ, and
 * the same parts for another purpose do.  STR_NONE counts as empty.
 */
void secret_hash(const struct secret_key *key, const char *purpose, const struct str *parts, size_t parts_n,
    uint8_t hash[SECRET_HASH]);

/* --- passwords --------------------------------------------------------------------------------- */

/*
 * argon2id with the cost above.  Only one at a time: the caller holds a lock (19 MiB each).  Any
 * bytes and any length; what a password must be like is a rule elsewhere.
 */

/* The text to store ("$argon2id$..."), in `arena`; BROKEN when memory fails. */
MUST_USE enum status secret_password_hash(struct arena *arena, struct str password, struct str *stored);

/* Is it the password?  False also when memory fails or `stored` is no such text. */
bool secret_password_matches(struct str stored, struct str password);

/* Spends the time of secret_password_matches: for a name that nobody has. */
void secret_password_dummy(struct str password);

/* Was it made with another cost than ours (or is it no such text)?  Then hash anew at a sign-in. */
bool secret_password_outdated(struct str stored);

#endif
