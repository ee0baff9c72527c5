#include "overview.h"

#include "file.h"
#include "markdown.h"
#include "page.h"
#include "page/counts_json.h"
#include "page/latest.h"
#include "page/latest_json.h"
#include "page/site_feed_xml.h"
#include "page/trending.h"
#include "page/trending_json.h"
#include "sql/rejoinder/overview.h"
#include "sql/rejoinder/work.h"
#include "when.h"

enum { FILE_MOST = 16 * 1024 * 1024, DAY = 86400 };

/* A site's replies as read in one snapshot. */
struct sight {
	const struct publish_press *press;
	const struct config_site *site;
	const struct words *words;
	struct arena *arena;
	struct latest_replies_row *latest;
	size_t latest_n;
	struct trending_threads_row *trending;
	size_t trending_n;
	struct thread_counts_row *counts;
	size_t counts_n;
	struct html *comments; /* of `latest` */
};

static struct str
link_of(const struct sight *sight, const struct latest_replies_row *row)
{
	int64_t number = row->page_number.set ? row->page_number.value : 1;
	return publish_link(sight->arena, sight->site, row->page, number, row->id);
}

static struct str
time_of(const struct sight *sight, struct db_integer seconds)
{
	return seconds.set ? when_rfc3339(sight->arena, seconds.value) : STR_NONE;
}

static struct page_heading *
heading_of(const struct sight *sight, enum word word, size_t *n)
{
	struct str text = words_say(sight->arena, sight->words, word, NULL, 0);
	struct page_heading *heading = publish_heading(sight->arena, sight->site->heading_level, text);
	*n = heading == NULL ? 0 : 1;
	return heading;
}

/* --- the newest ---------------------------------------------------------------------------------- */

static void
latest_html(const struct sight *sight, struct out *out)
{
	struct page_latest page = {.replies = arena_array(sight->arena, sight->latest_n, sizeof *page.replies)};
	page.heading = heading_of(sight, WORD_LATEST_TITLE, &page.heading_n);
	for (size_t i = 0; page.replies != NULL && i < sight->latest_n; i++) {
		const struct latest_replies_row *row = &sight->latest[i];
		struct page_latest_replies *reply = &page.replies[page.replies_n++];
		reply->name = row->name;
		reply->url = link_of(sight, row);
		reply->title = row->title;
		reply->by_moderator = row->by_moderator != 0;
		/* By when it was written the list would look unsorted: what waited for days comes up as new. */
		reply->published_at = time_of(sight, row->published_at);
		reply->published = when_date(sight->arena, sight->words, sight->site->zone, row->published_at.value);
		reply->opening = publish_excerpt(sight->arena, row->comment, &reply->cut);
	}
	page_latest(out, sight->words, &page);
}

static void
latest_json(const struct sight *sight, struct out *out)
{
	struct page_latest_json page = {
	    .replies = arena_array(sight->arena, sight->latest_n, sizeof *page.replies)};
	for (size_t i = 0; page.replies != NULL && i < sight->latest_n; i++) {
		const struct latest_replies_row *row = &sight->latest[i];
		struct page_latest_json_replies *reply = &page.replies[page.replies_n++];
		reply->id = str_format(sight->arena, "%lld", (long long)row->id);
		if (row->parent_id.set)
			reply->parent_id = str_format(sight->arena, "%lld", (long long)row->parent_id.value);
		reply->name = row->name;
		reply->website = row->website;
		reply->comment_html = sight->comments[i];
		reply->created_at = when_rfc3339(sight->arena, row->created_at);
		reply->edited_at = time_of(sight, row->edited_at);
		reply->by_moderator = row->by_moderator != 0;
		reply->page = row->page;
		reply->title = row->title;
		reply->url = link_of(sight, row);
	}
	page_latest_json(out, sight->words, &page);
}

static struct str
absolute(const struct sight *sight, struct str path)
{
	return str_join(sight->arena, sight->site->base, path);
}

/* When a reply's place in the feed, or its words, last changed. */
static int64_t
changed_at(const struct latest_replies_row *row)
{
	int64_t edited = row->edited_at.set ? row->edited_at.value : 0;
	return edited > row->published_at.value ? edited : row->published_at.value;
}

static void
feed_xml(const struct sight *sight, struct out *out)
{
	int64_t updated = 0;
	struct page_site_feed_xml page = {
	    .self = absolute(sight, str_format(sight->arena, "%.*s/feed.xml", STR_FMT(sight->site->mount))),
	    .site_url = absolute(sight, STR("/")),
	    .site = sight->site->title,
	    .entries = arena_array(sight->arena, sight->latest_n, sizeof *page.entries)};
	for (size_t i = 0; page.entries != NULL && i < sight->latest_n; i++) {
		const struct latest_replies_row *row = &sight->latest[i];
		struct page_site_feed_xml_entries *entry = &page.entries[page.entries_n++];
		entry->url = absolute(sight, link_of(sight, row));
		entry->name = row->name;
		entry->page_title = row->title;
		entry->created_at = when_rfc3339(sight->arena, row->created_at);
		entry->updated_at = when_rfc3339(sight->arena, changed_at(row));
		entry->comment_html = sight->comments[i];
		updated = changed_at(row) > updated ? changed_at(row) : updated;
	}
	page.updated_at = when_rfc3339(sight->arena, updated);
	page_site_feed_xml(out, sight->words, &page);
}

/* --- the most discussed -------------------------------------------------------------------------- */

