/*
 * moderator_pen.c - moderators write: answers, and changes of readers' words.
 */
#include "pen.h"

#include "log.h"
#include "markdown.h"
#include "moderator_queue.h"
#include "page.h"
#include "page/amend.h"
#include "page/answer.h"
#include "publish.h"
#include "receipt.h"

/* What both forms have, as they were sent. */
struct sent {
	struct verdict_target target;
	struct str comment, name, website, why, key;
	struct moderator_view back;
};

/* INVALID for what no form of ours would send. */
static enum status
read_sent(const struct moderator_visit *visit, struct sent *sent)
{
	struct str target, path;
	const struct {
		const char *name;
		struct str *value;
	} fields[] = {{"reply", &target}, {"comment", &sent->comment}, {"name", &sent->name}, {"website", &sent->website},
	    {"why", &sent->why}, {"key", &sent->key}, {"return", &path}};
	*sent = (struct sent){0};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (form_one(&visit->form, fields[i].name, fields[i].value) != STATUS_OK)
			return STATUS_INVALID;
	sent->back = moderator_view_of(visit, path);
	return sent->key.len > REPLY_KEY_MOST ? STATUS_INVALID : verdict_target(target, &sent->target);
}

static struct pen
pen_of(const struct moderator_visit *visit, int64_t now)
{
	return (struct pen){.site = visit->site->config, .site_id = visit->site->id, .db = visit->moderator->door.db,
	    .matching = &visit->moderator->door.matching, .log = &visit->moderator->journal.key,
	    .moderator = visit->session.name, .network = visit->network, .why = STR(""), .now = now};
}

static enum status
read_reply(const struct moderator_visit *visit, int64_t id, struct queue_one_row *row)
{
	struct db_conn *conn;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = queue_one(conn, visit->arena, &(struct queue_one_in){.id = id, .site_id = visit->site->id}, row);
	db_release(conn);
	return status;
}

/* The reply that an address is about; what was withdrawn has no words to be shown. */
static enum status
read_addressed(const struct moderator_visit *visit, const struct fcgi_request *request, struct queue_one_row *row)
{
	int64_t id;
	enum status status = str_integer(request->rest, &id) == STATUS_OK ? read_reply(visit, id, row) : STATUS_MISSING;
	return status == STATUS_OK && str_eq(row->state, STR("withdrawn")) ? STATUS_MISSING : status;
}

static void
refuse(const struct moderator_visit *visit, struct fcgi_response *response, enum status status)
{
	if (status == STATUS_MISSING)
		moderator_give_back(visit, response, 404, WORD_TITLE_MISSING, WORD_CARRY_MISSING, WORD_CONFLICT_MISSING);
	else if (status == STATUS_INVALID)
		moderator_give_back(visit, response, 400, WORD_TITLE_MALFORMED, WORD_CARRY_MALFORMED, WORD_DECIDE_MALFORMED);
	else
		moderator_failure(visit, response, status);
}

/* What cannot be published now is shown as lagging and tried again. */
static void
publish(const struct moderator_visit *visit, int64_t thread_id)
{
	struct publish_press press = door_press(&visit->moderator->door);
	struct arena arena;
	if (thread_id == 0)
		return;
	arena_init(&arena, DOOR_ARENA_MOST);
	if (publish_thread(&press, &arena, thread_id) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "thread %lld lags behind the store", (long long)thread_id);
	arena_free(&arena);
}

/* Back to the reply, or to the one behind it where it has left the queue that the moderator came from. */
static void
go_back(const struct moderator_visit *visit, const struct sent *sent, enum moderator_wrote wrote, int64_t batch,
    bool stays, struct fcgi_response *response)
{
	int64_t id = sent->target.id, next = stays ? id : moderator_next(visit, &sent->back, id, id);
	struct str path = moderator_wrote_path(visit, moderator_place(visit, &sent->back, next), wrote, id);
	moderator_go_back(visit, moderator_done_path(visit, path, batch, 0), next, response);
}

