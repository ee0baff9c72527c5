#include "publish.h"

#include "log.h"
#include "markdown.h"
#include "page.h"
#include "page/feed_xml.h"
#include "page/thread.h"
#include "page/thread_json.h"
#include "page/thread_page.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/thread.h"
#include "when.h"

enum { LAGGING_AT_ONCE = 64, RENDER_ARENA = 256 * 1024 * 1024 };

int64_t
publish_page_number(int64_t root)
{
	return root < 1 ? 1 : (root - 1) / PUBLISH_ROOTS + 1;
}

/* --- a page of a thread as read in one snapshot -------------------------------------------------- */

struct sheet {
	const struct publish_press *press;
	const struct config_site *site;
	const struct words *words; /* of the site */
	struct arena *arena;
	struct thread_one_row thread;
	int64_t number, pages;
	struct page_replies_row *rows; /* by id, so a parent comes before its answers */
	size_t rows_n;
	struct html *comments; /* of the rows that are shown, for HTML and JSON alike */
	struct feed_replies_row *feed; /* only for page 1 */
	size_t feed_n;
};

static const struct words *
words_of(const struct publish_press *press, const struct config_site *site)
{
	return press->words[site - press->config->sites];
}

static struct str
html_name(struct arena *arena, int64_t number)
{
	return number == 1 ? STR("thread.html") : str_format(arena, "page.%lld.html", (long long)number);
}

static struct str
json_name(struct arena *arena, int64_t number)
{
	return number == 1 ? STR("thread.json") : str_format(arena, "thread.%lld.json", (long long)number);
}

/* The address of a published file, from the site's root. */
static struct str
file_url(const struct sheet *sheet, struct str name)
{
	struct out out;
	out_init(&out, sheet->arena);
	out_put(&out, sheet->site->mount);
	out_byte(&out, '/');
	out_url_path(&out, page_file(sheet->arena, sheet->thread.page, name));
	return out_str(&out);
}

static struct str
absolute(const struct sheet *sheet, struct str path)
{
	return str_join(sheet->arena, sheet->site->base, path);
}

static struct str
id_text(struct arena *arena, int64_t id)
{
	return str_format(arena, "%lld", (long long)id);
}

/* --- who stands under whom ----------------------------------------------------------------------- */

static const size_t nobody = (size_t)-1;

/* One reply in the tree that is shown. */
struct node {
	bool shown;      /* its parent is, too, or it has none */
	size_t under;    /* index of the node that it stands under, or `nobody` */
	size_t depth;    /* 1 for a root */
	size_t answers;  /* nodes that stand under it */
};

static size_t
find_row(const struct sheet *sheet, int64_t id)
{
	size_t low = 0, high = sheet->rows_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sheet->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sheet->rows_n && sheet->rows[low].id == id ? low : nobody;
}

/* An answer deeper than PUBLISH_DEPTH stands beside the one it answers. */
static void
place(const struct sheet *sheet, struct node *nodes, size_t i)
{
	struct db_integer parent_id = sheet->rows[i].parent_id;
	nodes[i] = (struct node){.shown = true, .under = nobody, .depth = 1};
	if (!parent_id.set)
		return;
	size_t parent = find_row(sheet, parent_id.value);
	nodes[i].shown = parent != nobody && parent < i && nodes[parent].shown;
	if (!nodes[i].shown)
		return;
	bool deepest = nodes[parent].depth >= PUBLISH_DEPTH;
	nodes[i].under = deepest ? nodes[parent].under : parent;
	nodes[i].depth = deepest ? PUBLISH_DEPTH : nodes[parent].depth + 1;
	if (nodes[i].under != nobody)
		nodes[nodes[i].under].answers++;
}

static struct node *
make_tree(const struct sheet *sheet)
{
	struct node *nodes = arena_array(sheet->arena, sheet->rows_n, sizeof *nodes);
	for (size_t i = 0; nodes != NULL && i < sheet->rows_n; i++)
		place(sheet, nodes, i);
	return nodes;
}

/* --- HTML ---------------------------------------------------------------------------------------- */

/*
 * The beginning of a long comment, for a summary line; none for a short one.  Cut at a character, and
 * at a space where there is one near.
 */
