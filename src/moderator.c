#include "moderator.h"

#include <string.h>

#include "address.h"
#include "file.h"
#include "form.h"
#include "log.h"
#include "markdown.h"
#include "page.h"
#include "page/moderate_notice.h"
#include "page/queue.h"
#include "page/sign_in.h"
#include "session.h"
#include "spam.h"
#include "sql/moderators/database.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/site.h"
#include "verdict.h"
#include "when.h"

enum {
	QUEUE_PAGE = 50,    /* replies shown at once */
	SIGNING_IN_MOST = 4, /* passwords that are checked or wait for it */
	ACCOUNT_NAME_MOST = 64, /* bytes; see operator_moderator */
	SELECTION_MOST = 1000, /* replies decided about at once */
	UNDO_MOST = 200     /* replies that one undo takes back: they stand in an address */
};

/* A request of this door, with all that its handlers need. */
struct moderator_visit {
	struct moderator_door *moderator;
	const struct door_site *site;
	struct arena *arena;
	struct str network;
	struct secret_opener *opener;
	struct session session; /* unless the route is public */
	struct form form;       /* of a POST */
};

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
	status = door_key(config->secret_key, 0600, &moderator->secret);
	if (status == STATUS_OK) {
		secret_public(&moderator->secret, &public);
		if (!secret_same(public.bytes, config->sealing_key, SECRET_KEY)) {
			log_event(LOG_LEVEL_ERROR, "%s does not belong to the configured sealing_key", config->secret_key);
			status = STATUS_INVALID;
		}
	}
	if (status == STATUS_OK)
		status = door_database(config->moderators_database, &sql_moderators, &moderator->moderators);
	if (status != STATUS_OK)
		moderator_close(moderator);
	else if (file_sweep(&moderator->door.public_tree) > 0)
		log_event(LOG_LEVEL_INFO, "removed what an interrupted publication left");
	return status;
}

void
moderator_close(struct moderator_door *moderator)
{
	if (moderator->moderators != NULL)
		db_close(moderator->moderators);
	pthread_mutex_destroy(&moderator->password);
	secret_wipe(&moderator->secret, sizeof moderator->secret);
	door_close(&moderator->door);
}

void
moderator_tick(void *context)
{
	struct moderator_door *moderator = context;
	struct publish_press press = door_press(&moderator->door);
	/* A failure has been logged; the next tick tries again. */
	enum status status = publish_lagging(&press);
	(void)status;
}

/* --- what is checked before a handler ------------------------------------------------------------- */

static struct str
say(const struct moderator_visit *visit, enum word word)
{
	return words_say(visit->arena, visit->site->words, word, NULL, 0);
}

static struct str
say_n(const struct moderator_visit *visit, enum word word, int64_t n)
{
	struct word_hole hole = {.name = STR("n"), .n = n};
	return words_say(visit->arena, visit->site->words, word, &hole, 1);
}

static struct str
path_of(const struct moderator_visit *visit, const char *below)
{
	return str_format(visit->arena, "%.*s/moderate/%s", STR_FMT(visit->site->config->mount), below);
}

/* The page of this door that says no more than a sentence. */
static void
show_notice(const struct moderator_visit *visit, struct fcgi_response *response, int code, enum word title,
    enum word message)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_notice page = {.head = &head, .head_n = 1, .mount = visit->site->config->mount,
	    .title = say(visit, title), .message = say(visit, message), .back = path_of(visit, "")};
	door_private_page(response, code);
	page_moderate_notice(&response->body, visit->site->words, &page);
}

static void
show_failure(const struct moderator_visit *visit, struct fcgi_response *response, enum status status)
{
	if (status == STATUS_BUSY)
		show_notice(visit, response, 503, WORD_TITLE_BUSY, WORD_REFUSED_BUSY_PAGE);
	else
		show_notice(visit, response, 500, WORD_TITLE_BROKEN, WORD_REFUSED_BROKEN);
}

struct sign_in_view {
	int code;
	struct str notice, name, next;
};

static void
show_sign_in(const struct moderator_visit *visit, struct fcgi_response *response, const struct sign_in_view *view)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_sign_in page = {.head = &head, .head_n = 1, .mount = visit->site->config->mount,
	    .site = visit->site->config->title, .notice = view->notice, .name = view->name, .next = view->next};
	door_private_page(response, view->code);
	page_sign_in(&response->body, visit->site->words, &page);
}

