/*
 * moderator_undo.c - a moderator's own last decisions, and taking one of them back.
 */
#include "log.h"
#include "moderator_queue.h"
#include "page/undo.h"
#include "sql/rejoinder/log.h"
#include "when.h"

enum {
	BATCHES = 50 /* shown */
};

/* What is said above the list. */
struct undo_view {
	struct str status, with, notice;
	struct page_undo_refused *refused;
	size_t refused_n;
};

static struct str
reply_address(const struct moderator_visit *visit, int64_t id)
{
	return moderator_path(visit, str_format(visit->arena, "reply/%lld", (long long)id).at);
}

/* What cannot be read is left out: a list without a name is of use. */
static void
name_batch(const struct moderator_visit *visit, struct db_conn *conn, int64_t reply_id, struct page_undo_batches *batch)
{
	struct log_subject_row subject;
	struct log_subject_in in = {.id = reply_id, .site_id = visit->site->id};
	if (log_subject(conn, visit->arena, &in, &subject) != STATUS_OK)
		return;
	batch->name = subject.name;
	batch->title = subject.title;
	batch->reply_url = reply_address(visit, reply_id);
}

static struct str
part_of(const struct moderator_visit *visit, const struct log_left_row *left)
{
	struct word_hole holes[] = {{.name = STR("left"), .text = str_format(visit->arena, "%lld", (long long)left->n_left)},
	    {.name = STR("n"), .n = left->n}};
	if (left->n_left == left->n)
		return STR_NONE;
	if (left->n_undone == left->n)
		return moderator_say(visit, WORD_UNDO_YOURS);
	if (left->n_left == 0)
		return moderator_say_n(visit, WORD_UNDO_NONE, left->n);
	return words_say(visit->arena, visit->site->words, WORD_UNDO_PART, holes, 2);
}

static enum status
fill_batch(const struct moderator_visit *visit, struct db_conn *conn, const struct log_mine_row *row, int64_t now,
    struct page_undo_batches *batch)
{
	struct log_left_row left;
	enum status status = log_left(conn, visit->arena, &(struct log_left_in){.batch = row->id}, &left);
	if (status != STATUS_OK)
		return status;
	*batch = (struct page_undo_batches){
	    .id = row->id,
	    .what = moderator_batch_say(visit, &(struct moderator_batch){.undone = str_eq(row->action, journal_action_names[JOURNAL_UNDO]),
	        .to_state = row->to_state, .n = left.n}),
	    .decided_at = when_rfc3339(visit->arena, row->decided_at),
	    .ago = when_ago(visit->arena, visit->site->words, row->decided_at, now),
	    .part = part_of(visit, &left),
	    .open = left.n_left > 0,
	};
	if (left.n == 1 && row->reply_id.set)
		name_batch(visit, conn, row->reply_id.value, batch);
	return STATUS_OK;
}

static enum status
fill_batches(const struct moderator_visit *visit, int64_t now, struct page_undo *page)
{
	struct log_mine_in in = {.moderator = visit->session.name, .site_id = visit->site->id, .most = BATCHES};
	struct log_mine_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = log_mine(conn, visit->arena, &in, &rows, &n);
	page->batches = arena_array(visit->arena, n, sizeof *page->batches);
	if (page->batches == NULL)
		status = STATUS_BROKEN;
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		status = fill_batch(visit, conn, &rows[i], now, &page->batches[page->batches_n++]);
	db_release(conn);
	return status;
}

static void
show_list(const struct moderator_visit *visit, const struct undo_view *view, int code, int64_t now,
    struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_LOG);
	struct page_undo page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1, .site = visit->site->config->title,
	    .mount = visit->site->config->mount, .token = visit->session.token, .status = view->status, .with = view->with,
	    .notice = view->notice, .refused = view->refused, .refused_n = view->refused_n};
	enum status status = fill_batches(visit, now, &page);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	door_private_page(response, code);
	page_undo(&response->body, visit->site->words, &page);
}

void
moderator_undo_list(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct moderator_said said = {0};
	struct form query;
	if (form_query(visit->arena, request->query, &query) == STATUS_OK)
		moderator_say_done(visit, &query, &said);
	struct undo_view view = {.status = said.status, .with = said.with};
	show_list(visit, &view, 200, request->now, response);
}

/* --- taking one back -------------------------------------------------------------------------------------- */

