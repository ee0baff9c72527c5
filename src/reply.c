#include "reply.h"

#include <stdio.h>

#include "address.h"
#include "markdown.h"
#include "page.h"
#include "receipt.h"
#include "spam.h"
#include "sql/rejoinder/page.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"
#include "text.h"
#include "title.h"

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

/* --- what is wrong with the fields -------------------------------------------------------------- */

static void
blame(struct reply_result *result, enum reply_field field, enum reply_fault fault, int64_t limit)
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
static size_t
count_points(struct arena *arena, struct str text)
{
	struct str nfc;
	return text_points(text_nfc(arena, text, &nfc) == STATUS_OK ? nfc : text);
}

static void
check_name(struct arena *arena, struct str name, struct reply_result *result)
{
	enum text_fault fault = TEXT_FAULT_NONE;
	if (name.len == 0)
		blame(result, REPLY_NAME, REPLY_FAULT_EMPTY, 0);
	else if (count_points(arena, name) > REPLY_NAME_MOST)
		blame(result, REPLY_NAME, REPLY_FAULT_LONG, REPLY_NAME_MOST);
	else if (text_name_fault(name, &fault) != STATUS_OK)
		blame(result, REPLY_NAME, text_to_fault(fault), 0);
}

static void
check_comment(struct arena *arena, const struct config_site *site, struct str comment,
    struct reply_result *result)
{
	enum text_fault fault = TEXT_FAULT_NONE;
	size_t points = count_points(arena, str_trim(comment));
	if (points == 0)
		blame(result, REPLY_COMMENT, REPLY_FAULT_EMPTY, 0);
	else if (points < REPLY_COMMENT_LEAST)
		blame(result, REPLY_COMMENT, REPLY_FAULT_SHORT, REPLY_COMMENT_LEAST);
	else if (count_points(arena, comment) > (size_t)site->comment_most)
		blame(result, REPLY_COMMENT, REPLY_FAULT_LONG, site->comment_most);
	else if (text_comment_fault(comment, &fault) != STATUS_OK)
		blame(result, REPLY_COMMENT, text_to_fault(fault), 0);
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
		blame(result, REPLY_EMAIL, REPLY_FAULT_EMPTY, 0);
		return;
	}
	enum status status = address_email(arena, typed, email);
	if (status == STATUS_TOO_LARGE || typed.len > ADDRESS_EMAIL_MOST)
		blame(result, REPLY_EMAIL, REPLY_FAULT_LONG, ADDRESS_EMAIL_MOST);
	else if (status != STATUS_OK || hides_something(typed))
		blame(result, REPLY_EMAIL, REPLY_FAULT_INVALID, 0);
}

static void
check_website(struct arena *arena, struct str website, struct reply_result *result)
{
	if (website.len == 0)
		return;
	enum status status = address_website(arena, website);
	if (website.len > ADDRESS_WEBSITE_MOST)
		blame(result, REPLY_WEBSITE, REPLY_FAULT_LONG, ADDRESS_WEBSITE_MOST);
	else if (status != STATUS_OK || hides_something(website))
		blame(result, REPLY_WEBSITE, REPLY_FAULT_INVALID, 0);
}

static void
check_key(struct str key, struct reply_result *result)
{
	if (key.len > REPLY_KEY_MOST)
		blame(result, REPLY_KEY, REPLY_FAULT_LONG, REPLY_KEY_MOST);
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] <= ' ' || key.at[i] > '~')
			blame(result, REPLY_KEY, REPLY_FAULT_CHARACTER, 0);
}

static void
check_fields(const struct reply_desk *desk, struct arena *arena, const struct reply_submission *submission,
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
			blame(result, (enum reply_field)i, REPLY_FAULT_NOT_TEXT, 0);
}

/* --- hashes -------------------------------------------------------------------------------------- */

struct hashes {
	uint8_t author[SECRET_HASH], client[SECRET_HASH], key[SECRET_HASH];
	uint8_t submission[SECRET_HASH], comment[SECRET_HASH];
};

