#include "publish.h"

#include "log.h"
#include "markdown.h"
#include "overview.h"
#include "page.h"
#include "publish_sheet.h"
#include "when.h"

enum {
	RENDER_ARENA = 256 * 1024 * 1024,
	FIRST_WAIT = 2,    /* seconds until the second try */
	BUSY_MOST = 4,     /* and until another one, at most, where the disk is full */
	BROKEN_MOST = 600, /* and where something is wrong with the page itself */
	FUTURE = 3600      /* what is due later than that was put there by a clock that has been set back */
};

int64_t
publish_page_number(int64_t root)
{
	int64_t page = root < 1 ? 1 : (root - 1) / PUBLISH_ROOTS + 1;
	return page < PUBLISH_PAGES ? page : PUBLISH_PAGES;
}

const struct words *
publish_words(const struct publish_press *press, const struct config_site *site)
{
	return press->words[site - press->config->sites];
}

struct str
publish_html_name(struct arena *arena, int64_t number)
{
	return number == 1 ? STR("thread.html") : str_format(arena, "page.%lld.html", (long long)number);
}

struct str
publish_json_name(struct arena *arena, int64_t number)
{
	return number == 1 ? STR("thread.json") : str_format(arena, "thread.%lld.json", (long long)number);
}

/* The address of a published file, from the site's root. */
struct str
publish_file_url(const struct publish_sheet *sheet, struct str name)
{
	struct out out;
	out_init(&out, sheet->arena);
	out_put(&out, sheet->site->mount);
	out_byte(&out, '/');
	out_url_path(&out, page_file(sheet->arena, sheet->thread.page, name));
	return out_str(&out);
}

/* --- reading and writing ------------------------------------------------------------------------- */

/* The thread, too: what the files tell of it and its replies are of one moment. */
static enum status
read_rows(struct db_conn *conn, int64_t thread_id, struct publish_sheet *sheet)
{
	struct page_replies_in replies = {.thread_id = thread_id, .page_number = {true, sheet->number}};
	enum status status =
	    thread_one(conn, sheet->arena, &(struct thread_one_in){.id = thread_id}, &sheet->thread);
	if (status == STATUS_OK)
		status = page_replies(conn, sheet->arena, &replies, &sheet->rows, &sheet->rows_n);
	if (status != STATUS_OK || sheet->number != 1)
		return status;
	return feed_replies(conn, sheet->arena, &(struct feed_replies_in){.thread_id = thread_id, .most = PUBLISH_FEED},
	    &sheet->feed, &sheet->feed_n);
}

static enum status
read_sheet(int64_t thread_id, struct publish_sheet *sheet)
{
	struct db_conn *conn;
	enum status status = db_read(sheet->press->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = read_rows(conn, thread_id, sheet);
	db_release(conn);
	if (status != STATUS_OK)
		return status;
	sheet->site = config_site(sheet->press->config, sheet->thread.site);
	if (sheet->site == NULL)
		return STATUS_BROKEN;
	sheet->words = publish_words(sheet->press, sheet->site);
	sheet->pages = publish_page_number(sheet->thread.roots);
	return STATUS_OK;
}

static enum status
render_comments(struct publish_sheet *sheet, const struct publish_node *nodes)
{
	sheet->comments = arena_array(sheet->arena, sheet->rows_n, sizeof *sheet->comments);
	enum status status = sheet->comments == NULL ? STATUS_BROKEN : STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < sheet->rows_n; i++) {
		struct markdown markdown;
		if (!nodes[i].shown)
			continue;
		status = markdown_html(sheet->arena, sheet->rows[i].comment, &markdown);
		sheet->comments[i] = markdown.html;
	}
	return status;
}

static enum status
write_file(const struct publish_sheet *sheet, struct str name, const struct out *content)
{
	struct str path = str_format(sheet->arena, "%.*s/%.*s", STR_FMT(sheet->site->name),
	    STR_FMT(page_file(sheet->arena, sheet->thread.page, name)));
	return path.at == NULL ? STATUS_BROKEN : file_replace(&sheet->press->public_tree, path, out_str(content));
}