/* What is wrong with a field, in a sentence; STR_NONE if nothing is. */
static struct str
message_of(const struct moderator_visit *visit, const struct reply_result *checked, enum reply_field field)
{
	static const enum word words[REPLY_FIELDS][REPLY_FAULTS] = {
	    [REPLY_COMMENT] = {[REPLY_FAULT_EMPTY] = WORD_FIELD_COMMENT_EMPTY,
	        [REPLY_FAULT_SHORT] = WORD_FIELD_COMMENT_SHORT, [REPLY_FAULT_LONG] = WORD_FIELD_COMMENT_LONG,
	        [REPLY_FAULT_CHARACTER] = WORD_FIELD_COMMENT_CHARACTER, [REPLY_FAULT_MARKS] = WORD_FIELD_COMMENT_MARKS,
	        [REPLY_FAULT_JOINER] = WORD_FIELD_COMMENT_JOINER, [REPLY_FAULT_INVALID] = WORD_FIELD_COMMENT_INVALID},
	    [REPLY_NAME] = {[REPLY_FAULT_EMPTY] = WORD_FIELD_NAME_EMPTY, [REPLY_FAULT_LONG] = WORD_FIELD_NAME_LONG,
	        [REPLY_FAULT_CHARACTER] = WORD_FIELD_NAME_CHARACTER, [REPLY_FAULT_MARKS] = WORD_FIELD_NAME_MARKS,
	        [REPLY_FAULT_JOINER] = WORD_FIELD_NAME_JOINER, [REPLY_FAULT_INVALID] = WORD_FIELD_NAME_INVALID},
	    [REPLY_WEBSITE] = {[REPLY_FAULT_LONG] = WORD_FIELD_WEBSITE_LONG,
	        [REPLY_FAULT_INVALID] = WORD_FIELD_WEBSITE_INVALID},
	};
	enum reply_fault fault = checked->faults[field];
	if (fault == REPLY_FAULT_NONE)
		return STR_NONE;
	enum word word = words[field][fault] != 0 ? words[field][fault] : words[field][REPLY_FAULT_INVALID];
	return moderator_say_n(visit, word, checked->limits[field]);
}

int
moderator_say_failure(const struct moderator_visit *visit, enum status status, struct str *notice,
    struct fcgi_response *response)
{
	*notice = moderator_say(visit, status == STATUS_BUSY ? WORD_REFUSED_BUSY : WORD_AMEND_BROKEN);
	fcgi_header(response, "Retry-After", STR("5"));
	return 503;
}

static bool
store_failed(enum status status)
{
	return status == STATUS_BUSY || status == STATUS_BROKEN;
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* How the form comes: fresh, or again with what is wrong. */
struct answer_view {
	int code;
	struct moderator_view back;
	struct str comment, comment_error, key, notice;
};

static void
show_answer(const struct moderator_visit *visit, const struct queue_one_row *row, const struct answer_view *view,
    struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_ELSEWHERE);
	struct markdown original;
	enum status status = markdown_html(visit->arena, row->comment, &original);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	struct page_answer page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1,
	    .mount = visit->site->config->mount,
	    .token = visit->session.token,
	    .moderator = visit->session.name,
	    .return_to = moderator_queue_path(visit, &view->back),
	    .id = row->id,
	    .revision = row->revision,
	    .name = row->name,
	    .page_title = row->title,
	    .page_url = moderator_site_url(visit, page_url(visit->arena, visit->site->config, row->page)),
	    .state = moderator_state_word(visit, row->state),
	    .original = original.html,
	    .key = view->key,
	    .comment = view->comment,
	    .comment_error = view->comment_error,
	    .notice = view->notice,
	    .held = str_eq(row->state, STR("held")),
	    .published = str_eq(row->state, STR("published"))};
	if (!page.held && !page.published)
		page.notice = moderator_say(visit, WORD_ANSWER_CLOSED);
	door_private_page(response, view->code);
	page_answer(&response->body, visit->site->words, &page);
}

