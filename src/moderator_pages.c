/*
 * moderator_pages.c - the pages that have replies: what stands and waits on each; closing and reopening
 * them, and pausing the site.
 */
#include "moderator_queue.h"

#include <string.h>

#include "closing.h"
#include "log.h"
#include "page.h"
#include "page/pages.h"
#include "publish.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"
#include "when.h"

enum {
	AT_ONCE = 50,
	WAITING_MOST = 100, /* what waits on a page is counted up to here */
	PUBLISH_NOW = 4     /* pages of a thread that are written before the answer; the background does the others */
};

/* Which part of the list is shown. */
struct shelf {
	struct str path;  /* pages that begin so; "" for all */
	struct str after; /* pages behind this one */
	bool recent;      /* all pages instead, the one that changed last first */
	int64_t at, before; /* of those, the ones behind this time and id */
};

static struct str
shelf_path(const struct moderator_visit *visit, const struct shelf *shelf)
{
	struct out out;
	out_init(&out, visit->arena);
	if (shelf->recent) {
		out_put(&out, moderator_path(visit, "pages?order=recent"));
		if (shelf->at < INT64_MAX)
			out_format(&out, "&at=%lld&before=%lld", (long long)shelf->at, (long long)shelf->before);
		return out_str(&out);
	}
	out_put(&out, moderator_path(visit, "pages?path="));
	out_url_part(&out, shelf->path);
	if (shelf->after.len > 0) {
		out_put(&out, STR("&after="));
		out_url_part(&out, shelf->after);
	}
	return out_str(&out);
}

static enum status
read_recent(const struct form *query, struct shelf *shelf)
{
	struct str order, at, before;
	enum status status = form_one(query, "order", &order);
	if (status == STATUS_OK)
		status = form_one(query, "at", &at);
	if (status == STATUS_OK)
		status = form_one(query, "before", &before);
	if (status != STATUS_OK)
		return status;
	shelf->recent = str_eq(order, STR("recent"));
	shelf->at = shelf->before = INT64_MAX;
	if (!shelf->recent)
		return order.len == 0 || str_eq(order, STR("name")) ? STATUS_OK : STATUS_INVALID;
	if (at.len > 0)
		status = str_integer(at, &shelf->at);
	return status == STATUS_OK && before.len > 0 ? str_integer(before, &shelf->before) : status;
}

static enum status
read_shelf(const struct form *query, struct shelf *shelf)
{
	enum status status = read_recent(query, shelf);
	if (status == STATUS_OK)
		status = form_one(query, "path", &shelf->path);
	if (status == STATUS_OK)
		status = form_one(query, "after", &shelf->after);
	if (status == STATUS_OK && shelf->path.len + shelf->after.len > 2 * PAGE_MOST)
		status = STATUS_INVALID;
	shelf->path = str_trim(shelf->path);
	return status;
}

/* The part of the list that a form came from, out of its `return`. */
static struct shelf
shelf_of_form(const struct moderator_visit *visit)
{
	struct shelf shelf = {0};
	struct str path;
	struct form query;
	if (form_one(&visit->form, "return", &path) != STATUS_OK)
		return shelf;
	str_cut(&path, '?');
	if (path.at == NULL || form_query(visit->arena, path, &query) != STATUS_OK ||
	    read_shelf(&query, &shelf) != STATUS_OK)
		shelf = (struct shelf){0};
	return shelf;
}

/* --- the list ----------------------------------------------------------------------------------------- */

struct listing {
	struct thread_listing_row *rows;
	size_t rows_n;
	bool paused;
};

/* The other query gives the same columns in a type of its own. */
static enum status
read_latest(const struct moderator_visit *visit, struct db_conn *conn, const struct shelf *shelf, struct listing *listing)
{
	struct thread_recent_row *rows = NULL;
	struct thread_recent_in in = {.site_id = visit->site->id, .bound = WAITING_MOST, .most = AT_ONCE + 1,
	    .updated_at = shelf->at, .id = shelf->before};
	enum status status = thread_recent(conn, visit->arena, &in, &rows, &listing->rows_n);
	listing->rows = arena_array(visit->arena, listing->rows_n, sizeof *listing->rows);
	if (status == STATUS_OK && listing->rows == NULL)
		status = STATUS_BROKEN;
	for (size_t i = 0; status == STATUS_OK && i < listing->rows_n; i++)
		listing->rows[i] = (struct thread_listing_row){rows[i].id, rows[i].page, rows[i].title, rows[i].closed,
		    rows[i].published, rows[i].updated_at, rows[i].waiting};
	return status;
}

