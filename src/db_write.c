/*
 * db_write.c - the one way to write: the turnstile, and transactions that several threads share.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_own.h"
#include "log.h"

enum {
	TURN_PAUSE = 100 * 1000, /* ns between two looks at the turnstile: short beside a synced commit */
	BATCH_MOST = 64          /* writes that share one transaction: bounds how long it holds the lock */
};

/* --- the turnstile ---------------------------------------------------------------------------- */

/*
 * Whoever wants to write stands in front of this lock first.  SQLite's own waiting has no order:
 * with it alone a second process waits for seconds beside a busy one.
 */
int
db_turnstile_open(const char *path, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd >= 0 && fchmod(fd, mode) != 0) { /* the umask must not shut out the other program's user */
		close(fd);
		return -1;
	}
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* a pipe would keep us waiting for its other end */
	return fd;
}

/*
 * A waiting flock() cannot be given a deadline, so whoever waits looks again and again, and a busy
 * process would be back before the other looks.  So whoever waits also says so, by a shared lock on
 * a byte of the same file, and whoever comes while somebody waits lets one look pass.
 */
static bool
turnstile_mark(int fd, short type)
{
	struct flock mark = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	return fcntl(fd, F_OFD_SETLK, &mark) == 0;
}

static bool
turnstile_has_waiting(int fd)
{
	struct flock mark = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	return fcntl(fd, F_OFD_GETLK, &mark) == 0 && mark.l_type != F_UNLCK;
}

static void
turnstile_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = TURN_PAUSE}, NULL);
}

static bool
turnstile_wait(int fd, const struct timespec *deadline)
{
	bool taken = false;
	turnstile_mark(fd, F_RDLCK);
	do {
		turnstile_pause();
		taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
	} while (!taken && (errno == EWOULDBLOCK || errno == EINTR) && db_left_until(deadline) > 0);
	int reason = errno;
	turnstile_mark(fd, F_UNLCK);
	errno = reason;
	return taken;
}

enum status
db_turnstile_take(const char *path, int fd, const struct timespec *deadline)
{
	if (turnstile_has_waiting(fd))
		turnstile_pause();
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || turnstile_wait(fd, deadline))
		return STATUS_OK;
	log_event(LOG_LEVEL_WARNING, "%s: the turnstile is held: %s", path, strerror(errno));
	return STATUS_BUSY;
}

