/*
 * reply_check.c - what is wrong with the fields of a submission, or of its author's change.
 */
#include "reply_own.h"

#include "address.h"
#include "text.h"

const char *const reply_field_names[REPLY_FIELDS] = {
    [REPLY_PAGE] = "page",
    [REPLY_PARENT] = "parent",
    [REPLY_COMMENT] = "comment",
    [REPLY_NAME] = "name",
    [REPLY_EMAIL] = "email",
    [REPLY_WEBSITE] = "website",
    [REPLY_KEY] = "key",
    [REPLY_PHONE] = "phone",
};

enum status
reply_fields(const struct form *form, struct reply_submission *submission)
{
	for (int i = 0; i < REPLY_FIELDS; i++) {
		struct str *value = &submission->fields[i];
		if (form_one(form, reply_field_names[i], value) != STATUS_OK)
			return STATUS_INVALID;
		submission->not_text[i] = form_is_not_text(form, reply_field_names[i]);
	}
	return STATUS_OK;
}

void
reply_blame(struct reply_result *result, enum reply_field field, enum reply_fault fault, int64_t limit)
{
	result->faults[field] = fault;
	result->limits[field] = limit;
	result->outcome = REPLY_WRONG;
}

static enum reply_fault
text_to_fault(enum text_fault fault)
{
	switch (fault) {
	case TEXT_FAULT_NONE:
		return REPLY_FAULT_NONE;
	case TEXT_FAULT_EMPTY:
		return REPLY_FAULT_EMPTY;
	case TEXT_FAULT_MARKS:
	case TEXT_FAULT_LONE_MARK:
		return REPLY_FAULT_MARKS;
	case TEXT_FAULT_JOINER:
		return REPLY_FAULT_JOINER;
	default:
		return REPLY_FAULT_CHARACTER;
	}
}

/* Characters as people count them: an accent counts with its letter, however it was typed. */
size_t
reply_points(struct arena *arena, struct str text)
{
	struct str nfc;
	return text_points(text_nfc(arena, text, &nfc) == STATUS_OK ? nfc : text);
}

static void
check_name(struct arena *arena, struct str name, struct reply_result *result)
{
	enum text_fault fault = TEXT_FAULT_NONE;
	if (name.len == 0)
		reply_blame(result, REPLY_NAME, REPLY_FAULT_EMPTY, 0);
	else if (reply_points(arena, name) > REPLY_NAME_MOST)
		reply_blame(result, REPLY_NAME, REPLY_FAULT_LONG, REPLY_NAME_MOST);
	else if (text_name_fault(name, &fault) != STATUS_OK)
		reply_blame(result, REPLY_NAME, text_to_fault(fault), 0);
}

static void
check_comment(struct arena *arena, const struct config_site *site, struct str comment,
    struct reply_result *result)
{
	enum text_fault fault = TEXT_FAULT_NONE;
	size_t points = reply_points(arena, str_trim(comment));
	if (points == 0)
		reply_blame(result, REPLY_COMMENT, REPLY_FAULT_EMPTY, 0);
	else if (points < REPLY_COMMENT_LEAST)
		reply_blame(result, REPLY_COMMENT, REPLY_FAULT_SHORT, REPLY_COMMENT_LEAST);
	else if (reply_points(arena, comment) > (size_t)site->comment_most)
		reply_blame(result, REPLY_COMMENT, REPLY_FAULT_LONG, site->comment_most);
	else if (text_comment_fault(comment, &fault) != STATUS_OK)
		reply_blame(result, REPLY_COMMENT, text_to_fault(fault), 0);
}

/*
 * An address with an invisible or turning character is another one than it looks like; the mapping of
 * host names would drop some of them silently.
 */
static bool
hides_something(struct str address)
{
	enum text_fault fault;
	return text_name_fault(address, &fault) != STATUS_OK;
}