/* Where a GET without session goes on to after signing in. */
static void
send_to_sign_in(const struct moderator_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct out out;
	out_init(&out, visit->arena);
	out_put(&out, path_of(visit, "sign-in"));
	if (request->query.len > 0) {
		out_put(&out, STR("?next="));
		out_url_part(&out, str_format(visit->arena, "%.*s?%.*s", STR_FMT(request->path), STR_FMT(request->query)));
	}
	door_redirect(response, out_str(&out));
}

static bool
is_post(const struct fcgi_request *request)
{
	return str_eq(request->method, STR("POST"));
}

/* Reads the form of a POST; false after answering 415, 413 or 400. */
static bool
read_form(struct moderator_visit *visit, const struct fcgi_request *request, struct fcgi_response *response)
{
	struct form_encoding encoding;
	if (form_encoding(visit->arena, request->content_type, &encoding) != STATUS_OK || encoding.kind == FORM_JSON)
		show_notice(visit, response, 415, WORD_TITLE_TYPE, WORD_REFUSED_TYPE);
	else if (request->body_state == FCGI_BODY_TOO_LARGE)
		show_notice(visit, response, 413, WORD_TITLE_TOO_LARGE, WORD_REFUSED_TOO_LARGE);
	else if (request->body_state == FCGI_BODY_SHORT ||
	         form_read(visit->arena, &encoding, request->body, &visit->form) != STATUS_OK)
		show_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_REFUSED_MALFORMED);
	else
		return true;
	return false;
}

/* True when there is a session; else it was answered. */
static bool
find_session(struct moderator_visit *visit, const struct fcgi_request *request, struct fcgi_response *response)
{
	enum status status = session_current(visit->moderator->moderators, visit->arena, visit->site->config,
	    request->cookie, request->now, &visit->session);
	if (status == STATUS_OK)
		return true;
	if (status != STATUS_DENIED)
		show_notice(visit, response, 503, WORD_TITLE_BUSY, WORD_REFUSED_BUSY_PAGE);
	else if (is_post(request))
		show_sign_in(visit, response,
		    &(struct sign_in_view){.code = 403, .notice = say(visit, WORD_SIGN_IN_ENDED), .next = path_of(visit, "")});
	else
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
		show_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_SIGN_IN_FOREIGN);
		return false;
	}
	if ((flags & MODERATOR_PUBLIC) == 0 && !find_session(visit, request, response))
		return false;
	if (is_post(request) && !read_form(visit, request, response))
		return false;
	if ((flags & MODERATOR_TOKEN) != 0 && !token_fits(visit)) {
		log_event(LOG_LEVEL_WARNING, "refused: the form's token is not the session's");
		show_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_DECIDE_TOKEN);
		return false;
	}
	return true;
}

void
moderator_dispatch(struct moderator_door *moderator, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response)
{
	struct secret_opener opener = {.secret = &moderator->secret};
	struct moderator_visit visit = {
	    .moderator = moderator,
	    .opener = &opener,
	    .site = door_site(&moderator->door, request->site),
	    .arena = request->arena,
	    .network = address_network(request->arena, request->remote_addr),
	};
	if (visit.site == NULL) {
		log_event(LOG_LEVEL_ERROR, "REJOINDER_SITE names no site of the configuration");
		door_refuse_plain(&moderator->door.sites[0], request, response, DOOR_MISSING);
		return;
	}
	const struct fcgi_route *route = door_route(visit.site, routes, routes_n, request, response);
	if (route != NULL && admit(&visit, route->flags, request, response))
		route->handle(&visit, request, response);
	secret_wipe(&visit.session, sizeof visit.session);
	secret_wipe(&opener, sizeof opener);
}

/* --- signing in and out ---------------------------------------------------------------------------- */

void
moderator_sign_in_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct form query;
	struct str next = STR_NONE, out = STR_NONE;
	if (form_query(visit->arena, request->query, &query) == STATUS_OK &&
	    form_one(&query, "next", &next) == STATUS_OK && form_one(&query, "out", &out) == STATUS_OK)
		next = session_next(next, visit->site->config->mount, STR_NONE);
	else
		next = STR_NONE;
	show_sign_in(visit, response,
	    &(struct sign_in_view){.code = 200, .notice = out.len > 0 ? say(visit, WORD_SIGN_IN_OUT) : STR_NONE,
	        .next = next});
}

