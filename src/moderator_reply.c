/*
 * moderator_reply.c - one reply: as the moderators' pages show it, and the page of its own.
 */
#include "markdown.h"
#include "moderator_queue.h"
#include "page.h"
#include "page/queue_one.h"
#include "publish.h"
#include "spam.h"
#include "sql/rejoinder/around.h"
#include "when.h"

enum {
	AROUND_MOST = 20, /* replies above one, beside it, below it, and of its author */
	HISTORY_MOST = 50 /* decisions */
};

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
	return moderator_say_n(visit, words[reason->kind], reason->kind == SPAM_TOO_QUICK ? SPAM_QUICK : reason->n);
}

static enum status
fill_reasons(const struct moderator_visit *visit, struct str stored, struct page_queue_reply *reply)
{
	enum { MOST = 2 * SPAM_REASONS_MOST };
	struct spam_reason reason;
	reply->reasons = arena_array(visit->arena, MOST, sizeof *reply->reasons);
	while (reply->reasons != NULL && reply->reasons_n < MOST && spam_next(&stored, &reason))
		reply->reasons[reply->reasons_n++].sentence = sentence_of(visit, &reason);
	return reply->reasons == NULL ? STATUS_BROKEN : STATUS_OK;
}

/* A box that does not open is shown as such: the store is a stranger's to this door.  None is there when it was forgotten. */
static struct str
open_box(const struct moderator_visit *visit, char purpose, struct str sealed)
{
	struct str plain;
	if (sealed.len == 0)
		return moderator_say(visit, WORD_QUEUE_FORGOTTEN);
	bool opens = secret_open_next(visit->opener, visit->arena, purpose, sealed, &plain) == STATUS_OK;
	return opens ? plain : STR_NONE;
}

void
moderator_fill_decide(const struct moderator_visit *visit, struct str state, struct str return_to,
    struct page_decide_form *decide)
{
	*decide = (struct page_decide_form){
	    .mount = visit->site->config->mount,
	    .token = visit->session.token,
	    .return_to = return_to,
	    .held = str_eq(state, STR("held")),
	    .published = str_eq(state, STR("published")),
	    .spam = str_eq(state, STR("spam")),
	    .trash = str_eq(state, STR("trash")),
	};
	decide->restore = decide->spam || decide->trash;
}

/* Since when it is what it is, for people and programs. */
static void
fill_times(const struct moderator_visit *visit, const struct queue_one_row *row, int64_t now,
    struct page_queue_reply *reply)
{
	const struct words *words = visit->site->words;
	const struct zone *zone = visit->site->config->zone;
	int64_t since = row->decided_at.set ? row->decided_at.value : row->created_at;
	reply->created_at = when_rfc3339(visit->arena, row->created_at);
	reply->created = when_date(visit->arena, words, zone, row->created_at);
	reply->since_at = row->decided_at.set ? when_rfc3339(visit->arena, since) : reply->created_at;
	reply->since = row->decided_at.set ? when_date(visit->arena, words, zone, since) : reply->created;
	reply->ago = when_ago(visit->arena, words, since, now);
	if (!row->edited_at.set)
		return;
	reply->edited_at = when_rfc3339(visit->arena, row->edited_at.value);
	reply->edited = when_ago(visit->arena, words, row->edited_at.value, now);
}

enum status
moderator_fill_reply(const struct moderator_visit *visit, const struct queue_one_row *row, int64_t now,
    struct page_queue_reply *reply)
{
	const struct config_site *site = visit->site->config;
	struct markdown markdown;
	enum status status = markdown_html(visit->arena, row->comment, &markdown);
	if (status != STATUS_OK)
		return status;
	*reply = (struct page_queue_reply){
	    .id = row->id,
	    .revision = row->revision,
	    .mount = site->mount,
	    .name = row->name,
	    .by_moderator = row->by_moderator != 0,
	    .page_url = moderator_site_url(visit, page_url(visit->arena, site, row->page)),
	    .page_title = row->title,
	    .parent_name = row->parent_name,
	    .parent_id = row->parent_id.value,
	    .opening = publish_opening(visit->arena, row->comment),
	    .comment = markdown.html,
	    .email = open_box(visit, SECRET_EMAIL, row->email_sealed),
	    .network = open_box(visit, SECRET_NETWORK, row->network_sealed),
	    .website = row->website,
	    .held = str_eq(row->state, STR("held")),
	    .published = str_eq(row->state, STR("published")),
	    .spam = str_eq(row->state, STR("spam")),
	    .trash = str_eq(row->state, STR("trash")),
	};
	reply->folded = reply->opening.len > 0;
	fill_times(visit, row, now, reply);
	reply->unseen = reply->published && row->shown == 0;
	if (reply->published && !reply->unseen)
		reply->reply_url = moderator_site_url(visit, publish_link(visit->arena, site, row->page,
		    row->page_number.set ? row->page_number.value : 1, row->id));
	return fill_reasons(visit, row->reasons, reply);
}

