/* POST /reply: takes a submission. */
#include "reader_visit.h"

#include "log.h"
#include "page.h"
#include "page/refusal_json.h"

const struct reader_answer reader_answers[REPLY_OUTCOMES] = {
    [REPLY_UNKNOWN_PAGE] = {404, "unknown-page", WORD_REFUSED_PAGE, WORD_REFUSED_PAGE},
    [REPLY_PAUSED] = {403, "paused", WORD_REFUSED_PAUSED, WORD_REFUSED_PAUSED},
    [REPLY_CLOSED] = {403, "closed", WORD_REFUSED_CLOSED, WORD_REFUSED_CLOSED},
    [REPLY_WRONG] = {422, "wrong-fields", WORD_REFUSED_FIELDS, WORD_REFUSED_FIELDS_JSON},
    [REPLY_KEY_SPENT] = {409, "key-spent", WORD_REFUSED_KEY_SPENT, WORD_REFUSED_KEY_SPENT},
    [REPLY_REPEATED] = {409, "repeated", WORD_REFUSED_REPEATED, WORD_REFUSED_REPEATED},
    [REPLY_TOO_FAST] = {429, "too-fast", WORD_REFUSED_TOO_FAST, WORD_REFUSED_TOO_FAST},
};

struct str
reader_say_refusal(const struct reader_visit *visit, const struct reply_result *result, bool json)
{
	const struct reader_answer *answer = &reader_answers[result->outcome];
	/* Nobody counts hundreds of seconds. */
	if (result->outcome == REPLY_TOO_FAST && result->wait > 90)
		return reader_say_n(visit, WORD_REFUSED_TOO_FAST_MINUTES, (result->wait + 59) / 60);
	return reader_say_n(visit, json ? answer->json : answer->page, result->wait);
}

/* The same answer for the first and for every further time. */
static void
accept(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct reply_result *result)
{
	reader_lead_to_receipt(visit, request, response, 201, result->id, STR("held"));
}

void
reader_refuse_json(const struct reader_visit *visit, struct fcgi_response *response, const struct reply_result *result)
{
	struct page_refusal_json_errors errors[REPLY_FIELDS];
	struct page_refusal_json page = {
	    .error = str_from(reader_answers[result->outcome].error),
	    .message = reader_say_refusal(visit, result, true),
	    .errors = errors,
	};
	for (int field = 0; result->outcome == REPLY_WRONG && field < REPLY_FIELDS; field++) {
		if (result->faults[field] == REPLY_FAULT_NONE)
			continue;
		errors[page.errors_n++] = (struct page_refusal_json_errors){
		    .field = str_from(reply_field_names[field]),
		    .message = reader_fault_message(visit, result, (enum reply_field)field),
		};
	}
	door_json(response, reader_answers[result->outcome].code);
	page_refusal_json(&response->body, visit->site->words, &page);
}

/* A spent or damaged key would be refused again, so the form gets a fresh one; else it keeps its own. */
static void
refuse_with_form(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    struct reply_submission *submission, const struct reply_result *result)
{
	struct reader_framing framing = {.code = reader_answers[result->outcome].code};
	bool closed = result->outcome == REPLY_PAUSED || result->outcome == REPLY_CLOSED;
	bool stale = result->outcome == REPLY_KEY_SPENT || result->outcome == REPLY_REPEATED ||
	             result->faults[REPLY_KEY] != REPLY_FAULT_NONE;
	*(closed ? &framing.closed : &framing.notice) = reader_say_refusal(visit, result, false);
	if (stale || submission->fields[REPLY_KEY].len == 0)
		submission->fields[REPLY_KEY] = reader_fresh_key(visit, request);
	/* The message says that it will be posted as a reply to the article. */
	if (result->faults[REPLY_PARENT] != REPLY_FAULT_NONE)
		submission->fields[REPLY_PARENT] = STR_NONE;
	reader_show_form(visit, response, &framing, submission, result);
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
		reader_refuse_json(visit, response, result);
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
	struct reader_framing framing = {
	    .code = 503,
	    .notice = reader_say(visit, status == STATUS_BUSY ? WORD_REFUSED_BUSY : WORD_REFUSED_BROKEN),
	};
	struct reply_result shown = {.page = result->page};
	fcgi_header(response, "Retry-After", STR("5"));
	reader_show_form(visit, response, &framing, submission, &shown);
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
	struct reader_framing framing = {.code = 413, .notice = reader_say(visit, WORD_REFUSED_TOO_LARGE_CUT)};
	reader_show_form(visit, response, &framing, &kept, &result);
}

bool
reader_read_submission(const struct reader_visit *visit, struct fcgi_request *request, struct fcgi_response *response,
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

void
reader_reply(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct reply_submission submission = {0};
	struct reply_result result = {0};
	struct form form;
	if (!reader_read_submission(visit, request, response, &form, &submission))
		return;
	struct reply_desk desk = reader_desk(visit);
	struct reply_client client = reader_client(visit, request);
	enum status status = reply_submit(&desk, visit->arena, &submission, &client, &result);
	if (status == STATUS_OK)
		answer(visit, request, response, &submission, &result);
	else
		answer_failure(visit, request, response, &submission, &result, status);
	if (status == STATUS_OK && result.outcome == REPLY_STORED)
		log_event(LOG_LEVEL_INFO, "reply %lld held", (long long)result.id);
}
