#include "reply.h"

#include <stdio.h>

#include "markdown.h"
#include "out.h"
#include "page.h"
#include "receipt.h"
#include "reply_own.h"
#include "spam.h"
#include "sql/rejoinder/outbox.h"
#include "sql/rejoinder/page.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"
#include "text.h"
#include "title.h"

/* --- hashes -------------------------------------------------------------------------------------- */

struct str
reply_hash_str(const uint8_t hash[SECRET_HASH])
{
	return (struct str){(const char *)hash, SECRET_HASH};
}

/*
 * What can be said before any field was found right, so that the same submission is known again
 * even when limits have changed in between.
 */
static void
hash_submission(const struct reply_desk *desk, const struct reply_submission *submission,
    const struct reply_client *client, struct str page, struct reply_hashes *hashes)
{
	const struct str *fields = submission->fields;
	struct str all[] = {page, fields[REPLY_PARENT], fields[REPLY_NAME], fields[REPLY_EMAIL],
	    fields[REPLY_WEBSITE], fields[REPLY_COMMENT]};
	struct str sender[] = {client->network, client->user_agent};
	secret_hash(desk->matching, "submission", all, sizeof all / sizeof *all, hashes->submission);
	secret_hash(desk->matching, "client", sender, 2, hashes->client);
	secret_hash(desk->matching, "key", &fields[REPLY_KEY], 1, hashes->key);
}

/* Whatever RFC 5321 allows them. */
enum status
reply_author(struct arena *arena, struct str email, struct str *folded)
{
	return text_fold(arena, email, folded);
}

void
reply_author_hash(const struct secret_key *matching, struct str folded, uint8_t *hash)
{
	secret_hash(matching, "author", &folded, 1, hash);
}

enum status
reply_hash_author(const struct reply_desk *desk, struct arena *arena, struct str email, struct reply_hashes *hashes)
{
	struct str folded;
	enum status status = reply_author(arena, email, &folded);
	if (status == STATUS_OK)
		reply_author_hash(desk->matching, folded, hashes->author);
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
    const struct reply_hashes *hashes, int64_t now, struct reply_result *result)
{
	if (has_key) {
		struct reply_by_key_row row;
		enum status status = reply_by_key(conn, arena,
		    &(struct reply_by_key_in){.site_id = desk->site_id, .key_hash = reply_hash_str(hashes->key)}, &row);
		if (status != STATUS_OK)
			return status == STATUS_MISSING ? STATUS_OK : status;
		bool same = str_eq(row.submission_hash, reply_hash_str(hashes->submission));
		result->outcome = same ? REPLY_SAME : REPLY_KEY_SPENT;
		result->id = row.id;
		return STATUS_OK;
	}
	struct reply_by_submission_row row;
	enum status status = reply_by_submission(conn, arena,
	    &(struct reply_by_submission_in){.site_id = desk->site_id, .submission_hash = reply_hash_str(hashes->submission),
	        .client_hash = reply_hash_str(hashes->client), .after = now - REPLY_SAME_WITHIN},
	    &row);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	result->outcome = REPLY_SAME;
	result->id = row.id;
	return STATUS_OK;
}

static enum status
find_repeated(struct db_conn *conn, struct arena *arena, int64_t thread_id, const struct reply_hashes *hashes,
    struct reply_result *result)
{
	struct reply_by_comment_row row;
	enum status status = reply_by_comment(conn, arena,
	    &(struct reply_by_comment_in){.thread_id = thread_id, .comment_hash = reply_hash_str(hashes->comment),
	        .client_hash = reply_hash_str(hashes->client)},
	    &row);
	if (status == STATUS_OK)
		result->outcome = REPLY_REPEATED;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* A parent must be seen on the same page: published, and so all above it. */
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
	if (status == STATUS_MISSING) {
		reply_blame(result, REPLY_PARENT, REPLY_FAULT_UNKNOWN, 0);
		return STATUS_OK;
	}
	*parent_id = integer(id);
	return status;
}

/* --- the write ----------------------------------------------------------------------------------- */

/* A comment with one space in the place of white space, however much: the same words are the same. */
static struct str
words_of(struct arena *arena, struct str comment)
{
	struct out out;
	bool after_space = false;
	out_init(&out, arena);
	for (struct str rest = str_trim(comment); rest.len > 0; rest = str_sub(rest, 1, rest.len)) {
		bool space = str_trim(str_sub(rest, 0, 1)).len == 0;
		if (!space || !after_space)
			out_byte(&out, space ? ' ' : rest.at[0]);
		after_space = space;
	}
	return out_str(&out);
}

void
reply_hash_words(struct reply_work *work)
{
	struct str words = words_of(work->arena, work->submission->fields[REPLY_COMMENT]);
	secret_hash(work->desk->matching, "comment", &words, 1, work->hashes.comment);
	work->points = reply_points(work->arena, words);
}

