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
#include "journal.h"
#include "secret.h"

enum moderator_route {
	MODERATOR_PUBLIC = 1,   /* works without a session */
	MODERATOR_ORIGIN = 2,   /* refused when another site's page sent it */
	MODERATOR_TOKEN = 4,    /* wants the session's token in the form */
	MODERATOR_UNSEEN = 8,   /* asked for by a clock, not by a person: does not keep an idle session */
	MODERATOR_SECRET = 16   /* what was sent is never put into a page again, as a password is not */
};

struct moderator_door {
	struct door door;
	struct db *moderators;
	struct journal journal;
	struct secret_key secret; /* opens what reader.fcgi sealed */
	struct secret_memory memory; /* of what it has opened */
	struct secret_key former; /* the one before, while `rejoinder rekey` is not finished */
	bool has_former;
	pthread_mutex_t password; /* one argon2 at a time: 19 MiB each */
	_Atomic int in_line[2];   /* who stands before that lock, or behind it: strangers, known browsers */
	_Atomic int64_t latest;   /* the latest time that was seen */
	pthread_mutex_t clock;    /* held by who ends all sessions, since that was later than now */
};

MUST_USE enum status moderator_open(const char *config_path, struct moderator_door *moderator);
void moderator_close(struct moderator_door *moderator);

/* Dispatches by the door's table, after the checks that the route's flags name. */
void moderator_dispatch(struct moderator_door *moderator, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response);

/* Does what waits in the background (work.h); every few seconds. */
void moderator_tick(void *moderator);

fcgi_handler moderator_sign_in_form; /* GET /moderate/sign-in */
fcgi_handler moderator_sign_in;      /* POST /moderate/sign-in */
fcgi_handler moderator_sign_out;     /* POST /moderate/sign-out */
fcgi_handler moderator_settings;          /* GET /moderate/settings */
fcgi_handler moderator_settings_password; /* POST /moderate/settings/password */
fcgi_handler moderator_settings_end;      /* POST /moderate/settings/end */
fcgi_handler moderator_settings_end_all;  /* POST /moderate/settings/end-all */
fcgi_handler moderator_queue;        /* GET /moderate/?state= */
fcgi_handler moderator_reply;        /* GET /moderate/reply/ID */
fcgi_handler moderator_answer_form;  /* GET /moderate/reply/ID/answer */
fcgi_handler moderator_answer;       /* POST /moderate/answer */
fcgi_handler moderator_edit_form;    /* GET /moderate/reply/ID/edit */
fcgi_handler moderator_edit;         /* POST /moderate/edit */
fcgi_handler moderator_decide;       /* POST /moderate/decide */
fcgi_handler moderator_news;         /* GET /moderate/news?after= */
fcgi_handler moderator_undo_list;    /* GET /moderate/undo */
fcgi_handler moderator_undo;         /* POST /moderate/undo */
fcgi_handler moderator_log;          /* GET /moderate/log */
fcgi_handler moderator_pages;        /* GET /moderate/pages?path=&after= */
fcgi_handler moderator_close_page;   /* POST /moderate/close */
fcgi_handler moderator_reopen_page;  /* POST /moderate/reopen */
fcgi_handler moderator_pause;        /* POST /moderate/pause: the whole site */
fcgi_handler moderator_resume;       /* POST /moderate/resume */
fcgi_handler moderator_health;       /* GET /moderate/health */

#endif
