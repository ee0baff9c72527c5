#include "moderator.h"

#include <time.h>

#include "address.h"
#include "file.h"
#include "log.h"
#include "moderator_visit.h"
#include "page/moderate_notice.h"
#include "sql/moderators/database.h"
#include "work.h"

enum { TICK_MOST = 1 }; /* seconds of background work in a row: the end of the program waits for it */

enum status
moderator_open(const char *config_path, struct moderator_door *moderator)
{
	*moderator = (struct moderator_door){0};
	struct secret_key public;
	enum status status = door_open(config_path, &moderator->door);
	if (status != STATUS_OK)
		return status;
	const struct config *config = moderator->door.config;
	pthread_mutex_init(&moderator->password, NULL);
	pthread_mutex_init(&moderator->clock, NULL);
	secret_memory_open(&moderator->memory);
	status = door_key(config->secret_key, 0600, &moderator->secret);
	if (status == STATUS_OK)
		status = door_former_key(config, &moderator->former, &moderator->has_former);
	if (status == STATUS_OK) {
		secret_public(&moderator->secret, &public);
		if (!secret_same(public.bytes, config->sealing_key, SECRET_KEY)) {
			log_event(LOG_LEVEL_ERROR, "%s does not belong to the configured sealing_key", config->secret_key);
			status = STATUS_INVALID;
		}
	}
	if (status == STATUS_OK)
		status = door_database(config->moderators_database, &sql_moderators, &moderator->moderators);
	if (status == STATUS_OK)
		status = journal_open(config->log_key, moderator->door.db, moderator->moderators, true,
		    &moderator->journal);
	if (status != STATUS_OK)
		moderator_close(moderator);
	else if (file_sweep(&moderator->door.public_tree) > 0)
		log_event(LOG_LEVEL_INFO, "removed what an interrupted publication left");
	return status;
}

void
moderator_close(struct moderator_door *moderator)
{
	journal_close(&moderator->journal);
	if (moderator->moderators != NULL)
		db_close(moderator->moderators);
	pthread_mutex_destroy(&moderator->password);
	pthread_mutex_destroy(&moderator->clock);
	secret_memory_close(&moderator->memory);
	secret_wipe(&moderator->secret, sizeof moderator->secret);
	secret_wipe(&moderator->former, sizeof moderator->former);
	door_close(&moderator->door);
}

/* The head must not lag behind what a moderator was told. */
static void
keep_log(struct moderator_door *moderator)
{
	enum status status = journal_keep_up(&moderator->journal);
	if (status != STATUS_OK && status != STATUS_CONFLICT)
		log_event(LOG_LEVEL_WARNING, "the log's head lags: %s; the next tick tries again", status_name(status));
}

/* --- what is checked before a handler ------------------------------------------------------------- */

struct str
moderator_say(const struct moderator_visit *visit, enum word word)
{
	return words_say(visit->arena, visit->site->words, word, NULL, 0);
}

struct str
moderator_say_n(const struct moderator_visit *visit, enum word word, int64_t n)
{
	struct word_hole hole = {.name = STR("n"), .n = n};
	return words_say(visit->arena, visit->site->words, word, &hole, 1);
}

struct str
moderator_site_url(const struct moderator_visit *visit, struct str path)
{
	const struct config_site *site = visit->site->config;
	return str_eq(config_moderators_base(site), site->base) ? path : str_join(visit->arena, site->base, path);
}

struct str
moderator_path(const struct moderator_visit *visit, const char *below)
{
	return str_format(visit->arena, "%.*s/moderate/%s", STR_FMT(visit->site->config->mount), below);
}

struct page_moderate_top
moderator_top(const struct moderator_visit *visit, enum moderator_place place)
{
	return (struct page_moderate_top){
	    .site = visit->site->config->title,
	    .home = moderator_site_url(visit, STR("/")),
	    .mount = visit->site->config->mount,
	    .token = visit->session.token,
	    .moderator = visit->session.name,
	    .queue = place == MODERATOR_QUEUE,
	    .pages = place == MODERATOR_PAGES,
	    .now = visit->now,
	    .one = 1,
	    .two = 2,
	    .five = 5,
	    .eleven = 11,
	    .settings = place == MODERATOR_SETTINGS,
	    .log = place == MODERATOR_LOG,
	};
}

/* The page of this door that says no more than a sentence. */
void
moderator_notice(const struct moderator_visit *visit, struct fcgi_response *response, int code, enum word title,
    enum word message)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_notice page = {.head = &head, .head_n = 1, .mount = visit->site->config->mount,
	    .title = moderator_say(visit, title), .message = moderator_say(visit, message), .back = moderator_path(visit, "")};
	if (code == 503)
		fcgi_header(response, "Retry-After", STR("5"));
	door_private_page(response, code);
	page_moderate_notice(&response->body, visit->site->words, &page);
}