/* --- what stands around it -------------------------------------------------------------------------------- */

struct line {
	int64_t id;
	struct str name, state, beginning;
	int64_t created_at;
};

struct lines {
	struct line *rows;
	size_t n;
};

enum { LINES_MOST = 4 * AROUND_MOST + 1 };

/* Queries give the same columns in types of their own. */
#define ADD(lines, query_rows, query_n)                                                                    \
	do {                                                                                                   \
		for (size_t i = 0; i < (query_n) && (lines)->n < LINES_MOST; i++)                                  \
			(lines)->rows[(lines)->n++] = (struct line){(query_rows)[i].id, (query_rows)[i].name,          \
			    (query_rows)[i].state, (query_rows)[i].beginning, (query_rows)[i].created_at};             \
	} while (0)

/* One reply with all that its page tells, from one snapshot. */
struct one {
	struct queue_one_row row;
	struct lines around, author;
	struct around_history_row *history;
	size_t history_n;
};

static void
turn(struct line *rows, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct line line = rows[i];
		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = line;
	}
}

/* Replies to one, the oldest first. */
static enum status
add_below(const struct moderator_visit *visit, struct db_conn *conn, int64_t id, struct lines *lines)
{
	struct around_below_row *rows = NULL;
	size_t n = 0, before = lines->n;
	struct around_below_in in = {.id = id, .most = AROUND_MOST};
	enum status status = around_below(conn, visit->arena, &in, &rows, &n);
	if (status == STATUS_OK)
		ADD(lines, rows, n);
	turn(lines->rows + before, lines->n - before);
	return status;
}

static struct line
line_of(const struct queue_one_row *row)
{
	return (struct line){row->id, row->name, row->state, row->comment, row->created_at};
}

/* Those above it from the top down, then those beside it with itself, or itself and its answers. */
static enum status
read_around(const struct moderator_visit *visit, struct db_conn *conn, struct one *one)
{
	struct lines *lines = &one->around;
	struct around_above_row *rows = NULL;
	size_t n = 0;
	enum status status =
	    around_above(conn, visit->arena, &(struct around_above_in){.id = one->row.id, .most = AROUND_MOST}, &rows, &n);
	if (status != STATUS_OK)
		return status;
	ADD(lines, rows, n);
	turn(lines->rows, lines->n);
	size_t before = lines->n;
	bool there = false;
	if (one->row.parent_id.set)
		status = add_below(visit, conn, one->row.parent_id.value, lines);
	for (size_t i = before; i < lines->n; i++)
		there = there || lines->rows[i].id == one->row.id;
	if (!there)
		lines->rows[lines->n++] = line_of(&one->row);
	return status == STATUS_OK ? add_below(visit, conn, one->row.id, lines) : status;
}

/* The newest of all states: the index leads by state, so each is asked, and the best are kept. */
static enum status
read_author(const struct moderator_visit *visit, struct db_conn *conn, struct one *one)
{
	struct lines *lines = &one->author;
	enum status status = STATUS_OK;
	for (int state = 0; one->row.author_hash.len > 0 && status == STATUS_OK && state < VERDICT_STATES; state++) {
		struct around_author_row *rows = NULL;
		size_t n = 0;
		struct around_author_in in = {.author_hash = one->row.author_hash, .state = verdict_state_names[state],
		    .site_id = visit->site->id, .most = AROUND_MOST};
		status = around_author(conn, visit->arena, &in, &rows, &n);
		if (status == STATUS_OK)
			ADD(lines, rows, n);
	}
	/* A few dozen rows: sorted by putting each before the smaller ones. */
	for (size_t i = 1; i < lines->n; i++) {
		struct line line = lines->rows[i];
		size_t j = i;
		for (; j > 0 && lines->rows[j - 1].id < line.id; j--)
			lines->rows[j] = lines->rows[j - 1];
		lines->rows[j] = line;
	}
	return status;
}

