/*
 * moderator_view.c - which part of the queue somebody looks at: from an address, and back to one.
 */
#include "moderator_queue.h"

#include "page.h"
#include "sql/rejoinder/thread.h"

static const int64_t sizes[] = {20, MODERATOR_MOST, 100, 200};

/* A field that is not there, or empty, is as good as none. */
static enum status
read_field(const struct form *query, const char *name, struct str *value)
{
	enum status status = form_one(query, name, value);
	if (value->len == 0)
		*value = STR_NONE;
	return status;
}

static enum status
read_flag(const struct form *query, const char *name, bool *flag)
{
	struct str value;
	enum status status = read_field(query, name, &value);
	*flag = str_eq(value, STR("1"));
	return status == STATUS_OK && value.len > 0 && !*flag ? STATUS_INVALID : status;
}

static enum status
read_id(const struct form *query, const char *name, int64_t *id)
{
	struct str value;
	enum status status = read_field(query, name, &value);
	*id = 0;
	if (status != STATUS_OK || value.len == 0)
		return status;
	return str_integer(value, id) == STATUS_OK && *id > 0 ? STATUS_OK : STATUS_INVALID;
}

static enum status
read_most(const struct form *query, int64_t *most)
{
	int64_t asked;
	enum status status = read_id(query, "most", &asked);
	*most = MODERATOR_MOST;
	if (status != STATUS_OK || asked == 0)
		return status;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (sizes[i] == asked)
			*most = asked;
	return *most == asked ? STATUS_OK : STATUS_INVALID;
}

static enum status
read_reason(const struct form *query, struct str *reason)
{
	enum status status = read_field(query, "reason", reason);
	bool known = reason->len == 0;
	for (int kind = 0; kind < SPAM_KINDS; kind++)
		known = known || str_eq(*reason, spam_kind_names[kind]);
	return known ? status : STATUS_INVALID;
}

static enum status
read_page(const struct moderator_visit *visit, const struct form *query, struct moderator_view *view)
{
	struct str typed, canonical;
	enum status status = read_field(query, "page", &typed);
	view->page = str_trim(typed);
	if (view->page.len == 0) {
		view->page = STR_NONE;
		return status;
	}
	enum status found = page_typed(visit->arena, visit->site->config, view->page, &canonical);
	view->no_page = found != STATUS_OK;
	view->elsewhere = found == STATUS_MISSING;
	if (!view->no_page)
		view->page = canonical;
	return status;
}

static enum status
read_order(const struct form *query, bool *oldest)
{
	struct str order;
	enum status status = read_field(query, "order", &order);
	*oldest = str_eq(order, STR("oldest"));
	bool known = order.len == 0 || *oldest || str_eq(order, STR("newest"));
	return known ? status : STATUS_INVALID;
}

enum status
moderator_view(const struct moderator_visit *visit, const struct form *query, struct moderator_view *view)
{
	struct str state;
	*view = (struct moderator_view){.state = VERDICT_HELD, .most = MODERATOR_MOST};
	enum status status = read_field(query, "state", &state);
	if (status == STATUS_OK && state.len > 0)
		status = verdict_state(state, &view->state);
	if (status == STATUS_OK)
		status = read_page(visit, query, view);
	if (status == STATUS_OK)
		status = read_flag(query, "links", &view->links);
	if (status == STATUS_OK)
		status = read_flag(query, "first", &view->first);
	if (status == STATUS_OK)
		status = read_reason(query, &view->reason);
	if (status == STATUS_OK)
		status = read_order(query, &view->oldest);
	if (status == STATUS_OK)
		status = read_most(query, &view->most);
	if (status == STATUS_OK)
		status = read_id(query, "before", &view->before);
	if (status == STATUS_OK)
		status = read_id(query, "after", &view->after);
	return status == STATUS_OK ? read_flag(query, "all", &view->all) : status;
}

