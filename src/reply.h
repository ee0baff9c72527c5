/*
 * reply.h - takes a reader's reply: what is wrong with it, whether it was here before, and its way
 * into the store.
 *
 * The order of refusals is the contract's: unknown page, closed or paused, the same submission
 * (which gets its first answer again), wrong fields, conflicts, pace, store.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "form.h"
#include "pace.h"
#include "secret.h"
#include "status.h"
#include "str.h"

enum {
	REPLY_NAME_MOST = 80,      /* characters */
	REPLY_COMMENT_LEAST = 2,   /* characters */
	REPLY_KEY_MOST = 128,      /* bytes of a form's key */
	REPLY_SAME_WORDS = 20,     /* characters from which the same words are noticed */
	REPLY_SAME_WITHIN = 600,   /* seconds within which the same fields without a key are one submission */
	REPLY_REFUSALS = 5         /* times the pace of stored replies that refusals may have */
};

/* The fields of the form, in the order in which their messages are shown. */
enum reply_field {
	REPLY_PAGE,
	REPLY_PARENT,
	REPLY_COMMENT,
	REPLY_NAME,
	REPLY_EMAIL,
	REPLY_WEBSITE,
	REPLY_KEY,
	REPLY_PHONE, /* the honeypot: nobody sees it, so nobody fills it */
	REPLY_FIELDS
};

/* Their names in forms and JSON. */
extern const char *const reply_field_names[REPLY_FIELDS];

/* What is wrong with a field; the door has a sentence for each. */
enum reply_fault {
	REPLY_FAULT_NONE,
	REPLY_FAULT_NOT_TEXT, /* a JSON value that is no string */
	REPLY_FAULT_EMPTY,
	REPLY_FAULT_SHORT,
	REPLY_FAULT_LONG,
	REPLY_FAULT_INVALID,   /* not of the form that the field wants */
	REPLY_FAULT_CHARACTER, /* has a character that it may not have */
	REPLY_FAULT_MARKS,     /* too many combining marks */
	REPLY_FAULT_JOINER,    /* a joiner that joins nothing */
	REPLY_FAULT_UNKNOWN,   /* no such parent there */
	REPLY_FAULT_SCHEME,    /* a website but for its https:// */
	REPLY_FAULTS
};

/* What was sent, as typed: a form that is given back shows it so. */
struct reply_submission {
	struct str fields[REPLY_FIELDS]; /* STR_NONE where not sent */
	bool not_text[REPLY_FIELDS];
};

/* INVALID (400) when a declared field was sent twice. */
MUST_USE enum status reply_fields(const struct form *form, struct reply_submission *submission);

/* Who asks, and when.  The network is address_network() of the peer. */
struct reply_client {
	struct str ip;
	struct str network;
	struct str user_agent;
	int64_t now; /* seconds since 1970 */
};

/* What the door owns and lends. */
struct reply_desk {
	const struct config_site *site;
	int64_t site_id;
	struct db *db;
	struct pace *pace;
	const struct secret_key *matching; /* keyed hashes */
	const struct secret_key *receipt;  /* form keys */
	struct secret_sealer *sealer;      /* to the moderators' public key */
	bool tells;                        /* moderators are told of new replies by mail */
};

enum reply_outcome {
	REPLY_STORED,
	REPLY_SAME,         /* the same submission: `id` is the first one's */
	REPLY_UNKNOWN_PAGE, /* 404 */
	REPLY_PAUSED,       /* 403, the whole site */
	REPLY_CLOSED,       /* 403, this thread */
	REPLY_WRONG,        /* 422, see faults */
	REPLY_KEY_SPENT,    /* 409, the key belongs to other words */
	REPLY_REPEATED,     /* 409, the same words are here already */
	REPLY_TOO_FAST,     /* 429, see wait */
	REPLY_OUTCOMES
};

struct reply_result {
	enum reply_outcome outcome;
	int64_t id;       /* of REPLY_STORED and REPLY_SAME */
	int64_t wait;     /* seconds, of REPLY_TOO_FAST */
	struct str page;  /* canonical; STR_NONE when it has none */
	enum reply_fault faults[REPLY_FIELDS];
	int64_t limits[REPLY_FIELDS]; /* that a fault exceeds, where it does */
	struct str address;           /* of REPLY_FAULT_SCHEME: the website with its https:// */
};

/*
 * Decides about a submission and stores it when all is well; durable before REPLY_STORED.
 * OK whenever there is an outcome; BUSY or BROKEN when the store does not answer.
 */
MUST_USE enum status reply_submit(const struct reply_desk *desk, struct arena *arena,
    const struct reply_submission *submission, const struct reply_client *client,
    struct reply_result *result);

/* The checks of a page alone, for showing its form: STORED stands for «may be replied to». */
MUST_USE enum status reply_page(const struct reply_desk *desk, struct arena *arena, struct str spelling,
    struct reply_result *result);

/* --- by its author, afterwards ------------------------------------------------------------------- */

/* A reply that an author may still change: the holder of the receipt, while it is held, for a while. */
struct reply_target {
	int64_t id;
	int64_t revision; /* as the author saw it */
};

/* May a reply of this state and age still be edited or withdrawn? */
bool reply_is_open(const struct config_site *site, struct str state, int64_t created_at, int64_t now);

/* Only looks: result->outcome is STORED when reply_change would find nothing wrong with the fields. */
void reply_check_change(const struct reply_desk *desk, struct arena *arena,
    const struct reply_submission *submission, struct reply_result *result);

/*
 * Replaces name, website and comment, and the e-mail where one was typed again: an empty one keeps
 * the sealed one.  Reasons are sought anew; the revision rises, so nobody approves words unseen.
 * result->outcome: STORED, WRONG (see faults) or TOO_FAST (see wait).  CONFLICT for a reply that is not
 * open any more or is of another revision; BUSY or BROKEN when the store does not answer.
 */
MUST_USE enum status reply_change(const struct reply_desk *desk, struct arena *arena,
    const struct reply_target *target, const struct reply_submission *submission,
    const struct reply_client *client, struct reply_result *result);

/*
 * Erases words, name, website, sealed values and hashes; a row of the log stays.  CONFLICT as above.
 * The caller empties the WAL afterwards (db_truncate), where the former words still stand.
 */
MUST_USE enum status reply_take_back(const struct reply_desk *desk, struct arena *arena,
    const struct reply_target *target, const struct reply_client *client);

/* What content_hash is made of: notices a changed byte in the store. `hash` has SECRET_HASH bytes. */
struct reply_content {
	int64_t thread_id;
	struct db_integer parent_id;
	struct str name, website, comment, email_sealed, network_sealed;
};
void reply_content_hash(const struct secret_key *matching, const struct reply_content *content, uint8_t *hash);

/* An e-mail (address_email) as it is compared: mail providers do not tell addresses apart by case. */
MUST_USE enum status reply_author(struct arena *arena, struct str email, struct str *folded);
/* author_hash of such a one; `hash` has SECRET_HASH bytes. */
void reply_author_hash(const struct secret_key *matching, struct str folded, uint8_t *hash);

#endif