static struct str
fresh_key(const struct moderator_visit *visit, const struct fcgi_request *request)
{
	return receipt_form_key(visit->arena, &visit->moderator->door.receipt, request->now, request->random);
}

void
moderator_answer_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	struct queue_one_row row;
	enum status status = read_addressed(visit, request, &row);
	if (status != STATUS_OK) {
		refuse(visit, response, status);
		return;
	}
	struct answer_view view = {.code = 200, .back = moderator_view_back(visit, request, row.state),
	    .key = fresh_key(visit, request)};
	show_answer(visit, &row, &view, response);
}

/* The form again, with every word, beside what the reply is now. */
static void
answer_again(const struct moderator_visit *visit, const struct fcgi_request *request, const struct sent *sent,
    enum status status, const struct pen_result *result, struct fcgi_response *response)
{
	struct queue_one_row row;
	struct answer_view view = {.code = 409, .back = sent->back, .comment = sent->comment, .key = sent->key};
	enum status read = read_reply(visit, sent->target.id, &row);
	if (read != STATUS_OK) {
		refuse(visit, response, read);
		return;
	}
	if (store_failed(status)) {
		view.code = moderator_say_failure(visit, status, &view.notice, response);
		row.revision = sent->target.revision;
	} else if (status == STATUS_CONFLICT) {
		view.notice = moderator_say(visit, WORD_ANSWER_CHANGED);
	} else if (result->checked.outcome == REPLY_KEY_SPENT) {
		view.notice = moderator_say(visit, WORD_ANSWER_KEY_SPENT);
		view.key = fresh_key(visit, request);
	} else {
		view.code = 422;
		view.notice = moderator_say(visit, WORD_REFUSED_FIELDS);
		view.comment_error = message_of(visit, &result->checked, REPLY_COMMENT);
		/* The revision as it was seen: words that came meanwhile are not answered unseen. */
		row.revision = sent->target.revision;
	}
	show_answer(visit, &row, &view, response);
}

void
moderator_answer(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	struct pen pen = pen_of(visit, request->now);
	struct pen_result result;
	struct sent sent;
	enum status status = read_sent(visit, &sent);
	if (status != STATUS_OK) {
		refuse(visit, response, status);
		return;
	}
	struct pen_answer answer = {.parent = sent.target, .comment = sent.comment, .key = sent.key};
	status = pen_answer(&pen, visit->arena, &answer, &result);
	bool done = status == STATUS_OK && (result.checked.outcome == REPLY_STORED || result.checked.outcome == REPLY_SAME);
	if (status == STATUS_CONFLICT || store_failed(status) || (status == STATUS_OK && !done)) {
		answer_again(visit, request, &sent, status, &result, response);
	} else if (!done) {
		refuse(visit, response, status);
	} else {
		log_event(LOG_LEVEL_INFO, "account %lld: answered", (long long)visit->session.account_id);
		publish(visit, result.thread_id);
		bool approved = result.batch > 0, shown = result.shown || result.checked.outcome == REPLY_SAME;
		enum moderator_wrote wrote = approved ? (shown ? MODERATOR_APPROVED : MODERATOR_APPROVED_UNSEEN)
		                                      : (shown ? MODERATOR_ANSWERED : MODERATOR_ANSWERED_UNSEEN);
		go_back(visit, &sent, wrote, result.batch, !approved && sent.back.state == VERDICT_PUBLISHED, response);
	}
}

/* --- changes ------------------------------------------------------------------------------------------- */

struct edit_view {
	int code;
	struct moderator_view back;
	struct verdict_target target;
	struct str comment, name, website, why, notice;
	const struct reply_result *checked; /* what is wrong, or NULL */
	bool why_wrong;
	bool theirs; /* shows what it is now as well */
};