static enum status
read_one(const struct moderator_visit *visit, int64_t id, struct one *one)
{
	struct db_conn *conn;
	*one = (struct one){
	    .around.rows = arena_array(visit->arena, LINES_MOST + 1, sizeof *one->around.rows),
	    .author.rows = arena_array(visit->arena, LINES_MOST + 1, sizeof *one->author.rows),
	};
	if (one->around.rows == NULL || one->author.rows == NULL)
		return STATUS_BROKEN;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = queue_one(conn, visit->arena, &(struct queue_one_in){.id = id, .site_id = visit->site->id}, &one->row);
	if (status == STATUS_OK)
		status = read_around(visit, conn, one);
	if (status == STATUS_OK)
		status = read_author(visit, conn, one);
	if (status == STATUS_OK)
		status = around_history(conn, visit->arena, &(struct around_history_in){.reply_id = id, .most = HISTORY_MOST},
		    &one->history, &one->history_n);
	db_release(conn);
	return status;
}

/* --- its page ------------------------------------------------------------------------------------------------ */

struct str
moderator_state_word(const struct moderator_visit *visit, struct str state)
{
	static const enum word words[VERDICT_STATES] = {
	    [VERDICT_HELD] = WORD_STATE_HELD,
	    [VERDICT_PUBLISHED] = WORD_STATE_PUBLISHED,
	    [VERDICT_SPAM] = WORD_STATE_SPAM,
	    [VERDICT_TRASH] = WORD_STATE_TRASH,
	};
	enum verdict_state known;
	if (verdict_state(state, &known) == STATUS_OK)
		return moderator_say(visit, words[known]);
	return str_eq(state, STR("withdrawn")) ? moderator_say(visit, WORD_STATE_WITHDRAWN) : state;
}

static void
fill_lines(const struct moderator_visit *visit, const struct lines *lines, int64_t id, int64_t now,
    struct page_queue_line **rows, size_t *rows_n)
{
	const struct words *words = visit->site->words;
	*rows = arena_array(visit->arena, lines->n, sizeof **rows);
	for (size_t i = 0; *rows != NULL && i < lines->n; i++) {
		const struct line *line = &lines->rows[i];
		bool cut = false;
		struct str opening = publish_excerpt(visit->arena, line->beginning, &cut);
		(*rows)[(*rows_n)++] = (struct page_queue_line){
		    .mount = visit->site->config->mount,
		    .id = line->id,
		    .here = line->id == id,
		    .name = line->name,
		    .state = moderator_state_word(visit, line->state),
		    .created_at = when_rfc3339(visit->arena, line->created_at),
		    .created = when_date(visit->arena, words, visit->site->config->zone, line->created_at),
		    .ago = when_ago(visit->arena, words, line->created_at, now),
		    .opening = opening,
		    .cut = cut,
		};
	}
}

static struct str
say_decision(const struct moderator_visit *visit, const struct around_history_row *row)
{
	struct word_hole holes[] = {
	    {.name = STR("moderator"), .text = row->moderator},
	    {.name = STR("from"), .text = moderator_state_word(visit, row->from_state)},
	    {.name = STR("to"), .text = moderator_state_word(visit, row->to_state)},
	};
	if (str_eq(row->action, STR("answer")))
		return words_say(visit->arena, visit->site->words, WORD_HISTORY_ANSWER, holes, 1);
	if (str_eq(row->action, STR("erase")))
		return moderator_say(visit, WORD_HISTORY_ERASED);
	if (str_eq(row->to_state, STR("withdrawn")))
		return moderator_say(visit, WORD_HISTORY_WITHDRAWN);
	if (str_eq(row->from_state, row->to_state))
		return words_say(visit->arena, visit->site->words, WORD_HISTORY_EDITED, holes, 1);
	return words_say(visit->arena, visit->site->words, WORD_HISTORY_STATE, holes, sizeof holes / sizeof *holes);
}

static void
fill_history(const struct moderator_visit *visit, const struct one *one, int64_t now, struct page_queue_one *page)
{
	const struct words *words = visit->site->words;
	page->history = arena_array(visit->arena, one->history_n, sizeof *page->history);
	for (size_t i = 0; page->history != NULL && i < one->history_n; i++) {
		const struct around_history_row *row = &one->history[i];
		page->history[page->history_n++] = (struct page_queue_one_history){
		    .decided_at = when_rfc3339(visit->arena, row->decided_at),
		    .decided = when_date(visit->arena, words, visit->site->config->zone, row->decided_at),
		    .ago = when_ago(visit->arena, words, row->decided_at, now),
		    .what = say_decision(visit, row),
		    .why = row->why,
		};
	}
}