static void
answer_sign_in_failure(const struct moderator_visit *visit, struct fcgi_response *response, enum status status,
    int64_t wait, struct sign_in_view *view)
{
	if (status == STATUS_TOO_MANY) {
		fcgi_header(response, "Retry-After", str_format(visit->arena, "%lld", (long long)wait));
		view->code = 429;
		view->notice = say_n(visit, WORD_SIGN_IN_WAIT, (wait + 59) / 60);
	} else if (status == STATUS_DENIED) {
		view->code = 403;
		view->notice = say(visit, WORD_SIGN_IN_WRONG);
	} else {
		view->code = status == STATUS_BUSY ? 503 : 500;
		view->notice = say(visit, status == STATUS_BUSY ? WORD_REFUSED_BUSY_PAGE : WORD_REFUSED_BROKEN);
	}
	log_event(LOG_LEVEL_WARNING, "sign-in failed: %s", status_name(status));
	show_sign_in(visit, response, view);
}

/* Whoever signs in again leaves no second session behind. */
static void
end_former_session(const struct moderator_visit *visit, const struct fcgi_request *request)
{
	struct session former;
	if (session_current(visit->moderator->moderators, visit->arena, visit->site->config, request->cookie,
	        request->now, &former) != STATUS_OK)
		return;
	if (session_sign_out(visit->moderator->moderators, &former) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "a former session could not be ended");
}

/* More than a few at once are a flood: they would hold all workers, who have other visitors to serve. */
static enum status
sign_in_in_turn(struct moderator_visit *visit, const struct session_attempt *attempt, int64_t *wait)
{
	struct moderator_door *moderator = visit->moderator;
	enum status status = STATUS_TOO_MANY;
	*wait = 1;
	if (moderator->signing_in++ < SIGNING_IN_MOST) {
		pthread_mutex_lock(&moderator->password);
		status = session_sign_in(moderator->moderators, visit->arena, attempt, &visit->session, wait);
		pthread_mutex_unlock(&moderator->password);
	}
	moderator->signing_in--;
	return status;
}

void
moderator_sign_in(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	const struct config_site *site = visit->site->config;
	struct session_attempt attempt = {.network = visit->network, .now = request->now, .random = request->random};
	struct sign_in_view view = {0};
	int64_t wait = 0;
	if (form_one(&visit->form, "name", &attempt.name) != STATUS_OK ||
	    form_one(&visit->form, "password", &attempt.password) != STATUS_OK ||
	    form_one(&visit->form, "next", &view.next) != STATUS_OK) {
		show_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_REFUSED_MALFORMED);
		return;
	}
	attempt.name = str_trim(attempt.name);
	if (attempt.name.at == NULL)
		attempt.name = STR("");
	view.name = attempt.name;
	view.next = session_next(view.next, site->mount, STR_NONE);
	/* No account has such a name, and the throttle need not keep it. */
	if (attempt.name.len > ACCOUNT_NAME_MOST)
		attempt.name = STR("");
	enum status status = sign_in_in_turn(visit, &attempt, &wait);
	if (status != STATUS_OK) {
		answer_sign_in_failure(visit, response, status, wait, &view);
		return;
	}
	end_former_session(visit, request);
	log_event(LOG_LEVEL_INFO, "account %lld signed in", (long long)visit->session.account_id);
	fcgi_header(response, "Set-Cookie", session_set_cookie(visit->arena, site, &visit->session));
	door_redirect(response, view.next.len > 0 ? view.next : path_of(visit, ""));
}

void
moderator_sign_out(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	(void)request;
	if (session_sign_out(visit->moderator->moderators, &visit->session) != STATUS_OK) {
		show_notice(visit, response, 503, WORD_TITLE_BUSY, WORD_REFUSED_BUSY_PAGE);
		return;
	}
	log_event(LOG_LEVEL_INFO, "account %lld signed out", (long long)visit->session.account_id);
	fcgi_header(response, "Set-Cookie", session_set_cookie(visit->arena, visit->site->config, NULL));
	door_redirect(response, path_of(visit, "sign-in?out=1"));
}

