/*
 * door.h - what the three doors have in common: opening everything at start, and the plain answers.
 *
 * A `struct door` is made once, before threads, and never changes; handlers share it.
 */
#ifndef DOOR_H
#define DOOR_H

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

struct door {
	struct arena arena; /* what lives as long as the program */
	struct config *config;
	struct db *db;
	struct pace *pace;
	struct file_tree public_tree;
	struct secret_key matching, receipt;
	struct secret_sealer *sealer;
	struct door_site *sites; /* config->sites_n of them */
	const struct words **words; /* of the sites */
	_Atomic bool must_truncate;
};

/* What a program says about itself on its command line. */
struct door_arguments {
	const char *config; /* --config FILE */
	const char *socket; /* --socket PATH, or NULL */
};

/*
 * Reads --config, --socket, --help and --version.  INVALID after saying on standard error what is
 * wrong; *done when there is nothing more to do (help or version were printed).
 */
MUST_USE enum status door_arguments(int argc, char **argv, const char *usage, struct door_arguments *arguments,
    bool *done);

/*
 * Opens configuration, keys, database, pace file and the published folder, finishes what an
 * interrupted publication left, and makes the configured sites known to the database.  Each failure
 * has been logged as one line that names what is missing.
 */
MUST_USE enum status door_open(const char *config_path, struct door *door);
void door_close(struct door *door);

/* secret_key_load and db_open, with one more line in the log: what to do when there is none. */
MUST_USE enum status door_key(const char *path, unsigned permitted, struct secret_key *key);
MUST_USE enum status door_database(const char *path, const struct db_schema *schema, struct db **db);

/* The site that the web server names for this request; NULL for an unknown one. */
const struct door_site *door_site(const struct door *door, struct str name);

/*
 * The route below the site's mount point, or NULL after answering 404 or 405.  The path is
 * percent-decoded once.
 */
const struct fcgi_route *door_route(const struct door_site *site, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response);

/* The press that publishes with this door's things. */
struct publish_press door_press(const struct door *door);

/* Does the client ask for JSON rather than for a page? */
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
