#include "verdict.h"

#include <stdlib.h>

#include "publish.h"
#include "sql/rejoinder/decision.h"
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
	struct journal_entry entry; /* what all rows of the log have in common */
	enum verdict_state state;   /* that the next reply shall have */
};

/* One reply of a decision, and where its result goes. */
struct step {
	struct verdict_target target;
	enum verdict_state state;
	struct verdict_result *result;
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
	if (status == STATUS_OK && last.revision.set && last.revision.value == reply->revision) {
		result->moderator = last.moderator;
		result->edited = str_eq(last.from_state, last.to_state);
		result->decided_at = last.decided_at;
	}
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
	    .asked_at = work->order->now, .wait = PUBLISH_WAIT};
	return publication_ask(conn, &ask, NULL);
}

/* How many replies come and go with this one: itself and what hangs on it, unless it hangs on a hidden one. */
static enum status
show_reply(struct db_conn *conn, int64_t id, const struct reply_verdict_row *reply, bool appears, int64_t *n)
{
	bool reached = !reply->parent_id.set || (reply->parent_shown.set && reply->parent_shown.value != 0);
	bool changes = appears ? reached : reply->shown != 0;
	*n = 0;
	return changes ? reply_show(conn, &(struct reply_show_in){.id = id, .shown = appears ? 1 : 0}, n) : STATUS_OK;
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

/* Answers that were published before what they hang on stand with it now. */
static enum status
place_below(struct db_conn *conn, const struct verdict_result *result, const struct reply_verdict_row *reply,
    struct db_integer page_number)
{
	if (reply->page_number.set || !page_number.set || result->shown < 2)
		return STATUS_OK;
	return reply_place(conn, &(struct reply_place_in){.id = result->id, .page_number = page_number}, NULL);
}

/*
 * A root gets its page when it is published for the first time; an answer stands with its root, and has
 * no page as long as that has none.  The thread's revision rises, and the pages whose files change are asked for.
 */
static enum status
change_thread(struct work *work, struct db_conn *conn, struct verdict_result *result,
    const struct reply_verdict_row *reply, bool appears, struct db_integer *page_number)
{
	bool new_root = appears && !reply->page_number.set && !reply->parent_id.set;
	struct thread_change_row thread;
	struct thread_change_in change = {.id = reply->thread_id, .roots_more = new_root ? 1 : 0,
	    .updated_at = work->order->now};
	enum status status = show_reply(conn, result->id, reply, appears, &result->shown);
	if (status != STATUS_OK)
		return status;
	change.published_more = appears ? result->shown : -result->shown;
	status = thread_change(conn, work->arena, &change, &thread);
	if (status != STATUS_OK)
		return status;
	if (new_root)
		*page_number = (struct db_integer){true, publish_page_number(thread.roots)};
	else if (!page_number->set)
		*page_number = reply->parent_page_number;
	status = place_below(conn, result, reply, *page_number);
	if (status != STATUS_OK)
		return status;
	int64_t number = page_number->set ? page_number->value : 1;
	bool opened = new_root && publish_page_number(thread.roots - 1) < number;
	return ask_for_pages(work, conn, reply->thread_id, number, opened, thread.revision);
}

static enum status
note_decision(struct work *work, struct db_conn *conn, int64_t thread_id, struct verdict_result *result)
{
	struct journal_entry *entry = &work->entry;
	entry->reply_id = result->id;
	entry->thread_id = thread_id;
	entry->revision = result->revision;
	entry->from_state = verdict_state_names[result->from];
	entry->to_state = verdict_state_names[work->state];
	enum status status = journal_add(work->order->key, conn, work->arena, entry);
	result->batch = entry->batch;
	return status;
}

static enum status
change_reply(struct work *work, struct db_conn *conn, const struct reply_verdict_row *reply,
    struct verdict_result *result)
{
	const struct verdict_order *order = work->order;
	struct db_integer page_number = reply->page_number;
	bool appears = work->state == VERDICT_PUBLISHED;
	enum status status = STATUS_OK;
	int64_t changed = 0;
	result->changes_files = appears != (result->from == VERDICT_PUBLISHED);
	if (result->changes_files)
		status = change_thread(work, conn, result, reply, appears, &page_number);
	if (status != STATUS_OK)
		return status;
	struct reply_decide_in decide = {.id = result->id, .revision = reply->revision,
	    .state = verdict_state_names[work->state], .decided_at = (struct db_integer){true, order->now},
	    .page_number = page_number};
	status = reply_decide(conn, &decide, &changed);
	/* The row was read in this transaction: nobody can have changed it. */
	if (status == STATUS_OK && changed != 1)
		status = STATUS_BROKEN;
	if (status == STATUS_OK)
		status = move_tally(work, conn, reply->state, verdict_state_names[work->state]);
	result->revision = reply->revision + 1;
	return status == STATUS_OK ? note_decision(work, conn, reply->thread_id, result) : status;
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
	return result->from == work->state ? STATUS_OK : change_reply(work, conn, &reply, result);
}

static void
begin_batch(struct work *work, enum journal_action action)
{
	const struct verdict_order *order = work->order;
	work->entry = (struct journal_entry){.action = action, .site_id = order->site_id, .moderator = order->moderator,
	    .network = order->network, .why = order->why, .decided_at = order->now};
}

static int
by_id(const void *a, const void *b)
{
	const struct step *one = a, *other = b;
	return (one->target.id > other->target.id) - (one->target.id < other->target.id);
}

/*
 * A reply's id is above its parent's.  What appears does so from the top down, what vanishes from below up:
 * then none of them comes or goes with another one, and `shown` tells only those that nobody decided about.
 */
static enum status
take_steps(struct work *work, struct db_conn *conn, struct step *steps, size_t n)
{
	enum status status = STATUS_OK;
	bool appear = false;
	for (size_t i = 0; i < n; i++)
		appear = appear || steps[i].state == VERDICT_PUBLISHED;
	qsort(steps, n, sizeof *steps, by_id);
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		const struct step *step = &steps[appear ? i : n - 1 - i];
		work->state = step->state;
		status = decide_one(work, conn, &step->target, step->result);
	}
	return status;
}