void
moderator_failure(const struct moderator_visit *visit, struct fcgi_response *response, enum status status)
{
	bool busy = status == STATUS_BUSY;
	if (moderator_show_kept(visit, busy, response))
		fcgi_header(response, "Retry-After", STR("5"));
	else if (busy)
		moderator_notice(visit, response, 503, WORD_TITLE_BUSY, WORD_REFUSED_BUSY_PAGE);
	else
		moderator_notice(visit, response, 503, WORD_TITLE_BROKEN, WORD_REFUSED_BROKEN);
}

/* Where a GET without session goes on to after signing in. */
static void
send_to_sign_in(const struct moderator_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct out out;
	out_init(&out, visit->arena);
	out_put(&out, moderator_path(visit, "sign-in"));
	if (request->query.len > 0 || !str_eq(request->path, moderator_path(visit, ""))) {
		out_put(&out, STR("?next="));
		out_url_part(&out, request->path);
		if (request->query.len > 0) {
			out_url_part(&out, STR("?"));
			out_url_part(&out, request->query);
		}
	}
	door_redirect(response, out_str(&out));
}

static bool
is_post(const struct fcgi_request *request)
{
	return str_eq(request->method, STR("POST"));
}

/* Reads the form of a POST; else the code of the refusal, which may be told later. */
static int
read_form(struct moderator_visit *visit, const struct fcgi_request *request)
{
	struct form_encoding encoding;
	struct form form;
	if (form_encoding(visit->arena, request->content_type, &encoding) != STATUS_OK || encoding.kind == FORM_JSON)
		return 415;
	bool large = request->body_state == FCGI_BODY_TOO_LARGE;
	visit->cut = large || request->body_state == FCGI_BODY_SHORT ||
	             form_read(visit->arena, &encoding, request->body, &form) != STATUS_OK;
	if (visit->cut)
		form_read_cut(visit->arena, &encoding, request->body, &form);
	visit->form = form;
	return !visit->cut ? 0 : large ? 413 : 400;
}

static void
refuse_form(const struct moderator_visit *visit, int code, struct fcgi_response *response)
{
	if (code == 415)
		moderator_notice(visit, response, code, WORD_TITLE_TYPE, WORD_REFUSED_TYPE);
	else if (code == 413)
		moderator_give_back(visit, response, code, WORD_TITLE_TOO_LARGE, WORD_REFUSED_TOO_LARGE_CUT, WORD_REFUSED_TOO_LARGE);
	else
		moderator_give_back(visit, response, code, WORD_TITLE_MALFORMED, WORD_CARRY_MALFORMED, WORD_REFUSED_MALFORMED);
}

/* The session of whom the web server signed in; false after answering. */
static bool
find_server_session(struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct session_attempt attempt = moderator_attempt(visit, request);
	bool fresh;
	attempt.name = request->remote_user;
	attempt.unseen = (flags & MODERATOR_UNSEEN) != 0;
	if (attempt.name.len == 0) {
		moderator_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_SERVER_NOBODY);
		return false;
	}
	enum status status = session_by_server(visit->moderator->moderators, visit->arena, &attempt, &visit->session, &fresh);
	if (status == STATUS_DENIED) {
		log_event(LOG_LEVEL_WARNING, "refused: REMOTE_USER is no moderator");
		moderator_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_SERVER_UNKNOWN);
	} else if (status != STATUS_OK)
		moderator_failure(visit, response, status);
	if (status == STATUS_OK && fresh) {
		log_event(LOG_LEVEL_INFO, "account %lld signed in by the web server", (long long)visit->session.account_id);
		moderator_set_cookies(visit, response);
	}
	return status == STATUS_OK;
}

/* True when there is a session; else it was answered. */
static bool
find_session(struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct db *db = visit->moderator->moderators;
	const struct config_site *site = visit->site->config;
	if (visit->moderator->door.config->trust_remote_user)
		return find_server_session(visit, flags, request, response);
	enum status status = (flags & MODERATOR_UNSEEN) != 0
	                         ? session_peek(db, visit->arena, site, request->cookie, request->now, &visit->session)
	                         : session_current(db, visit->arena, site, request->cookie, request->now, &visit->session);
	if (status == STATUS_OK)
		return true;
	if (status != STATUS_DENIED)
		moderator_failure(visit, response, STATUS_BUSY);
	else if (is_post(request)) {
		log_event(LOG_LEVEL_WARNING, "refused: there is no session");
		moderator_show_ended(visit, flags, request, response);
	} else
		send_to_sign_in(visit, request, response);
	return false;
}