static void
show_edit(const struct moderator_visit *visit, const struct queue_one_row *row, const struct edit_view *view,
    struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_ELSEWHERE);
	struct page_amend_theirs theirs = {.name = row->name, .website = row->website, .comment = row->comment};
	struct page_amend page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1,
	    .mount = visit->site->config->mount,
	    .token = visit->session.token,
	    .return_to = moderator_queue_path(visit, &view->back),
	    .id = view->target.id,
	    .revision = view->target.revision,
	    .author = row->name,
	    .page_title = row->title,
	    .comment = view->comment,
	    .name = view->name,
	    .website = view->website,
	    .why = view->why,
	    .notice = view->notice,
	    .theirs = &theirs,
	    .theirs_n = view->theirs ? 1 : 0};
	if (view->checked != NULL) {
		page.comment_error = message_of(visit, view->checked, REPLY_COMMENT);
		page.name_error = message_of(visit, view->checked, REPLY_NAME);
		page.website_error = message_of(visit, view->checked, REPLY_WEBSITE);
	}
	if (view->why_wrong)
		page.why_error = moderator_say(visit, WORD_AMEND_WHY_LONG);
	door_private_page(response, view->code);
	page_amend(&response->body, visit->site->words, &page);
}

void
moderator_edit_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	struct queue_one_row row;
	enum status status = read_addressed(visit, request, &row);
	if (status != STATUS_OK) {
		refuse(visit, response, status);
		return;
	}
	struct edit_view view = {.code = 200, .back = moderator_view_back(visit, request, row.state),
	    .target = {row.id, row.revision}, .comment = row.comment, .name = row.name, .website = row.website};
	show_edit(visit, &row, &view, response);
}

/* The form again, with every word, and beside them what the reply is now if that has changed. */
static void
edit_again(const struct moderator_visit *visit, const struct sent *sent, enum status status,
    const struct pen_result *result, bool why_wrong, struct fcgi_response *response)
{
	struct queue_one_row row;
	struct edit_view view = {.code = 422, .back = sent->back, .target = sent->target, .comment = sent->comment,
	    .name = sent->name, .website = sent->website, .why = sent->why, .why_wrong = why_wrong,
	    .notice = moderator_say(visit, WORD_EDIT_FIELDS)};
	enum status read = read_reply(visit, sent->target.id, &row);
	if (read != STATUS_OK) {
		refuse(visit, response, read);
		return;
	}
	if (store_failed(status)) {
		view.code = moderator_say_failure(visit, status, &view.notice, response);
	} else if (status == STATUS_CONFLICT) {
		bool gone = str_eq(row.state, STR("withdrawn"));
		view.code = 409;
		view.theirs = !gone;
		view.target.revision = row.revision;
		view.notice = moderator_say(visit, gone ? WORD_CONFLICT_WITHDRAWN : WORD_AMEND_CHANGED);
	} else if (!why_wrong) {
		view.checked = &result->checked;
	}
	show_edit(visit, &row, &view, response);
}

void
moderator_edit(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	struct pen pen = pen_of(visit, request->now);
	struct pen_result result;
	struct sent sent;
	enum status status = read_sent(visit, &sent);
	if (status != STATUS_OK) {
		refuse(visit, response, status);
		return;
	}
	if (sent.why.len > 0 && journal_why(visit->arena, sent.why, &pen.why) != STATUS_OK) {
		edit_again(visit, &sent, STATUS_OK, NULL, true, response);
		return;
	}
	struct pen_change change = {.target = sent.target, .name = sent.name, .website = sent.website,
	    .comment = sent.comment};
	status = pen_change(&pen, visit->arena, &change, &result);
	bool wrong = status == STATUS_OK && result.checked.outcome == REPLY_WRONG;
	if (status == STATUS_CONFLICT || store_failed(status) || wrong) {
		edit_again(visit, &sent, status, &result, false, response);
		return;
	}
	if (status != STATUS_OK) {
		refuse(visit, response, status);
		return;
	}
	bool same = result.checked.outcome == REPLY_SAME;
	if (!same) {
		log_event(LOG_LEVEL_INFO, "account %lld: edited a reply", (long long)visit->session.account_id);
		door_must_truncate(&visit->moderator->door);
		publish(visit, result.thread_id);
	}
	go_back(visit, &sent, same ? MODERATOR_SAME : MODERATOR_EDITED, 0, true, response);
}