struct str
publish_opening(struct arena *arena, struct str comment)
{
	struct str plain;
	if (comment.len <= PUBLISH_LONG || markdown_text(arena, comment, &plain) != STATUS_OK ||
	    plain.len <= PUBLISH_OPENING)
		return STR_NONE;
	size_t len = PUBLISH_OPENING;
	while (len > 0 && ((unsigned char)plain.at[len] & 0xc0) == 0x80)
		len--;
	for (size_t back = len; back > len / 2; back--)
		if (plain.at[back] == ' ')
			return str_sub(plain, 0, back);
	return str_sub(plain, 0, len);
}

static void
fill_reply(const struct sheet *sheet, size_t i, struct page_thread_reply *reply)
{
	const struct words *words = sheet->words;
	const struct page_replies_row *row = &sheet->rows[i];
	reply->opening = publish_opening(sheet->arena, row->comment);
	reply->folded = reply->opening.len > 0;
	reply->id = row->id;
	reply->name = row->name;
	reply->website = row->website;
	reply->comment = sheet->comments[i];
	reply->by_moderator = row->by_moderator != 0;
	reply->created_at = when_rfc3339(sheet->arena, row->created_at);
	reply->created = when_date(sheet->arena, words, sheet->site->zone, row->created_at);
	reply->edited_at = row->edited_at.set ? when_rfc3339(sheet->arena, row->edited_at.value) : STR_NONE;
	reply->closed = sheet->thread.closed != 0;
	reply->mount = sheet->site->mount;
	reply->page = sheet->thread.page;
}

/* Each node's answers are one array; the roots' array is the page's. */
struct branches {
	struct page_thread_reply **answers; /* of node i */
	size_t *filled;                     /* of those, how many are in place */
	struct page_thread_reply *roots;
	size_t roots_n;
};

static enum status
grow_branches(const struct sheet *sheet, const struct node *nodes, struct branches *branches)
{
	struct arena *arena = sheet->arena;
	branches->answers = arena_array(arena, sheet->rows_n, sizeof *branches->answers);
	branches->filled = arena_array(arena, sheet->rows_n, sizeof *branches->filled);
	if (branches->answers == NULL || branches->filled == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < sheet->rows_n; i++) {
		branches->answers[i] = arena_array(arena, nodes[i].answers, sizeof **branches->answers);
		branches->roots_n += nodes[i].shown && nodes[i].under == nobody ? 1 : 0;
	}
	branches->roots = arena_array(arena, branches->roots_n, sizeof *branches->roots);
	branches->roots_n = 0;
	return arena->failed ? STATUS_BROKEN : STATUS_OK;
}

static enum status
fill_branches(const struct sheet *sheet, const struct node *nodes, struct branches *branches)
{
	enum status status = grow_branches(sheet, nodes, branches);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < sheet->rows_n; i++) {
		if (!nodes[i].shown)
			continue;
		size_t under = nodes[i].under;
		struct page_thread_reply *reply = under == nobody ? &branches->roots[branches->roots_n++]
		                                                  : &branches->answers[under][branches->filled[under]++];
		fill_reply(sheet, i, reply);
		reply->replies = branches->answers[i];
		reply->replies_n = nodes[i].answers;
	}
	return STATUS_OK;
}

/* Within an article the owner says which level fits; on a page of its own it stands under our h1. */
static void
fill_heading(const struct sheet *sheet, struct page_thread *page)
{
	int64_t level = sheet->number == 1 ? sheet->site->heading_level : 2;
	page->h1 = level == 1;
	page->h2 = level == 2;
	page->h3 = level == 3;
	page->h4 = level == 4;
	page->h5 = level == 5;
	page->h6 = level == 6;
}

static enum status
fill_thread(const struct sheet *sheet, const struct node *nodes, struct page_thread *page)
{
	struct branches branches = {0};
	enum status status = fill_branches(sheet, nodes, &branches);
	page->replies = branches.roots;
	page->replies_n = branches.roots_n;
	page->n = sheet->thread.published;
	page->closed = sheet->thread.closed != 0;
	fill_heading(sheet, page);
	if (sheet->number > 1)
		page->prev = sheet->number == 2 ? page_url(sheet->arena, sheet->site, sheet->thread.page)
		                                : file_url(sheet, html_name(sheet->arena, sheet->number - 1));
	if (sheet->number < sheet->pages)
		page->next = file_url(sheet, html_name(sheet->arena, sheet->number + 1));
	return status;
}