static enum status
read_listing(const struct moderator_visit *visit, const struct shelf *shelf, struct listing *listing)
{
	struct site_paused_row site;
	struct db_conn *conn;
	/* No page holds a byte below a space, so nothing lies between a page and itself with one; nor any byte FF. */
	struct thread_listing_in in = {.site_id = visit->site->id, .bound = WAITING_MOST, .most = AT_ONCE + 1,
	    .first = shelf->after.len > 0 ? str_join(visit->arena, shelf->after, STR("\1")) : str_join(visit->arena, shelf->path, STR("")),
	    .last = str_join(visit->arena, shelf->path, STR("\xff"))};
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = shelf->recent ? read_latest(visit, conn, shelf, listing)
	                       : thread_listing(conn, visit->arena, &in, &listing->rows, &listing->rows_n);
	if (status == STATUS_OK)
		status = site_paused(conn, visit->arena, &(struct site_paused_in){.id = visit->site->id}, &site);
	listing->paused = status == STATUS_OK && site.paused != 0;
	db_release(conn);
	return status;
}

static struct str
queue_of(const struct moderator_visit *visit, struct str page, enum verdict_state state)
{
	struct moderator_view view = {.state = state, .page = page, .most = MODERATOR_MOST};
	return moderator_queue_path(visit, &view);
}

static void
fill_page(const struct moderator_visit *visit, const struct thread_listing_row *row, int64_t now,
    struct page_pages_pages *page)
{
	*page = (struct page_pages_pages){
	    .id = row->id,
	    .url = moderator_site_url(visit, page_url(visit->arena, visit->site->config, row->page)),
	    .title = row->title,
	    .page = row->page,
	    .other = !str_eq(row->title, row->page),
	    .published = row->published,
	    .waiting = row->waiting,
	    .more = row->waiting >= WAITING_MOST,
	    .closed = row->closed != 0,
	    .changed_at = when_rfc3339(visit->arena, row->updated_at),
	    .changed = row->updated_at > 0 ? when_ago(visit->arena, visit->site->words, row->updated_at, now) : STR_NONE,
	};
	if (row->published > 0)
		page->published_url = queue_of(visit, row->page, VERDICT_PUBLISHED);
	if (row->waiting > 0)
		page->waiting_url = queue_of(visit, row->page, VERDICT_HELD);
}

static void
fill_paging(const struct moderator_visit *visit, const struct shelf *shelf, const struct listing *listing,
    struct page_pages *page)
{
	struct shelf first = {.path = shelf->path, .recent = shelf->recent, .at = INT64_MAX}, next = first;
	if (shelf->after.len > 0 || (shelf->recent && shelf->at < INT64_MAX))
		page->first = shelf_path(visit, &first);
	if (listing->rows_n > AT_ONCE) {
		const struct thread_listing_row *last = &listing->rows[AT_ONCE - 1];
		next.after = last->page;
		next.at = last->updated_at;
		next.before = last->id;
		page->next = shelf_path(visit, &next);
	}
	page->paging = page->first.len > 0 || page->next.len > 0;
}

static void
show(const struct moderator_visit *visit, const struct shelf *shelf, struct str said, int64_t now,
    struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_PAGES);
	struct listing listing = {0};
	struct page_pages page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1, .site = visit->site->config->title,
	    .mount = visit->site->config->mount, .token = visit->session.token, .status = said, .path = shelf->path,
	    .recent = shelf->recent, .return_to = shelf_path(visit, shelf), .configured = visit->site->config->paused};
	enum status status = read_listing(visit, shelf, &listing);
	size_t shown = listing.rows_n > AT_ONCE ? AT_ONCE : listing.rows_n;
	page.pages = arena_array(visit->arena, shown, sizeof *page.pages);
	if (status != STATUS_OK || page.pages == NULL) {
		moderator_failure(visit, response, status == STATUS_OK ? STATUS_BROKEN : status);
		return;
	}
	page.paused = listing.paused;
	for (size_t i = 0; i < shown; i++)
		fill_page(visit, &listing.rows[i], now, &page.pages[page.pages_n++]);
	fill_paging(visit, shelf, &listing, &page);
	door_private_page(response, 200);
	page_pages(&response->body, visit->site->words, &page);
}

/* --- what was done, said afterwards --------------------------------------------------------------------- */

enum deed { CLOSE, REOPEN, PAUSE, RESUME, DEEDS };
static const struct {
	struct str name;
	bool closed, whole;
	enum word said;
} deeds[DEEDS] = {
    [CLOSE] = {STR_INIT("close"), true, false, WORD_PAGES_DONE_CLOSE},
    [REOPEN] = {STR_INIT("reopen"), false, false, WORD_PAGES_DONE_REOPEN},
    [PAUSE] = {STR_INIT("pause"), true, true, WORD_PAGES_DONE_PAUSE},
    [RESUME] = {STR_INIT("resume"), false, true, WORD_PAGES_DONE_RESUME},
};

