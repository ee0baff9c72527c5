/*
 * moderator_queue.c - what waits, and what became of the rest: the pages of the queue.
 */
#include "moderator_queue.h"

#include "spam.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"
#include "when.h"

enum {
	NAMES_MOST = 30, /* pages that are offered to look at alone */
	WORDS_MOST = 1024 * 1024 /* bytes of replies on a page; as HTML they are up to seven times as long, and made of copies */
};

/* All that one page of the queue is made of, from one snapshot. */
struct queue {
	struct search_found found;
	struct queue_one_row *rows;
	size_t rows_n;
	struct tally_list_row *tallies;
	size_t tallies_n;
	struct publication_lag_row lag;
	struct thread_names_row *names;
	size_t names_n;
};

/*
 * The rows of what was found, as far as they go into one page: whoever fills the queue with the longest words
 * that are taken must not make a page of it that finds no memory.
 */
static enum status
read_found(const struct moderator_visit *visit, struct db_conn *conn, struct queue *queue)
{
	struct search_found *found = &queue->found;
	enum status status = STATUS_OK;
	size_t words = 0;
	queue->rows = arena_array(visit->arena, found->n, sizeof *queue->rows);
	if (queue->rows == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; status == STATUS_OK && i < found->n; i++) {
		struct queue_one_in in = {.id = found->ids[i], .site_id = visit->site->id};
		status = queue_one(conn, visit->arena, &in, &queue->rows[i]);
		words += status == STATUS_OK ? queue->rows[i].comment.len : 0;
		if (i == 0 || words <= WORDS_MOST)
			continue;
		found->n = i;
		found->more = true;
	}
	queue->rows_n = found->n;
	return status;
}

/* The same in the order in which they are shown. */
static enum status
read_rows(const struct moderator_visit *visit, struct db_conn *conn, const struct moderator_view *view, struct queue *queue)
{
	bool up = view->before == 0 && (view->after > 0 || view->oldest);
	enum status status = read_found(visit, conn, queue);
	for (size_t i = 0; status == STATUS_OK && up != view->oldest && i < queue->rows_n / 2; i++) {
		struct queue_one_row row = queue->rows[i];
		queue->rows[i] = queue->rows[queue->rows_n - 1 - i];
		queue->rows[queue->rows_n - 1 - i] = row;
	}
	return status;
}