static enum status
render_html(const struct sheet *sheet, const struct node *nodes, struct out *out)
{
	struct page_thread thread = {0};
	enum status status = fill_thread(sheet, nodes, &thread);
	if (status != STATUS_OK)
		return status;
	if (sheet->number == 1) {
		page_thread(out, sheet->words, &thread);
		return out_status(out);
	}
	struct str url = page_url(sheet->arena, sheet->site, sheet->thread.page);
	struct page_reader_head head = {.mount = sheet->site->mount, .page_url = url};
	struct page_reader_foot foot = {.page_url = url, .page_title = sheet->thread.title};
	struct page_thread_page page = {.head = &head, .head_n = 1, .foot = &foot, .foot_n = 1, .thread = &thread,
	    .thread_n = 1, .n = sheet->number, .page_title = sheet->thread.title, .page_url = url};
	page_thread_page(out, sheet->words, &page);
	return out_status(out);
}

/* --- JSON ---------------------------------------------------------------------------------------- */

static struct page_thread_json_replies
json_reply(const struct sheet *sheet, size_t i)
{
	const struct page_replies_row *row = &sheet->rows[i];
	return (struct page_thread_json_replies){
	    .id = id_text(sheet->arena, row->id),
	    .parent_id = row->parent_id.set ? id_text(sheet->arena, row->parent_id.value) : STR_NONE,
	    .name = row->name,
	    .website = row->website,
	    .comment_html = sheet->comments[i],
	    .created_at = when_rfc3339(sheet->arena, row->created_at),
	    .edited_at = row->edited_at.set ? when_rfc3339(sheet->arena, row->edited_at.value) : STR_NONE,
	    .by_moderator = row->by_moderator != 0,
	};
}

static enum status
render_json(const struct sheet *sheet, const struct node *nodes, struct out *out)
{
	struct arena *arena = sheet->arena;
	struct page_thread_json page = {
	    .page = sheet->number,
	    .pages = sheet->pages,
	    .first = sheet->number == 1,
	    .count = sheet->thread.published,
	    .closed = sheet->thread.closed != 0,
	    .updated_at = when_rfc3339(arena, sheet->thread.updated_at),
	    .replies = arena_array(arena, sheet->rows_n, sizeof *page.replies),
	};
	if (sheet->number > 1)
		page.prev = file_url(sheet, json_name(arena, sheet->number - 1));
	if (sheet->number < sheet->pages)
		page.next = file_url(sheet, json_name(arena, sheet->number + 1));
	if (page.replies == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < sheet->rows_n; i++)
		if (nodes[i].shown)
			page.replies[page.replies_n++] = json_reply(sheet, i);
	page_thread_json(out, sheet->words, &page);
	return out_status(out);
}

/* --- Atom ---------------------------------------------------------------------------------------- */

struct str
publish_link(struct arena *arena, const struct config_site *site, struct str page, int64_t page_number,
    int64_t reply_id)
{
	struct sheet sheet = {.arena = arena, .site = site, .thread.page = page};
	struct str where = page_number > 1 ? file_url(&sheet, html_name(arena, page_number)) : page_url(arena, site, page);
	return str_format(arena, "%.*s#reply-%lld", STR_FMT(where), (long long)reply_id);
}

static enum status
fill_entry(const struct sheet *sheet, const struct feed_replies_row *row, struct page_feed_xml_entries *entry)
{
	struct markdown markdown;
	enum status status = markdown_html(sheet->arena, row->comment, &markdown);
	if (status != STATUS_OK)
		return status;
	int64_t number = row->page_number.set ? row->page_number.value : 1;
	*entry = (struct page_feed_xml_entries){
	    .url = absolute(sheet, publish_link(sheet->arena, sheet->site, sheet->thread.page, number, row->id)),
	    .name = row->name,
	    .created_at = when_rfc3339(sheet->arena, row->created_at),
	    .updated_at = when_rfc3339(sheet->arena, row->published_at.value),
	    .comment_html = markdown.html,
	};
	return STATUS_OK;
}

