/* GET /form: «Leave a Reply» as a page of its own, empty or with what is to be mended. */
#include "reader_visit.h"

#include "page.h"
#include "page/form.h"
#include "receipt.h"
#include "sql/rejoinder/page.h"
#include "sql/rejoinder/thread.h"
#include "title.h"

/* A field's sentence for a fault; REPLY_FAULT_INVALID stands in where a field has none of its own. */
static enum word
word_of(enum reply_field field, enum reply_fault fault)
{
	static const enum word words[REPLY_FIELDS][REPLY_FAULTS] = {
	    [REPLY_PAGE] = {[REPLY_FAULT_EMPTY] = WORD_FIELD_PAGE_EMPTY, [REPLY_FAULT_INVALID] = WORD_FIELD_PAGE_INVALID},
	    [REPLY_PARENT] = {[REPLY_FAULT_UNKNOWN] = WORD_FIELD_PARENT_UNKNOWN,
	        [REPLY_FAULT_INVALID] = WORD_FIELD_PARENT_UNKNOWN},
	    [REPLY_COMMENT] = {[REPLY_FAULT_EMPTY] = WORD_FIELD_COMMENT_EMPTY,
	        [REPLY_FAULT_SHORT] = WORD_FIELD_COMMENT_SHORT,
	        [REPLY_FAULT_LONG] = WORD_FIELD_COMMENT_LONG,
	        [REPLY_FAULT_CHARACTER] = WORD_FIELD_COMMENT_CHARACTER,
	        [REPLY_FAULT_MARKS] = WORD_FIELD_COMMENT_MARKS,
	        [REPLY_FAULT_JOINER] = WORD_FIELD_COMMENT_JOINER,
	        [REPLY_FAULT_INVALID] = WORD_FIELD_COMMENT_INVALID},
	    [REPLY_NAME] = {[REPLY_FAULT_EMPTY] = WORD_FIELD_NAME_EMPTY,
	        [REPLY_FAULT_LONG] = WORD_FIELD_NAME_LONG,
	        [REPLY_FAULT_CHARACTER] = WORD_FIELD_NAME_CHARACTER,
	        [REPLY_FAULT_MARKS] = WORD_FIELD_NAME_MARKS,
	        [REPLY_FAULT_JOINER] = WORD_FIELD_NAME_JOINER,
	        [REPLY_FAULT_INVALID] = WORD_FIELD_NAME_INVALID},
	    [REPLY_EMAIL] = {[REPLY_FAULT_EMPTY] = WORD_FIELD_EMAIL_EMPTY,
	        [REPLY_FAULT_LONG] = WORD_FIELD_EMAIL_LONG,
	        [REPLY_FAULT_INVALID] = WORD_FIELD_EMAIL_INVALID},
	    [REPLY_WEBSITE] = {[REPLY_FAULT_LONG] = WORD_FIELD_WEBSITE_LONG,
	        [REPLY_FAULT_SCHEME] = WORD_FIELD_WEBSITE_SCHEME,
	        [REPLY_FAULT_INVALID] = WORD_FIELD_WEBSITE_INVALID},
	    [REPLY_KEY] = {[REPLY_FAULT_LONG] = WORD_FIELD_KEY_LONG, [REPLY_FAULT_INVALID] = WORD_FIELD_KEY_LONG},
	};
	if (fault == REPLY_FAULT_NOT_TEXT)
		return WORD_FIELD_NOT_TEXT;
	enum word word = words[field][fault];
	return word == 0 ? words[field][REPLY_FAULT_INVALID] : word;
}

struct str
reader_fault_message(const struct reader_visit *visit, const struct reply_result *result, enum reply_field field)
{
	enum reply_fault fault = result->faults[field];
	const struct word_hole holes[] = {
	    {.name = STR("n"), .n = result->limits[field]},
	    {.name = STR("address"), .text = result->address},
	};
	return fault == REPLY_FAULT_NONE ? STR_NONE :
	    words_say(visit->arena, visit->site->words, word_of(field, fault), holes, sizeof holes / sizeof holes[0]);
}

enum status
reader_read_listed(const struct reader_visit *visit, struct db_conn *conn, struct str page, struct str *title)
{
	struct page_listed_row row;
	struct page_listed_in in = {.site_id = visit->site->id, .page = page};
	enum status status = page_listed(conn, visit->arena, &in, &row);
	if (status == STATUS_OK)
		*title = row.title;
	return status;
}