/* --- the queue ------------------------------------------------------------------------------------- */

/* What of the queue is shown, and what is said above it. */
struct view {
	enum verdict_state state;
	int64_t before; /* ids below this one */
	struct str status, notice;
	struct page_queue_undo *undo;
	size_t undo_n;
	struct str undo_state;
	struct page_queue_conflicts *conflicts;
	size_t conflicts_n;
};

static struct str
queue_path(const struct moderator_visit *visit, const struct view *view)
{
	struct str path = str_format(visit->arena, "%.*s/moderate/?state=%.*s", STR_FMT(visit->site->config->mount),
	    STR_FMT(verdict_state_names[view->state]));
	return view->before == INT64_MAX ? path
	                                 : str_format(visit->arena, "%.*s&before=%lld", STR_FMT(path),
	                                       (long long)view->before);
}

/* All that one page of the queue is made of, from one snapshot. */
struct queue {
	struct queue_list_row *rows;
	size_t rows_n;
	struct tally_list_row *tallies;
	size_t tallies_n;
	struct publication_lag_row lag;
};

static enum status
read_queue(const struct moderator_visit *visit, const struct view *view, struct queue *queue)
{
	struct db_conn *conn;
	struct queue_list_in list = {.site_id = visit->site->id, .state = verdict_state_names[view->state],
	    .before = view->before, .most = QUEUE_PAGE + 1};
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = queue_list(conn, visit->arena, &list, &queue->rows, &queue->rows_n);
	if (status == STATUS_OK)
		status = tally_list(conn, visit->arena, &(struct tally_list_in){.site_id = visit->site->id}, &queue->tallies,
		    &queue->tallies_n);
	if (status == STATUS_OK)
		status = publication_lag(conn, visit->arena, &queue->lag);
	db_release(conn);
	return status;
}

static struct str
sentence_of(const struct moderator_visit *visit, const struct spam_reason *reason)
{
	static const enum word words[SPAM_KINDS] = {
	    [SPAM_LINKS] = WORD_REASON_LINKS,
	    [SPAM_FIRST] = WORD_REASON_FIRST,
	    [SPAM_HONEYPOT] = WORD_REASON_HONEYPOT,
	    [SPAM_TOO_QUICK] = WORD_REASON_QUICK,
	    [SPAM_WORD] = WORD_REASON_WORD,
	};
	struct word_hole word = {.name = STR("word"), .text = reason->word};
	if (reason->kind == SPAM_WORD)
		return words_say(visit->arena, visit->site->words, WORD_REASON_WORD, &word, 1);
	return say_n(visit, words[reason->kind], reason->kind == SPAM_TOO_QUICK ? SPAM_QUICK : reason->n);
}

static enum status
fill_reasons(const struct moderator_visit *visit, struct str stored, struct page_queue_replies *reply)
{
	enum { MOST = 2 * SPAM_REASONS_MOST };
	struct spam_reason reason;
	reply->reasons = arena_array(visit->arena, MOST, sizeof *reply->reasons);
	while (reply->reasons != NULL && reply->reasons_n < MOST && spam_next(&stored, &reason))
		reply->reasons[reply->reasons_n++].sentence = sentence_of(visit, &reason);
	return reply->reasons == NULL ? STATUS_BROKEN : STATUS_OK;
}

/* A box that does not open is shown as such: the store is a stranger's to this door. */
static struct str
open_box(const struct moderator_visit *visit, char purpose, struct str sealed)
{
	struct str plain;
	if (sealed.len == 0 ||
	    secret_open_next(visit->opener, visit->arena, purpose, sealed, &plain) != STATUS_OK)
		return STR_NONE;
	return plain;
}

