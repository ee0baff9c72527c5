/* /receipt/<secret>/edit and /withdraw: what its author may still change. */
#include "reader_visit.h"

#include "log.h"
#include "markdown.h"
#include "page.h"
#include "page/edit.h"
#include "receipt.h"

struct editing {
	int code;
	struct str notice;
	bool previewed;
	bool late; /* nothing of it can be saved any more */
	struct html preview;
	int64_t revision;
};

static void
show_edit(const struct reader_visit *visit, struct fcgi_response *response, const struct editing *editing,
    const struct reply_receipt_row *row, const struct reply_submission *submission, const struct reply_result *result)
{
	const struct str *fields = submission->fields;
	struct str url = row->page.len > 0 ? page_url(visit->arena, visit->site->config, row->page) : STR_NONE;
	struct page_reader_head head = {.mount = visit->site->config->mount, .noindex = true};
	struct page_reader_foot foot = {.page_url = url, .page_title = row->title};
	struct page_edit page = {.head = &head, .head_n = 1, .foot = &foot, .foot_n = 1, .page_title = row->title,
	    .page_url = url, .action = reader_receipt_address(visit, row->id, "/edit"),
	    .receipt_url = reader_receipt_path(visit, row->id),
	    .notice = editing->notice, .late = editing->late, .previewed = editing->previewed, .preview = editing->preview,
	    .revision = editing->revision, .comment = fields[REPLY_COMMENT], .name = fields[REPLY_NAME],
	    .email = fields[REPLY_EMAIL], .website = fields[REPLY_WEBSITE],
	    .comment_error = reader_fault_message(visit, result, REPLY_COMMENT),
	    .name_error = reader_fault_message(visit, result, REPLY_NAME),
	    .email_error = reader_fault_message(visit, result, REPLY_EMAIL),
	    .website_error = reader_fault_message(visit, result, REPLY_WEBSITE)};
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
	enum status status = reader_read_receipt(visit, request->rest, &row);
	if (status != STATUS_OK) {
		reader_refuse_receipt(visit, request, response, status);
		return;
	}
	if (!reply_is_open(visit->site->config, row.state, row.created_at, request->now)) {
		reader_show_receipt(visit, request, response, 409, reader_say(visit, WORD_RECEIPT_NOT_OPEN));
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
		reader_refuse_json(visit, response, result);
		return;
	}
	editing->code = reader_answers[result->outcome].code;
	editing->notice = result->outcome == REPLY_WRONG ? reader_say(visit, WORD_EDIT_FIELDS) :
	    reader_say_refusal(visit, result, false);
	show_edit(visit, response, editing, row, submission, result);
}

static void
preview(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_receipt_row *row, const struct reply_submission *submission, int64_t revision)
{
	struct reply_desk desk = reader_desk(visit);
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
		editing->code = conflict ? 409 : 503;
		editing->late = conflict;
		editing->notice = reader_say(visit, conflict ? WORD_EDIT_NOT_OPEN : busy ? WORD_REFUSED_BUSY : WORD_REFUSED_BROKEN);
		if (!conflict)
			fcgi_header(response, "Retry-After", STR("5"));
		show_edit(visit, response, editing, row, submission, &nothing_wrong);
	}
}

static void
save(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_receipt_row *row, const struct reply_submission *submission, int64_t revision)
{
	struct reply_desk desk = reader_desk(visit);
	struct reply_client client = reader_client(visit, request);
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
		reader_lead_to_receipt(visit, request, response, 200, row->id, STR("held"));
	}
}

/* The store does not answer, but the receipt's address names the reply: all that was typed goes back into the form. */
static void
give_back(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    enum status status, const struct reply_submission *submission, int64_t revision)
{
	struct reply_receipt_row row = {0};
	struct editing editing = {.revision = revision};
	if (receipt_reply(&visit->door->receipt, request->rest, &row.id) == STATUS_OK)
		answer_change_failure(visit, request, response, status, &editing, &row, submission);
	else
		reader_refuse_receipt(visit, request, response, status);
}

void
reader_edit(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission submission = {0};
	struct reply_receipt_row row;
	struct form form;
	struct str what;
	enum status status = reader_read_receipt(visit, request->rest, &row);
	if (status == STATUS_MISSING) {
		reader_refuse_receipt(visit, request, response, status);
		return;
	}
	if (!reader_read_submission(visit, request, response, &form, &submission))
		return;
	if (status != STATUS_OK) {
		give_back(visit, request, response, status, &submission, read_revision(&form));
		return;
	}
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
		reader_show_receipt(visit, request, response, 409, reader_say(visit, WORD_RECEIPT_NOT_OPEN));
}

void
reader_withdraw(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission submission = {0};
	struct reply_receipt_row row;
	struct form form;
	enum status status = reader_read_receipt(visit, request->rest, &row);
	if (status != STATUS_OK) {
		reader_refuse_receipt(visit, request, response, status);
		return;
	}
	if (!reader_read_submission(visit, request, response, &form, &submission))
		return;
	struct reply_desk desk = reader_desk(visit);
	struct reply_client client = reader_client(visit, request);
	struct reply_target target = {row.id, read_revision(&form)};
	status = reply_take_back(&desk, visit->arena, &target, &client);
	if (status == STATUS_OK) {
		log_event(LOG_LEVEL_INFO, "reply %lld withdrawn by its author", (long long)row.id);
		door_must_truncate(visit->door);
		reader_lead_to_receipt(visit, request, response, 200, row.id, STR("withdrawn"));
	} else if (status == STATUS_CONFLICT)
		refuse_withdrawal(visit, request, response);
	else
		door_fail(visit->site, request, response, status);
}