void
db_turnstile_leave(int fd)
{
	flock(fd, LOCK_UN);
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum status
transact(struct db_conn *conn, db_work *work, void *context, const struct timespec *deadline)
{
	enum status status = db_conn_open(conn);
	if (status != STATUS_OK)
		return status;
	int left = db_left_until(deadline);
	sqlite3_busy_timeout(conn->sqlite, left > 0 ? left : 1);
	status = db_conn_begin(conn, CONTROL_BEGIN_WRITING);
	if (status == STATUS_OK)
		status = work(conn, context);
	if (status == STATUS_OK)
		status = db_conn_commit(conn);
	db_conn_roll_back(conn); /* does nothing behind a commit */
	return status;
}

/*
 * Group commit.  Threads that want to write at the same time share a transaction and its sync, which
 * is what a write costs.  Whoever finds nobody leading leads: takes what waits, gives each order a
 * savepoint, commits once, and tells all.  While the disk syncs the next batch gathers.
 *
 * A savepoint undoes an order that was refused (a constraint, its own reasons).  It is no help against
 * a full disk, a failed write or no memory: those end the whole transaction in spite of savepoints,
 * and RELEASE or COMMIT would then store what came after the end.  So after any of them the batch is
 * rolled back and each order is seen through in a transaction of its own: each gets its own answer.
 */

/* True when the transaction goes on, whether the order was refused or not. */
static bool
try_in_batch(struct db_conn *conn, struct order *order)
{
	if (db_conn_control(conn, CONTROL_SAVEPOINT) != SQLITE_OK)
		return false;
	order->status = order->work(conn, order->context);
	bool ended = sqlite3_get_autocommit(conn->sqlite) != 0 || conn->fault != SQLITE_OK;
	if (ended || order->status == STATUS_BUSY || order->status == STATUS_BROKEN)
		return false;
	if (order->status != STATUS_OK && db_conn_control(conn, CONTROL_ROLLBACK_TO) != SQLITE_OK)
		return false;
	return db_conn_control(conn, CONTROL_RELEASE) == SQLITE_OK && sqlite3_get_autocommit(conn->sqlite) == 0;
}

static void
answer_all(struct order *batch, enum status status)
{
	for (struct order *order = batch; order != NULL; order = order->next)
		order->status = status;
}

/* True when each order has its answer; false when each must be seen through by itself. */
static bool
transact_batch(struct db_conn *conn, struct order *batch)
{
	enum status status = db_conn_open(conn);
	int left = db_left_until(&batch->deadline);
	if (status == STATUS_OK) {
		sqlite3_busy_timeout(conn->sqlite, left > 0 ? left : 1);
		status = db_conn_begin(conn, CONTROL_BEGIN_WRITING);
	}
	if (status != STATUS_OK) {
		db_conn_roll_back(conn);
		answer_all(batch, status);
		return true;
	}
	bool whole = true;
	for (struct order *order = batch; whole && order != NULL; order = order->next)
		whole = try_in_batch(conn, order);
	status = whole ? db_conn_commit(conn) : STATUS_BUSY;
	db_conn_roll_back(conn); /* does nothing behind a commit */
	/* After a failed sync nobody knows what is on the disk: no second try would mend that. */
	if (status != STATUS_OK && status != STATUS_BUSY)
		answer_all(batch, status);
	return status != STATUS_BUSY;
}

static void
transact_each(struct db_conn *conn, struct order *batch)
{
	for (struct order *order = batch; order != NULL; order = order->next) {
		if (conn->sqlite != NULL && conn->fault != SQLITE_OK)
			db_conn_close(conn);
		order->status = transact(conn, order->work, order->context, &order->deadline);
	}
}

static void
lead(struct db *db, struct order *batch)
{
	struct db_conn *conn;
	enum status status = db_conn_take(db, true, &batch->deadline, &conn);
	if (status != STATUS_OK) {
		answer_all(batch, status);
		return;
	}
	status = db_turnstile_take(db->path, db->turnstile, &batch->deadline);
	if (status != STATUS_OK)
		answer_all(batch, status);
	else {
		/* One alone needs no savepoint. */
		if (batch->next == NULL || !transact_batch(conn, batch))
			transact_each(conn, batch);
		db_turnstile_leave(db->turnstile);
	}
	db_conn_give(conn);
}

/* Takes the oldest orders off the queue; under db->lock. */
static struct order *
take_batch(struct db *db)
{
	struct order *batch = db->first, *last = batch;
	size_t n = 1;
	last->progress = ORDER_TAKEN;
	for (; n < BATCH_MOST && last->next != NULL; n++) {
		last = last->next;
		last->progress = ORDER_TAKEN;
	}
	db->first = last->next;
	last->next = NULL;
	return batch;
}

static void
lead_once(struct db *db)
{
	struct order *batch = take_batch(db);
	db->leading = true;
	pthread_mutex_unlock(&db->lock);
	lead(db, batch);
	pthread_mutex_lock(&db->lock);
	db->leading = false;
	for (struct order *order = batch; order != NULL; order = order->next) {
		order->progress = ORDER_DONE;
		pthread_cond_signal(&order->change);
	}
	/* Nobody else is woken: of all that wait one is enough to lead the next batch. */
	if (db->first != NULL)
		pthread_cond_signal(&db->first->change);
}

static void
append(struct db *db, struct order *order)
{
	struct order **end = &db->first;
	while (*end != NULL)
		end = &(*end)->next;
	*end = order;
}

/* Nobody has taken it in time: it leaves the queue. */
static void
give_up(struct db *db, struct order *order)
{
	struct order **at = &db->first;
	while (*at != order)
		at = &(*at)->next;
	*at = order->next;
	order->status = STATUS_BUSY;
	order->progress = ORDER_DONE;
	log_event(LOG_LEVEL_WARNING, "%s: a write found no turn in time", db->path);
}

enum status
db_write(struct db *db, db_work *work, void *context)
{
	struct order order = {.work = work, .context = context, .deadline = db_deadline()};
	pthread_cond_init(&order.change, &db->monotonic);
	pthread_mutex_lock(&db->lock);
	append(db, &order);
	while (order.progress != ORDER_DONE) {
		if (!db->leading && order.progress == ORDER_WAITS)
			lead_once(db);
		else if (order.progress == ORDER_TAKEN)
			pthread_cond_wait(&order.change, &db->lock);
		/* Where nobody leads, it was to be this one: who gives up then would leave the others asleep. */
		else if (pthread_cond_timedwait(&order.change, &db->lock, &order.deadline) == ETIMEDOUT &&
		    order.progress == ORDER_WAITS && db->leading)
			give_up(db, &order);
	}
	pthread_mutex_unlock(&db->lock);
	pthread_cond_destroy(&order.change);
	return order.status;
}