static bool
token_fits(struct moderator_visit *visit)
{
	struct str token;
	return form_one(&visit->form, "token", &token) == STATUS_OK && session_token_fits(&visit->session, token);
}

/* The checks that a route's flags ask for, in this order; false after answering. */
static bool
admit(struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request, struct fcgi_response *response)
{
	bool foreign = !session_origin_fits(visit->site->config, request->origin, request->fetch_site);
	if ((flags & MODERATOR_ORIGIN) != 0 && foreign) {
		log_event(LOG_LEVEL_WARNING, "refused: sent from another site's page");
		moderator_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_SIGN_IN_FOREIGN);
		return false;
	}
	int code = is_post(request) ? read_form(visit, request) : 0;
	if ((flags & MODERATOR_PUBLIC) == 0 && !find_session(visit, flags, request, response))
		return false;
	if (code != 0) {
		refuse_form(visit, code, response);
		return false;
	}
	if ((flags & MODERATOR_TOKEN) != 0 && !token_fits(visit)) {
		log_event(LOG_LEVEL_WARNING, "refused: the form's token is not the session's");
		moderator_show_token(visit, flags, request, response);
		return false;
	}
	return true;
}

static void
answer(struct moderator_visit *visit, const struct fcgi_route *route, struct fcgi_request *request,
    struct fcgi_response *response)
{
	route->handle(visit, request, response);
	if ((route->flags & MODERATOR_TOKEN) != 0)
		keep_log(visit->moderator);
}

/* Whoever comes meanwhile waits: a session must not be asked for while all of them are about to end. */
static void
end_all_sessions(struct moderator_door *moderator, int64_t now)
{
	pthread_mutex_lock(&moderator->clock);
	int64_t back = moderator->latest - now;
	if (back > SESSION_BACK) {
		log_event(LOG_LEVEL_WARNING, "the clock was set back by %lld seconds: all sessions end", (long long)back);
		if (session_end_everybodys(moderator->moderators) == STATUS_OK)
			moderator->latest = now;
	}
	pthread_mutex_unlock(&moderator->clock);
}

/*
 * A clock that is set back while the door runs would lengthen sessions, and nobody can say by how
 * much.  So they all end; what is being typed is carried over the next sign-in.
 */
static void
watch_clock(struct moderator_door *moderator, int64_t now)
{
	int64_t latest = moderator->latest;
	if (now >= latest)
		moderator->latest = now;
	else if (latest - now > SESSION_BACK)
		end_all_sessions(moderator, now);
}

void
moderator_dispatch(struct moderator_door *moderator, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response)
{
	struct secret_opener opener = {.secret = &moderator->secret,
	    .former = moderator->has_former ? &moderator->former : NULL, .memory = &moderator->memory};
	struct moderator_visit visit = {
	    .moderator = moderator,
	    .opener = &opener,
	    .site = door_site(&moderator->door, request->site),
	    .arena = request->arena,
	    .network = address_network(request->arena, request->remote_addr),
	    .path = request->path,
	    .now = request->now,
	};
	if (visit.site == NULL) {
		log_event(LOG_LEVEL_ERROR, "REJOINDER_SITE names no site of the configuration");
		door_refuse_plain(&moderator->door.sites[0], request, response, DOOR_MISSING);
		return;
	}
	door_notice_missing(&moderator->door, request);
	watch_clock(moderator, request->now);
	const struct fcgi_route *route = door_route(visit.site, routes, routes_n, request, response);
	visit.flags = route != NULL ? route->flags : 0;
	if (route != NULL && admit(&visit, route->flags, request, response))
		answer(&visit, route, request, response);
	secret_wipe(&visit.session, sizeof visit.session);
	secret_wipe(&opener, sizeof opener);
}

/* --- every few seconds -------------------------------------------------------------------------------- */

void
moderator_tick(void *context)
{
	struct moderator_door *moderator = context;
	watch_clock(moderator, (int64_t)time(NULL));
	struct work_bench bench = door_bench(&moderator->door);
	int64_t until = bench.read_clock() + TICK_MOST;
	enum status status;
	size_t done;
	/* A failure has been logged; a later tick tries again. */
	do
		status = work_round(&bench, &done);
	while (status == STATUS_OK && done > 0 && bench.read_clock() < until);
	door_truncate(&moderator->door);
	keep_log(moderator);
}

/* --- is it well? ------------------------------------------------------------------------------------ */

void
moderator_health(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	(void)request;
	door_health(&visit->moderator->door, response);
}
