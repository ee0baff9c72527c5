#include "reader.h"

#include "address.h"
#include "form.h"
#include "frame.h"
#include "log.h"
#include "markdown.h"
#include "page.h"
#include "page/accepted_json.h"
#include "page/edit.h"
#include "page/form.h"
#include "page/receipt.h"
#include "page/refusal_json.h"
#include "receipt.h"
#include "reply.h"
#include "sql/rejoinder/page.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/thread.h"
#include "title.h"
#include "when.h"

enum { THREAD_FILE_MOST = 32 * 1024 * 1024 };

/* A request of this door, with all that its handlers need. */
struct reader_visit {
	struct door *door;
	const struct door_site *site;
	struct arena *arena;
};

void
reader_dispatch(struct door *door, const struct fcgi_route *routes, size_t routes_n, struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct reader_visit visit = {door, door_site(door, request->site), request->arena};
	if (visit.site == NULL) {
		log_event(LOG_LEVEL_ERROR, "REJOINDER_SITE names no site of the configuration");
		door_refuse_plain(&door->sites[0], request, response, DOOR_MISSING);
		return;
	}
	const struct fcgi_route *route = door_route(visit.site, routes, routes_n, request, response);
	if (route != NULL)
		route->handle(&visit, request, response);
	/* Threads are the web server's files, without a frame; so they are here. */
	if (route == NULL || route->handle != reader_thread)
		frame_page(&response->body, visit.site->words, &visit.site->frame);
}

static struct reply_desk
desk_of(const struct reader_visit *visit)
{
	return (struct reply_desk){.site = visit->site->config, .site_id = visit->site->id, .db = visit->door->db,
	    .pace = visit->door->pace, .matching = &visit->door->matching, .receipt = &visit->door->receipt,
	    .sealer = visit->door->sealer};
}

static struct str
say(const struct reader_visit *visit, enum word word)
{
	return words_say(visit->arena, visit->site->words, word, NULL, 0);
}

static struct str
say_n(const struct reader_visit *visit, enum word word, int64_t n)
{
	struct word_hole hole = {.name = STR("n"), .n = n};
	return words_say(visit->arena, visit->site->words, word, &hole, 1);
}

/* --- the form ------------------------------------------------------------------------------------ */

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
	        [REPLY_FAULT_INVALID] = WORD_FIELD_WEBSITE_INVALID},
	    [REPLY_KEY] = {[REPLY_FAULT_LONG] = WORD_FIELD_KEY_LONG, [REPLY_FAULT_INVALID] = WORD_FIELD_KEY_LONG},
	};
	if (fault == REPLY_FAULT_NOT_TEXT)
		return WORD_FIELD_NOT_TEXT;
	enum word word = words[field][fault];
	return word == 0 ? words[field][REPLY_FAULT_INVALID] : word;
}

static struct str
message_of(const struct reader_visit *visit, const struct reply_result *result, enum reply_field field)
{
	enum reply_fault fault = result->faults[field];
	return fault == REPLY_FAULT_NONE ? STR_NONE : say_n(visit, word_of(field, fault), result->limits[field]);
}

/* What is known of the page that a form is for. */
struct article {
	struct str page, title, url;
	struct str parent_name, parent_url;
};

/* The title that the page list gives; MISSING when the page is not in it. */
static enum status
read_listed(const struct reader_visit *visit, struct db_conn *conn, struct str page, struct str *title)
{
	struct page_listed_row row;
	struct page_listed_in in = {.site_id = visit->site->id, .page = page};
	enum status status = page_listed(conn, visit->arena, &in, &row);
	if (status == STATUS_OK)
		*title = row.title;
	return status;
}

