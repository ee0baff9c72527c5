/*
 * spam.h - why a reply deserves a second look.  Reasons only ever inform the moderator: nothing is
 * refused or dropped for them.
 *
 * A reply's reasons are stored as one text, a line each: "links 3", "first", "honeypot", "quick 2",
 * "word casino".
 */
#ifndef SPAM_H
#define SPAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "config.h"
#include "status.h"
#include "str.h"

enum {
	SPAM_LINKS_MOST = 2,  /* more links than this are a reason */
	SPAM_QUICK = 3,       /* seconds between form and reply; fewer are a reason */
	SPAM_REASONS_MOST = 8 /* listed words are not counted further */
};

enum spam_kind { SPAM_LINKS, SPAM_FIRST, SPAM_HONEYPOT, SPAM_TOO_QUICK, SPAM_WORD, SPAM_KINDS };

/* Their names, as stored: "links". */
extern const struct str spam_kind_names[SPAM_KINDS];

/* What is known about a reply when its reasons are sought. */
struct spam_signs {
	struct str name, website, comment;
	size_t links;       /* in the comment, and the website */
	bool known_author;  /* has a published reply */
	bool honeypot;      /* the field that people do not see was filled */
	bool timed;         /* `age` is known */
	int64_t age;        /* seconds since the form was shown */
};

/* The reasons as stored, in `arena`; empty when there are none. */
struct str spam_reasons(struct arena *arena, const struct config_site *site, const struct spam_signs *signs);

struct spam_reason {
	enum spam_kind kind;
	int64_t n;       /* of SPAM_LINKS and SPAM_TOO_QUICK */
	struct str word; /* of SPAM_WORD */
};

/* Takes the next reason off `stored`; false at the end. A line that it does not know is skipped. */
bool spam_next(struct str *stored, struct spam_reason *reason);

#endif