static enum status
decide_each(struct work *work, struct db_conn *conn, enum journal_action action, struct verdict_result *results)
{
	const struct verdict_order *order = work->order;
	struct step *steps = arena_array(work->arena, order->targets_n, sizeof *steps);
	if (steps == NULL)
		return STATUS_BROKEN;
	begin_batch(work, action);
	for (size_t i = 0; i < order->targets_n; i++)
		steps[i] = (struct step){order->targets[i], order->state, &results[i]};
	return take_steps(work, conn, steps, order->targets_n);
}

struct deciding {
	struct work work;
	struct verdict_result *results;
};

static enum status
decide_all(struct db_conn *conn, void *context)
{
	struct deciding *deciding = context;
	return decide_each(&deciding->work, conn, JOURNAL_DECIDE, deciding->results);
}

enum status
verdict_decide_in(struct db_conn *conn, struct arena *arena, const struct verdict_order *order,
    enum journal_action action, struct verdict_result *results)
{
	struct work work = {.arena = arena, .order = order};
	return decide_each(&work, conn, action, results);
}

enum status
verdict_decide(struct db *db, struct arena *arena, const struct verdict_order *order, struct verdict_result *results)
{
	struct deciding deciding = {.work = {.arena = arena, .order = order}, .results = results};
	return db_write(db, decide_all, &deciding);
}

enum status
verdict_hide(struct db_conn *conn, struct arena *arena, int64_t site_id, int64_t id, int64_t now, int64_t *shown)
{
	struct verdict_order order = {.site_id = site_id, .now = now};
	struct work work = {.arena = arena, .order = &order};
	struct verdict_result result = {.id = id};
	struct reply_verdict_row reply;
	enum status status = reply_verdict(conn, arena, &(struct reply_verdict_in){.id = id, .site_id = site_id}, &reply);
	struct db_integer page_number = {0};
	if (status == STATUS_OK) {
		page_number = reply.page_number;
		status = change_thread(&work, conn, &result, &reply, false, &page_number);
	}
	*shown = result.shown;
	return status;
}

/* --- taking it back --------------------------------------------------------------------------------- */

struct undoing {
	struct work work;
	int64_t batch;
	struct step *steps;
	struct verdict_result *results;
	size_t n; /* of both */
};

