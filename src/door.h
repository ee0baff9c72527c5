/*
 * door.h - what the three doors have in common: opening everything at start, and the plain answers.
 *
 * A `struct door` is made once, before threads, and never changes; handlers share it.
 */
#ifndef DOOR_H
#define DOOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "db.h"
#include "fcgi.h"
#include "frame.h"
#include "pace.h"
#include "publish.h"
#include "secret.h"
#include "status.h"
#include "str.h"
#include "words.h"
#include "work.h"

enum {
	DOOR_ARENA_MOST = 64 * 1024 * 1024, /* bytes that one request may take */
	DOOR_WORDS_MOST = 256 * 1024        /* bytes of a file of own words */
};

struct door_site {
	const struct config_site *config;
	const struct words *words;
	struct frame frame; /* around the pages of the public door */
	int64_t id;         /* in rejoinder.db */
};

enum { DOOR_UNTOLD = 4 /* parameters of the web server that a door misses when they are not passed */ };

struct door {
	struct arena arena; /* what lives as long as the program */
	struct config *config;
	struct db *db;
	struct pace *pace; /* of the public door; NULL for others */
	struct file_tree public_tree;
	struct secret_key matching, receipt;
	struct secret_sealer *sealer;
	struct door_site *sites; /* config->sites_n of them */
	const struct words **words; /* of the sites */
	int64_t *site_ids;          /* likewise */
	struct str who;             /* program and process, for people */
	_Atomic bool must_truncate;
	atomic_flag told[DOOR_UNTOLD]; /* what the web server does not pass */
	atomic_uint unserved;          /* published files that the web server asked for instead of serving them */
};

/* What a program says about itself on its command line. */
struct door_arguments {
	const char *config; /* --config FILE */
	const char *socket; /* --socket PATH, or NULL */
	unsigned mode;      /* --mode MODE, of that socket */
	bool keep;          /* --keep */
	bool check;         /* --check */
};

/*
 * Reads --config, --socket, --mode, --keep, --check, --help and --version.  INVALID after saying on standard error
 * what is wrong; *done when there is nothing more to do (help or version were printed).
 */
MUST_USE enum status door_arguments(int argc, char **argv, const char *usage, struct door_arguments *arguments,
    bool *done);

/*
 * Opens configuration, keys, database and the published folder, finishes what an
 * interrupted publication left, and makes the configured sites known to the database.  Each failure
 * has been logged as one line that names what is missing.
 */
MUST_USE enum status door_open(const char *config_path, struct door *door);
void door_close(struct door *door);

/* Opens the pace file: for the public door alone, whose user could hold its lock for ever. */
MUST_USE enum status door_pace(struct door *door);

/*
 * Would a door start with the configuration as it is now, as far as files of text go: the
 * configuration itself, words, frames, zones?  False after a line in the log that says why.
 */
bool door_would_start(const char *config_path);

/* The same for a door that runs.  In its sandbox it sees the folders of those that it was started with. */
bool door_renew(void *door);

/*
 * Does --keep ask for a parent that keeps this door, and is this it?  Then it does so until all is over,
 * and *result is the program's exit status.
 */
bool door_keeps(char **argv, const struct door_arguments *arguments, int *result);

/*
 * Enters the sandbox, when all is open and no thread is made.  Within reach stay the database's
 * folder, the published one, and, to be read, the document roots and what door_renew reads.
 * `own_database` is the moderators' one, whose door also writes the published folder, or NULL.
 */
void door_lock_in(struct door *door, const char *own_database);

/*
 * Opens the socket, enters the sandbox, and serves.  `service` lacks only what is the same for all
 * doors.
 */
MUST_USE enum status door_serve(struct door *door, const char *own_database, const struct door_arguments *arguments,
    struct fcgi_service *service);

/*
 * The file by which a door says for which sealing key it works, for as long as it runs (file_attend):
 * `rejoinder rekey --finish` must know that none goes on with the former one, and `restore` whether any runs.
 */
MUST_USE enum status door_attendance(struct arena *arena, const struct config *config, const uint8_t sealing_key[32],
    const char **path);

/*
 * The secret key before the present one, "<secret_key>.former": there while `rejoinder rekey` is not
 * finished, and some addresses are sealed to it still.
 */
#define DOOR_FORMER ".former"
MUST_USE enum status door_former_key(const struct config *config, struct secret_key *former, bool *has_former);

/* secret_key_load and db_open, with one more line in the log: what to do when there is none. */
MUST_USE enum status door_key(const char *path, unsigned permitted, struct secret_key *key);
MUST_USE enum status door_database(const char *path, const struct db_schema *schema, struct db **db);

/* The site that the web server names for this request; NULL for an unknown one. */
const struct door_site *door_site(const struct door *door, struct str name);

/* Logs what the web server should pass and does not: each once, since it is so for all requests. */
void door_notice_missing(struct door *door, const struct fcgi_request *request);

/* What stands below the site's mount point, percent-decoded once; STR_NONE for what stands elsewhere. */
struct str door_path_below(const struct config_site *site, struct arena *arena, struct str path);

/*
 * The route below the site's mount point, or NULL after answering 404 or 405.  The path is
 * percent-decoded once.
 */
const struct fcgi_route *door_route(const struct door_site *site, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response);

/* The press that publishes with this door's things, now; and the bench for background work. */
struct publish_press door_press(const struct door *door);
struct work_bench door_bench(const struct door *door);

/*
 * Does the client ask for JSON rather than for a page?  By the weights of application/json and text/html in
 * Accept (RFC 9110, section 12.5.1); of equal ones the first; by wildcards, or nothing at all, for a page.
 */
bool door_wants_json(const struct fcgi_request *request);

/* Sets code, type and the headers that every page has: policy, nosniff, no-store. */
void door_page(struct fcgi_response *response, int code);
/* The same for moderators: nobody may frame it. */
void door_private_page(struct fcgi_response *response, int code);
void door_json(struct fcgi_response *response, int code);

/* 200 with what is served as a file would be: for anybody, and cached as `cache` says. */
void door_file(struct fcgi_response *response, struct str type, struct str cache);

/* 303 See Other (RFC 9110 section 15.4.4) to a path of ours. */
void door_redirect(struct fcgi_response *response, struct str path);

/* What a plain refusal says. */
struct door_refusal {
	int code;
	const char *error; /* short name for JSON */
	enum word title;
	enum word message;
	enum word advice;    /* also printed, unless it is the title again */
	struct str comment;  /* words that somebody typed in vain, or STR_NONE */
};

/* Answers with a page, or JSON for whoever asks for it. */
void door_refuse(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    const struct door_refusal *refusal);

/* The plain refusals that more than one handler gives. */
enum door_plain { DOOR_MISSING, DOOR_MALFORMED, DOOR_TYPE, DOOR_BUSY, DOOR_BROKEN, DOOR_PLAIN };
void door_refuse_plain(const struct door_site *site, const struct fcgi_request *request,
    struct fcgi_response *response, enum door_plain plain);

/* DOOR_BUSY for STATUS_BUSY, else DOOR_BROKEN. */
void door_fail(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    enum status status);

/*
 * After an erasure: empties the WAL now, or, while somebody reads, with one of the next door_truncate
 * calls, which the door's tick makes.  A door that was just opened does so once in any case.
 */
void door_must_truncate(struct door *door);
void door_truncate(struct door *door);

/* 200 "ok", or 503 with the reason; writes nothing. */
void door_health(const struct door *door, struct fcgi_response *response);

#endif