static enum status
read_article(const struct reader_visit *visit, struct db_conn *conn, struct str parent, struct article *article)
{
	struct thread_find_row thread;
	struct reply_parent_row row;
	struct thread_find_in find = {.site_id = visit->site->id, .page = article->page};
	int64_t id;
	enum status status = thread_find(conn, visit->arena, &find, &thread);
	if (status == STATUS_MISSING)
		return read_listed(visit, conn, article->page, &article->title);
	if (status != STATUS_OK)
		return status;
	article->title = thread.title;
	if (str_integer(parent, &id) != STATUS_OK)
		return STATUS_OK;
	status = reply_parent(conn, visit->arena, &(struct reply_parent_in){.id = id, .thread_id = thread.id}, &row);
	if (status == STATUS_OK && str_eq(row.state, STR("published"))) {
		article->parent_name = row.name;
		article->parent_url = publish_link(visit->arena, visit->site->config, article->page,
		    row.page_number.set ? row.page_number.value : 1, id);
	}
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* Fills in what can be known; a store that does not answer takes away the title, not the form. */
static void
find_article(const struct reader_visit *visit, struct str page, struct str parent, struct article *article)
{
	struct db_conn *conn;
	*article = (struct article){.page = page};
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

static void
fill_form(const struct reader_visit *visit, const struct reply_submission *submission,
    const struct reply_result *result, const struct article *article, struct page_reply_form *form)
{
	const struct str *fields = submission->fields;
	*form = (struct page_reply_form){
	    .mount = visit->site->config->mount,
	    .page = article->page.at != NULL ? article->page : fields[REPLY_PAGE],
	    .key = fields[REPLY_KEY],
	    .parent = fields[REPLY_PARENT],
	    .parent_name = article->parent_name,
	    .parent_url = article->parent_url,
	    .comment = fields[REPLY_COMMENT],
	    .name = fields[REPLY_NAME],
	    .email = fields[REPLY_EMAIL],
	    .website = fields[REPLY_WEBSITE],
	    .phone = fields[REPLY_PHONE],
	    .comment_most = visit->site->config->comment_most,
	    .page_error = message_of(visit, result, REPLY_KEY),
	    .parent_error = message_of(visit, result, REPLY_PARENT),
	    .comment_error = message_of(visit, result, REPLY_COMMENT),
	    .name_error = message_of(visit, result, REPLY_NAME),
	    .email_error = message_of(visit, result, REPLY_EMAIL),
	    .website_error = message_of(visit, result, REPLY_WEBSITE),
	};
	if (result->faults[REPLY_PAGE] != REPLY_FAULT_NONE)
		form->page_error = message_of(visit, result, REPLY_PAGE);
}

/* What stands around the form: a sentence above it, or one in its place. */
struct framing {
	int code;
	struct str notice;
	struct str closed;
};

static void
show_form(const struct reader_visit *visit, struct fcgi_response *response, const struct framing *framing,
    const struct reply_submission *submission, const struct reply_result *result)
{
	struct article article;
	struct page_reply_form form;
	find_article(visit, result->page, submission->fields[REPLY_PARENT], &article);
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
	    .comment = submission->fields[REPLY_COMMENT],
	};
	door_page(response, framing->code);
	page_form(&response->body, visit->site->words, &page);
}

static struct str
fresh_key(const struct reader_visit *visit, const struct fcgi_request *request)
{
	return receipt_form_key(visit->arena, &visit->door->receipt, request->now, request->random);
}

void
reader_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission empty = {0};
	struct reply_result result;
	struct reply_desk desk = desk_of(visit);
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
	struct framing framing = {.code = 200};
	if (result.outcome != REPLY_STORED) {
		framing.code = 403;
		framing.closed = say(visit, result.outcome == REPLY_PAUSED ? WORD_REFUSED_PAUSED : WORD_REFUSED_CLOSED);
	}
	empty.fields[REPLY_KEY] = fresh_key(visit, request);
	show_form(visit, response, &framing, &empty, &result);
}

/* --- a submission --------------------------------------------------------------------------------- */

/* How each outcome is answered. The sentences stand above the form, or in JSON. */
static const struct {
	int code;
	const char *error;
	enum word page, json;
} answers[REPLY_OUTCOMES] = {
    [REPLY_UNKNOWN_PAGE] = {404, "unknown-page", WORD_REFUSED_PAGE, WORD_REFUSED_PAGE},
    [REPLY_PAUSED] = {403, "paused", WORD_REFUSED_PAUSED, WORD_REFUSED_PAUSED},
    [REPLY_CLOSED] = {403, "closed", WORD_REFUSED_CLOSED, WORD_REFUSED_CLOSED},
    [REPLY_WRONG] = {422, "wrong-fields", WORD_REFUSED_FIELDS, WORD_REFUSED_FIELDS_JSON},
    [REPLY_KEY_SPENT] = {409, "key-spent", WORD_REFUSED_KEY_SPENT, WORD_REFUSED_KEY_SPENT},
    [REPLY_REPEATED] = {409, "repeated", WORD_REFUSED_REPEATED, WORD_REFUSED_REPEATED},
    [REPLY_TOO_FAST] = {429, "too-fast", WORD_REFUSED_TOO_FAST, WORD_REFUSED_TOO_FAST},
};