static enum status
fill_reply(const struct moderator_visit *visit, const struct queue_list_row *row, int64_t now,
    struct page_queue_replies *reply)
{
	const struct config_site *site = visit->site->config;
	struct markdown markdown;
	enum status status = markdown_html(visit->arena, row->comment, &markdown);
	if (status != STATUS_OK)
		return status;
	int64_t since = row->decided_at.set ? row->decided_at.value : row->created_at;
	*reply = (struct page_queue_replies){
	    .id = row->id,
	    .revision = row->revision,
	    .name = row->name,
	    .page_url = page_url(visit->arena, site, row->page),
	    .page_title = row->title,
	    .created_at = when_rfc3339(visit->arena, row->created_at),
	    .created = when_date(visit->arena, visit->site->words, site->zone, row->created_at),
	    .ago = when_ago(visit->arena, visit->site->words, since, now),
	    .parent_name = row->parent_name,
	    .opening = publish_opening(visit->arena, row->comment),
	    .comment = markdown.html,
	    .email = open_box(visit, SECRET_EMAIL, row->email_sealed),
	    .network = open_box(visit, SECRET_NETWORK, row->network_sealed),
	    .website = row->website,
	};
	reply->folded = reply->opening.len > 0;
	if (str_eq(row->state, STR("published")))
		reply->reply_url = publish_link(visit->arena, site, row->page,
		    row->page_number.set ? row->page_number.value : 1, row->id);
	return fill_reasons(visit, row->reasons, reply);
}

static int64_t
tally_of(const struct queue *queue, enum verdict_state state)
{
	for (size_t i = 0; i < queue->tallies_n; i++)
		if (str_eq(queue->tallies[i].state, verdict_state_names[state]))
			return queue->tallies[i].n;
	return 0;
}

static void
fill_queue(const struct moderator_visit *visit, const struct view *view, const struct queue *queue,
    struct page_queue *page)
{
	*page = (struct page_queue){
	    .site = visit->site->config->title,
	    .mount = visit->site->config->mount,
	    .token = visit->session.token,
	    .moderator = visit->session.name,
	    .held = view->state == VERDICT_HELD,
	    .published = view->state == VERDICT_PUBLISHED,
	    .spam = view->state == VERDICT_SPAM,
	    .trash = view->state == VERDICT_TRASH,
	    .held_count = tally_of(queue, VERDICT_HELD),
	    .published_count = tally_of(queue, VERDICT_PUBLISHED),
	    .spam_count = tally_of(queue, VERDICT_SPAM),
	    .trash_count = tally_of(queue, VERDICT_TRASH),
	    .status = view->status,
	    .notice = view->notice,
	    .undo = view->undo,
	    .undo_n = view->undo_n,
	    .undo_state = view->undo_state,
	    .conflicts = view->conflicts,
	    .conflicts_n = view->conflicts_n,
	    .return_to = queue_path(visit, view),
	    .lagging = queue->lag.n > 0,
	    .lag = queue->lag.n,
	};
}

static void
fill_paging(const struct moderator_visit *visit, const struct view *view, const struct queue *queue,
    struct page_queue *page)
{
	struct view newest = *view, older = *view;
	newest.before = INT64_MAX;
	if (view->before != INT64_MAX)
		page->newest = queue_path(visit, &newest);
	if (queue->rows_n <= QUEUE_PAGE)
		return;
	older.before = queue->rows[QUEUE_PAGE - 1].id;
	page->older = queue_path(visit, &older);
}

static void
show_queue(const struct moderator_visit *visit, const struct view *view, int code, int64_t now,
    struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_queue page;
	struct queue queue = {0};
	enum status status = read_queue(visit, view, &queue);
	if (status != STATUS_OK) {
		show_failure(visit, response, status);
		return;
	}
	fill_queue(visit, view, &queue, &page);
	fill_paging(visit, view, &queue, &page);
	page.head = &head;
	page.head_n = 1;
	size_t shown = queue.rows_n > QUEUE_PAGE ? QUEUE_PAGE : queue.rows_n;
	page.replies = arena_array(visit->arena, shown, sizeof *page.replies);
	status = page.replies == NULL ? STATUS_BROKEN : STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < shown; i++)
		status = fill_reply(visit, &queue.rows[i], now, &page.replies[page.replies_n++]);
	if (status != STATUS_OK) {
		show_failure(visit, response, status);
		return;
	}
	door_private_page(response, code);
	page_queue(&response->body, visit->site->words, &page);
}

/* --- what a decision says afterwards ----------------------------------------------------------------- */

/*
 * After a decision the browser is sent back to the queue, and the address carries what is to be
 * said there: done=STATE, was=STATE to undo to, ids=ID:REVISION,…  A mac of the session keeps
 * anybody else from putting words, or an undo, into a moderator's page.
 */
