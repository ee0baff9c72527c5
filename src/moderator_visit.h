/*
 * moderator_visit.h - what the handlers of moderator.fcgi share: one request, and plain answers to it.
 *
 * Only src/moderator*.c include this.  The queue's own is in moderator_queue.h.
 */
#ifndef MODERATOR_VISIT_H
#define MODERATOR_VISIT_H

#include "arena.h"
#include "door.h"
#include "fcgi.h"
#include "form.h"
#include "moderator.h"
#include "page/moderate_top.h"
#include "secret.h"
#include "session.h"
#include "status.h"
#include "str.h"
#include "words.h"

/* A request of this door, with all that its handlers need. */
struct moderator_visit {
	struct moderator_door *moderator;
	const struct door_site *site;
	struct arena *arena;
	struct str network;
	struct secret_opener *opener;
	struct session session; /* unless the route is public */
	struct form form;       /* of a POST */
	bool cut;               /* it could not be read whole: it is there to be given back, for nothing else */
	struct str path;        /* of the request */
	int64_t now;
	unsigned flags;         /* of the route */
};

/* A sentence of the site's words; the second with its hole `n`. */
struct str moderator_say(const struct moderator_visit *visit, enum word word);
struct str moderator_say_n(const struct moderator_visit *visit, enum word word, int64_t n);

/* An address of this door: "sign-in" gives "/comments/moderate/sign-in". */
struct str moderator_path(const struct moderator_visit *visit, const char *below);

/* The address of an article, or of something else on the site, from here: in full where this door has another base. */
struct str moderator_site_url(const struct moderator_visit *visit, struct str path);

/* Which of the places that the top of a page leads to is shown. */
enum moderator_place {
	MODERATOR_ELSEWHERE, /* a page that belongs to none of them */
	MODERATOR_QUEUE,
	MODERATOR_LOG,
	MODERATOR_PAGES,
	MODERATOR_SETTINGS
};

/* The top of every page for somebody who is signed in: a page has it as `top`, with a top_n of 1. */
struct page_moderate_top moderator_top(const struct moderator_visit *visit, enum moderator_place place);

/* The page of this door that says no more than a sentence. */
void moderator_notice(const struct moderator_visit *visit, struct fcgi_response *response, int code, enum word title,
    enum word message);

/*
 * The same for what could not be read or stored: 503, in other words where it will hardly go better soon; a
 * POST's fields are given back with it.
 */
void moderator_failure(const struct moderator_visit *visit, struct fcgi_response *response, enum status status);

/* --- signing in: src/moderator_entry.c ---------------------------------------------------------------- */

/*
 * Answers a POST whose session is over: 403 with the sign-in page, which holds what was sent and
 * leads back to it, unless the route's flags say MODERATOR_SECRET.
 */
void moderator_show_ended(const struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request,
    struct fcgi_response *response);

/*
 * Answers one that could not be done with 503: a page that holds what was sent, and sends it again, in other words if
 * the store is only `busy`.  False, without an answer, where there is nothing to be kept, or it is secret.
 */
bool moderator_show_kept(const struct moderator_visit *visit, bool busy, struct fcgi_response *response);

/*
 * Answers one that is refused: what somebody wrote is shown to be read and copied, and `why` says so.  Where
 * nothing was written it is moderator_notice() with `otherwise`.
 */
void moderator_give_back(const struct moderator_visit *visit, struct fcgi_response *response, int code, enum word title,
    enum word why, enum word otherwise);

/* Answers one with another session's token: 403 with the same form again, for this session. */
void moderator_show_token(const struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request,
    struct fcgi_response *response);

/* What the request tells about somebody who wants to be let in; name and password are to be added. */
struct session_attempt moderator_attempt(const struct moderator_visit *visit, const struct fcgi_request *request);

/*
 * Waits for the lock of passwords, and takes it.  False when too many wait already: they are a flood, and would
 * hold all workers, who have other visitors to serve.  Known browsers stand in a line of their own, so that
 * no flood keeps an owner out.  Leave with the same `known`.
 */
bool moderator_stand_in_line(const struct moderator_visit *visit, const struct session_attempt *attempt, bool *known);
void moderator_leave_line(const struct moderator_visit *visit, bool known);

/* Tells the browser the session's cookie, and its own. */
void moderator_set_cookies(const struct moderator_visit *visit, struct fcgi_response *response);

#endif