static struct str
receipt_path(const struct reader_visit *visit, int64_t id)
{
	return str_format(visit->arena, "%.*s/receipt/%.*s", STR_FMT(visit->site->config->mount),
	    STR_FMT(receipt_secret(visit->arena, &visit->door->receipt, id)));
}

/* The same answer for the first and for every further time. */
static void
accept(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_result *result)
{
	struct str receipt = receipt_path(visit, result->id);
	if (!door_wants_json(request)) {
		door_redirect(response, receipt);
		return;
	}
	struct page_accepted_json page = {
	    .id = str_format(visit->arena, "%lld", (long long)result->id),
	    .state = STR("held"),
	    .receipt = receipt,
	};
	door_json(response, 201);
	page_accepted_json(&response->body, visit->site->words, &page);
}

static void
refuse_json(const struct reader_visit *visit, struct fcgi_response *response, const struct reply_result *result)
{
	struct page_refusal_json_errors errors[REPLY_FIELDS];
	struct page_refusal_json page = {
	    .error = str_from(answers[result->outcome].error),
	    .message = say_n(visit, answers[result->outcome].json, result->wait),
	    .errors = errors,
	};
	for (int field = 0; result->outcome == REPLY_WRONG && field < REPLY_FIELDS; field++) {
		if (result->faults[field] == REPLY_FAULT_NONE)
			continue;
		errors[page.errors_n++] = (struct page_refusal_json_errors){
		    .field = str_from(reply_field_names[field]),
		    .message = message_of(visit, result, (enum reply_field)field),
		};
	}
	door_json(response, answers[result->outcome].code);
	page_refusal_json(&response->body, visit->site->words, &page);
}

/* A spent or damaged key would be refused again, so the form gets a fresh one; else it keeps its own. */
static void
refuse_with_form(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    struct reply_submission *submission, const struct reply_result *result)
{
	enum word word = answers[result->outcome].page;
	struct framing framing = {.code = answers[result->outcome].code};
	bool closed = result->outcome == REPLY_PAUSED || result->outcome == REPLY_CLOSED;
	bool stale = result->outcome == REPLY_KEY_SPENT || result->outcome == REPLY_REPEATED ||
	             result->faults[REPLY_KEY] != REPLY_FAULT_NONE;
	*(closed ? &framing.closed : &framing.notice) = say_n(visit, word, result->wait);
	if (stale || submission->fields[REPLY_KEY].len == 0)
		submission->fields[REPLY_KEY] = fresh_key(visit, request);
	/* The message says that it will be posted as a reply to the article. */
	if (result->faults[REPLY_PARENT] != REPLY_FAULT_NONE)
		submission->fields[REPLY_PARENT] = STR_NONE;
	show_form(visit, response, &framing, submission, result);
}

static void
answer(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    struct reply_submission *submission, const struct reply_result *result)
{
	if (result->outcome == REPLY_TOO_FAST)
		fcgi_header(response, "Retry-After", str_format(visit->arena, "%lld", (long long)result->wait));
	if (result->outcome == REPLY_STORED || result->outcome == REPLY_SAME)
		accept(visit, request, response, result);
	else if (door_wants_json(request))
		refuse_json(visit, response, result);
	else if (result->outcome == REPLY_UNKNOWN_PAGE)
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){404, "unknown-page", WORD_TITLE_PAGE, WORD_REFUSED_PAGE, WORD_ADVICE_BACK,
		        submission->fields[REPLY_COMMENT]});
	else
		refuse_with_form(visit, request, response, submission, result);
}

/* The store does not answer: the words go back to whoever typed them. */
static void
answer_failure(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_submission *submission, const struct reply_result *result, enum status status)
{
	if (door_wants_json(request)) {
		door_fail(visit->site, request, response, status);
		return;
	}
	struct framing framing = {
	    .code = status == STATUS_BUSY ? 503 : 500,
	    .notice = say(visit, status == STATUS_BUSY ? WORD_REFUSED_BUSY : WORD_REFUSED_BROKEN),
	};
	struct reply_result shown = {.page = result->page};
	if (status == STATUS_BUSY)
		fcgi_header(response, "Retry-After", STR("5"));
	show_form(visit, response, &framing, submission, &shown);
}

