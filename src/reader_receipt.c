/* GET /receipt/<secret>: what became of a reply. */
#include "reader_visit.h"

#include "markdown.h"
#include "page.h"
#include "page/accepted_json.h"
#include "page/receipt.h"
#include "page/receipt_json.h"
#include "receipt.h"
#include "when.h"

struct str
reader_receipt_path(const struct reader_visit *visit, int64_t id)
{
	return str_format(visit->arena, "%.*s/receipt/%.*s", STR_FMT(visit->site->config->mount),
	    STR_FMT(receipt_secret(visit->arena, &visit->door->receipt, id)));
}

void
reader_lead_to_receipt(const struct reader_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response, int code, int64_t id, struct str state)
{
	struct str receipt = reader_receipt_path(visit, id);
	if (!door_wants_json(request)) {
		door_redirect(response, receipt);
		return;
	}
	struct page_accepted_json page = {
	    .id = str_format(visit->arena, "%lld", (long long)id), .state = state, .receipt = receipt};
	door_json(response, code);
	page_accepted_json(&response->body, visit->site->words, &page);
}

enum status
reader_read_receipt(const struct reader_visit *visit, struct str secret, struct reply_receipt_row *row)
{
	struct db_conn *conn;
	struct reply_receipt_in in = {.site_id = visit->site->id};
	enum status status = receipt_reply(&visit->door->receipt, secret, &in.id);
	if (status == STATUS_OK)
		status = db_read(visit->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = reply_receipt(conn, visit->arena, &in, row);
	db_release(conn);
	return status;
}

void
reader_refuse_receipt(const struct reader_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response, enum status status)
{
	if (status == STATUS_MISSING)
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){404, "not-found", WORD_TITLE_MISSING, WORD_REFUSED_RECEIPT, WORD_TITLE_MISSING,
		        STR_NONE});
	else
		door_fail(visit->site, request, response, status);
}

struct str
reader_receipt_address(const struct reader_visit *visit, int64_t id, const char *what)
{
	return str_format(visit->arena, "%.*s%s", STR_FMT(reader_receipt_path(visit, id)), what);
}

static void
fill_open(const struct reader_visit *visit, const struct reply_receipt_row *row, int64_t now,
    struct page_receipt *page)
{
	const struct config_site *site = visit->site->config;
	if (!reply_is_open(site, row->state, row->created_at, now))
		return;
	page->edit_url = reader_receipt_address(visit, row->id, "/edit");
	page->withdraw_url = reader_receipt_address(visit, row->id, "/withdraw");
	page->revision = row->revision;
	page->n = (row->created_at + site->edit_for - now + 59) / 60;
}

/* Where the reply can be read, or STR_NONE. */
static struct str
shown_at(const struct reader_visit *visit, const struct reply_receipt_row *row)
{
	int64_t page_number = row->page_number.set ? row->page_number.value : 1;
	return row->shown == 0 ? STR_NONE : publish_link(visit->arena, visit->site->config, row->page, page_number, row->id);
}

static void
show_receipt(const struct reader_visit *visit, struct fcgi_response *response, int code, struct str notice,
    const struct reply_receipt_row *row, struct html comment, int64_t now)
{
	const struct config_site *site = visit->site->config;
	struct str url = page_url(visit->arena, site, row->page);
	struct page_reader_head head = {.mount = site->mount, .noindex = true};
	struct page_reader_foot foot = {.page_url = url, .page_title = row->title};
	struct page_receipt page = {.head = &head, .head_n = 1, .foot = &foot, .foot_n = 1, .page_title = row->title,
	    .page_url = url, .name = row->name, .comment = comment, .notice = notice,
	    .waiting = str_eq(row->state, STR("held")), .withdrawn = str_eq(row->state, STR("withdrawn")),
	    .erased = row->erased_at.set,
	    .unseen = str_eq(row->state, STR("published")) && row->shown == 0,
	    .created_at = when_rfc3339(visit->arena, row->created_at),
	    .created = when_date(visit->arena, visit->site->words, site->zone, row->created_at)};
	page.reply_url = shown_at(visit, row);
	if (row->edited_at.set)
		page.changed = when_ago(visit->arena, visit->site->words, row->edited_at.value, now);
	fill_open(visit, row, now, &page);
	fcgi_header(response, "X-Robots-Tag", STR("noindex"));
	door_page(response, code);
	page_receipt(&response->body, visit->site->words, &page);
}

/* No more than the page tells: spam and trash are the same. */
static struct str
state_for_author(struct str state)
{
	return str_eq(state, STR("spam")) || str_eq(state, STR("trash")) ? STR("refused") : state;
}

static void
tell_receipt(const struct reader_visit *visit, struct fcgi_response *response, const struct reply_receipt_row *row, int64_t now)
{
	struct page_receipt_json page = {.id = str_format(visit->arena, "%lld", (long long)row->id),
	    .state = state_for_author(row->state), .receipt = reader_receipt_path(visit, row->id), .url = shown_at(visit, row),
	    .open = reply_is_open(visit->site->config, row->state, row->created_at, now), .revision = row->revision};
	fcgi_header(response, "X-Robots-Tag", STR("noindex"));
	door_json(response, 200);
	page_receipt_json(&response->body, visit->site->words, &page);
}

void
reader_show_receipt(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    int code, struct str notice)
{
	struct reply_receipt_row row;
	struct markdown markdown = {0};
	enum status status = reader_read_receipt(visit, request->rest, &row);
	if (status == STATUS_OK)
		status = markdown_html(visit->arena, row.comment, &markdown);
	if (status == STATUS_OK)
		show_receipt(visit, response, code, notice, &row, markdown.html, request->now);
	else
		reader_refuse_receipt(visit, request, response, status);
}

void
reader_receipt(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_receipt_row row;
	if (!door_wants_json(request)) {
		reader_show_receipt(visit, request, response, 200, STR_NONE);
		return;
	}
	enum status status = reader_read_receipt(visit, request->rest, &row);
	if (status == STATUS_OK)
		tell_receipt(visit, response, &row, request->now);
	else
		reader_refuse_receipt(visit, request, response, status);
}
