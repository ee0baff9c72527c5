/*
 * reply_change.c - what an author may still do with a reply: change its words, or take it back.
 */
#include "reply_own.h"

#include "journal.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/site.h"

bool
reply_is_open(const struct config_site *site, struct str state, int64_t created_at, int64_t now)
{
	return str_eq(state, STR("held")) && now - created_at < site->edit_for;
}

static enum status
find_own(struct db_conn *conn, struct reply_work *work, const struct reply_target *target, struct reply_own_row *own)
{
	struct reply_own_in in = {.id = target->id, .site_id = work->desk->site_id};
	enum status status = reply_own(conn, work->arena, &in, own);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_CONFLICT : status;
	bool open = reply_is_open(work->desk->site, own->state, own->created_at, work->client->now);
	return open && own->revision == target->revision ? STATUS_OK : STATUS_CONFLICT;
}

struct change {
	struct reply_work *work;
	const struct reply_target *target;
	bool new_email;
};

static enum status
update(struct db_conn *conn, void *context)
{
	struct change *change = context;
	struct reply_work *work = change->work;
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
	    .author_hash = change->new_email ? reply_hash_str(work->hashes.author) : own.author_hash,
	    .comment_hash = reply_hash_str(work->hashes.comment), .content_hash = reply_hash_str(content), .reasons = work->reasons,
	    .edited_at = {true, work->client->now}};
	status = reply_edit(conn, &in, &changed);
	return status == STATUS_OK && changed != 1 ? STATUS_CONFLICT : status;
}

/* What of the former reply the new one is judged by: is its author known? */
static enum status
look_up_own(struct reply_work *work, const struct reply_target *target, bool new_email)
{
	struct reply_own_row own;
	struct author_published_row author;
	struct db_conn *conn;
	enum status status = db_read(work->desk->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = find_own(conn, work, target, &own);
	if (status == STATUS_OK) {
		struct str hash = new_email ? reply_hash_str(work->hashes.author) : own.author_hash;
		status = author_published(conn, work->arena, &(struct author_published_in){.author_hash = hash}, &author);
		work->known_author = status == STATUS_OK;
		work->former = own.reasons;
		status = status == STATUS_MISSING ? STATUS_OK : status;
	}
	db_release(conn);
	return status;
}

enum status
reply_change(const struct reply_desk *desk, struct arena *arena, const struct reply_target *target,
    const struct reply_submission *submission, const struct reply_client *client, struct reply_result *result)
{
	struct reply_submission trimmed = reply_trim(submission);
	struct reply_work work = {.desk = desk, .arena = arena, .submission = &trimmed, .client = client, .result = result};
	struct change change = {&work, target, trimmed.fields[REPLY_EMAIL].len > 0};
	enum status status = STATUS_OK;
	*result = (struct reply_result){.outcome = REPLY_STORED};
	reply_check_edit(&work, change.new_email);
	if (arena->failed)
		return STATUS_BROKEN;
	if (result->outcome == REPLY_STORED && !pace_take(desk->pace, reply_bucket(desk, "pace-edit", client->network),
	        reply_rule_for_refusals(desk), client->now * 1000, &result->wait))
		result->outcome = REPLY_TOO_FAST;
	if (result->outcome != REPLY_STORED)
		return STATUS_OK;
	reply_hash_words(&work);
	if (change.new_email)
		status = reply_hash_author(desk, arena, work.email, &work.hashes);
	if (status == STATUS_OK)
		status = look_up_own(&work, target, change.new_email);
	if (status == STATUS_OK)
		status = reply_find_reasons(&work);
	if (status == STATUS_OK && change.new_email)
		status = reply_seal(&work);
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
	struct reply_work *work = change->work;
	const struct reply_target *target = change->target;
	struct reply_own_row own;
	int64_t changed = 0, now = work->client->now;
	enum status status = find_own(conn, work, target, &own);
	if (status != STATUS_OK)
		return status;
	struct reply_withdraw_in withdraw = {.id = target->id, .revision = target->revision, .decided_at = {true, now}};
	struct journal_entry entry = {.action = JOURNAL_WITHDRAW, .site_id = work->desk->site_id, .reply_id = target->id,
	    .thread_id = own.thread_id, .revision = target->revision + 1, .from_state = own.state,
	    .to_state = STR("withdrawn"), .decided_at = now};
	status = reply_withdraw(conn, &withdraw, &changed);
	if (status == STATUS_OK && changed != 1)
		return STATUS_CONFLICT;
	if (status == STATUS_OK)
		status = tally_take(conn, &(struct tally_take_in){.site_id = work->desk->site_id, .state = own.state}, NULL);
	if (status == STATUS_OK)
		status = tally_add(conn,
		    &(struct tally_add_in){.site_id = work->desk->site_id, .state = STR("withdrawn")}, NULL);
	/* The public door holds no key of the log: the moderators' door copies the slip. */
	return status == STATUS_OK ? journal_add(NULL, conn, work->arena, &entry) : status;
}

enum status
reply_take_back(const struct reply_desk *desk, struct arena *arena, const struct reply_target *target,
    const struct reply_client *client)
{
	struct reply_work work = {.desk = desk, .arena = arena, .client = client};
	struct change change = {.work = &work, .target = target};
	return db_write(desk->db, erase, &change);
}