static void
answer_too_large(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct form_encoding *encoding)
{
	struct reply_submission kept = {0};
	struct reply_result result = {0};
	struct form form;
	form_read_cut(visit->arena, encoding, request->body, &form);
	bool read = reply_fields(&form, &kept) == STATUS_OK && kept.fields[REPLY_COMMENT].len > 0;
	/* Without a page it is no new reply, but a change of one: the words come back on a plain page. */
	if (door_wants_json(request) || !read || kept.fields[REPLY_PAGE].len == 0) {
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){413, "too-large", WORD_TITLE_TOO_LARGE, WORD_REFUSED_TOO_LARGE, WORD_ADVICE_BACK,
		        read ? kept.fields[REPLY_COMMENT] : STR_NONE});
		return;
	}
	if (page_canonical(visit->arena, visit->site->config, kept.fields[REPLY_PAGE], &result.page) != STATUS_OK)
		result.page = STR_NONE;
	struct framing framing = {.code = 413, .notice = say(visit, WORD_REFUSED_TOO_LARGE_CUT)};
	show_form(visit, response, &framing, &kept, &result);
}

/* Reads the fields; false after answering 415, 413 or 400. */
static bool
read_submission(const struct reader_visit *visit, struct fcgi_request *request, struct fcgi_response *response,
    struct form *form, struct reply_submission *submission)
{
	struct form_encoding encoding;
	if (form_encoding(visit->arena, request->content_type, &encoding) != STATUS_OK) {
		door_refuse_plain(visit->site, request, response, DOOR_TYPE);
		return false;
	}
	if (request->body_state == FCGI_BODY_TOO_LARGE) {
		answer_too_large(visit, request, response, &encoding);
		return false;
	}
	enum status status = request->body_state == FCGI_BODY_SHORT
	                         ? STATUS_INVALID
	                         : form_read(visit->arena, &encoding, request->body, form);
	if (status == STATUS_OK)
		status = reply_fields(form, submission);
	if (status == STATUS_INVALID)
		door_refuse_plain(visit->site, request, response, DOOR_MALFORMED);
	else if (status != STATUS_OK)
		door_fail(visit->site, request, response, status);
	return status == STATUS_OK;
}

static struct reply_client
client_of(const struct reader_visit *visit, const struct fcgi_request *request)
{
	return (struct reply_client){
	    .ip = request->remote_addr,
	    .network = address_network(visit->arena, request->remote_addr),
	    .user_agent = request->user_agent,
	    .now = request->now,
	};
}

void
reader_reply(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission submission = {0};
	struct reply_result result = {0};
	struct form form;
	if (!read_submission(visit, request, response, &form, &submission))
		return;
	struct reply_desk desk = desk_of(visit);
	struct reply_client client = client_of(visit, request);
	enum status status = reply_submit(&desk, visit->arena, &submission, &client, &result);
	if (status == STATUS_OK)
		answer(visit, request, response, &submission, &result);
	else
		answer_failure(visit, request, response, &submission, &result, status);
	if (status == STATUS_OK && result.outcome == REPLY_STORED)
		log_event(LOG_LEVEL_INFO, "reply %lld held", (long long)result.id);
}

/* --- the receipt ----------------------------------------------------------------------------------- */

static enum status
read_receipt(const struct reader_visit *visit, struct str secret, struct reply_receipt_row *row)
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

static void
refuse_receipt(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    enum status status)
{
	if (status == STATUS_MISSING)
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){404, "not-found", WORD_TITLE_MISSING, WORD_REFUSED_RECEIPT, WORD_TITLE_MISSING,
		        STR_NONE});
	else
		door_fail(visit->site, request, response, status);
}

/* The address of a receipt, or of what may be done with it: "", "/edit", "/withdraw". */
static struct str
receipt_address(const struct reader_visit *visit, int64_t id, const char *what)
{
	return str_format(visit->arena, "%.*s%s", STR_FMT(receipt_path(visit, id)), what);
}