static enum status
render_feed(const struct sheet *sheet, struct out *out)
{
	struct arena *arena = sheet->arena;
	struct page_feed_xml page = {
	    .self = absolute(sheet, file_url(sheet, STR("feed.xml"))),
	    .page_url = absolute(sheet, page_url(arena, sheet->site, sheet->thread.page)),
	    .page_title = sheet->thread.title,
	    .updated_at = when_rfc3339(arena, sheet->thread.updated_at),
	    .entries = arena_array(arena, sheet->feed_n, sizeof *page.entries),
	};
	enum status status = page.entries == NULL ? STATUS_BROKEN : STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < sheet->feed_n; i++)
		status = fill_entry(sheet, &sheet->feed[i], &page.entries[page.entries_n++]);
	if (status != STATUS_OK)
		return status;
	page_feed_xml(out, sheet->words, &page);
	return out_status(out);
}

/* --- reading and writing ------------------------------------------------------------------------- */

/* The thread, too: what the files tell of it and its replies are of one moment. */
static enum status
read_rows(struct db_conn *conn, int64_t thread_id, struct sheet *sheet)
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
read_sheet(int64_t thread_id, struct sheet *sheet)
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
	sheet->words = words_of(sheet->press, sheet->site);
	sheet->pages = publish_page_number(sheet->thread.roots);
	return STATUS_OK;
}

static enum status
render_comments(struct sheet *sheet, const struct node *nodes)
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
write_file(const struct sheet *sheet, struct str name, const struct out *content)
{
	struct str path = str_format(sheet->arena, "%.*s/%.*s", STR_FMT(sheet->site->name),
	    STR_FMT(page_file(sheet->arena, sheet->thread.page, name)));
	return path.at == NULL ? STATUS_BROKEN : file_replace(&sheet->press->public_tree, path, out_str(content));
}

static enum status
write_sheet(struct sheet *sheet)
{
	struct out html, json, feed;
	struct node *nodes = make_tree(sheet);
	out_init(&html, sheet->arena);
	out_init(&json, sheet->arena);
	out_init(&feed, sheet->arena);
	enum status status = nodes == NULL ? STATUS_BROKEN : render_comments(sheet, nodes);
	if (status == STATUS_OK)
		status = render_html(sheet, nodes, &html);
	if (status == STATUS_OK)
		status = render_json(sheet, nodes, &json);
	if (status == STATUS_OK && sheet->number == 1)
		status = render_feed(sheet, &feed);
	if (status == STATUS_OK)
		status = write_file(sheet, html_name(sheet->arena, sheet->number), &html);
	if (status == STATUS_OK)
		status = write_file(sheet, json_name(sheet->arena, sheet->number), &json);
	if (status == STATUS_OK && sheet->number == 1)
		status = write_file(sheet, STR("feed.xml"), &feed);
	return status;
}

static enum status
note_done(struct db_conn *conn, void *context)
{
	const struct sheet *sheet = context;
	struct publication_done_in done = {.thread_id = sheet->thread.id, .page_number = sheet->number,
	    .revision = sheet->thread.revision};
	return publication_done(conn, &done, NULL);
}

static enum status
publish_page(const struct publish_press *press, struct arena *arena, int64_t thread_id, int64_t number)
{
	struct sheet sheet = {.press = press, .arena = arena, .number = number};
	enum status status = read_sheet(thread_id, &sheet);
	if (status == STATUS_OK)
		status = write_sheet(&sheet);
	if (status == STATUS_OK)
		status = db_write(press->db, note_done, &sheet);
	if (status != STATUS_OK)
		log_event(LOG_LEVEL_ERROR, "page %lld of thread %lld is not published: %s%s", (long long)number,
		    (long long)thread_id, status_name(status), arena->failed ? ", memory is short" : "");
	return status;
}