static enum status
read_queue(const struct moderator_visit *visit, const struct moderator_view *view, struct queue *queue)
{
	struct db_conn *conn;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = moderator_view_find(visit, conn, view, &queue->found);
	if (status == STATUS_OK)
		status = read_rows(visit, conn, view, queue);
	if (status == STATUS_OK)
		status = tally_list(conn, visit->arena, &(struct tally_list_in){.site_id = visit->site->id}, &queue->tallies,
		    &queue->tallies_n);
	if (status == STATUS_OK)
		status = publication_lag(conn, visit->arena, &queue->lag);
	if (status == STATUS_OK)
		status = thread_names(conn, visit->arena, &(struct thread_names_in){.site_id = visit->site->id, .most = NAMES_MOST},
		    &queue->names, &queue->names_n);
	db_release(conn);
	return status;
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
fill_head(const struct moderator_visit *visit, const struct moderator_view *view, const struct moderator_said *said,
    const struct queue *queue, struct page_queue *page)
{
	*page = (struct page_queue){
	    .site = visit->site->config->title,
	    .mount = visit->site->config->mount,
	    .token = visit->session.token,
	    .state = verdict_state_names[view->state],
	    .held = view->state == VERDICT_HELD,
	    .published = view->state == VERDICT_PUBLISHED,
	    .spam = view->state == VERDICT_SPAM,
	    .trash = view->state == VERDICT_TRASH,
	    .held_count = tally_of(queue, VERDICT_HELD),
	    .published_count = tally_of(queue, VERDICT_PUBLISHED),
	    .spam_count = tally_of(queue, VERDICT_SPAM),
	    .trash_count = tally_of(queue, VERDICT_TRASH),
	    .kept = visit->moderator->door.config->keep.refused > 0,
	    .keep = visit->moderator->door.config->keep.refused,
	    .status = said->status,
	    .about = said->about,
	    .with = said->with,
	    .unseen = said->unseen,
	    .notice = said->notice,
	    .undo = said->undo > 0,
	    .batch = said->undo,
	    .undo_reply = said->undo_reply,
	    .undo_state = said->undo_state,
	    .undo_approval = said->undo_approval,
	    .conflicts = said->conflicts,
	    .conflicts_n = said->conflicts_n,
	    .lagging = queue->lag.n > 0,
	    .lag = queue->lag.n,
	    .failing = queue->lag.failed > 0,
	    .failed = queue->lag.failed,
	};
}

/* --- the filters --------------------------------------------------------------------------------------- */

static enum word
filter_word(enum spam_kind kind)
{
	static const enum word words[SPAM_KINDS] = {
	    [SPAM_LINKS] = WORD_FILTER_REASON_LINKS,
	    [SPAM_FIRST] = WORD_FILTER_REASON_FIRST,
	    [SPAM_HONEYPOT] = WORD_FILTER_REASON_HONEYPOT,
	    [SPAM_TOO_QUICK] = WORD_FILTER_REASON_QUICK,
	    [SPAM_WORD] = WORD_FILTER_REASON_WORD,
	};
	return words[kind];
}

static void
fill_choices(const struct moderator_visit *visit, const struct moderator_view *view, struct page_queue *page)
{
	static const int64_t sizes[] = {20, MODERATOR_MOST, 100, 200};
	enum { SIZES = sizeof sizes / sizeof *sizes };
	page->reasons = arena_array(visit->arena, SPAM_KINDS, sizeof *page->reasons);
	page->sizes = arena_array(visit->arena, SIZES, sizeof *page->sizes);
	for (int kind = 0; page->reasons != NULL && kind < SPAM_KINDS; kind++) {
		bool chosen = view->reason.len > 0 && str_eq(view->reason, spam_kind_names[kind]);
		/* A box of its own says the same. */
		if (kind == SPAM_FIRST && !chosen)
			continue;
		page->reasons[page->reasons_n++] = (struct page_queue_reasons){
		    .value = spam_kind_names[kind],
		    .label = moderator_say_n(visit, filter_word((enum spam_kind)kind), SPAM_LINKS_MOST),
		    .chosen = chosen,
		};
	}
	for (size_t i = 0; page->sizes != NULL && i < SIZES; i++)
		page->sizes[page->sizes_n++] = (struct page_queue_sizes){.n = sizes[i], .chosen = sizes[i] == view->most};
	page->page = moderator_view_page(visit, view);
	page->links = view->links;
	page->first = view->first;
	page->oldest = view->oldest;
}

static void
add_filter(const struct moderator_visit *visit, struct page_queue *page, struct str label, struct moderator_view without)
{
	without.before = without.after = 0;
	without.all = false;
	page->filters[page->filters_n++] = (struct page_queue_filters){.label = label,
	    .without = moderator_queue_path(visit, &without)};
}

static struct str
page_label(const struct moderator_visit *visit, const struct moderator_view *view, const struct queue *queue)
{
	struct word_hole hole = {.name = STR("page"), .text = view->page};
	if (view->elsewhere)
		return words_say(visit->arena, visit->site->words, WORD_FILTER_ELSEWHERE, &hole, 1);
	bool none = view->no_page || (queue->found.n == 0 && queue->found.looked == 0 && view->before == 0 && view->after == 0);
	return words_say(visit->arena, visit->site->words, none ? WORD_FILTER_NO_PAGE : WORD_FILTER_ON_PAGE, &hole, 1);
}

static struct str
reason_label(const struct moderator_visit *visit, const struct moderator_view *view)
{
	struct word_hole hole = {.name = STR("reason")};
	for (int kind = 0; kind < SPAM_KINDS; kind++)
		if (str_eq(view->reason, spam_kind_names[kind]))
			hole.text = moderator_say_n(visit, filter_word((enum spam_kind)kind), SPAM_LINKS_MOST);
	return words_say(visit->arena, visit->site->words, WORD_FILTER_BECAUSE, &hole, 1);
}

/* The pages that changed last, as the filter takes them. */
static void
fill_names(const struct moderator_visit *visit, const struct queue *queue, struct page_queue *page)
{
	page->names = arena_array(visit->arena, queue->names_n, sizeof *page->names);
	for (size_t i = 0; page->names != NULL && i < queue->names_n; i++) {
		struct moderator_view view = {.page = queue->names[i].page};
		page->names[page->names_n++] = (struct page_queue_names){.page = moderator_view_page(visit, &view),
		    .title = queue->names[i].title};
	}
}

/* What is set, each with the address of the queue without it. */
static void
fill_filters(const struct moderator_visit *visit, const struct moderator_view *view, const struct queue *queue,
    struct page_queue *page)
{
	enum { KINDS = 4 };
	struct moderator_view without = *view;
	fill_choices(visit, view, page);
	fill_names(visit, queue, page);
	page->filters = arena_array(visit->arena, KINDS, sizeof *page->filters);
	if (page->filters == NULL)
		return;
	if (view->page.len > 0) {
		without.page = STR_NONE;
		add_filter(visit, page, page_label(visit, view, queue), without);
	}
	if (view->reason.len > 0) {
		without = *view;
		without.reason = STR_NONE;
		add_filter(visit, page, reason_label(visit, view), without);
	}
	if (view->links) {
		without = *view;
		without.links = false;
		add_filter(visit, page, moderator_say(visit, WORD_FILTER_LINKS), without);
	}
	if (view->first) {
		without = *view;
		without.first = false;
		add_filter(visit, page, moderator_say(visit, WORD_FILTER_FIRST), without);
	}
}

/* --- from page to page --------------------------------------------------------------------------------- */

static struct str
path_at(const struct moderator_visit *visit, const struct moderator_view *view, int64_t before, int64_t after)
{
	struct moderator_view other = *view;
	other.before = before;
	other.after = after;
	other.all = false;
	return moderator_queue_path(visit, &other);
}

/* The other states, seen through the same filters, from the beginning. */
static void
fill_tabs(const struct moderator_visit *visit, const struct moderator_view *view, struct page_queue *page)
{
	struct str *tabs[VERDICT_STATES] = {[VERDICT_HELD] = &page->held_tab, [VERDICT_PUBLISHED] = &page->published_tab,
	    [VERDICT_SPAM] = &page->spam_tab, [VERDICT_TRASH] = &page->trash_tab};
	struct moderator_view other = *view;
	for (int state = 0; state < VERDICT_STATES; state++) {
		other.state = (enum verdict_state)state;
		*tabs[state] = path_at(visit, &other, 0, 0);
	}
}

/* There is more where the search found more, and where the moderator came from. */
static void
fill_paging(const struct moderator_visit *visit, const struct moderator_view *view, const struct queue *queue,
    struct page_queue *page)
{
	const struct search_found *found = &queue->found;
	bool up = view->before == 0 && (view->after > 0 || view->oldest), moved = view->before > 0 || view->after > 0;
	int64_t first = found->n > 0 ? found->ids[0] : 0, last = found->n > 0 ? found->ids[found->n - 1] : 0;
	int64_t highest = up ? last : first, lowest = up ? first : last;
	if (moved)
		page->start = path_at(visit, view, 0, 0);
	if (found->n > 0 && (up ? moved : found->more))
		page->older = path_at(visit, view, lowest, 0);
	if (found->n > 0 && (up ? found->more : moved))
		page->newer = path_at(visit, view, 0, highest);
	if (found->cut && !found->more)
		page->further = up ? path_at(visit, view, 0, found->last) : path_at(visit, view, found->last, 0);
}

/* How far a search that ended early has looked. */
static enum status
fill_looked(const struct moderator_visit *visit, const struct queue *queue, struct page_queue *page)
{
	struct queue_one_row row;
	struct db_conn *conn;
	if (page->further.len == 0)
		return STATUS_OK;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = queue_one(conn, visit->arena, &(struct queue_one_in){.id = queue->found.last, .site_id = visit->site->id}, &row);
	db_release(conn);
	page->looked = (int64_t)queue->found.looked;
	if (status == STATUS_OK)
		page->looked_until = when_date(visit->arena, visit->site->words, visit->site->config->zone, row.created_at);
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* --- the page ------------------------------------------------------------------------------------------- */

static enum status
fill_replies(const struct moderator_visit *visit, const struct moderator_view *view, const struct queue *queue,
    int64_t now, struct page_queue *page)
{
	struct str from = moderator_queue_from(visit, view);
	struct page_decide_form *decide = arena_array(visit->arena, queue->rows_n, sizeof *decide);
	page->replies = arena_array(visit->arena, queue->rows_n, sizeof *page->replies);
	enum status status = page->replies == NULL || decide == NULL ? STATUS_BROKEN : STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < queue->rows_n; i++) {
		struct page_queue_reply *reply = &page->replies[page->replies_n++];
		status = moderator_fill_reply(visit, &queue->rows[i], now, reply);
		moderator_fill_decide(visit, queue->rows[i].state, page->return_to, &decide[i]);
		decide[i].id = reply->id;
		decide[i].revision = reply->revision;
		reply->decide = &decide[i];
		reply->decide_n = 1;
		reply->from = from;
		reply->open = reply->pick = true;
		reply->checked = view->all;
	}
	return status;
}

/* The fields of a form that asks for this page with every box ticked, or none. */
static void
fill_all(const struct moderator_visit *visit, const struct moderator_view *view, struct page_queue *page)
{
	struct moderator_view every = *view;
	every.all = !view->all;
	struct str path = moderator_queue_path(visit, &every);
	struct form fields;
	str_cut(&path, '?');
	page->all = view->all;
	if (form_query(visit->arena, path, &fields) != STATUS_OK)
		return;
	page->all_fields = arena_array(visit->arena, fields.n, sizeof *page->all_fields);
	for (size_t i = 0; page->all_fields != NULL && i < fields.n; i++)
		page->all_fields[page->all_fields_n++] =
		    (struct page_queue_all_fields){fields.fields[i].name, fields.fields[i].value};
}

static enum status
fill_queue(const struct moderator_visit *visit, const struct moderator_view *view, const struct moderator_said *said,
    const struct queue *queue, int64_t now, struct page_queue *page)
{
	fill_head(visit, view, said, queue, page);
	fill_tabs(visit, view, page);
	fill_filters(visit, view, queue, page);
	fill_paging(visit, view, queue, page);
	page->return_to = path_at(visit, view, view->before, view->after);
	fill_all(visit, view, page);
	page->shown = (int64_t)queue->rows_n;
	enum status status = fill_looked(visit, queue, page);
	return status == STATUS_OK ? fill_replies(visit, view, queue, now, page) : status;
}

void
moderator_show_queue(const struct moderator_visit *visit, const struct moderator_view *view,
    const struct moderator_said *said, int code, int64_t now, struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_QUEUE);
	struct page_queue page;
	struct queue queue = {0};
	enum status status = read_queue(visit, view, &queue);
	if (status == STATUS_OK)
		status = fill_queue(visit, view, said, &queue, now, &page);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	page.head = &head;
	page.head_n = 1;
	page.top = &top;
	page.top_n = 1;
	door_private_page(response, code);
	page_queue(&response->body, visit->site->words, &page);
}

void
moderator_queue(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct moderator_said said = {0};
	struct moderator_view view;
	struct form query;
	if (form_query(visit->arena, request->query, &query) != STATUS_OK ||
	    moderator_view(visit, &query, &view) != STATUS_OK) {
		moderator_notice(visit, response, 404, WORD_TITLE_MISSING, WORD_REFUSED_MISSING);
		return;
	}
	moderator_say_done(visit, &query, &said);
	moderator_show_queue(visit, &view, &said, 200, request->now, response);
}