static void
fill_open(const struct reader_visit *visit, const struct reply_receipt_row *row, int64_t now,
    struct page_receipt *page)
{
	const struct config_site *site = visit->site->config;
	if (!reply_is_open(site, row->state, row->created_at, now))
		return;
	page->edit_url = receipt_address(visit, row->id, "/edit");
	page->withdraw_url = receipt_address(visit, row->id, "/withdraw");
	page->revision = row->revision;
	page->n = (row->created_at + site->edit_for - now + 59) / 60;
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
	    .created_at = when_rfc3339(visit->arena, row->created_at),
	    .created = when_date(visit->arena, visit->site->words, site->zone, row->created_at)};
	if (str_eq(row->state, STR("published")))
		page.reply_url = publish_link(visit->arena, site, row->page,
		    row->page_number.set ? row->page_number.value : 1, row->id);
	fill_open(visit, row, now, &page);
	fcgi_header(response, "X-Robots-Tag", STR("noindex"));
	door_page(response, code);
	page_receipt(&response->body, visit->site->words, &page);
}

static void
answer_receipt(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    int code, struct str notice)
{
	struct reply_receipt_row row;
	struct markdown markdown = {0};
	enum status status = read_receipt(visit, request->rest, &row);
	if (status == STATUS_OK)
		status = markdown_html(visit->arena, row.comment, &markdown);
	if (status == STATUS_OK)
		show_receipt(visit, response, code, notice, &row, markdown.html, request->now);
	else
		refuse_receipt(visit, request, response, status);
}

void
reader_receipt(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	answer_receipt(visit, request, response, 200, STR_NONE);
}

/* --- what an author may still change --------------------------------------------------------------- */

struct editing {
	int code;
	struct str notice;
	bool previewed;
	struct html preview;
	int64_t revision;
};

static void
show_edit(const struct reader_visit *visit, struct fcgi_response *response, const struct editing *editing,
    const struct reply_receipt_row *row, const struct reply_submission *submission, const struct reply_result *result)
{
	const struct str *fields = submission->fields;
	struct str url = page_url(visit->arena, visit->site->config, row->page);
	struct page_reader_head head = {.mount = visit->site->config->mount, .noindex = true};
	struct page_reader_foot foot = {.page_url = url, .page_title = row->title};
	struct page_edit page = {.head = &head, .head_n = 1, .foot = &foot, .foot_n = 1, .page_title = row->title,
	    .page_url = url, .action = receipt_address(visit, row->id, "/edit"), .receipt_url = receipt_path(visit, row->id),
	    .notice = editing->notice, .previewed = editing->previewed, .preview = editing->preview,
	    .revision = editing->revision, .comment = fields[REPLY_COMMENT], .name = fields[REPLY_NAME],
	    .email = fields[REPLY_EMAIL], .website = fields[REPLY_WEBSITE],
	    .comment_error = message_of(visit, result, REPLY_COMMENT), .name_error = message_of(visit, result, REPLY_NAME),
	    .email_error = message_of(visit, result, REPLY_EMAIL),
	    .website_error = message_of(visit, result, REPLY_WEBSITE)};
	fcgi_header(response, "X-Robots-Tag", STR("noindex"));
	door_page(response, editing->code);
	page_edit(&response->body, visit->site->words, &page);
}

void
reader_edit_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_receipt_row row;
	struct reply_result result = {0};
	enum status status = read_receipt(visit, request->rest, &row);
	if (status != STATUS_OK) {
		refuse_receipt(visit, request, response, status);
		return;
	}
	if (!reply_is_open(visit->site->config, row.state, row.created_at, request->now)) {
		answer_receipt(visit, request, response, 409, say(visit, WORD_RECEIPT_NOT_OPEN));
		return;
	}
	struct reply_submission stored = {0};
	stored.fields[REPLY_COMMENT] = row.comment;
	stored.fields[REPLY_NAME] = row.name;
	stored.fields[REPLY_WEBSITE] = row.website;
	struct editing editing = {.code = 200, .revision = row.revision};
	show_edit(visit, response, &editing, &row, &stored, &result);
}

/* The form's `revision`; a form without one is of no revision, which is a conflict. */
static int64_t
read_revision(const struct form *form)
{
	struct str typed;
	int64_t revision;
	bool read = form_one(form, "revision", &typed) == STATUS_OK && str_integer(typed, &revision) == STATUS_OK;
	return read ? revision : 0;
}