static enum status
list_pages(const struct publish_press *press, struct arena *arena, int64_t thread_id,
    struct publication_pages_row **pages, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(press->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = publication_pages(conn, arena, &(struct publication_pages_in){.thread_id = thread_id}, pages, n);
	db_release(conn);
	return status;
}

/* A thread may have any number of pages, so they must not be in memory together. */
static enum status
publish_locked(const struct publish_press *press, struct arena *list, int64_t thread_id)
{
	struct publication_pages_row *pages;
	size_t n;
	struct arena arena;
	arena_init(&arena, RENDER_ARENA);
	enum status status = list_pages(press, list, thread_id, &pages, &n);
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		status = publish_page(press, &arena, thread_id, pages[i].page_number);
		arena_reset(&arena);
	}
	arena_free(&arena);
	return status;
}

enum status
publish_thread(const struct publish_press *press, struct arena *arena, int64_t thread_id)
{
	struct file_lock lock;
	enum status status = file_lock(press->config->database, (unsigned)(thread_id % FILE_LOCKS), &lock);
	if (status != STATUS_OK)
		return status;
	status = publish_locked(press, arena, thread_id);
	file_unlock(&lock);
	return status;
}

static enum status
list_lagging(const struct publish_press *press, struct arena *arena, int64_t after, struct publication_next_row **rows,
    size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(press->db, &conn);
	if (status != STATUS_OK)
		return status;
	struct publication_next_in in = {.thread_id = after, .most = LAGGING_AT_ONCE};
	status = publication_next(conn, arena, &in, rows, n);
	db_release(conn);
	return status;
}

enum status
publish_lagging(const struct publish_press *press)
{
	struct arena list, pages;
	struct publication_next_row *rows;
	size_t n = 0;
	int64_t after = 0;
	arena_init(&list, RENDER_ARENA);
	arena_init(&pages, RENDER_ARENA);
	enum status worst = STATUS_OK, status;
	do {
		arena_reset(&list);
		status = list_lagging(press, &list, after, &rows, &n);
		for (size_t i = 0; status == STATUS_OK && i < n; i++) {
			after = rows[i].thread_id;
			enum status one = publish_thread(press, &pages, after);
			worst = one == STATUS_OK ? worst : one;
			arena_reset(&pages);
		}
	} while (status == STATUS_OK && n == LAGGING_AT_ONCE);
	arena_free(&pages);
	arena_free(&list);
	return status == STATUS_OK ? worst : status;
}

enum status
publish_ask(struct db_conn *conn, struct arena *arena, int64_t thread_id, int64_t now)
{
	struct thread_change_row thread;
	struct thread_change_in change = {.id = thread_id, .updated_at = now};
	enum status status = thread_change(conn, arena, &change, &thread);
	int64_t pages = status == STATUS_OK ? publish_page_number(thread.roots) : 0;
	for (int64_t number = 1; status == STATUS_OK && number <= pages; number++) {
		struct publication_ask_in ask = {.thread_id = thread_id, .page_number = number, .revision = thread.revision,
		    .asked_at = now};
		status = publication_ask(conn, &ask, NULL);
	}
	return status;
}

/* --- a thread without replies -------------------------------------------------------------------- */

enum status
publish_render_empty(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    struct str page, struct str name, struct str *content)
{
	struct sheet sheet = {.press = press, .site = site, .words = words_of(press, site), .arena = arena, .number = 1, .pages = 1,
	    .thread = {.page = page, .title = page.len > 0 ? page : site->title}};
	struct out out;
	out_init(&out, arena);
	enum status status = STATUS_MISSING;
	if (str_eq(name, STR("thread.html")))
		status = render_html(&sheet, NULL, &out);
	else if (str_eq(name, STR("thread.json")))
		status = render_json(&sheet, NULL, &out);
	else if (str_eq(name, STR("feed.xml")))
		status = render_feed(&sheet, &out);
	*content = out_str(&out);
	return status;
}

enum status
publish_empty(const struct publish_press *press, struct arena *arena, const struct config_site *site)
{
	static const struct str names[] = {STR_INIT("thread.html"), STR_INIT("thread.json"), STR_INIT("feed.xml")};
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < sizeof names / sizeof *names; i++) {
		struct str content;
		status = publish_render_empty(press, arena, site, STR(""), names[i], &content);
		struct str path = str_format(arena, "%.*s/empty/%.*s", STR_FMT(site->name), STR_FMT(names[i]));
		if (status == STATUS_OK)
			status = path.at == NULL ? STATUS_BROKEN : file_replace(&press->public_tree, path, content);
	}
	return status;
}