static enum status
write_sheet(struct publish_sheet *sheet)
{
	struct out html, json, feed;
	struct publish_node *nodes = publish_tree(sheet);
	out_init(&html, sheet->arena);
	out_init(&json, sheet->arena);
	out_init(&feed, sheet->arena);
	enum status status = nodes == NULL ? STATUS_BROKEN : render_comments(sheet, nodes);
	if (status == STATUS_OK)
		status = publish_sheet_html(sheet, nodes, &html);
	if (status == STATUS_OK)
		status = publish_sheet_json(sheet, nodes, &json);
	if (status == STATUS_OK && sheet->number == 1)
		status = publish_sheet_feed(sheet, &feed);
	if (status == STATUS_OK)
		status = write_file(sheet, publish_html_name(sheet->arena, sheet->number), &html);
	if (status == STATUS_OK)
		status = write_file(sheet, publish_json_name(sheet->arena, sheet->number), &json);
	if (status == STATUS_OK && sheet->number == 1)
		status = write_file(sheet, STR("feed.xml"), &feed);
	return status;
}

/* With the page's files change the site's: they are written soon, not now. */
static enum status
note_done(struct db_conn *conn, void *context)
{
	const struct publish_sheet *sheet = context;
	struct publication_done_in done = {.thread_id = sheet->thread.id, .page_number = sheet->number,
	    .revision = sheet->thread.revision};
	enum status status = publication_done(conn, &done, NULL);
	return status == STATUS_OK ? overview_ask(conn, sheet->thread.site_id, sheet->press->now) : status;
}

struct failed_page {
	int64_t thread_id, page_number, due_at;
	struct str failure;
};

static enum status
note_failed(struct db_conn *conn, void *context)
{
	const struct failed_page *page = context;
	struct publication_failed_in failed = {.thread_id = page->thread_id, .page_number = page->page_number,
	    .due_at = page->due_at, .failure = page->failure};
	return publication_failed(conn, &failed, NULL);
}

/* A full disk may be mended any moment, a page that cannot be rendered hardly. */
static int64_t
patience(enum status status, int64_t tries)
{
	return when_again(tries, FIRST_WAIT, status == STATUS_BUSY ? BUSY_MOST : BROKEN_MOST);
}

static void
complain(const struct publish_press *press, int64_t thread_id, const struct publication_pages_row *page, enum status why,
    bool memory)
{
	struct failed_page failed = {thread_id, page->page_number, press->now + patience(why, page->tries),
	    str_from(status_name(why))};
	log_event(LOG_LEVEL_ERROR, "page %lld of thread %lld is not published: %s%s", (long long)page->page_number,
	    (long long)thread_id, status_name(why), memory ? ", memory is short" : "");
	/* Where this cannot be stored either, the row is as due as it was. */
	enum status status = db_write(press->db, note_failed, &failed);
	(void)status;
}

static enum status
publish_page(const struct publish_press *press, struct arena *arena, int64_t thread_id,
    const struct publication_pages_row *page)
{
	struct publish_sheet sheet = {.press = press, .arena = arena, .number = page->page_number};
	enum status status = read_sheet(thread_id, &sheet);
	if (status == STATUS_OK)
		status = write_sheet(&sheet);
	if (status == STATUS_OK)
		status = db_write(press->db, note_done, &sheet);
	if (status != STATUS_OK)
		complain(press, thread_id, page, status, arena->failed);
	return status;
}

static enum status
list_pages(const struct publish_press *press, struct arena *arena, int64_t thread_id, int64_t most,
    struct publication_pages_row **pages, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(press->db, &conn);
	if (status != STATUS_OK)
		return status;
	/* Also what no page of ours can be called: what is not taken up would lag, and be looked for, for ever. */
	struct publication_pages_in in = {.thread_id = thread_id, .page_number = INT64_MIN, .most = most};
	status = publication_pages(conn, arena, &in, pages, n);
	db_release(conn);
	return status;
}

/* A thread may have any number of pages, so they must not be in memory together. */
static enum status
publish_locked(const struct publish_press *press, struct arena *list, int64_t thread_id, int64_t most)
{
	struct publication_pages_row *pages;
	size_t n;
	struct arena arena;
	arena_init(&arena, RENDER_ARENA);
	enum status status = list_pages(press, list, thread_id, most, &pages, &n);
	for (size_t i = 0; status != STATUS_BUSY && i < n; i++) {
		enum status one = publish_page(press, &arena, thread_id, &pages[i]);
		status = one == STATUS_OK ? status : one;
		arena_reset(&arena);
	}
	arena_free(&arena);
	return status;
}

enum status
publish_thread(const struct publish_press *press, struct arena *arena, int64_t thread_id)
{
	return publish_some(press, arena, thread_id, PUBLISH_AT_ONCE);
}