/* What is shown above the form, or said in JSON, when a change was not stored. */
static void
refuse_change(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    struct editing *editing, const struct reply_receipt_row *row, const struct reply_submission *submission,
    const struct reply_result *result)
{
	if (result->outcome == REPLY_TOO_FAST)
		fcgi_header(response, "Retry-After", str_format(visit->arena, "%lld", (long long)result->wait));
	if (door_wants_json(request)) {
		refuse_json(visit, response, result);
		return;
	}
	editing->code = answers[result->outcome].code;
	editing->notice = say_n(visit, answers[result->outcome].page, result->wait);
	show_edit(visit, response, editing, row, submission, result);
}

static void
preview(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_receipt_row *row, const struct reply_submission *submission, int64_t revision)
{
	struct reply_desk desk = desk_of(visit);
	struct editing editing = {.code = 200, .revision = revision, .previewed = true};
	struct reply_result result = {0};
	struct markdown markdown;
	reply_check_change(&desk, visit->arena, submission, &result);
	if (result.outcome != REPLY_STORED) {
		editing.previewed = false;
		refuse_change(visit, request, response, &editing, row, submission, &result);
		return;
	}
	enum status status = markdown_html(visit->arena, submission->fields[REPLY_COMMENT], &markdown);
	if (status != STATUS_OK) {
		door_fail(visit->site, request, response, status);
		return;
	}
	editing.preview = markdown.html;
	show_edit(visit, response, &editing, row, submission, &result);
}

/* The store did not take it: somebody decided meanwhile, or it does not answer. */
static void
answer_change_failure(const struct reader_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response, enum status status, struct editing *editing, const struct reply_receipt_row *row,
    const struct reply_submission *submission)
{
	struct reply_result nothing_wrong = {0};
	bool conflict = status == STATUS_CONFLICT;
	if (door_wants_json(request) && conflict)
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){409, "not-open", WORD_TITLE_DENIED, WORD_EDIT_NOT_OPEN, WORD_TITLE_DENIED,
		        STR_NONE});
	else if (door_wants_json(request))
		door_fail(visit->site, request, response, status);
	else {
		bool busy = status == STATUS_BUSY;
		editing->code = conflict ? 409 : busy ? 503 : 500;
		editing->notice = say(visit, conflict ? WORD_EDIT_NOT_OPEN : busy ? WORD_REFUSED_BUSY : WORD_REFUSED_BROKEN);
		if (busy)
			fcgi_header(response, "Retry-After", STR("5"));
		show_edit(visit, response, editing, row, submission, &nothing_wrong);
	}
}

static void
save(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_receipt_row *row, const struct reply_submission *submission, int64_t revision)
{
	struct reply_desk desk = desk_of(visit);
	struct reply_client client = client_of(visit, request);
	struct reply_target target = {row->id, revision};
	struct reply_result result = {0};
	struct editing editing = {.revision = revision};
	enum status status = reply_change(&desk, visit->arena, &target, submission, &client, &result);
	if (status != STATUS_OK)
		answer_change_failure(visit, request, response, status, &editing, row, submission);
	else if (result.outcome != REPLY_STORED)
		refuse_change(visit, request, response, &editing, row, submission, &result);
	else {
		log_event(LOG_LEVEL_INFO, "reply %lld edited by its author", (long long)row->id);
		result.id = row->id;
		accept(visit, request, response, &result);
	}
}

void
reader_edit(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission submission = {0};
	struct reply_receipt_row row;
	struct form form;
	struct str what;
	enum status status = read_receipt(visit, request->rest, &row);
	if (status != STATUS_OK) {
		refuse_receipt(visit, request, response, status);
		return;
	}
	if (!read_submission(visit, request, response, &form, &submission))
		return;
	bool previewed = form_one(&form, "do", &what) == STATUS_OK && str_eq(what, STR("preview"));
	if (previewed)
		preview(visit, request, response, &row, &submission, read_revision(&form));
	else
		save(visit, request, response, &row, &submission, read_revision(&form));
}

static void
refuse_withdrawal(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response)
{
	if (door_wants_json(request))
		door_refuse(visit->site, request, response,
		    &(struct door_refusal){409, "not-open", WORD_TITLE_DENIED, WORD_RECEIPT_NOT_OPEN, WORD_TITLE_DENIED,
		        STR_NONE});
	else
		answer_receipt(visit, request, response, 409, say(visit, WORD_RECEIPT_NOT_OPEN));
}