/* The page's title and thread, as far as there are any; an outcome when nobody may reply there. */
static enum status
find_open(const struct reply_desk *desk, struct db_conn *conn, struct arena *arena, struct reply_result *result,
    struct str *title, struct thread_find_row *thread)
{
	enum status status = find_listed(desk, conn, arena, result, title);
	if (status != STATUS_OK || result->outcome != REPLY_STORED)
		return status;
	struct site_paused_row site;
	status = site_paused(conn, arena, &(struct site_paused_in){.id = desk->site_id}, &site);
	if (status != STATUS_OK)
		return status;
	if (desk->site->paused || site.paused != 0) {
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
look_up(struct reply_work *work, struct db_conn *conn)
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
	reply_check_fields(work->desk, work->arena, work->submission, result, &work->email);
	if (work->arena->failed) /* then no field is to blame */
		return STATUS_BROKEN;
	status = check_parent(conn, work->arena, thread.id, work->submission->fields[REPLY_PARENT], result,
	    &work->parent_id);
	if (status != STATUS_OK || result->outcome == REPLY_WRONG || spent)
		return status;
	if (work->points >= REPLY_SAME_WORDS)
		status = find_repeated(conn, work->arena, thread.id, &work->hashes, result);
	if (status == STATUS_OK)
		status = reply_hash_author(work->desk, work->arena, work->email, &work->hashes);
	if (status != STATUS_OK)
		return status;
	status = author_published(conn, work->arena,
	    &(struct author_published_in){.author_hash = reply_hash_str(work->hashes.author)}, &author);
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

enum status
reply_find_reasons(struct reply_work *work)
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

enum status
reply_seal(struct reply_work *work)
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
ensure_thread(struct reply_work *work, struct db_conn *conn, int64_t *thread_id)
{
	struct thread_find_row found;
	struct thread_add_row added;
	enum status status = find_thread(work->desk, conn, work->arena, work->result->page, &found);
	*thread_id = found.id;
	if (status != STATUS_OK || found.id != 0)
		return status;
	status = thread_add(conn, work->arena,
	    &(struct thread_add_in){.site_id = work->desk->site_id, .page = work->result->page, .title = work->title,
	        .updated_at = work->client->now},
	    &added);
	*thread_id = added.id;
	return status;
}

static enum status
insert(struct reply_work *work, struct db_conn *conn, int64_t thread_id)
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
	    .author_hash = reply_hash_str(work->hashes.author),
	    .client_hash = reply_hash_str(work->hashes.client),
	    .key_hash = work->has_key ? reply_hash_str(work->hashes.key) : STR_NONE,
	    .submission_hash = reply_hash_str(work->hashes.submission),
	    .comment_hash = reply_hash_str(work->hashes.comment),
	    .content_hash = reply_hash_str(content),
	    .reasons = work->reasons,
	    .created_at = work->client->now,
	};
	enum status status = reply_add(conn, work->arena, &in, &added);
	work->result->id = added.id;
	if (status != STATUS_OK)
		return status;
	status = tally_add(conn, &(struct tally_add_in){.site_id = work->desk->site_id, .state = STR("held")}, NULL);
	if (status != STATUS_OK || !work->desk->tells)
		return status;
	return outbox_add(conn, &(struct outbox_add_in){.site_id = work->desk->site_id, .reply_id = added.id}, NULL);
}

/*
 * Looks once more for the same submission, since a double click's other half may have come in
 * between; then stores.
 */
static enum status
store(struct db_conn *conn, void *context)
{
	struct reply_work *work = context;
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

uint64_t
reply_bucket(const struct reply_desk *desk, const char *purpose, struct str network)
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

struct pace_rule
reply_rule_for_refusals(const struct reply_desk *desk)
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
	if (!pace_take(desk->pace, reply_bucket(desk, "pace-refused", client->network), reply_rule_for_refusals(desk),
	        client->now * 1000, &result->wait))
		result->outcome = REPLY_TOO_FAST;
}

static enum status
store_in_pace(struct reply_work *work)
{
	const struct reply_desk *desk = work->desk;
	int64_t now = work->client->now * 1000, *wait = &work->result->wait;
	uint64_t network = reply_bucket(desk, "pace-stored", work->client->network), site = reply_bucket(desk, "pace-site", STR_NONE);
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
struct reply_submission
reply_trim(const struct reply_submission *typed)
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
find_page(struct reply_work *work)
{
	struct reply_result *result = work->result;
	const struct config_site *site = work->desk->site;
	struct str typed = work->submission->fields[REPLY_PAGE];
	bool not_text = work->submission->not_text[REPLY_PAGE];
	if (typed.len == 0) {
		reply_check_fields(work->desk, work->arena, work->submission, result, &work->email);
		reply_blame(result, REPLY_PAGE, not_text ? REPLY_FAULT_NOT_TEXT : REPLY_FAULT_EMPTY, 0);
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
judge(struct reply_work *work)
{
	struct db_conn *conn;
	if (!find_page(work))
		return STATUS_OK;
	hash_submission(work->desk, work->submission, work->client, work->result->page, &work->hashes);
	reply_hash_words(work);
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
	struct reply_submission trimmed = reply_trim(submission);
	struct reply_work work = {.desk = desk, .arena = arena, .submission = &trimmed, .client = client,
	    .result = result, .has_key = trimmed.fields[REPLY_KEY].len > 0};
	*result = (struct reply_result){.outcome = REPLY_STORED};
	enum status status = judge(&work);
	if (status == STATUS_OK && result->outcome == REPLY_STORED) {
		if (work.new_thread && work.title.len == 0)
			work.title = title_find(arena, desk->site, result->page);
		status = reply_find_reasons(&work);
		if (status == STATUS_OK)
			status = reply_seal(&work);
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