struct moderator_view
moderator_view_of(const struct moderator_visit *visit, struct str path)
{
	struct moderator_view view, held = {.state = VERDICT_HELD, .most = MODERATOR_MOST};
	struct form query;
	str_cut(&path, '?');
	if (path.at == NULL || form_query(visit->arena, path, &query) != STATUS_OK ||
	    moderator_view(visit, &query, &view) != STATUS_OK)
		return held;
	view.all = false;
	return view;
}

/* A canonical page is decoded already; what would be read as an escape or a query is escaped again. */
struct str
moderator_view_page(const struct moderator_visit *visit, const struct moderator_view *view)
{
	struct out out;
	bool plain = view->no_page || !(str_has(view->page, '%') || str_has(view->page, '?') || str_has(view->page, '#'));
	if (plain)
		return view->page;
	out_init(&out, visit->arena);
	out_url_path(&out, view->page);
	return out_str(&out);
}

struct str
moderator_queue_path(const struct moderator_visit *visit, const struct moderator_view *view)
{
	struct out out;
	out_init(&out, visit->arena);
	out_format(&out, "%.*s/moderate/?state=%.*s", STR_FMT(visit->site->config->mount),
	    STR_FMT(verdict_state_names[view->state]));
	if (view->page.len > 0) {
		out_put(&out, STR("&page="));
		out_url_path(&out, moderator_view_page(visit, view));
	}
	if (view->links)
		out_put(&out, STR("&links=1"));
	if (view->first)
		out_put(&out, STR("&first=1"));
	if (view->reason.len > 0)
		out_format(&out, "&reason=%.*s", STR_FMT(view->reason));
	if (view->oldest)
		out_put(&out, STR("&order=oldest"));
	if (view->most != MODERATOR_MOST)
		out_format(&out, "&most=%lld", (long long)view->most);
	if (view->before > 0)
		out_format(&out, "&before=%lld", (long long)view->before);
	if (view->after > 0)
		out_format(&out, "&after=%lld", (long long)view->after);
	if (view->all)
		out_put(&out, STR("&all=1"));
	return out_str(&out);
}

struct str
moderator_queue_from(const struct moderator_visit *visit, const struct moderator_view *view)
{
	struct moderator_view plain = {.state = view->state, .most = MODERATOR_MOST}, same = *view;
	same.all = false;
	struct str path = moderator_queue_path(visit, &same);
	return str_eq(path, moderator_queue_path(visit, &plain)) ? STR_NONE : path;
}

/* The thread of the page that is asked for: MISSING where it has no replies, or is no page. */
static enum status
find_thread(const struct moderator_visit *visit, struct db_conn *conn, const struct moderator_view *view,
    int64_t *thread_id)
{
	struct thread_find_row thread;
	*thread_id = 0;
	if (view->page.len == 0)
		return STATUS_OK;
	if (view->no_page)
		return STATUS_MISSING;
	enum status status =
	    thread_find(conn, visit->arena, &(struct thread_find_in){.site_id = visit->site->id, .page = view->page}, &thread);
	*thread_id = thread.id;
	return status;
}

static unsigned
reasons_of(const struct moderator_view *view)
{
	unsigned reasons = view->first ? 1u << SPAM_FIRST : 0;
	for (int kind = 0; kind < SPAM_KINDS; kind++)
		if (view->reason.len > 0 && str_eq(view->reason, spam_kind_names[kind]))
			reasons |= 1u << kind;
	return reasons;
}

enum status
moderator_view_find(const struct moderator_visit *visit, struct db_conn *conn, const struct moderator_view *view,
    struct search_found *found)
{
	struct search search = {.site_id = visit->site->id, .state = verdict_state_names[view->state],
	    .links = view->links, .reasons = reasons_of(view), .most = (size_t)view->most, .looks = SEARCH_LOOKS};
	*found = (struct search_found){0};
	enum status status = find_thread(visit, conn, view, &search.thread_id);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	search.up = view->before > 0 ? false : view->after > 0 || view->oldest;
	search.from = search.up ? view->after : view->before > 0 ? view->before : INT64_MAX;
	return search_find(conn, visit->arena, &search, found);
}