void
reader_withdraw(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission submission = {0};
	struct reply_receipt_row row;
	struct form form;
	enum status status = read_receipt(visit, request->rest, &row);
	if (status != STATUS_OK) {
		refuse_receipt(visit, request, response, status);
		return;
	}
	if (!read_submission(visit, request, response, &form, &submission))
		return;
	struct reply_desk desk = desk_of(visit);
	struct reply_client client = client_of(visit, request);
	struct reply_target target = {row.id, read_revision(&form)};
	status = reply_take_back(&desk, visit->arena, &target, &client);
	if (status == STATUS_OK) {
		log_event(LOG_LEVEL_INFO, "reply %lld withdrawn by its author", (long long)row.id);
		door_must_truncate(visit->door);
		door_redirect(response, receipt_path(visit, row.id));
	} else if (status == STATUS_CONFLICT)
		refuse_withdrawal(visit, request, response);
	else
		door_fail(visit->site, request, response, status);
}

void
reader_tick(void *context)
{
	door_truncate(context);
}

/* --- threads that are no file, or spelled otherwise -------------------------------------------------- */

static struct str
type_of(struct str name)
{
	if (str_ends(name, STR(".json")))
		return STR("application/json");
	return str_ends(name, STR(".xml")) ? STR("application/atom+xml; charset=utf-8") : STR("text/html; charset=utf-8");
}

/* "/world/astana/~/thread.html" is a page and a name; INVALID when it is not. */
static enum status
split_thread(struct str rest, struct str *page, struct str *name)
{
	size_t slash = rest.len;
	while (slash > 0 && rest.at[slash - 1] != '/')
		slash--;
	*name = str_sub(rest, slash, rest.len);
	struct str folder = str_sub(rest, 0, slash);
	if (!str_ends(folder, STR("/~/")) && !str_eq(folder, STR("~/")))
		return STATUS_INVALID;
	*page = str_sub(folder, 0, folder.len - 2);
	return STATUS_OK;
}

/* May the page have replies?  MISSING when not. */
static enum status
find_page(const struct reader_visit *visit, struct str page)
{
	const struct config_site *site = visit->site->config;
	struct db_conn *conn;
	struct str title;
	if (!page_allowed(site, page))
		return STATUS_MISSING;
	if (!site->page_list)
		return STATUS_OK;
	enum status status = db_read(visit->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = read_listed(visit, conn, page, &title);
	db_release(conn);
	return status;
}

static enum status
read_thread(const struct reader_visit *visit, struct str page, struct str name, struct str *content)
{
	const struct config_site *site = visit->site->config;
	struct str path = str_format(visit->arena, "%.*s/%.*s", STR_FMT(site->name),
	    STR_FMT(page_file(visit->arena, page, name)));
	enum status status = path.at == NULL ? STATUS_BROKEN
	                                     : file_read(&visit->door->public_tree, visit->arena, path, THREAD_FILE_MOST,
	                                           content);
	if (status != STATUS_MISSING)
		return status;
	struct publish_press press = door_press(visit->door);
	return publish_render_empty(&press, visit->arena, site, page, name, content);
}

/* It may be asked for by an include: a page would stand within the article, so nothing is said there. */
static void
refuse_thread(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    enum status status)
{
	if (status == STATUS_MISSING || status == STATUS_INVALID) {
		door_file(response, STR("text/html; charset=utf-8"), STR("no-store"));
		response->code = 404;
	} else
		door_fail(visit->site, request, response, status);
}

void
reader_thread(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct str spelling, page, name, content;
	/* The route ends in a star behind a slash, so the slash that a page begins with is the one before `rest`. */
	struct str rest = str_join(visit->arena, STR("/"), request->rest);
	enum status status = split_thread(rest, &spelling, &name);
	/* It is a path already: a '?' or '#' in it belongs to it and cannot begin a query. */
	if (status == STATUS_OK)
		status = page_of_path(visit->arena, spelling, &page);
	if (status == STATUS_OK)
		status = find_page(visit, page);
	if (status == STATUS_OK)
		status = read_thread(visit, page, name, &content);
	if (status != STATUS_OK) {
		refuse_thread(visit, request, response, status);
		return;
	}
	/* Short, so that the first reply of a page appears soon. */
	door_file(response, type_of(name), STR("public, max-age=10"));
	out_put(&response->body, content);
}

void
reader_health(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	(void)request;
	door_health(visit->door, response);
}
