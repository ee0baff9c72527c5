#include "verdict.h"

#include "publish.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"

const struct str verdict_state_names[VERDICT_STATES] = {
    [VERDICT_HELD] = STR_INIT("held"),
    [VERDICT_PUBLISHED] = STR_INIT("published"),
    [VERDICT_SPAM] = STR_INIT("spam"),
    [VERDICT_TRASH] = STR_INIT("trash"),
};

enum status
verdict_state(struct str name, enum verdict_state *state)
{
	for (int i = 0; i < VERDICT_STATES; i++) {
		if (str_eq(name, verdict_state_names[i])) {
			*state = (enum verdict_state)i;
			return STATUS_OK;
		}
	}
	return STATUS_INVALID;
}

enum status
verdict_target(struct str value, struct verdict_target *target)
{
	struct str revision = value;
	struct str id = str_cut(&revision, ':');
	if (str_integer(id, &target->id) != STATUS_OK || str_integer(revision, &target->revision) != STATUS_OK)
		return STATUS_INVALID;
	return target->id > 0 && target->revision > 0 ? STATUS_OK : STATUS_INVALID;
}

struct work {
	struct arena *arena;
	const struct verdict_order *order;
	struct verdict_result *results;
};

/* Who was first: for the moderator who was second. */
static enum status
report_conflict(struct work *work, struct db_conn *conn, const struct reply_verdict_row *reply,
    struct verdict_result *result)
{
	struct decision_last_row last;
	result->status = STATUS_CONFLICT;
	result->now_state = reply->state;
	enum status status =
	    decision_last(conn, work->arena, &(struct decision_last_in){.reply_id = result->id}, &last);
	if (status == STATUS_MISSING)
		return STATUS_OK;
	/* An edit by the author is newer than any decision: then nobody decided. */
	if (status == STATUS_OK && str_eq(last.to_state, reply->state))
		result->moderator = last.moderator;
	return status;
}

static enum status
move_tally(struct work *work, struct db_conn *conn, struct str from, struct str to)
{
	struct tally_take_in less = {.site_id = work->order->site_id, .state = from};
	struct tally_add_in more = {.site_id = work->order->site_id, .state = to};
	enum status status = tally_take(conn, &less, NULL);
	return status == STATUS_OK ? tally_add(conn, &more, NULL) : status;
}

static enum status
ask_for_page(struct work *work, struct db_conn *conn, int64_t thread_id, int64_t page_number, int64_t revision)
{
	struct publication_ask_in ask = {.thread_id = thread_id, .page_number = page_number, .revision = revision,
	    .asked_at = work->order->now};
	return publication_ask(conn, &ask, NULL);
}

/* How many replies come and go with this one: itself and what hangs on it, unless it hangs on a hidden one. */
static enum status
count_shown(struct work *work, struct db_conn *conn, int64_t id, int64_t *n)
{
	struct reply_above_row above;
	struct reply_below_row below;
	enum status status = reply_above(conn, work->arena, &(struct reply_above_in){.id = id}, &above);
	if (status == STATUS_OK)
		status = reply_below(conn, work->arena, &(struct reply_below_in){.id = id}, &below);
	if (status == STATUS_OK)
		*n = above.n > 0 ? 0 : 1 + below.n;
	return status;
}

/*
 * The pages whose files change: the reply's own, page 1, which tells how many there are, and the one
 * that was the last until a root opened a new page, which is its `next` now.
 */
static enum status
ask_for_pages(struct work *work, struct db_conn *conn, int64_t thread_id, int64_t page_number, bool opened,
    int64_t revision)
{
	enum status status = ask_for_page(work, conn, thread_id, 1, revision);
	if (status == STATUS_OK && opened && page_number > 2)
		status = ask_for_page(work, conn, thread_id, page_number - 1, revision);
	if (status == STATUS_OK && page_number != 1)
		status = ask_for_page(work, conn, thread_id, page_number, revision);
	return status;
}

/*
 * A root gets its page when it is published for the first time; an answer stands with its root.
 * The thread's revision rises, and the pages whose files change are asked for.
 */
