/*
 * publish_data.c - a page of a thread for programs: JSON, and the feed in Atom.
 */
#include "publish_sheet.h"

#include "markdown.h"
#include "page.h"
#include "page/feed_xml.h"
#include "page/thread_json.h"
#include "when.h"

static struct str
id_text(struct arena *arena, int64_t id)
{
	return str_format(arena, "%lld", (long long)id);
}

static struct page_thread_json_replies
json_reply(const struct publish_sheet *sheet, size_t i)
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

enum status
publish_sheet_json(const struct publish_sheet *sheet, const struct publish_node *nodes, struct out *out)
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
		page.prev = publish_file_url(sheet, publish_json_name(arena, sheet->number - 1));
	if (sheet->number < sheet->pages)
		page.next = publish_file_url(sheet, publish_json_name(arena, sheet->number + 1));
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
	struct publish_sheet sheet = {.arena = arena, .site = site, .thread.page = page};
	struct str where = page_number > 1 ? publish_file_url(&sheet, publish_html_name(arena, page_number)) : page_url(arena, site, page);
	return str_format(arena, "%.*s#reply-%lld", STR_FMT(where), (long long)reply_id);
}

static struct str
absolute(const struct publish_sheet *sheet, struct str path)
{
	return str_join(sheet->arena, sheet->site->base, path);
}

static enum status
fill_entry(const struct publish_sheet *sheet, const struct feed_replies_row *row, struct page_feed_xml_entries *entry)
{
	struct markdown markdown;
	enum status status = markdown_html(sheet->arena, row->comment, &markdown);
	if (status != STATUS_OK)
		return status;
	int64_t number = row->page_number.set ? row->page_number.value : 1;
	bool edited = row->edited_at.set && row->edited_at.value > row->published_at.value;
	*entry = (struct page_feed_xml_entries){
	    .url = absolute(sheet, publish_link(sheet->arena, sheet->site, sheet->thread.page, number, row->id)),
	    .name = row->name,
	    .created_at = when_rfc3339(sheet->arena, row->created_at),
	    .updated_at = when_rfc3339(sheet->arena, edited ? row->edited_at.value : row->published_at.value),
	    .comment_html = markdown.html,
	};
	return STATUS_OK;
}

enum status
publish_sheet_feed(const struct publish_sheet *sheet, struct out *out)
{
	struct arena *arena = sheet->arena;
	struct page_feed_xml page = {
	    .self = absolute(sheet, publish_file_url(sheet, STR("feed.xml"))),
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
