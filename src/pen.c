#include "pen.h"

#include "journal.h"
#include "sql/rejoinder/pen.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"

static struct str
as_str(const uint8_t hash[SECRET_HASH])
{
	return (struct str){(const char *)hash, SECRET_HASH};
}

/* The checks are those of readers' words. */
static void
check(const struct pen *pen, struct arena *arena, struct str name, struct str website, struct str comment,
    struct pen_result *result)
{
	struct reply_desk desk = {.site = pen->site, .site_id = pen->site_id};
	struct reply_submission words = {
	    .fields = {[REPLY_NAME] = name, [REPLY_WEBSITE] = website, [REPLY_COMMENT] = comment}};
	*result = (struct pen_result){0};
	reply_check_change(&desk, arena, &words, &result->checked);
}

/* --- answers ---------------------------------------------------------------------------------------- */

struct answering {
	const struct pen *pen;
	struct arena *arena;
	const struct pen_answer *answer;
	struct pen_result *result;
	uint8_t key[SECRET_HASH], submission[SECRET_HASH];
};

static void
hash_answer(struct answering *answering)
{
	const struct pen_answer *answer = answering->answer;
	struct str parent = str_format(answering->arena, "%lld", (long long)answer->parent.id);
	struct str parts[] = {parent, answer->comment, answering->pen->moderator};
	secret_hash(answering->pen->matching, "answer-key", &answer->key, 1, answering->key);
	secret_hash(answering->pen->matching, "answer", parts, sizeof parts / sizeof *parts, answering->submission);
}

/* Sets outcome and id when this form was sent before; else leaves both. */
static enum status
find_same(struct answering *answering, struct db_conn *conn)
{
	struct reply_by_key_row row;
	struct reply_by_key_in in = {.site_id = answering->pen->site_id, .key_hash = as_str(answering->key)};
	struct reply_result *checked = &answering->result->checked;
	if (answering->answer->key.len == 0)
		return STATUS_OK;
	enum status status = reply_by_key(conn, answering->arena, &in, &row);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	checked->outcome = str_eq(row.submission_hash, as_str(answering->submission)) ? REPLY_SAME : REPLY_KEY_SPENT;
	checked->id = row.id;
	return STATUS_OK;
}

static enum status
add_answer(struct answering *answering, struct db_conn *conn, int64_t thread_id)
{
	const struct pen *pen = answering->pen;
	const struct pen_answer *answer = answering->answer;
	struct db_integer parent_id = {true, answer->parent.id};
	uint8_t content[SECRET_HASH];
	struct pen_add_row added;
	reply_content_hash(pen->matching,
	    &(struct reply_content){.thread_id = thread_id, .parent_id = parent_id, .name = pen->moderator,
	        .comment = answer->comment},
	    content);
	struct pen_add_in in = {.site_id = pen->site_id, .thread_id = thread_id, .parent_id = parent_id,
	    .name = pen->moderator, .comment = answer->comment,
	    .key_hash = answer->key.len > 0 ? as_str(answering->key) : STR_NONE,
	    .submission_hash = as_str(answering->submission), .content_hash = as_str(content), .created_at = pen->now};
	enum status status = pen_add(conn, answering->arena, &in, &added);
	answering->result->checked.id = added.id;
	if (status != STATUS_OK)
		return status;
	return tally_add(conn, &(struct tally_add_in){.site_id = pen->site_id, .state = STR("held")}, NULL);
}

/* Publishes one reply as any decision does; nobody can have changed it since it was read in this transaction. */
static enum status
publish(struct answering *answering, struct db_conn *conn, struct verdict_target target, enum journal_action action,
    struct verdict_result *published)
{
	const struct pen *pen = answering->pen;
	struct verdict_order order = {.key = pen->log, .site_id = pen->site_id, .targets = &target, .targets_n = 1,
	    .state = VERDICT_PUBLISHED, .moderator = pen->moderator, .network = pen->network, .why = pen->why,
	    .now = pen->now};
	enum status status = verdict_decide_in(conn, answering->arena, &order, action, published);
	return status == STATUS_OK ? published->status : status;
}

/* The approval that the same form brought when it was sent first. */
static enum status
find_approval(struct answering *answering, struct db_conn *conn)
{
	struct verdict_target parent = answering->answer->parent;
	struct pen_approval_in in = {.reply_id = {true, parent.id}, .revision = {true, parent.revision + 1},
	    .moderator = answering->pen->moderator};
	struct pen_approval_row row;
	enum status status = pen_approval(conn, answering->arena, &in, &row);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	answering->result->batch = row.batch;
	return STATUS_OK;
}

static enum status
store_answer(struct db_conn *conn, void *context)
{
	struct answering *answering = context;
	struct pen_result *result = answering->result;
	struct verdict_target parent = answering->answer->parent;
	struct reply_verdict_in find = {.id = parent.id, .site_id = answering->pen->site_id};
	struct verdict_result published = {0};
	struct reply_verdict_row row;
	*result = (struct pen_result){0};
	enum status status = find_same(answering, conn);
	if (status == STATUS_OK && result->checked.outcome == REPLY_SAME)
		return find_approval(answering, conn);
	if (status != STATUS_OK || result->checked.outcome != REPLY_STORED)
		return status;
	status = reply_verdict(conn, answering->arena, &find, &row);
	if (status != STATUS_OK)
		return status;
	bool held = str_eq(row.state, STR("held")), open = held || str_eq(row.state, STR("published"));
	if (row.revision != parent.revision || !open)
		return STATUS_CONFLICT;
	result->thread_id = row.thread_id;
	result->approved = held;
	if (held) {
		status = publish(answering, conn, parent, JOURNAL_DECIDE, &published);
		result->batch = published.batch;
	}
	if (status == STATUS_OK)
		status = add_answer(answering, conn, row.thread_id);
	if (status != STATUS_OK)
		return status;
	status = publish(answering, conn, (struct verdict_target){result->checked.id, 1}, JOURNAL_ANSWER, &published);
	result->shown = published.shown > 0;
	return status;
}

