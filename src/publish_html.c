/*
 * publish_html.c - a page of a thread as HTML.
 */
#include "publish_sheet.h"

#include "markdown.h"
#include "page.h"
#include "page/thread.h"
#include "page/thread_page.h"
#include "when.h"

/* Cut at a character, and at a space where there is one near. */
struct str
publish_excerpt(struct arena *arena, struct str comment, bool *cut)
{
	struct str plain;
	*cut = false;
	if (markdown_text(arena, comment, &plain) != STATUS_OK)
		return STR_NONE;
	if (plain.len <= PUBLISH_OPENING)
		return plain;
	*cut = true;
	size_t len = PUBLISH_OPENING;
	while (len > 0 && ((unsigned char)plain.at[len] & 0xc0) == 0x80)
		len--;
	for (size_t back = len; back > len / 2; back--)
		if (plain.at[back] == ' ')
			return str_sub(plain, 0, back);
	return str_sub(plain, 0, len);
}

/* The beginning of a long comment, for a summary line; none for a short one. */
struct str
publish_opening(struct arena *arena, struct str comment)
{
	bool cut = false;
	struct str opening = comment.len <= PUBLISH_LONG ? STR_NONE : publish_excerpt(arena, comment, &cut);
	return cut ? opening : STR_NONE;
}

static void
fill_reply(const struct publish_sheet *sheet, size_t i, struct page_thread_reply *reply)
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
grow_branches(const struct publish_sheet *sheet, const struct publish_node *nodes, struct branches *branches)
{
	struct arena *arena = sheet->arena;
	branches->answers = arena_array(arena, sheet->rows_n, sizeof *branches->answers);
	branches->filled = arena_array(arena, sheet->rows_n, sizeof *branches->filled);
	if (branches->answers == NULL || branches->filled == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < sheet->rows_n; i++) {
		branches->answers[i] = arena_array(arena, nodes[i].answers, sizeof **branches->answers);
		branches->roots_n += nodes[i].shown && nodes[i].under == PUBLISH_NOBODY ? 1 : 0;
	}
	branches->roots = arena_array(arena, branches->roots_n, sizeof *branches->roots);
	branches->roots_n = 0;
	return arena->failed ? STATUS_BROKEN : STATUS_OK;
}

static enum status
fill_branches(const struct publish_sheet *sheet, const struct publish_node *nodes, struct branches *branches)
{
	enum status status = grow_branches(sheet, nodes, branches);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < sheet->rows_n; i++) {
		if (!nodes[i].shown)
			continue;
		size_t under = nodes[i].under;
		struct page_thread_reply *reply = under == PUBLISH_NOBODY ? &branches->roots[branches->roots_n++]
		                                                  : &branches->answers[under][branches->filled[under]++];
		fill_reply(sheet, i, reply);
		reply->replies = branches->answers[i];
		reply->replies_n = nodes[i].answers;
	}
	return STATUS_OK;
}

struct page_heading *
publish_heading(struct arena *arena, int64_t level, struct str text)
{
	struct page_heading *heading = arena_alloc(arena, sizeof *heading);
	if (heading != NULL)
		*heading = (struct page_heading){.text = text, .h1 = level == 1, .h2 = level == 2, .h3 = level == 3,
		    .h4 = level == 4, .h5 = level == 5, .h6 = level == 6};
	return heading;
}

/*
 * Within an article the owner says which level fits; on a page of its own it stands under our h1, and
 * has no count: it is not written anew when a reply of another page comes or goes.
 */
static void
fill_heading(const struct publish_sheet *sheet, struct page_thread *page)
{
	bool first = sheet->number == 1;
	struct word_hole n = {.name = STR("n"), .n = first ? sheet->thread.published : sheet->number};
	struct str text = words_say(sheet->arena, sheet->words, first ? WORD_REPLY_COUNT : WORD_THREAD_HEADING, &n, 1);
	page->heading = publish_heading(sheet->arena, first ? sheet->site->heading_level : 2, text);
	page->heading_n = page->heading == NULL ? 0 : 1;
}

static enum status
fill_thread(const struct publish_sheet *sheet, const struct publish_node *nodes, struct page_thread *page)
{
	struct branches branches = {0};
	enum status status = fill_branches(sheet, nodes, &branches);
	page->replies = branches.roots;
	page->replies_n = branches.roots_n;
	page->closed = sheet->thread.closed != 0;
	fill_heading(sheet, page);
	if (sheet->number > 1)
		page->prev = sheet->number == 2 ? page_url(sheet->arena, sheet->site, sheet->thread.page)
		                                : publish_file_url(sheet, publish_html_name(sheet->arena, sheet->number - 1));
	if (sheet->number < sheet->pages)
		page->next = publish_file_url(sheet, publish_html_name(sheet->arena, sheet->number + 1));
	return status;
}

enum status
publish_sheet_html(const struct publish_sheet *sheet, const struct publish_node *nodes, struct out *out)
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