struct moderator_view
moderator_view_back(const struct moderator_visit *visit, const struct fcgi_request *request, struct str state)
{
	struct moderator_view view = {.most = MODERATOR_MOST};
	struct form query;
	struct str path;
	if (form_query(visit->arena, request->query, &query) == STATUS_OK &&
	    form_one(&query, "return", &path) == STATUS_OK && path.len > 0)
		return moderator_view_of(visit, path);
	if (verdict_state(state, &view.state) != STATUS_OK)
		view.state = VERDICT_HELD;
	return view;
}

static enum status
fill_one(const struct moderator_visit *visit, const struct one *one, const struct moderator_view *back, int64_t now,
    struct page_queue_one *page)
{
	struct moderator_view same = {.state = VERDICT_PUBLISHED, .page = one->row.page, .most = MODERATOR_MOST};
	struct page_queue_reply *reply = arena_alloc(visit->arena, sizeof *reply);
	struct page_decide_form *decide = arena_alloc(visit->arena, sizeof *decide);
	if (reply == NULL || decide == NULL)
		return STATUS_BROKEN;
	enum status status = moderator_fill_reply(visit, &one->row, now, reply);
	page->withdrawn = str_eq(one->row.state, STR("withdrawn"));
	page->name = one->row.name;
	page->page_title = one->row.title;
	page->return_to = moderator_queue_path(visit, back);
	page->page_queue = moderator_queue_path(visit, &same);
	moderator_fill_decide(visit, one->row.state, page->return_to, decide);
	decide->id = one->row.id;
	decide->revision = one->row.revision;
	decide->why = true;
	reply->from = moderator_queue_from(visit, back);
	reply->decide = decide;
	reply->decide_n = page->withdrawn ? 0 : 1;
	page->reply = reply;
	page->reply_n = 1;
	fill_lines(visit, &one->around, one->row.id, now, &page->around, &page->around_n);
	fill_lines(visit, &one->author, one->row.id, now, &page->author, &page->author_n);
	/* Standing alone is not worth a section. */
	page->around_n = page->around_n > 1 ? page->around_n : 0;
	page->author_n = page->author_n > 1 ? page->author_n : 0;
	fill_history(visit, one, now, page);
	return status;
}

static void
refuse(const struct moderator_visit *visit, enum status status, struct fcgi_response *response)
{
	if (status == STATUS_MISSING)
		moderator_give_back(visit, response, 404, WORD_TITLE_MISSING, WORD_CARRY_MISSING, WORD_CONFLICT_MISSING);
	else
		moderator_failure(visit, response, status);
}

/* `again` says what a decision left; NULL where there was none. */
static void
show_one(const struct moderator_visit *visit, const struct one *one, const struct moderator_view *back,
    const struct moderator_again *again, int64_t now, struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_ELSEWHERE);
	struct page_queue_one page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1};
	enum status status = fill_one(visit, one, back, now, &page);
	if (status != STATUS_OK) {
		refuse(visit, status, response);
		return;
	}
	if (again != NULL) {
		page.notice = again->notice;
		page.reply->decide->revision = again->target.revision;
		page.reply->decide->typed = again->why;
		page.reply->decide->why_error = again->why_error;
	}
	door_private_page(response, again != NULL ? again->code : 200);
	page_queue_one(&response->body, visit->site->words, &page);
}

void
moderator_show_again(const struct moderator_visit *visit, const struct moderator_again *again, int64_t now,
    struct fcgi_response *response)
{
	struct one one;
	enum status status = read_one(visit, again->target.id, &one);
	if (status == STATUS_OK)
		show_one(visit, &one, &again->back, again, now, response);
	else
		refuse(visit, status, response);
}

void
moderator_reply(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct one one;
	int64_t id;
	enum status status = str_integer(request->rest, &id) == STATUS_OK ? read_one(visit, id, &one) : STATUS_MISSING;
	if (status != STATUS_OK) {
		refuse(visit, status, response);
		return;
	}
	struct moderator_view back = moderator_view_back(visit, request, one.row.state);
	show_one(visit, &one, &back, NULL, request->now, response);
}