enum status
pen_answer(const struct pen *pen, struct arena *arena, const struct pen_answer *answer, struct pen_result *result)
{
	struct answering answering = {.pen = pen, .arena = arena, .answer = answer, .result = result};
	check(pen, arena, pen->moderator, STR_NONE, answer->comment, result);
	/* The account's name is no field of the form: nobody could mend it there. */
	if (result->checked.faults[REPLY_COMMENT] != REPLY_FAULT_NONE)
		return STATUS_OK;
	hash_answer(&answering);
	return db_write(pen->db, store_answer, &answering);
}

/* --- changes ----------------------------------------------------------------------------------------- */

struct changing {
	const struct pen *pen;
	struct arena *arena;
	struct pen_change change; /* trimmed; website STR_NONE where there is none */
	struct pen_result *result;
};

/* The page that it stands on, and page 1 with the feed. */
static enum status
ask_for_pages(struct changing *changing, struct db_conn *conn)
{
	const struct pen *pen = changing->pen;
	struct reply_verdict_in find = {.id = changing->change.target.id, .site_id = pen->site_id};
	struct thread_change_row thread;
	struct reply_verdict_row row;
	enum status status = reply_verdict(conn, changing->arena, &find, &row);
	if (status != STATUS_OK || !str_eq(row.state, STR("published")))
		return status;
	status = thread_change(conn, changing->arena,
	    &(struct thread_change_in){.id = row.thread_id, .updated_at = pen->now}, &thread);
	struct publication_ask_in ask = {.thread_id = row.thread_id, .page_number = 1, .revision = thread.revision,
	    .asked_at = pen->now};
	if (status == STATUS_OK)
		status = publication_ask(conn, &ask, NULL);
	ask.page_number = row.page_number.set ? row.page_number.value : 1;
	if (status == STATUS_OK && ask.page_number > 1)
		status = publication_ask(conn, &ask, NULL);
	changing->result->thread_id = row.thread_id;
	return status;
}

static enum status
note_change(struct changing *changing, struct db_conn *conn, const struct reply_own_row *own)
{
	const struct pen *pen = changing->pen;
	struct journal_entry entry = {.action = JOURNAL_EDIT, .site_id = pen->site_id,
	    .reply_id = changing->change.target.id, .thread_id = own->thread_id, .revision = own->revision + 1,
	    .from_state = own->state, .to_state = own->state, .moderator = pen->moderator, .network = pen->network,
	    .why = pen->why, .decided_at = pen->now};
	return journal_add(pen->log, conn, changing->arena, &entry);
}

static enum status
update(struct changing *changing, struct db_conn *conn, const struct reply_own_row *own)
{
	const struct pen_change *change = &changing->change;
	uint8_t content[SECRET_HASH];
	int64_t changed = 0;
	reply_content_hash(changing->pen->matching,
	    &(struct reply_content){own->thread_id, own->parent_id, change->name, change->website, change->comment,
	        own->email_sealed, own->network_sealed},
	    content);
	struct pen_change_store_in in = {.id = change->target.id, .revision = change->target.revision, .name = change->name,
	    .website = change->website, .comment = change->comment, .content_hash = as_str(content),
	    .edited_at = {true, changing->pen->now}};
	enum status status = pen_change_store(conn, &in, &changed);
	return status == STATUS_OK && changed != 1 ? STATUS_CONFLICT : status;
}

static enum status
store_change(struct db_conn *conn, void *context)
{
	struct changing *changing = context;
	const struct pen_change *change = &changing->change;
	struct reply_own_in find = {.id = change->target.id, .site_id = changing->pen->site_id};
	struct reply_own_row own;
	*changing->result = (struct pen_result){0};
	enum status status = reply_own(conn, changing->arena, &find, &own);
	if (status != STATUS_OK)
		return status;
	if (own.revision != change->target.revision || str_eq(own.state, STR("withdrawn")))
		return STATUS_CONFLICT;
	if (str_eq(own.name, change->name) && str_eq(own.website, change->website) && str_eq(own.comment, change->comment)) {
		changing->result->checked.outcome = REPLY_SAME;
		return STATUS_OK;
	}
	status = update(changing, conn, &own);
	if (status == STATUS_OK)
		status = note_change(changing, conn, &own);
	return status == STATUS_OK ? ask_for_pages(changing, conn) : status;
}

enum status
pen_change(const struct pen *pen, struct arena *arena, const struct pen_change *change, struct pen_result *result)
{
	struct changing changing = {.pen = pen, .arena = arena, .change = *change, .result = result};
	changing.change.name = str_trim(change->name);
	changing.change.website = str_trim(change->website);
	if (changing.change.website.len == 0)
		changing.change.website = STR_NONE;
	check(pen, arena, changing.change.name, changing.change.website, change->comment, result);
	return result->checked.outcome == REPLY_STORED ? db_write(pen->db, store_change, &changing) : STATUS_OK;
}