static struct str
mac_of(const struct moderator_visit *visit, struct str done, struct str page)
{
	struct secret_key key;
	uint8_t mac[SECRET_HASH];
	struct str parts[] = {done, page};
	memcpy(key.bytes, visit->session.id, sizeof key.bytes);
	secret_hash(&key, "closed", parts, 2, mac);
	secret_wipe(&key, sizeof key);
	return str_base64url(visit->arena, mac, sizeof mac);
}

/* What the address says was done, if it was us who say it. */
static struct str
say_done(const struct moderator_visit *visit, const struct form *query)
{
	struct str done, page, mac;
	if (form_one(query, "done", &done) != STATUS_OK || form_one(query, "page", &page) != STATUS_OK ||
	    form_one(query, "mac", &mac) != STATUS_OK || mac.len == 0)
		return STR_NONE;
	struct str right = mac_of(visit, done, page);
	if (mac.len != right.len || !secret_same(mac.at, right.at, mac.len))
		return STR_NONE;
	struct word_hole hole = {.name = STR("page"), .text = page};
	for (size_t i = 0; i < DEEDS; i++)
		if (str_eq(deeds[i].name, done))
			return words_say(visit->arena, visit->site->words, deeds[i].said, &hole, deeds[i].whole ? 0 : 1);
	return STR_NONE;
}

static void
go_back(const struct moderator_visit *visit, enum deed deed, struct str page, int64_t thread_id,
    struct fcgi_response *response)
{
	struct shelf shelf = shelf_of_form(visit);
	struct out out;
	out_init(&out, visit->arena);
	out_format(&out, "%.*s&done=%.*s&page=", STR_FMT(shelf_path(visit, &shelf)), STR_FMT(deeds[deed].name));
	out_url_part(&out, page);
	out_format(&out, "&mac=%.*s", STR_FMT(mac_of(visit, deeds[deed].name, page)));
	if (thread_id > 0)
		out_format(&out, "#page-%lld", (long long)thread_id);
	door_redirect(response, out_str(&out));
}

/* --- the handlers ----------------------------------------------------------------------------------------- */

static void
do_deed(const struct moderator_visit *visit, enum deed deed, struct str page, int64_t now,
    struct fcgi_response *response)
{
	const struct door *door = &visit->moderator->door;
	struct closing_result result;
	struct closing_order order = {.site_id = visit->site->id, .page = page, .title = page, .closed = deeds[deed].closed,
	    .key = &visit->moderator->journal.key, .moderator = visit->session.name, .network = visit->network, .now = now};
	enum status status = closing_do(door->db, visit->arena, &order, &result);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	struct publish_press press = door_press(door);
	/* A failure has been logged; the background tries again. */
	if (result.changed && result.thread_id > 0 &&
	    publish_some(&press, visit->arena, result.thread_id, PUBLISH_NOW) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "thread %lld lags behind the store", (long long)result.thread_id);
	log_event(LOG_LEVEL_INFO, "account %lld: %.*s%s", (long long)visit->session.account_id, STR_FMT(deeds[deed].name),
	    result.changed ? "" : ", as it was");
	go_back(visit, deed, page.at == NULL ? STR("") : page, result.thread_id, response);
}

/* Only what has a thread already: the list has nothing else, and the command line closes the others. */
static void
do_page(const struct moderator_visit *visit, enum deed deed, int64_t now, struct fcgi_response *response)
{
	struct thread_find_row thread;
	struct str page;
	struct db_conn *conn;
	enum status status = form_one(&visit->form, "page", &page);
	if (status != STATUS_OK || page.len == 0) {
		moderator_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_DECIDE_MALFORMED);
		return;
	}
	status = db_read(visit->moderator->door.db, &conn);
	if (status == STATUS_OK) {
		struct thread_find_in find = {.site_id = visit->site->id, .page = page};
		status = thread_find(conn, visit->arena, &find, &thread);
		db_release(conn);
	}
	if (status == STATUS_MISSING)
		moderator_notice(visit, response, 404, WORD_TITLE_MISSING, WORD_PAGES_UNKNOWN);
	else if (status != STATUS_OK)
		moderator_failure(visit, response, status);
	else
		do_deed(visit, deed, page, now, response);
}

void
moderator_pages(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	struct shelf shelf;
	struct form query;
	if (form_query(visit->arena, request->query, &query) != STATUS_OK || read_shelf(&query, &shelf) != STATUS_OK)
		moderator_notice(visit, response, 404, WORD_TITLE_MISSING, WORD_REFUSED_MISSING);
	else
		show(visit, &shelf, say_done(visit, &query), request->now, response);
}

void
moderator_close_page(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	do_page(context, CLOSE, request->now, response);
}

void
moderator_reopen_page(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	do_page(context, REOPEN, request->now, response);
}

void
moderator_pause(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	do_deed(context, PAUSE, STR_NONE, request->now, response);
}

void
moderator_resume(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	do_deed(context, RESUME, STR_NONE, request->now, response);
}