static struct str
as_str(const uint8_t hash[SECRET_HASH])
{
	return (struct str){(const char *)hash, SECRET_HASH};
}

/*
 * What can be said before any field was found right, so that the same submission is known again
 * even when limits have changed in between.
 */
static void
hash_submission(const struct reply_desk *desk, const struct reply_submission *submission,
    const struct reply_client *client, struct str page, struct hashes *hashes)
{
	const struct str *fields = submission->fields;
	struct str all[] = {page, fields[REPLY_PARENT], fields[REPLY_NAME], fields[REPLY_EMAIL],
	    fields[REPLY_WEBSITE], fields[REPLY_COMMENT]};
	struct str sender[] = {client->network, client->user_agent};
	secret_hash(desk->matching, "submission", all, sizeof all / sizeof *all, hashes->submission);
	secret_hash(desk->matching, "client", sender, 2, hashes->client);
	secret_hash(desk->matching, "key", &fields[REPLY_KEY], 1, hashes->key);
	secret_hash(desk->matching, "comment", &fields[REPLY_COMMENT], 1, hashes->comment);
}

/* Mail providers do not tell addresses apart by case, whatever RFC 5321 allows them. */
static enum status
hash_author(const struct reply_desk *desk, struct arena *arena, struct str email, struct hashes *hashes)
{
	struct str folded;
	enum status status = text_fold(arena, email, &folded);
	if (status == STATUS_OK)
		secret_hash(desk->matching, "author", &folded, 1, hashes->author);
	return status;
}

void
reply_content_hash(const struct secret_key *matching, const struct reply_content *content, uint8_t *hash)
{
	char thread[24], parent[24];
	int thread_len = snprintf(thread, sizeof thread, "%lld", (long long)content->thread_id);
	int parent_len = content->parent_id.set
	                     ? snprintf(parent, sizeof parent, "%lld", (long long)content->parent_id.value)
	                     : 0;
	struct str parts[] = {{thread, (size_t)thread_len}, {parent, (size_t)parent_len}, content->name,
	    content->website, content->comment, content->email_sealed, content->network_sealed};
	secret_hash(matching, "content", parts, sizeof parts / sizeof *parts, hash);
}

/* --- before the write ---------------------------------------------------------------------------- */

static struct db_integer
integer(int64_t value)
{
	return (struct db_integer){true, value};
}