static struct str
mac_of(const struct moderator_visit *visit, struct str done, struct str was, struct str ids, struct str n)
{
	struct secret_key key;
	uint8_t mac[SECRET_HASH];
	struct str parts[] = {done, was, ids, n};
	memcpy(key.bytes, visit->session.id, sizeof key.bytes);
	secret_hash(&key, "decided", parts, 4, mac);
	secret_wipe(&key, sizeof key);
	return str_base64url(visit->arena, mac, sizeof mac);
}

static enum word
decided_word(struct str done)
{
	static const enum word words[VERDICT_STATES] = {
	    [VERDICT_HELD] = WORD_DECIDED_HELD,
	    [VERDICT_PUBLISHED] = WORD_DECIDED_PUBLISHED,
	    [VERDICT_SPAM] = WORD_DECIDED_SPAM,
	    [VERDICT_TRASH] = WORD_DECIDED_TRASH,
	};
	enum verdict_state state;
	return verdict_state(done, &state) == STATUS_OK ? words[state] : WORD_DECIDED_UNDONE;
}

static void
fill_undo(const struct moderator_visit *visit, struct str was, struct str ids, struct view *view)
{
	struct verdict_target target;
	view->undo = arena_array(visit->arena, UNDO_MOST, sizeof *view->undo);
	view->undo_state = was;
	while (view->undo != NULL && ids.len > 0 && view->undo_n < UNDO_MOST)
		if (verdict_target(str_cut(&ids, ','), &target) == STATUS_OK)
			view->undo[view->undo_n++] = (struct page_queue_undo){target.id, target.revision};
}

static void
fill_done(const struct moderator_visit *visit, const struct form *query, struct view *view)
{
	struct str done, was, ids, n, mac;
	int64_t count;
	if (form_one(query, "done", &done) != STATUS_OK || form_one(query, "was", &was) != STATUS_OK ||
	    form_one(query, "ids", &ids) != STATUS_OK || form_one(query, "n", &n) != STATUS_OK ||
	    form_one(query, "mac", &mac) != STATUS_OK || mac.len == 0)
		return;
	struct str right = mac_of(visit, done, was, ids, n);
	if (mac.len != right.len || !secret_same(mac.at, right.at, mac.len) || str_integer(n, &count) != STATUS_OK)
		return;
	view->status = say_n(visit, decided_word(done), count);
	if (was.len > 0)
		fill_undo(visit, was, ids, view);
}

void
moderator_queue(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct view view = {.state = VERDICT_HELD, .before = INT64_MAX};
	struct str state, before;
	struct form query;
	bool read = form_query(visit->arena, request->query, &query) == STATUS_OK &&
	            form_one(&query, "state", &state) == STATUS_OK && form_one(&query, "before", &before) == STATUS_OK;
	if (!read || (state.len > 0 && verdict_state(state, &view.state) != STATUS_OK) ||
	    (before.len > 0 && str_integer(before, &view.before) != STATUS_OK)) {
		show_notice(visit, response, 404, WORD_TITLE_MISSING, WORD_REFUSED_MISSING);
		return;
	}
	fill_done(visit, &query, &view);
	show_queue(visit, &view, 200, request->now, response);
}

/* --- decisions --------------------------------------------------------------------------------------- */

/* The queue that the moderator came from, out of the form's `return`. */
static void
read_return(const struct moderator_visit *visit, struct view *view)
{
	struct str path, state = STR_NONE, before = STR_NONE;
	struct form query;
	*view = (struct view){.state = VERDICT_HELD, .before = INT64_MAX};
	if (form_one(&visit->form, "return", &path) != STATUS_OK || path.at == NULL)
		return;
	str_cut(&path, '?');
	if (path.at == NULL || form_query(visit->arena, path, &query) != STATUS_OK ||
	    form_one(&query, "state", &state) != STATUS_OK || form_one(&query, "before", &before) != STATUS_OK)
		return;
	if (verdict_state(state, &view->state) != STATUS_OK)
		view->state = VERDICT_HELD;
	if (before.len > 0 && str_integer(before, &view->before) != STATUS_OK)
		view->before = INT64_MAX;
}