static enum status
read_article(const struct reader_visit *visit, struct db_conn *conn, struct str parent, struct reader_article *article)
{
	struct thread_find_row thread;
	struct reply_parent_row row;
	struct thread_find_in find = {.site_id = visit->site->id, .page = article->page};
	int64_t id;
	enum status status = thread_find(conn, visit->arena, &find, &thread);
	article->parent_gone = status == STATUS_MISSING && parent.len > 0;
	if (status == STATUS_MISSING)
		return reader_read_listed(visit, conn, article->page, &article->title);
	if (status != STATUS_OK)
		return status;
	article->title = thread.title;
	if (parent.len == 0)
		return STATUS_OK;
	status = str_integer(parent, &id) == STATUS_OK ? STATUS_OK : STATUS_MISSING;
	if (status == STATUS_OK)
		status = reply_parent(conn, visit->arena, &(struct reply_parent_in){.id = id, .thread_id = thread.id}, &row);
	if (status == STATUS_OK) {
		article->parent_name = row.name;
		article->parent_url = publish_link(visit->arena, visit->site->config, article->page,
		    row.page_number.set ? row.page_number.value : 1, id);
	}
	article->parent_gone = status == STATUS_MISSING;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

void
reader_find_article(const struct reader_visit *visit, struct str page, struct str parent, struct reader_article *article)
{
	struct db_conn *conn;
	*article = (struct reader_article){.page = page};
	if (page.at == NULL)
		return;
	article->url = page_url(visit->arena, visit->site->config, page);
	if (db_read(visit->door->db, &conn) == STATUS_OK) {
		if (read_article(visit, conn, parent, article) != STATUS_OK)
			article->title = STR_NONE;
		db_release(conn);
	}
	if (article->title.len == 0)
		article->title = title_find(visit->arena, visit->site->config, page);
}

/* What the script says beside the link to a receipt. */
static struct str
say_own(const struct reader_visit *visit)
{
	int64_t minutes = (visit->site->config->edit_for + 59) / 60;
	return minutes > 0 ? reader_say_n(visit, WORD_SCRIPT_OWN, minutes) : reader_say(visit, WORD_SCRIPT_OWN_FOR_GOOD);
}

static void
fill_form(const struct reader_visit *visit, const struct reply_submission *submission,
    const struct reply_result *result, const struct reader_article *article, struct page_reply_form *form)
{
	const struct str *fields = submission->fields;
	*form = (struct page_reply_form){
	    .mount = visit->site->config->mount,
	    .page = article->page.at != NULL ? article->page : fields[REPLY_PAGE],
	    .key = fields[REPLY_KEY],
	    /* What is not there cannot be answered: then it is a reply to the article. */
	    .parent = article->parent_gone ? STR_NONE : fields[REPLY_PARENT],
	    .parent_name = article->parent_name,
	    .parent_url = article->parent_url,
	    .comment = fields[REPLY_COMMENT],
	    .name = fields[REPLY_NAME],
	    .email = fields[REPLY_EMAIL],
	    .website = fields[REPLY_WEBSITE],
	    .phone = fields[REPLY_PHONE],
	    .comment_most = visit->site->config->comment_most,
	    .own = say_own(visit),
	    .page_error = reader_fault_message(visit, result, REPLY_KEY),
	    .parent_error = reader_fault_message(visit, result, REPLY_PARENT),
	    .comment_error = reader_fault_message(visit, result, REPLY_COMMENT),
	    .name_error = reader_fault_message(visit, result, REPLY_NAME),
	    .email_error = reader_fault_message(visit, result, REPLY_EMAIL),
	    .website_error = reader_fault_message(visit, result, REPLY_WEBSITE),
	};
	if (result->faults[REPLY_PAGE] != REPLY_FAULT_NONE)
		form->page_error = reader_fault_message(visit, result, REPLY_PAGE);
	if (article->parent_gone && form->parent_error.len == 0)
		form->parent_error = reader_say(visit, WORD_FORM_PARENT_GONE);
}

void
reader_show_form(const struct reader_visit *visit, struct fcgi_response *response, const struct reader_framing *framing,
    const struct reply_submission *submission, const struct reply_result *result)
{
	struct reader_article article;
	struct page_reply_form form;
	reader_find_article(visit, result->page, submission->fields[REPLY_PARENT], &article);
	fill_form(visit, submission, result, &article, &form);
	struct page_reader_head head = {.mount = visit->site->config->mount, .page_url = article.url, .noindex = true};
	struct page_reader_foot foot = {.page_url = article.url, .page_title = article.title};
	struct page_form page = {
	    .head = &head,
	    .head_n = 1,
	    .foot = &foot,
	    .foot_n = 1,
	    .form = &form,
	    .form_n = framing->closed.len > 0 ? 0 : 1,
	    .page_title = article.title,
	    .page_url = article.url,
	    .notice = framing->notice,
	    .closed = framing->closed,
	    .own = say_own(visit),
	    .comment = submission->fields[REPLY_COMMENT],
	};
	door_page(response, framing->code);
	page_form(&response->body, visit->site->words, &page);
}

struct str
reader_fresh_key(const struct reader_visit *visit, const struct fcgi_request *request)
{
	return receipt_form_key(visit->arena, &visit->door->receipt, request->now, request->random);
}

void
reader_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission empty = {0};
	struct reply_result result;
	struct reply_desk desk = reader_desk(visit);
	struct form query;
	struct str page;
	if (form_query(visit->arena, request->query, &query) != STATUS_OK ||
	    form_one(&query, "page", &page) != STATUS_OK ||
	    form_one(&query, "parent", &empty.fields[REPLY_PARENT]) != STATUS_OK) {
		door_refuse_plain(visit->site, request, response, DOOR_MALFORMED);
		return;
	}
	enum status status = reply_page(&desk, visit->arena, page, &result);
	if (status != STATUS_OK) {
		door_fail(visit->site, request, response, status);
		return;
	}
	if (result.outcome == REPLY_UNKNOWN_PAGE) {
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){404, "unknown-page", WORD_TITLE_PAGE, WORD_REFUSED_PAGE, WORD_ADVICE_BACK, STR_NONE});
		return;
	}
	struct reader_framing framing = {.code = 200};
	if (result.outcome != REPLY_STORED) {
		bool paused = result.outcome == REPLY_PAUSED;
		enum word word = paused ? WORD_REFUSED_PAUSED : WORD_REFUSED_CLOSED;
		if (door_wants_json(request)) {
			door_refuse(visit->site, request, response,
			    &(struct door_refusal){403, paused ? "paused" : "closed", word, word, word, STR_NONE});
			return;
		}
		framing = (struct reader_framing){.code = 403, .closed = reader_say(visit, word)};
	}
	empty.fields[REPLY_KEY] = reader_fresh_key(visit, request);
	reader_show_form(visit, response, &framing, &empty, &result);
}
