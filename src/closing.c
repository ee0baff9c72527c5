#include "closing.h"

#include "journal.h"
#include "publish.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"

struct work {
	struct arena *arena;
	const struct closing_order *order;
	struct closing_result *result;
};

static enum status
note(struct work *work, struct db_conn *conn, enum journal_action action)
{
	const struct closing_order *order = work->order;
	struct journal_entry entry = {.action = action, .site_id = order->site_id, .thread_id = work->result->thread_id,
	    .moderator = order->moderator, .network = order->network, .decided_at = order->now};
	return journal_add(order->key, conn, work->arena, &entry);
}

/* A page that nobody has replied to yet can be closed as well: then its thread begins closed. */
static enum status
have_thread(struct work *work, struct db_conn *conn, struct thread_find_row *thread)
{
	const struct closing_order *order = work->order;
	struct thread_add_row added;
	struct thread_find_in find = {.site_id = order->site_id, .page = order->page};
	struct thread_add_in add = {.site_id = order->site_id, .page = order->page, .title = order->title,
	    .updated_at = order->now};
	enum status status = thread_find(conn, work->arena, &find, thread);
	if (status != STATUS_MISSING)
		return status;
	*thread = (struct thread_find_row){0};
	status = thread_add(conn, work->arena, &add, &added);
	thread->id = added.id;
	return status;
}

static enum status
close_page(struct work *work, struct db_conn *conn)
{
	const struct closing_order *order = work->order;
	struct thread_find_row thread;
	enum status status = have_thread(work, conn, &thread);
	if (status != STATUS_OK || (thread.closed != 0) == order->closed)
		return status;
	struct thread_close_in in = {.id = thread.id, .closed = order->closed ? 1 : 0, .updated_at = order->now};
	*work->result = (struct closing_result){.changed = true, .thread_id = thread.id};
	status = thread_close(conn, &in, NULL);
	if (status == STATUS_OK)
		status = publish_ask(conn, work->arena, thread.id, order->now, true);
	return status == STATUS_OK ? note(work, conn, order->closed ? JOURNAL_CLOSE : JOURNAL_REOPEN) : status;
}

static enum status
pause_site(struct work *work, struct db_conn *conn)
{
	const struct closing_order *order = work->order;
	struct site_pause_in in = {.id = order->site_id, .paused = order->closed ? 1 : 0};
	int64_t changes = 0;
	enum status status = site_pause(conn, &in, &changes);
	if (status != STATUS_OK || changes == 0)
		return status;
	work->result->changed = true;
	return note(work, conn, order->closed ? JOURNAL_PAUSE : JOURNAL_RESUME);
}

static enum status
do_it(struct db_conn *conn, void *context)
{
	struct work *work = context;
	*work->result = (struct closing_result){0};
	return work->order->page.at == NULL ? pause_site(work, conn) : close_page(work, conn);
}

enum status
closing_do(struct db *db, struct arena *arena, const struct closing_order *order, struct closing_result *result)
{
	struct work work = {arena, order, result};
	return db_write(db, do_it, &work);
}