static enum status
change_thread(struct work *work, struct db_conn *conn, int64_t id, const struct reply_verdict_row *reply, bool appears,
    struct db_integer *page_number)
{
	bool new_root = appears && !reply->page_number.set && !reply->parent_id.set;
	struct thread_change_row thread;
	struct thread_change_in change = {.id = reply->thread_id, .roots_more = new_root ? 1 : 0,
	    .updated_at = work->order->now};
	enum status status = count_shown(work, conn, id, &change.published_more);
	if (status != STATUS_OK)
		return status;
	change.published_more *= appears ? 1 : -1;
	status = thread_change(conn, work->arena, &change, &thread);
	if (status != STATUS_OK)
		return status;
	if (new_root)
		*page_number = (struct db_integer){true, publish_page_number(thread.roots)};
	else if (!page_number->set)
		*page_number = reply->parent_page_number.set ? reply->parent_page_number : (struct db_integer){true, 1};
	bool opened = new_root && publish_page_number(thread.roots - 1) < page_number->value;
	return ask_for_pages(work, conn, reply->thread_id, page_number->value, opened, thread.revision);
}

static enum status
note_decision(struct work *work, struct db_conn *conn, const struct verdict_result *result)
{
	const struct verdict_order *order = work->order;
	struct decision_add_in in = {.reply_id = result->id, .revision = result->revision,
	    .from_state = verdict_state_names[result->from], .to_state = verdict_state_names[order->state],
	    .moderator = order->moderator, .network = order->network, .why = order->why, .decided_at = order->now};
	return decision_add(conn, &in, NULL);
}

static enum status
change_reply(struct work *work, struct db_conn *conn, const struct reply_verdict_row *reply,
    struct verdict_result *result)
{
	const struct verdict_order *order = work->order;
	struct db_integer page_number = reply->page_number;
	bool appears = order->state == VERDICT_PUBLISHED;
	enum status status = STATUS_OK;
	int64_t changed = 0;
	result->changes_files = appears != (result->from == VERDICT_PUBLISHED);
	if (result->changes_files)
		status = change_thread(work, conn, result->id, reply, appears, &page_number);
	if (status != STATUS_OK)
		return status;
	struct reply_decide_in decide = {.id = result->id, .revision = reply->revision,
	    .state = verdict_state_names[order->state], .decided_at = (struct db_integer){true, order->now},
	    .page_number = page_number};
	status = reply_decide(conn, &decide, &changed);
	/* The row was read in this transaction: nobody can have changed it. */
	if (status == STATUS_OK && changed != 1)
		status = STATUS_BROKEN;
	if (status == STATUS_OK)
		status = move_tally(work, conn, reply->state, verdict_state_names[order->state]);
	result->revision = reply->revision + 1;
	return status == STATUS_OK ? note_decision(work, conn, result) : status;
}

static enum status
decide_one(struct work *work, struct db_conn *conn, const struct verdict_target *target,
    struct verdict_result *result)
{
	struct reply_verdict_row reply;
	*result = (struct verdict_result){.id = target->id};
	enum status status = reply_verdict(conn, work->arena,
	    &(struct reply_verdict_in){.id = target->id, .site_id = work->order->site_id}, &reply);
	if (status == STATUS_MISSING) {
		result->status = STATUS_MISSING;
		return STATUS_OK;
	}
	if (status != STATUS_OK)
		return status;
	result->name = reply.name;
	result->title = reply.title;
	result->comment = reply.comment;
	result->thread_id = reply.thread_id;
	result->revision = reply.revision;
	/* Withdrawn replies have no state that a moderator could set: their words are gone. */
	if (reply.revision != target->revision || verdict_state(reply.state, &result->from) != STATUS_OK)
		return report_conflict(work, conn, &reply, result);
	return result->from == work->order->state ? STATUS_OK : change_reply(work, conn, &reply, result);
}

static enum status
decide_all(struct db_conn *conn, void *context)
{
	struct work *work = context;
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < work->order->targets_n; i++)
		status = decide_one(work, conn, &work->order->targets[i], &work->results[i]);
	return status;
}

enum status
verdict_decide(struct db *db, struct arena *arena, const struct verdict_order *order, struct verdict_result *results)
{
	struct work work = {arena, order, results};
	return db_write(db, decide_all, &work);
}