static void
fill_refused(const struct moderator_visit *visit, const struct verdict_result *result, struct page_undo_refused *refused)
{
	*refused = (struct page_undo_refused){
	    .id = result->id,
	    .reply_url = reply_address(visit, result->id),
	    .name = result->name,
	    .title = result->title,
	    .moderator = moderator_conflict_who(result),
	    .message = moderator_say(visit, moderator_conflict_word(result)),
	};
	if (result->decided_at == 0)
		return;
	refused->decided_at = when_rfc3339(visit->arena, result->decided_at);
	refused->decided = when_date(visit->arena, visit->site->words, visit->site->config->zone, result->decided_at);
}

static size_t
count_refused(const struct verdict_result *results, size_t n)
{
	size_t refused = 0;
	for (size_t i = 0; i < n; i++)
		refused += results[i].status == STATUS_OK ? 0 : 1;
	return refused;
}

/* The list again, with what was left as it is, and what was not. */
static void
show_refused(const struct moderator_visit *visit, const struct verdict_result *results, size_t n, size_t refused,
    int64_t now, struct fcgi_response *response)
{
	struct undo_view view = {.notice = moderator_say_n(visit, WORD_UNDO_REFUSED, (int64_t)refused)};
	view.refused = arena_array(visit->arena, refused, sizeof *view.refused);
	for (size_t i = 0; view.refused != NULL && i < n; i++)
		if (results[i].status != STATUS_OK)
			fill_refused(visit, &results[i], &view.refused[view.refused_n++]);
	if (n > refused)
		view.status = moderator_say_n(visit, WORD_DECIDED_UNDONE, (int64_t)(n - refused));
	view.with = moderator_say_with(visit, (int64_t)(n - refused), verdict_with(results, n));
	show_list(visit, &view, 409, now, response);
}

/* Back to the queue that the button stood in, or to the list. */
static void
go_back(const struct moderator_visit *visit, const struct verdict_result *results, size_t n, struct fcgi_response *response)
{
	struct str path;
	int64_t batch = 0, top = 0;
	struct str list = moderator_path(visit, "undo");
	for (size_t i = 0; i < n; i++) {
		batch = batch != 0 ? batch : results[i].batch;
		top = results[i].id > top ? results[i].id : top;
	}
	if (form_one(&visit->form, "return", &path) != STATUS_OK || path.len == 0)
		path = list;
	path = session_next(path, visit->site->config->mount, list);
	struct str back = moderator_done_path(visit, path, batch, verdict_with(results, n));
	/* In a queue to the reply that is there again: without a script the focus would be lost. */
	if (top > 0 && !str_eq(path, list))
		back = str_format(visit->arena, "%.*s#reply-%lld", STR_FMT(back), (long long)top);
	door_redirect(response, back);
}

/* Nothing was done; the list says why. */
static void
show_failure(const struct moderator_visit *visit, enum status status, int64_t now, struct fcgi_response *response)
{
	struct undo_view view = {0};
	if (status == STATUS_MISSING)
		view.notice = moderator_say(visit, WORD_UNDO_MISSING);
	else if (status == STATUS_INVALID)
		view.notice = moderator_say(visit, WORD_UNDO_FOREIGN);
	else {
		moderator_failure(visit, response, status);
		return;
	}
	show_list(visit, &view, status == STATUS_MISSING ? 404 : 409, now, response);
}

void
moderator_undo(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct verdict_order order = {.key = &visit->moderator->journal.key, .site_id = visit->site->id,
	    .moderator = visit->session.name, .network = visit->network, .why = STR(""), .now = request->now};
	struct verdict_result *results;
	struct str field;
	size_t n = 0;
	int64_t batch;
	enum status status = STATUS_MISSING;
	if (form_one(&visit->form, "batch", &field) == STATUS_OK && str_integer(field, &batch) == STATUS_OK &&
	    moderator_read_targets(visit, &order) == STATUS_OK)
		status = verdict_undo(visit->moderator->door.db, visit->arena, &order, batch, &results, &n);
	if (status != STATUS_OK) {
		log_event(LOG_LEVEL_WARNING, "nothing was undone: %s", status_name(status));
		show_failure(visit, status, request->now, response);
		return;
	}
	moderator_publish_changed(visit, results, n);
	size_t refused = count_refused(results, n);
	log_event(LOG_LEVEL_INFO, "account %lld: undid batch %lld: %zu, %zu refused", (long long)visit->session.account_id,
	    (long long)batch, n - refused, refused);
	if (refused > 0)
		show_refused(visit, results, n, refused, request->now, response);
	else
		go_back(visit, results, n, response);
}
