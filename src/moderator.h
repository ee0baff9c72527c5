/*
 * moderator.h - the handlers of moderator.fcgi; cgi-bin/moderator.c says which address is whose.
 *
 * Routes carry flags, so that no handler can forget who may call it: see enum moderator_route.
 */
#ifndef MODERATOR_H
#define MODERATOR_H

#include <pthread.h>

#include "config.h"
#include "db.h"
#include "door.h"
#include "fcgi.h"
#include "secret.h"

enum moderator_route {
	MODERATOR_PUBLIC = 1,   /* works without a session */
	MODERATOR_ORIGIN = 2,   /* refused when another site's page sent it */
	MODERATOR_TOKEN = 4     /* wants the session's token in the form */
};

struct moderator_door {
	struct door door;
	struct db *moderators;
	struct secret_key secret; /* opens what reader.fcgi sealed */
	pthread_mutex_t password; /* one argon2 at a time: 19 MiB each */
	_Atomic int signing_in;   /* who stands before that lock, or behind it */
};

MUST_USE enum status moderator_open(const char *config_path, struct moderator_door *moderator);
void moderator_close(struct moderator_door *moderator);

/* Dispatches by the door's table, after the checks that the route's flags name. */
void moderator_dispatch(struct moderator_door *moderator, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response);

/* Publishes what lags; every few seconds. */
void moderator_tick(void *moderator);

fcgi_handler moderator_sign_in_form; /* GET /moderate/sign-in */
fcgi_handler moderator_sign_in;      /* POST /moderate/sign-in */
fcgi_handler moderator_sign_out;     /* POST /moderate/sign-out */
fcgi_handler moderator_queue;        /* GET /moderate/?state= */
fcgi_handler moderator_decide;       /* POST /moderate/decide */
fcgi_handler moderator_health;       /* GET /moderate/health */

#endif