/* INVALID for a selection that cannot be read or is too large. */
static enum status
read_targets(const struct moderator_visit *visit, struct verdict_order *order)
{
	struct verdict_target *targets = arena_array(visit->arena, SELECTION_MOST, sizeof *targets);
	if (targets == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < visit->form.n; i++) {
		if (!str_eq(visit->form.fields[i].name, STR("reply")))
			continue;
		if (order->targets_n == SELECTION_MOST ||
		    verdict_target(visit->form.fields[i].value, &targets[order->targets_n++]) != STATUS_OK)
			return STATUS_INVALID;
	}
	order->targets = targets;
	return STATUS_OK;
}

static enum status
read_order(const struct moderator_visit *visit, int64_t now, struct verdict_order *order)
{
	struct str state;
	*order = (struct verdict_order){.site_id = visit->site->id, .moderator = visit->session.name,
	    .network = visit->network, .why = STR(""), .now = now};
	if (form_one(&visit->form, "state", &state) != STATUS_OK || verdict_state(state, &order->state) != STATUS_OK)
		return STATUS_INVALID;
	return read_targets(visit, order);
}

/* Each thread once; what cannot be published now is shown as lagging and tried again. */
static void
publish_changed(const struct moderator_visit *visit, const struct verdict_order *order,
    const struct verdict_result *results)
{
	struct publish_press press = door_press(&visit->moderator->door);
	struct arena arena;
	arena_init(&arena, DOOR_ARENA_MOST);
	for (size_t i = 0; i < order->targets_n; i++) {
		bool seen = !results[i].changes_files;
		for (size_t j = 0; j < i && !seen; j++)
			seen = results[j].changes_files && results[j].thread_id == results[i].thread_id;
		if (seen)
			continue;
		if (publish_thread(&press, &arena, results[i].thread_id) != STATUS_OK)
			log_event(LOG_LEVEL_WARNING, "thread %lld lags behind the store", (long long)results[i].thread_id);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

static enum word
conflict_word(const struct verdict_result *result)
{
	static const enum word words[VERDICT_STATES] = {
	    [VERDICT_HELD] = WORD_CONFLICT_HELD,
	    [VERDICT_PUBLISHED] = WORD_CONFLICT_PUBLISHED,
	    [VERDICT_SPAM] = WORD_CONFLICT_SPAM,
	    [VERDICT_TRASH] = WORD_CONFLICT_TRASH,
	};
	enum verdict_state state;
	if (result->status == STATUS_MISSING)
		return WORD_CONFLICT_MISSING;
	if (verdict_state(result->now_state, &state) != STATUS_OK)
		return WORD_CONFLICT_WITHDRAWN;
	return result->moderator.len > 0 ? words[state] : WORD_CONFLICT_EDITED;
}

static void
fill_conflict(const struct moderator_visit *visit, const struct verdict_result *result,
    struct page_queue_conflicts *conflict)
{
	struct word_hole moderator = {.name = STR("moderator"), .text = result->moderator};
	struct markdown markdown = {0};
	enum verdict_state state;
	*conflict = (struct page_queue_conflicts){
	    .id = result->id,
	    .name = result->name,
	    .page_title = result->title,
	    .message = words_say(visit->arena, visit->site->words, conflict_word(result), &moderator, 1),
	    .state = result->now_state,
	    .there = result->status == STATUS_CONFLICT && verdict_state(result->now_state, &state) == STATUS_OK,
	};
	if (conflict->there && markdown_html(visit->arena, result->comment, &markdown) == STATUS_OK)
		conflict->comment = markdown.html;
}

/* How a selection went: what changed, and what can be undone. */
struct tally {
	size_t changed, conflicts;
	bool one_state;          /* all that changed had the same state before */
	enum verdict_state from;
	struct out ids;
};

static void
count(const struct moderator_visit *visit, const struct verdict_order *order, const struct verdict_result *results,
    struct tally *tally)
{
	*tally = (struct tally){.one_state = true};
	out_init(&tally->ids, visit->arena);
	for (size_t i = 0; i < order->targets_n; i++) {
		const struct verdict_result *result = &results[i];
		if (result->status != STATUS_OK) {
			tally->conflicts++;
			continue;
		}
		if (tally->changed++ == 0)
			tally->from = result->from;
		tally->one_state = tally->one_state && result->from == tally->from;
		out_format(&tally->ids, "%s%lld:%lld", tally->changed > 1 ? "," : "", (long long)result->id,
		    (long long)result->revision);
	}
}

static bool
can_undo(const struct verdict_order *order, const struct tally *tally)
{
	return tally->changed > 0 && tally->changed <= UNDO_MOST && tally->one_state && tally->from != order->state;
}

/* The reply that follows those decided about in the queue that they were in; 0 if none does. */
static int64_t
next_in_queue(const struct moderator_visit *visit, const struct verdict_order *order, const struct view *view)
{
	struct queue_next_row row;
	struct db_conn *conn;
	int64_t least = INT64_MAX;
	for (size_t i = 0; i < order->targets_n; i++)
		least = order->targets[i].id < least ? order->targets[i].id : least;
	if (db_read(visit->moderator->door.db, &conn) != STATUS_OK)
		return 0;
	struct queue_next_in in = {.site_id = visit->site->id, .state = verdict_state_names[view->state], .before = least};
	enum status status = queue_next(conn, visit->arena, &in, &row);
	db_release(conn);
	return status == STATUS_OK ? row.id : 0;
}

static void
go_back(const struct moderator_visit *visit, const struct verdict_order *order, const struct tally *tally,
    const struct view *view, struct fcgi_response *response)
{
	bool undo = can_undo(order, tally);
	struct str done = verdict_state_names[order->state];
	struct str was = undo ? verdict_state_names[tally->from] : STR("");
	struct str ids = undo ? out_str(&tally->ids) : STR("");
	struct str n = str_format(visit->arena, "%zu", tally->changed);
	int64_t next = next_in_queue(visit, order, view);
	struct out out;
	out_init(&out, visit->arena);
	out_format(&out, "%.*s&done=%.*s&was=%.*s&ids=%.*s&n=%.*s&mac=%.*s", STR_FMT(queue_path(visit, view)),
	    STR_FMT(done), STR_FMT(was), STR_FMT(ids), STR_FMT(n), STR_FMT(mac_of(visit, done, was, ids, n)));
	if (next > 0)
		out_format(&out, "#reply-%lld", (long long)next);
	door_redirect(response, out_str(&out));
}

static void
show_conflicts(const struct moderator_visit *visit, const struct verdict_order *order,
    const struct verdict_result *results, const struct tally *tally, struct view *view, int64_t now,
    struct fcgi_response *response)
{
	view->conflicts = arena_array(visit->arena, tally->conflicts, sizeof *view->conflicts);
	for (size_t i = 0; view->conflicts != NULL && i < order->targets_n; i++)
		if (results[i].status != STATUS_OK)
			fill_conflict(visit, &results[i], &view->conflicts[view->conflicts_n++]);
	view->notice = say_n(visit, WORD_CONFLICT_NOTICE, (int64_t)tally->conflicts);
	if (tally->changed > 0)
		view->status = say_n(visit, decided_word(verdict_state_names[order->state]), (int64_t)tally->changed);
	if (can_undo(order, tally))
		fill_undo(visit, verdict_state_names[tally->from], out_str(&tally->ids), view);
	show_queue(visit, view, 409, now, response);
}

void
moderator_decide(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct verdict_order order;
	struct view view;
	struct tally tally;
	read_return(visit, &view);
	if (read_order(visit, request->now, &order) != STATUS_OK) {
		show_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_DECIDE_MALFORMED);
		return;
	}
	if (order.targets_n == 0) {
		view.notice = say(visit, WORD_DECIDE_NOTHING);
		show_queue(visit, &view, 422, request->now, response);
		return;
	}
	struct verdict_result *results = arena_array(visit->arena, order.targets_n, sizeof *results);
	enum status status = results == NULL ? STATUS_BROKEN
	                                     : verdict_decide(visit->moderator->door.db, visit->arena, &order, results);
	if (status != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "a decision was not stored: %s", status_name(status));
		show_failure(visit, response, status);
		return;
	}
	publish_changed(visit, &order, results);
	count(visit, &order, results, &tally);
	log_event(LOG_LEVEL_INFO, "account %lld: %zu to %s, %zu refused", (long long)visit->session.account_id,
	    tally.changed, verdict_state_names[order.state].at, tally.conflicts);
	if (tally.conflicts > 0)
		show_conflicts(visit, &order, results, &tally, &view, request->now, response);
	else
		go_back(visit, &order, &tally, &view, response);
}

void
moderator_health(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	(void)request;
	door_health(&visit->moderator->door, response);
}
