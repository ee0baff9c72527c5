/*
 * reader_visit.h - what the handlers of reader.fcgi share: one request, the form, a submission's fields, the receipt.
 *
 * Only src/reader*.c include this.
 */
#ifndef READER_VISIT_H
#define READER_VISIT_H

#include "arena.h"
#include "db.h"
#include "door.h"
#include "fcgi.h"
#include "form.h"
#include "reader.h"
#include "reply.h"
#include "sql/rejoinder/reply.h"
#include "status.h"
#include "str.h"
#include "words.h"

/* A request of this door, with all that its handlers need. */
struct reader_visit {
	struct door *door;
	const struct door_site *site;
	struct arena *arena;
};

/* --- reader.c --- */

/* A sentence of the site's words; the second with its hole `n`. */
struct str reader_say(const struct reader_visit *visit, enum word word);
struct str reader_say_n(const struct reader_visit *visit, enum word word, int64_t n);

/* What reply.h needs of this door, and of who asks. */
struct reply_desk reader_desk(const struct reader_visit *visit);
struct reply_client reader_client(const struct reader_visit *visit, const struct fcgi_request *request);

/* --- reader_form.c --- */

/* What is known of the page that a form is for. */
struct reader_article {
	struct str page, title, url;
	struct str parent_name, parent_url;
	bool parent_gone; /* the store says that no such reply is shown here */
};

/*
 * Fills in what can be known of `page`, and of the reply `parent` that it answers; a store that does not
 * answer takes away the title, nothing else.  A page at NULL is of no article.
 */
void reader_find_article(const struct reader_visit *visit, struct str page, struct str parent,
    struct reader_article *article);

/* The title that the page list gives; MISSING when the page is not in it. */
enum status reader_read_listed(const struct reader_visit *visit, struct db_conn *conn, struct str page,
    struct str *title) MUST_USE;

/* What stands around the form: a sentence above it, or one in its place. */
struct reader_framing {
	int code;
	struct str notice;
	struct str closed;
};

/* «Leave a Reply» with what was typed and what is wrong with it; framing->closed stands in the form's place. */
void reader_show_form(const struct reader_visit *visit, struct fcgi_response *response,
    const struct reader_framing *framing, const struct reply_submission *submission, const struct reply_result *result);

/* A field's sentence; none where nothing is wrong with it. */
struct str reader_fault_message(const struct reader_visit *visit, const struct reply_result *result,
    enum reply_field field);

/* A key for a new form, which knows when it was made. */
struct str reader_fresh_key(const struct reader_visit *visit, const struct fcgi_request *request);

/* --- reader_reply.c --- */

/* How each outcome is answered. The sentences stand above the form, or in JSON. */
struct reader_answer {
	int code;
	const char *error;
	enum word page, json;
};
extern const struct reader_answer reader_answers[REPLY_OUTCOMES];

/* Reads the fields; false after answering 415, 413 or 400. */
bool reader_read_submission(const struct reader_visit *visit, struct fcgi_request *request,
    struct fcgi_response *response, struct form *form, struct reply_submission *submission);

/* The sentence that tells why it was not taken, and how long to wait: of JSON, or above the form. */
struct str reader_say_refusal(const struct reader_visit *visit, const struct reply_result *result, bool json);

/* {"error", "message"}, and with wrong fields {"errors"}. */
void reader_refuse_json(const struct reader_visit *visit, struct fcgi_response *response,
    const struct reply_result *result);

/* --- reader_receipt.c --- */

/* The address of a receipt; the second of what may be done with it: "/edit", "/withdraw". */
struct str reader_receipt_path(const struct reader_visit *visit, int64_t id);
struct str reader_receipt_address(const struct reader_visit *visit, int64_t id, const char *what);

/* What became of the reply by this request: to its receipt, or in JSON with `code`. */
void reader_lead_to_receipt(const struct reader_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response, int code, int64_t id, struct str state);

/* The reply of a receipt's secret.  MISSING: there is none, or on another site; BUSY or BROKEN: the store. */
enum status reader_read_receipt(const struct reader_visit *visit, struct str secret, struct reply_receipt_row *row)
    MUST_USE;
void reader_refuse_receipt(const struct reader_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response, enum status status);

/* The receipt as it is now, with a notice above it unless that is empty. */
void reader_show_receipt(const struct reader_visit *visit, const struct fcgi_request *request,
    struct fcgi_response *response, int code, struct str notice);

#endif