/* May this order take this row back?  The store is a stranger's: what it says of a batch must be signed. */
static enum status
may_undo(const struct undoing *undoing, const struct journal_row *row, bool good, enum journal_action *action)
{
	const struct verdict_order *order = undoing->work.order;
	if (!good)
		return STATUS_INVALID;
	bool own = str_eq(row->moderator, order->moderator) && row->site_id == order->site_id && row->reply_id.set &&
	           row->revision.set;
	bool known = journal_action(row->action, action) == STATUS_OK;
	return own && known && (*action == JOURNAL_DECIDE || *action == JOURNAL_UNDO) ? STATUS_OK : STATUS_MISSING;
}

/* The first row from `id` on, if it is the batch's; STATUS_MISSING behind its end. */
static enum status
read_row(struct undoing *undoing, struct db_conn *conn, int64_t id, struct journal_row *row)
{
	enum journal_action action;
	bool good;
	enum status status = journal_look(undoing->work.order->key, conn, undoing->work.arena, id, row, &good);
	if (status != STATUS_OK || row->batch != undoing->batch)
		return status == STATUS_OK ? STATUS_MISSING : status;
	return may_undo(undoing, row, good, &action);
}

/* Is it one of those that shall be taken back?  All are where none is named. */
static bool
is_wanted(const struct verdict_order *order, int64_t reply_id)
{
	bool wanted = order->targets_n == 0;
	for (size_t i = 0; i < order->targets_n && !wanted; i++)
		wanted = order->targets[i].id == reply_id;
	return wanted;
}

static enum status
add_step(struct undoing *undoing, const struct journal_row *row)
{
	struct step *step = &undoing->steps[undoing->n];
	*step = (struct step){.target = {row->reply_id.value, row->revision.value}, .result = &undoing->results[undoing->n]};
	undoing->n++;
	/* Only decisions are undone, and they lead from one of the four states to another. */
	return verdict_state(row->from_state, &step->state);
}

static enum status
read_batch(struct undoing *undoing, struct db_conn *conn, int64_t rows)
{
	enum status status = STATUS_OK;
	int64_t next = undoing->batch;
	for (int64_t i = 0; status == STATUS_OK && i < rows; i++) {
		struct journal_row row = {0};
		status = read_row(undoing, conn, next, &row);
		/* A row of our own: its id is far from the last number. */
		if (status == STATUS_OK)
			next = row.id + 1;
		if (status == STATUS_OK && is_wanted(undoing->work.order, row.reply_id.value))
			status = add_step(undoing, &row);
	}
	return status;
}

static enum status
undo_all(struct db_conn *conn, void *context)
{
	struct undoing *undoing = context;
	struct work *work = &undoing->work;
	struct decision_batch_row size;
	enum status status =
	    decision_batch(conn, work->arena, &(struct decision_batch_in){.batch = undoing->batch}, &size);
	if (status != STATUS_OK)
		return status;
	begin_batch(work, JOURNAL_UNDO);
	work->entry.undoes = undoing->batch;
	undoing->n = 0;
	undoing->steps = arena_array(work->arena, (size_t)size.n, sizeof *undoing->steps);
	undoing->results = arena_array(work->arena, (size_t)size.n, sizeof *undoing->results);
	if (undoing->steps == NULL || undoing->results == NULL)
		return STATUS_BROKEN;
	status = read_batch(undoing, conn, size.n);
	if (status == STATUS_OK)
		status = take_steps(work, conn, undoing->steps, undoing->n);
	return status == STATUS_OK && size.n == 0 ? STATUS_MISSING : status;
}

enum status
verdict_undo(struct db *db, struct arena *arena, const struct verdict_order *order, int64_t batch,
    struct verdict_result **results, size_t *results_n)
{
	struct undoing undoing = {.work = {.arena = arena, .order = order}, .batch = batch};
	enum status status = db_write(db, undo_all, &undoing);
	*results = undoing.results;
	*results_n = undoing.n;
	return status;
}

int64_t
verdict_with(const struct verdict_result *results, size_t n)
{
	int64_t with = 0;
	for (size_t i = 0; i < n; i++)
		if (results[i].status == STATUS_OK && results[i].changes_files && results[i].shown > 1)
			with += results[i].from == VERDICT_PUBLISHED ? 1 - results[i].shown : results[i].shown - 1;
	return with;
}
