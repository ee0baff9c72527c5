/*
 * config.h - rejoinder.conf, read once at start (libconfuse).
 *
 * All strings live as long as the `struct config`, which nobody changes after config_read: workers
 * share it.  What each option means, its default and its limits stand in rejoinder.conf(5).
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"
#include "str.h"
#include "zone.h"

#define CONFIG_DEFAULT_PATH "/etc/rejoinder/rejoinder.conf"

struct config_list {
	struct str *items;
	size_t n;
};

struct config_site {
	struct str name;  /* of the section; also its folder below `public` */
	struct str title; /* of the site, for feeds and pages */
	struct str base;  /* scheme://host[:port], no trailing slash */
	struct str mount; /* path of all that is ours, no trailing slash; "" at the root, also where "/" is written */
	struct str document_root; /* where the articles' files are, or "" */
	struct str words;         /* file of own words, or "" */
	struct str page_head;     /* file of the owner's HTML above our pages, or "" */
	struct str page_foot;     /* the same below */
	struct str stylesheet;    /* path on the site of a style sheet for them, or "" */
	struct str moderators_base;      /* as `base`, for the moderators' door, or "" where that is the same */
	struct config_list origins;      /* other origins of the site's articles: those of `base`, or that embed it */
	struct config_list pages;        /* patterns of pages that may have replies: `*` within a segment, `**` across */
	struct config_list page_keys;    /* query keys that belong to the page */
	struct config_list listed_words; /* words that a moderator wants to hear of */
	bool page_list;                  /* only pages of the imported list may have replies */
	bool paused;                     /* takes no replies at all */
	struct str time_zone;            /* name in the zone database, "UTC" */
	const struct zone *zone;         /* NULL for UTC; read by door_open */
	int64_t heading_level;           /* 1 to 6, of the heading of published threads */
	int64_t comment_most;            /* characters */
	int64_t edit_for;                /* seconds in which an author may edit or withdraw; 0: never */
	int64_t pace_burst;              /* replies a network may have stored at once */
	int64_t pace_every;              /* seconds until it may have one more */
	int64_t pace_site;               /* replies a minute that the whole site takes */
};

/* Mail to moderators; `from` is "" where none is sent. */
struct config_mail {
	struct str from;         /* the sender's address */
	struct str via;          /* "sendmail", or smtp://host[:port], smtps://host[:port] */
	const char *sendmail;    /* path of the program */
	const char *ca_file;     /* or "" */
	const char *user;        /* or "" */
	const char *password;    /* file that holds it, or "" */
	int64_t every;           /* seconds from one mail to the next */
	int64_t timeout;         /* seconds that a server may take for a mail */
};

/* Days after a decision; 0: for ever. */
struct config_keep {
	int64_t refused;      /* what a moderator did not publish */
	int64_t networks;     /* network addresses of replies */
	int64_t emails;       /* e-mail addresses of replies */
	int64_t log_networks; /* networks in the log */
};

struct config {
	struct str path;          /* of the file itself */
	struct str text;          /* what it holds, without comments */
	const char *database;     /* rejoinder.db */
	const char *public_dir;   /* the folder that the web server serves */
	const char *run_dir;      /* sockets and the pace file */
	const char *matching_key; /* file; for keyed hashes */
	const char *receipt_key;  /* file; for receipts and form keys */
	const char *moderators_database;
	const char *secret_key; /* file; opens what is sealed */
	const char *log_key;    /* file; signs the rows of the log */
	bool trust_remote_user; /* the web server signs moderators in */
	uint8_t sealing_key[32];
	int64_t workers; /* threads a door */
	struct config_keep keep;
	struct config_mail mail;
	struct config_site *sites;
	size_t sites_n;
};

/*
 * Reads and checks the file at `path`.  MISSING or INVALID after logging one line that names file,
 * line, option and what to do.  The result lives in `arena`.
 */
MUST_USE enum status config_read(struct arena *arena, const char *path, struct config **config);

/* The site of that name; an empty name means the only or first one.  NULL when there is none. */
const struct config_site *config_site(const struct config *config, struct str name);

/* The base of the site's moderators' door. */
struct str config_moderators_base(const struct config_site *site);

/* The bytes that a submission's body may have: 256 KiB, or more where comment_most needs it. */
size_t config_body_most(const struct config *config);

#endif