/* The thread of the page, if it has one yet; no thread is no fault. */
static enum status
find_thread(const struct reply_desk *desk, struct db_conn *conn, struct arena *arena, struct str page,
    struct thread_find_row *thread)
{
	*thread = (struct thread_find_row){0};
	enum status status =
	    thread_find(conn, arena, &(struct thread_find_in){.site_id = desk->site_id, .page = page}, thread);
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* What the page list says; sets the outcome when the page had to be in it and is not. */
static enum status
find_listed(const struct reply_desk *desk, struct db_conn *conn, struct arena *arena, struct reply_result *result,
    struct str *title)
{
	struct page_listed_row row;
	struct page_listed_in in = {.site_id = desk->site_id, .page = result->page};
	enum status status = page_listed(conn, arena, &in, &row);
	if (status == STATUS_OK)
		*title = row.title;
	if (status == STATUS_MISSING && desk->site->page_list)
		result->outcome = REPLY_UNKNOWN_PAGE;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* Sets outcome and id when the submission was here before; else leaves both. */
static enum status
find_same(const struct reply_desk *desk, struct db_conn *conn, struct arena *arena, bool has_key,
    const struct hashes *hashes, int64_t now, struct reply_result *result)
{
	if (has_key) {
		struct reply_by_key_row row;
		enum status status = reply_by_key(conn, arena,
		    &(struct reply_by_key_in){.site_id = desk->site_id, .key_hash = as_str(hashes->key)}, &row);
		if (status != STATUS_OK)
			return status == STATUS_MISSING ? STATUS_OK : status;
		bool same = str_eq(row.submission_hash, as_str(hashes->submission));
		result->outcome = same ? REPLY_SAME : REPLY_KEY_SPENT;
		result->id = row.id;
		return STATUS_OK;
	}
	struct reply_by_submission_row row;
	enum status status = reply_by_submission(conn, arena,
	    &(struct reply_by_submission_in){.site_id = desk->site_id, .submission_hash = as_str(hashes->submission),
	        .client_hash = as_str(hashes->client), .after = now - REPLY_SAME_WITHIN},
	    &row);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	result->outcome = REPLY_SAME;
	result->id = row.id;
	return STATUS_OK;
}

static enum status
find_repeated(struct db_conn *conn, struct arena *arena, int64_t thread_id, const struct hashes *hashes,
    struct reply_result *result)
{
	struct reply_by_comment_row row;
	enum status status = reply_by_comment(conn, arena,
	    &(struct reply_by_comment_in){.thread_id = thread_id, .comment_hash = as_str(hashes->comment),
	        .client_hash = as_str(hashes->client)},
	    &row);
	if (status == STATUS_OK)
		result->outcome = REPLY_REPEATED;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* A parent must stand published on the same page. */
static enum status
check_parent(struct db_conn *conn, struct arena *arena, int64_t thread_id, struct str typed,
    struct reply_result *result, struct db_integer *parent_id)
{
	struct reply_parent_row row;
	int64_t id;
	*parent_id = (struct db_integer){0};
	if (typed.len == 0)
		return STATUS_OK;
	enum status status = str_integer(typed, &id) == STATUS_OK ? STATUS_OK : STATUS_MISSING;
	if (status == STATUS_OK)
		status = reply_parent(conn, arena, &(struct reply_parent_in){.id = id, .thread_id = thread_id}, &row);
	if (status == STATUS_MISSING || (status == STATUS_OK && !str_eq(row.state, STR("published")))) {
		blame(result, REPLY_PARENT, REPLY_FAULT_UNKNOWN, 0);
		return STATUS_OK;
	}
	*parent_id = integer(id);
	return status;
}

/* --- the write ----------------------------------------------------------------------------------- */

/* All that one submission carries through reply_submit; short-lived, never shared. */
struct work {
	const struct reply_desk *desk;
	struct arena *arena;
	const struct reply_submission *submission;
	const struct reply_client *client;
	struct reply_result *result;
	struct str title; /* of the article, where the thread is to be begun */
	struct str email; /* with its domain in A-labels */
	struct hashes hashes;
	bool has_key;
	bool new_thread;
	bool known_author;
	bool sealing;  /* its batch may be shared until it is stored */
	size_t points; /* of the comment, as people count them */
	struct db_integer parent_id;
	struct str email_sealed, network_sealed, reasons;
	struct str former; /* reasons before an edit */
};

/* The page's title and thread, as far as there are any; an outcome when nobody may reply there. */
static enum status
find_open(const struct reply_desk *desk, struct db_conn *conn, struct arena *arena, struct reply_result *result,
    struct str *title, struct thread_find_row *thread)
{
	enum status status = find_listed(desk, conn, arena, result, title);
	if (status != STATUS_OK || result->outcome != REPLY_STORED)
		return status;
	if (desk->site->paused) {
		result->outcome = REPLY_PAUSED;
		return STATUS_OK;
	}
	status = find_thread(desk, conn, arena, result->page, thread);
	if (status == STATUS_OK && thread->closed != 0)
		result->outcome = REPLY_CLOSED;
	return status;
}

/* Reads all that the refusals need, in one snapshot. */
static enum status
look_up(struct work *work, struct db_conn *conn)
{
	struct reply_result *result = work->result;
	struct thread_find_row thread;
	struct author_published_row author;
	enum status status = find_open(work->desk, conn, work->arena, result, &work->title, &thread);
	if (status != STATUS_OK || result->outcome != REPLY_STORED)
		return status;
	work->new_thread = thread.id == 0;
	status = find_same(work->desk, conn, work->arena, work->has_key, &work->hashes, work->client->now, result);
	if (status != STATUS_OK || result->outcome == REPLY_SAME)
		return status;
	bool spent = result->outcome == REPLY_KEY_SPENT;
	check_fields(work->desk, work->arena, work->submission, result, &work->email);
	status = check_parent(conn, work->arena, thread.id, work->submission->fields[REPLY_PARENT], result,
	    &work->parent_id);
	if (status != STATUS_OK || result->outcome == REPLY_WRONG || spent)
		return status;
	work->points = count_points(work->arena, work->submission->fields[REPLY_COMMENT]);
	if (work->points >= REPLY_SAME_WORDS)
		status = find_repeated(conn, work->arena, thread.id, &work->hashes, result);
	if (status == STATUS_OK)
		status = hash_author(work->desk, work->arena, work->email, &work->hashes);
	if (status != STATUS_OK)
		return status;
	status = author_published(conn, work->arena,
	    &(struct author_published_in){.author_hash = as_str(work->hashes.author)}, &author);
	work->known_author = status == STATUS_OK;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* How a reply was first sent stays a reason, whatever its author changes. */
static void
keep_former(struct str former, struct spam_signs *signs)
{
	struct spam_reason reason;
	while (spam_next(&former, &reason)) {
		signs->honeypot = signs->honeypot || reason.kind == SPAM_HONEYPOT;
		if (reason.kind != SPAM_TOO_QUICK)
			continue;
		signs->timed = true;
		signs->age = reason.n;
	}
}

static enum status
find_reasons(struct work *work)
{
	const struct str *fields = work->submission->fields;
	struct markdown markdown;
	int64_t shown_at = 0;
	enum status status = markdown_html(work->arena, fields[REPLY_COMMENT], &markdown);
	if (status != STATUS_OK)
		return status;
	bool timed = receipt_form_time(work->desk->receipt, fields[REPLY_KEY], &shown_at) == STATUS_OK;
	struct spam_signs signs = {
	    .name = fields[REPLY_NAME],
	    .website = fields[REPLY_WEBSITE],
	    .comment = fields[REPLY_COMMENT],
	    .links = markdown.links,
	    .known_author = work->known_author,
	    .honeypot = fields[REPLY_PHONE].len > 0,
	    .timed = timed,
	    .age = work->client->now - shown_at,
	};
	keep_former(work->former, &signs);
	work->reasons = spam_reasons(work->arena, work->desk->site, &signs);
	return STATUS_OK;
}

static enum status
seal(struct work *work)
{
	struct secret_batch batch;
	enum status status = secret_sealer_join(work->desk->sealer, &batch);
	if (status != STATUS_OK)
		return STATUS_BROKEN;
	work->sealing = true;
	status = secret_seal(&batch, work->arena, SECRET_EMAIL, work->email, &work->email_sealed);
	if (status == STATUS_OK)
		status = secret_seal(&batch, work->arena, SECRET_NETWORK, work->client->ip, &work->network_sealed);
	secret_batch_end(&batch);
	return status;
}

static enum status
ensure_thread(struct work *work, struct db_conn *conn, int64_t *thread_id)
{
	struct thread_find_row found;
	struct thread_add_row added;
	enum status status = find_thread(work->desk, conn, work->arena, work->result->page, &found);
	*thread_id = found.id;
	if (status != STATUS_OK || found.id != 0)
		return status;
	status = thread_add(conn, work->arena,
	    &(struct thread_add_in){.site_id = work->desk->site_id, .page = work->result->page, .title = work->title},
	    &added);
	*thread_id = added.id;
	return status;
}

static enum status
insert(struct work *work, struct db_conn *conn, int64_t thread_id)
{
	const struct str *fields = work->submission->fields;
	struct str website = fields[REPLY_WEBSITE].len > 0 ? fields[REPLY_WEBSITE] : STR_NONE;
	uint8_t content[SECRET_HASH];
	struct reply_add_row added;
	reply_content_hash(work->desk->matching,
	    &(struct reply_content){thread_id, work->parent_id, fields[REPLY_NAME], website, fields[REPLY_COMMENT],
	        work->email_sealed, work->network_sealed},
	    content);
	struct reply_add_in in = {
	    .site_id = work->desk->site_id,
	    .thread_id = thread_id,
	    .parent_id = work->parent_id,
	    .name = fields[REPLY_NAME],
	    .website = website,
	    .comment = fields[REPLY_COMMENT],
	    .email_sealed = work->email_sealed,
	    .network_sealed = work->network_sealed,
	    .author_hash = as_str(work->hashes.author),
	    .client_hash = as_str(work->hashes.client),
	    .key_hash = work->has_key ? as_str(work->hashes.key) : STR_NONE,
	    .submission_hash = as_str(work->hashes.submission),
	    .comment_hash = as_str(work->hashes.comment),
	    .content_hash = as_str(content),
	    .reasons = work->reasons,
	    .created_at = work->client->now,
	};
	enum status status = reply_add(conn, work->arena, &in, &added);
	work->result->id = added.id;
	if (status != STATUS_OK)
		return status;
	return tally_add(conn, &(struct tally_add_in){.site_id = work->desk->site_id, .state = STR("held")}, NULL);
}

/*
 * Looks once more for the same submission, since a double click's other half may have come in
 * between; then stores.
 */
static enum status
store(struct db_conn *conn, void *context)
{
	struct work *work = context;
	struct reply_result *result = work->result;
	int64_t thread_id;
	result->outcome = REPLY_STORED;
	enum status status =
	    find_same(work->desk, conn, work->arena, work->has_key, &work->hashes, work->client->now, result);
	if (status != STATUS_OK || result->outcome != REPLY_STORED)
		return status;
	status = ensure_thread(work, conn, &thread_id);
	if (status == STATUS_OK && work->points >= REPLY_SAME_WORDS)
		status = find_repeated(conn, work->arena, thread_id, &work->hashes, result);
	if (status != STATUS_OK || result->outcome != REPLY_STORED)
		return status;
	return insert(work, conn, thread_id);
}

/* --- the pace ------------------------------------------------------------------------------------ */

static uint64_t
bucket(const struct reply_desk *desk, const char *purpose, struct str network)
{
	uint8_t hash[SECRET_HASH];
	uint64_t who = 0;
	struct str parts[] = {desk->site->name, network};
	secret_hash(desk->matching, purpose, parts, 2, hash);
	for (int i = 0; i < 8; i++)
		who = who << 8 | hash[i];
	return who;
}

static struct pace_rule
rule_for_stored(const struct reply_desk *desk)
{
	return (struct pace_rule){desk->site->pace_burst, desk->site->pace_every * 1000};
}

static struct pace_rule
rule_for_refusals(const struct reply_desk *desk)
{
	struct pace_rule rule = rule_for_stored(desk);
	return (struct pace_rule){rule.burst * REPLY_REFUSALS, rule.every / REPLY_REFUSALS};
}

/* The flood brake: what the whole site takes in a minute. */
static struct pace_rule
rule_for_site(const struct reply_desk *desk)
{
	return (struct pace_rule){desk->site->pace_site, 60000 / desk->site->pace_site};
}

/* A refused submission costs a little, too: guessing and flooding with nonsense end at a 429. */
static void
count_refusal(const struct reply_desk *desk, const struct reply_client *client, struct reply_result *result)
{
	if (!pace_take(desk->pace, bucket(desk, "pace-refused", client->network), rule_for_refusals(desk),
	        client->now * 1000, &result->wait))
		result->outcome = REPLY_TOO_FAST;
}

static enum status
store_in_pace(struct work *work)
{
	const struct reply_desk *desk = work->desk;
	int64_t now = work->client->now * 1000, *wait = &work->result->wait;
	uint64_t network = bucket(desk, "pace-stored", work->client->network), site = bucket(desk, "pace-site", STR_NONE);
	bool mine = pace_take(desk->pace, network, rule_for_stored(desk), now, wait);
	bool all = mine && pace_take(desk->pace, site, rule_for_site(desk), now, wait);
	enum status status = STATUS_OK;
	work->result->outcome = REPLY_TOO_FAST;
	if (all)
		status = db_write(desk->db, store, work);
	bool stored = all && status == STATUS_OK && work->result->outcome == REPLY_STORED;
	if (mine && !stored)
		pace_give(desk->pace, network, rule_for_stored(desk));
	if (all && !stored)
		pace_give(desk->pace, site, rule_for_site(desk));
	return status;
}

/* White space at the ends of a line field is the keyboard's, not the person's. */
static struct reply_submission
trim(const struct reply_submission *typed)
{
	struct reply_submission trimmed = *typed;
	for (int i = 0; i < REPLY_FIELDS; i++)
		if (i != REPLY_COMMENT)
			trimmed.fields[i] = str_trim(typed->fields[i]);
	return trimmed;
}

/* --- all together -------------------------------------------------------------------------------- */

/* Paused, and each page may be told so: where only listed ones may, the list is asked first (404 before 403). */
static bool
is_simply_paused(const struct config_site *site)
{
	return site->paused && !site->page_list;
}

enum status
reply_page(const struct reply_desk *desk, struct arena *arena, struct str spelling, struct reply_result *result)
{
	struct thread_find_row thread;
	struct str title;
	struct db_conn *conn;
	*result = (struct reply_result){.outcome = REPLY_STORED};
	if (page_canonical(arena, desk->site, spelling, &result->page) != STATUS_OK ||
	    !page_allowed(desk->site, result->page)) {
		result->outcome = REPLY_UNKNOWN_PAGE;
		return STATUS_OK;
	}
	if (is_simply_paused(desk->site)) {
		result->outcome = REPLY_PAUSED;
		return STATUS_OK;
	}
	enum status status = db_read(desk->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = find_open(desk, conn, arena, result, &title, &thread);
	db_release(conn);
	return status;
}

/* A submission without a page is wrong in a field; one with an unknown page is nowhere. */
static bool
find_page(struct work *work)
{
	struct reply_result *result = work->result;
	const struct config_site *site = work->desk->site;
	struct str typed = work->submission->fields[REPLY_PAGE];
	bool not_text = work->submission->not_text[REPLY_PAGE];
	if (typed.len == 0) {
		check_fields(work->desk, work->arena, work->submission, result, &work->email);
		blame(result, REPLY_PAGE, not_text ? REPLY_FAULT_NOT_TEXT : REPLY_FAULT_EMPTY, 0);
		return false;
	}
	bool known = page_canonical(work->arena, site, typed, &result->page) == STATUS_OK &&
	             page_allowed(site, result->page);
	if (!known)
		result->outcome = REPLY_UNKNOWN_PAGE;
	else if (is_simply_paused(site))
		result->outcome = REPLY_PAUSED;
	return result->outcome == REPLY_STORED;
}

static enum status
judge(struct work *work)
{
	struct db_conn *conn;
	if (!find_page(work))
		return STATUS_OK;
	hash_submission(work->desk, work->submission, work->client, work->result->page, &work->hashes);
	enum status status = db_read(work->desk->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = look_up(work, conn);
	db_release(conn);
	return status;
}

enum status
reply_submit(const struct reply_desk *desk, struct arena *arena, const struct reply_submission *submission,
    const struct reply_client *client, struct reply_result *result)
{
	struct reply_submission trimmed = trim(submission);
	struct work work = {.desk = desk, .arena = arena, .submission = &trimmed, .client = client,
	    .result = result, .has_key = trimmed.fields[REPLY_KEY].len > 0};
	*result = (struct reply_result){.outcome = REPLY_STORED};
	enum status status = judge(&work);
	if (status == STATUS_OK && result->outcome == REPLY_STORED) {
		if (work.new_thread && work.title.len == 0)
			work.title = title_find(arena, desk->site, result->page);
		status = find_reasons(&work);
		if (status == STATUS_OK)
			status = seal(&work);
		if (status == STATUS_OK)
			status = store_in_pace(&work);
	}
	bool refused = result->outcome != REPLY_STORED && result->outcome != REPLY_SAME &&
	               result->outcome != REPLY_TOO_FAST;
	if (status == STATUS_OK && refused)
		count_refusal(desk, client, result);
	if (work.sealing)
		secret_sealer_leave(desk->sealer);
	secret_wipe(&work.hashes, sizeof work.hashes);
	return status;
}

/* --- by its author, afterwards --------------------------------------------------------------------- */

bool
reply_is_open(const struct config_site *site, struct str state, int64_t created_at, int64_t now)
{
	return str_eq(state, STR("held")) && now - created_at < site->edit_for;
}

static enum status
find_own(struct db_conn *conn, struct work *work, const struct reply_target *target, struct reply_own_row *own)
{
	struct reply_own_in in = {.id = target->id, .site_id = work->desk->site_id};
	enum status status = reply_own(conn, work->arena, &in, own);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_CONFLICT : status;
	bool open = reply_is_open(work->desk->site, own->state, own->created_at, work->client->now);
	return open && own->revision == target->revision ? STATUS_OK : STATUS_CONFLICT;
}

struct change {
	struct work *work;
	const struct reply_target *target;
	bool new_email;
};

static enum status
update(struct db_conn *conn, void *context)
{
	struct change *change = context;
	struct work *work = change->work;
	const struct str *fields = work->submission->fields;
	struct str website = fields[REPLY_WEBSITE].len > 0 ? fields[REPLY_WEBSITE] : STR_NONE;
	uint8_t content[SECRET_HASH];
	struct reply_own_row own;
	int64_t changed = 0;
	enum status status = find_own(conn, work, change->target, &own);
	if (status != STATUS_OK)
		return status;
	struct str email_sealed = change->new_email ? work->email_sealed : own.email_sealed;
	reply_content_hash(work->desk->matching,
	    &(struct reply_content){own.thread_id, own.parent_id, fields[REPLY_NAME], website, fields[REPLY_COMMENT],
	        email_sealed, own.network_sealed},
	    content);
	struct reply_edit_in in = {.id = change->target->id, .revision = change->target->revision,
	    .name = fields[REPLY_NAME], .website = website, .comment = fields[REPLY_COMMENT],
	    .email_sealed = email_sealed,
	    .author_hash = change->new_email ? as_str(work->hashes.author) : own.author_hash,
	    .comment_hash = as_str(work->hashes.comment), .content_hash = as_str(content), .reasons = work->reasons,
	    .edited_at = integer(work->client->now)};
	status = reply_edit(conn, &in, &changed);
	return status == STATUS_OK && changed != 1 ? STATUS_CONFLICT : status;
}

/* What of the former reply the new one is judged by: is its author known? */
static enum status
look_up_own(struct work *work, const struct reply_target *target, bool new_email)
{
	struct reply_own_row own;
	struct author_published_row author;
	struct db_conn *conn;
	enum status status = db_read(work->desk->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = find_own(conn, work, target, &own);
	if (status == STATUS_OK) {
		struct str hash = new_email ? as_str(work->hashes.author) : own.author_hash;
		status = author_published(conn, work->arena, &(struct author_published_in){.author_hash = hash}, &author);
		work->known_author = status == STATUS_OK;
		work->former = own.reasons;
		status = status == STATUS_MISSING ? STATUS_OK : status;
	}
	db_release(conn);
	return status;
}

static void
check_change(struct work *work, bool new_email)
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
			blame(work->result, (enum reply_field)i, REPLY_FAULT_NOT_TEXT, 0);
}

void
reply_check_change(const struct reply_desk *desk, struct arena *arena, const struct reply_submission *submission,
    struct reply_result *result)
{
	struct reply_submission trimmed = trim(submission);
	struct work work = {.desk = desk, .arena = arena, .submission = &trimmed, .result = result};
	*result = (struct reply_result){.outcome = REPLY_STORED};
	check_change(&work, trimmed.fields[REPLY_EMAIL].len > 0);
}

enum status
reply_change(const struct reply_desk *desk, struct arena *arena, const struct reply_target *target,
    const struct reply_submission *submission, const struct reply_client *client, struct reply_result *result)
{
	struct reply_submission trimmed = trim(submission);
	struct work work = {.desk = desk, .arena = arena, .submission = &trimmed, .client = client, .result = result};
	struct change change = {&work, target, trimmed.fields[REPLY_EMAIL].len > 0};
	enum status status = STATUS_OK;
	*result = (struct reply_result){.outcome = REPLY_STORED};
	check_change(&work, change.new_email);
	if (result->outcome == REPLY_STORED && !pace_take(desk->pace, bucket(desk, "pace-edit", client->network),
	        rule_for_refusals(desk), client->now * 1000, &result->wait))
		result->outcome = REPLY_TOO_FAST;
	if (result->outcome != REPLY_STORED)
		return STATUS_OK;
	secret_hash(desk->matching, "comment", &trimmed.fields[REPLY_COMMENT], 1, work.hashes.comment);
	if (change.new_email)
		status = hash_author(desk, arena, work.email, &work.hashes);
	if (status == STATUS_OK)
		status = look_up_own(&work, target, change.new_email);
	if (status == STATUS_OK)
		status = find_reasons(&work);
	if (status == STATUS_OK && change.new_email)
		status = seal(&work);
	if (status == STATUS_OK)
		status = db_write(desk->db, update, &change);
	if (work.sealing)
		secret_sealer_leave(desk->sealer);
	secret_wipe(&work.hashes, sizeof work.hashes);
	return status;
}

static enum status
erase(struct db_conn *conn, void *context)
{
	struct change *change = context;
	struct work *work = change->work;
	const struct reply_target *target = change->target;
	struct reply_own_row own;
	int64_t changed = 0, now = work->client->now;
	enum status status = find_own(conn, work, target, &own);
	if (status != STATUS_OK)
		return status;
	struct reply_withdraw_in withdraw = {.id = target->id, .revision = target->revision, .decided_at = integer(now)};
	struct decision_add_in decision = {.reply_id = target->id, .revision = target->revision + 1,
	    .from_state = own.state, .to_state = STR("withdrawn"), .moderator = STR(""), .network = STR(""),
	    .why = STR(""), .decided_at = now};
	status = reply_withdraw(conn, &withdraw, &changed);
	if (status == STATUS_OK && changed != 1)
		return STATUS_CONFLICT;
	if (status == STATUS_OK)
		status = tally_take(conn, &(struct tally_take_in){.site_id = work->desk->site_id, .state = own.state}, NULL);
	if (status == STATUS_OK)
		status = tally_add(conn,
		    &(struct tally_add_in){.site_id = work->desk->site_id, .state = STR("withdrawn")}, NULL);
	return status == STATUS_OK ? decision_add(conn, &decision, NULL) : status;
}

enum status
reply_take_back(const struct reply_desk *desk, struct arena *arena, const struct reply_target *target,
    const struct reply_client *client)
{
	struct work work = {.desk = desk, .arena = arena, .client = client};
	struct change change = {.work = &work, .target = target};
	return db_write(desk->db, erase, &change);
}