enum status
publish_some(const struct publish_press *press, struct arena *arena, int64_t thread_id, int64_t most)
{
	struct file_lock lock;
	/* Beside moderators.db: in the store's folder the public door's user could hold it for ever. */
	enum status status = file_lock(press->config->moderators_database, (unsigned)(thread_id % FILE_LOCKS), &lock);
	if (status != STATUS_OK)
		return status;
	status = publish_locked(press, arena, thread_id, most);
	file_unlock(&lock);
	return status;
}

static enum status
list_lagging(const struct publish_press *press, struct arena *arena, bool eager, int64_t after,
    struct publication_next_row **rows, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(press->db, &conn);
	if (status != STATUS_OK)
		return status;
	struct publication_next_in in = {.thread_id = after, .now = eager ? INT64_MAX : press->now,
	    .future = press->now + FUTURE, .most = PUBLISH_AT_ONCE};
	status = publication_next(conn, arena, &in, rows, n);
	db_release(conn);
	return status;
}

enum status
publish_waits(const struct publish_press *press, struct arena *arena, bool eager)
{
	struct publication_next_row *rows;
	size_t n = 0;
	enum status status = list_lagging(press, arena, eager, 0, &rows, &n);
	return status == STATUS_OK && n == 0 ? STATUS_MISSING : status;
}

enum status
publish_lagging(const struct publish_press *press, bool eager, int64_t *after)
{
	struct arena list, pages;
	struct publication_next_row *rows;
	size_t n = 0;
	arena_init(&list, RENDER_ARENA);
	arena_init(&pages, RENDER_ARENA);
	enum status worst = STATUS_OK, status = list_lagging(press, &list, eager, *after, &rows, &n);
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		*after = rows[i].thread_id;
		enum status one = publish_thread(press, &pages, rows[i].thread_id);
		worst = one == STATUS_OK ? worst : one;
		arena_reset(&pages);
	}
	if (status == STATUS_OK && n < PUBLISH_AT_ONCE)
		*after = 0;
	arena_free(&pages);
	arena_free(&list);
	return status == STATUS_OK ? worst : status;
}

/* A thread may have more pages than one go takes, hence the outer loop. */
enum status
publish_whatever_lags(const struct publish_press *press)
{
	struct arena arena;
	enum status worst = STATUS_OK, status;
	arena_init(&arena, RENDER_ARENA);
	do {
		int64_t after = 0;
		do {
			status = publish_lagging(press, true, &after);
			worst = worst == STATUS_OK ? status : worst;
		} while (after > 0 && status != STATUS_BUSY);
		arena_reset(&arena);
		status = publish_waits(press, &arena, true);
	} while (worst == STATUS_OK && status == STATUS_OK);
	arena_free(&arena);
	return worst == STATUS_OK && status != STATUS_MISSING ? status : worst;
}

enum status
publish_ask(struct db_conn *conn, struct arena *arena, int64_t thread_id, int64_t now, bool changed)
{
	struct thread_change_row thread;
	struct thread_change_in change = {.id = thread_id, .updated_at = changed ? now : 0};
	enum status status = thread_change(conn, arena, &change, &thread);
	int64_t pages = status == STATUS_OK ? publish_page_number(thread.roots) : 0;
	for (int64_t number = 1; status == STATUS_OK && number <= pages; number++) {
		struct publication_ask_in ask = {.thread_id = thread_id, .page_number = number, .revision = thread.revision,
		    .asked_at = now, .wait = PUBLISH_WAIT};
		status = publication_ask(conn, &ask, NULL);
	}
	return status;
}

/* --- a thread without replies -------------------------------------------------------------------- */

enum status
publish_render_empty(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    const struct publish_empty_thread *thread, struct str name, struct str *content)
{
	struct str title = thread->title.len > 0 ? thread->title : thread->page;
	struct publish_sheet sheet = {.press = press, .site = site, .words = publish_words(press, site), .arena = arena, .number = 1, .pages = 1,
	    .thread = {.page = thread->page, .title = title.len > 0 ? title : site->title}};
	struct out out;
	out_init(&out, arena);
	enum status status = STATUS_MISSING;
	if (str_eq(name, STR("thread.html")))
		status = publish_sheet_html(&sheet, NULL, &out);
	else if (str_eq(name, STR("thread.json")))
		status = publish_sheet_json(&sheet, NULL, &out);
	else if (str_eq(name, STR("feed.xml")))
		status = publish_sheet_feed(&sheet, &out);
	*content = out_str(&out);
	return status;
}