static void
check_email(struct arena *arena, struct str typed, struct reply_result *result, struct str *email)
{
	if (typed.len == 0) {
		reply_blame(result, REPLY_EMAIL, REPLY_FAULT_EMPTY, 0);
		return;
	}
	enum status status = address_email(arena, typed, email);
	if (status == STATUS_TOO_LARGE || typed.len > ADDRESS_EMAIL_MOST)
		reply_blame(result, REPLY_EMAIL, REPLY_FAULT_LONG, ADDRESS_EMAIL_MOST);
	else if (status != STATUS_OK || hides_something(typed))
		reply_blame(result, REPLY_EMAIL, REPLY_FAULT_INVALID, 0);
}

/* "example.org/me" is an address but for its beginning: people are told so, and nothing is put there for them. */
static bool
lacks_scheme(struct arena *arena, struct str website, struct str *address)
{
	struct str host = str_sub(website, 0, str_find(website, '/'));
	if (!str_has(host, '.') || str_has(host, ':') || hides_something(website))
		return false;
	*address = str_join(arena, STR("https://"), website);
	return address_website(arena, *address) == STATUS_OK;
}

static void
check_website(struct arena *arena, struct str website, struct reply_result *result)
{
	if (website.len == 0)
		return;
	enum status status = address_website(arena, website);
	if (website.len > ADDRESS_WEBSITE_MOST)
		reply_blame(result, REPLY_WEBSITE, REPLY_FAULT_LONG, ADDRESS_WEBSITE_MOST);
	else if (status == STATUS_INVALID && lacks_scheme(arena, website, &result->address))
		reply_blame(result, REPLY_WEBSITE, REPLY_FAULT_SCHEME, 0);
	else if (status != STATUS_OK || hides_something(website))
		reply_blame(result, REPLY_WEBSITE, REPLY_FAULT_INVALID, 0);
}

static void
check_key(struct str key, struct reply_result *result)
{
	if (key.len > REPLY_KEY_MOST)
		reply_blame(result, REPLY_KEY, REPLY_FAULT_LONG, REPLY_KEY_MOST);
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] <= ' ' || key.at[i] > '~')
			reply_blame(result, REPLY_KEY, REPLY_FAULT_CHARACTER, 0);
}

void
reply_check_fields(const struct reply_desk *desk, struct arena *arena, const struct reply_submission *submission,
    struct reply_result *result, struct str *email)
{
	const struct str *fields = submission->fields;
	check_name(arena, fields[REPLY_NAME], result);
	check_comment(arena, desk->site, fields[REPLY_COMMENT], result);
	check_email(arena, fields[REPLY_EMAIL], result, email);
	check_website(arena, fields[REPLY_WEBSITE], result);
	check_key(fields[REPLY_KEY], result);
	for (int i = 0; i < REPLY_FIELDS; i++)
		if (submission->not_text[i])
			reply_blame(result, (enum reply_field)i, REPLY_FAULT_NOT_TEXT, 0);
}

void
reply_check_edit(struct reply_work *work, bool new_email)
{
	const struct str *fields = work->submission->fields;
	check_name(work->arena, fields[REPLY_NAME], work->result);
	check_comment(work->arena, work->desk->site, fields[REPLY_COMMENT], work->result);
	check_website(work->arena, fields[REPLY_WEBSITE], work->result);
	if (new_email)
		check_email(work->arena, fields[REPLY_EMAIL], work->result, &work->email);
	/* A number for a website must not pass for none, which would erase the one that is there. */
	for (int i = REPLY_COMMENT; i <= REPLY_WEBSITE; i++)
		if (work->submission->not_text[i])
			reply_blame(work->result, (enum reply_field)i, REPLY_FAULT_NOT_TEXT, 0);
}

void
reply_check_change(const struct reply_desk *desk, struct arena *arena, const struct reply_submission *submission,
    struct reply_result *result)
{
	struct reply_submission trimmed = reply_trim(submission);
	struct reply_work work = {.desk = desk, .arena = arena, .submission = &trimmed, .result = result};
	*result = (struct reply_result){.outcome = REPLY_STORED};
	reply_check_edit(&work, trimmed.fields[REPLY_EMAIL].len > 0);
}