static void
trending_html(const struct sight *sight, struct out *out)
{
	struct page_trending page = {.pages = arena_array(sight->arena, sight->trending_n, sizeof *page.pages)};
	page.heading = heading_of(sight, WORD_TRENDING_TITLE, &page.heading_n);
	for (size_t i = 0; page.pages != NULL && i < sight->trending_n; i++) {
		const struct trending_threads_row *row = &sight->trending[i];
		page.pages[page.pages_n++] = (struct page_trending_pages){
		    .url = page_url(sight->arena, sight->site, row->page), .title = row->title, .n = row->n};
	}
	page_trending(out, sight->words, &page);
}

static void
trending_json(const struct sight *sight, struct out *out)
{
	struct page_trending_json page = {
	    .pages = arena_array(sight->arena, sight->trending_n, sizeof *page.pages)};
	for (size_t i = 0; page.pages != NULL && i < sight->trending_n; i++) {
		const struct trending_threads_row *row = &sight->trending[i];
		page.pages[page.pages_n++] = (struct page_trending_json_pages){.page = row->page, .title = row->title,
		    .url = page_url(sight->arena, sight->site, row->page), .count = row->n};
	}
	page_trending_json(out, sight->words, &page);
}

static void
counts_json(const struct sight *sight, struct out *out)
{
	struct page_counts_json page = {.pages = arena_array(sight->arena, sight->counts_n, sizeof *page.pages)};
	for (size_t i = 0; page.pages != NULL && i < sight->counts_n; i++)
		page.pages[page.pages_n++] =
		    (struct page_counts_json_pages){.page = sight->counts[i].page, .n = sight->counts[i].published};
	page_counts_json(out, sight->words, &page);
}

/* --- the files ----------------------------------------------------------------------------------- */

static const struct {
	struct str name;
	void (*render)(const struct sight *sight, struct out *out);
} files[] = {
    {STR_INIT("latest.html"), latest_html},
    {STR_INIT("latest.json"), latest_json},
    {STR_INIT("feed.xml"), feed_xml},
    {STR_INIT("trending.html"), trending_html},
    {STR_INIT("trending.json"), trending_json},
    {STR_INIT("counts.json"), counts_json},
};
enum { FILES = sizeof files / sizeof *files };

static enum status
render(const struct sight *sight, size_t file, struct str *content)
{
	struct out out;
	out_init(&out, sight->arena);
	files[file].render(sight, &out);
	*content = out_str(&out);
	return sight->arena->failed ? STATUS_BROKEN : out_status(&out);
}

static enum status
read_rows(struct db_conn *conn, int64_t site_id, struct sight *sight)
{
	struct latest_replies_in latest = {.site_id = site_id, .most = OVERVIEW_LATEST};
	struct trending_threads_in trending = {.site_id = site_id, .since = sight->press->now - OVERVIEW_DAYS * DAY,
	    .most = OVERVIEW_TRENDING};
	struct thread_counts_in counts = {.site_id = site_id, .most = OVERVIEW_COUNTS};
	enum status status = latest_replies(conn, sight->arena, &latest, &sight->latest, &sight->latest_n);
	if (status == STATUS_OK)
		status = trending_threads(conn, sight->arena, &trending, &sight->trending, &sight->trending_n);
	if (status == STATUS_OK)
		status = thread_counts(conn, sight->arena, &counts, &sight->counts, &sight->counts_n);
	return status;
}

static enum status
render_comments(struct sight *sight)
{
	sight->comments = arena_array(sight->arena, sight->latest_n, sizeof *sight->comments);
	enum status status = sight->comments == NULL ? STATUS_BROKEN : STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < sight->latest_n; i++) {
		struct markdown markdown;
		status = markdown_html(sight->arena, sight->latest[i].comment, &markdown);
		sight->comments[i] = markdown.html;
	}
	return status;
}

static enum status
write_file(const struct sight *sight, size_t file)
{
	const struct file_tree *tree = &sight->press->public_tree;
	struct str content, old = STR_NONE;
	struct str path = str_format(sight->arena, "%.*s/%.*s", STR_FMT(sight->site->name), STR_FMT(files[file].name));
	enum status status = path.at == NULL ? STATUS_BROKEN : render(sight, file, &content);
	if (status != STATUS_OK)
		return status;
	/* A new time on the same content would only make readers fetch it again. */
	bool same = file_read(tree, sight->arena, path, FILE_MOST, &old) == STATUS_OK && str_eq(old, content);
	return same ? STATUS_OK : file_replace(tree, path, content);
}

enum status
overview_write(const struct publish_press *press, struct arena *arena, const struct config_site *site, int64_t site_id)
{
	struct sight sight = {.press = press, .site = site, .words = publish_words(press, site), .arena = arena};
	struct db_conn *conn;
	enum status status = db_read(press->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = read_rows(conn, site_id, &sight);
	db_release(conn);
	if (status == STATUS_OK)
		status = render_comments(&sight);
	for (size_t i = 0; status == STATUS_OK && i < FILES; i++)
		status = write_file(&sight, i);
	return status;
}

enum status
overview_render_empty(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    struct str name, struct str *content)
{
	struct sight sight = {.press = press, .site = site, .words = publish_words(press, site), .arena = arena};
	for (size_t i = 0; i < FILES; i++)
		if (str_eq(files[i].name, name))
			return render(&sight, i, content);
	return STATUS_MISSING;
}

enum status
overview_ask(struct db_conn *conn, int64_t site_id, int64_t now)
{
	struct job_ask_in in = {.kind = STR(OVERVIEW_JOB), .site_id = site_id, .now = now, .pause = OVERVIEW_PAUSE};
	return job_ask(conn, &in, NULL);
}
