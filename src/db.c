#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum {
	CONNECTIONS = 1 + DB_READERS, /* the first one writes */
	TURN_PAUSE = 100 * 1000, /* ns between two looks at the turnstile: short beside a synced commit */
	LOG_MESSAGE_MOST = 200,	 /* bytes of what SQLite itself says */
	ROWS_FIRST = 8,		 /* that db_grow makes room for */
	BATCH_MOST = 64		 /* writes that share one transaction: bounds how long it holds the lock */
};

/* A write that waits for its turn, on the stack of the thread that wants it. */
struct order {
	db_work *work;
	void *context;
	struct timespec deadline;
	enum status status;
	enum { ORDER_WAITS, ORDER_TAKEN, ORDER_DONE } progress; /* under db->lock */
	struct order *next;
};

struct db_stmt {
	sqlite3_stmt *sqlite; /* NULL until first asked for */
	struct db_conn *conn;
	const struct db_query *query;
	int failed; /* the first code that binding gave */
};

struct db_conn {
	struct db *db;
	sqlite3 *sqlite; /* NULL until first lent, and after a fault */
	sqlite3_stmt *version;
	struct db_stmt *stmts; /* as many as the schema has queries */
	bool writes;
	bool lent;
	int fault; /* a code after which this connection is not to be used again */
};

struct db {
	char *path;
	const struct db_schema *schema;
	int turnstile;
	pthread_mutex_t lock;	 /* over `lent` of all connections */
	pthread_cond_t given[2]; /* a reader, the writer was given back */
	pthread_cond_t written;	 /* a batch of orders is done */
	struct order *first;	 /* of the orders that wait, oldest first */
	bool leading;		 /* somebody sees a batch through */
	struct db_conn conns[CONNECTIONS];
};

/* --- codes ------------------------------------------------------------------------------------ */

/* A write that failed may go well next time; after a failed sync nobody knows what the disk holds. */
static enum status
status_of_io(int code)
{
	switch (code) {
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_TRUNCATE:
	case SQLITE_IOERR_LOCK:
	case SQLITE_IOERR_SHMOPEN:
	case SQLITE_IOERR_SHMSIZE:
	case SQLITE_IOERR_SHMMAP:
	case SQLITE_IOERR_SHMLOCK:
	case SQLITE_IOERR_NOMEM:
		return STATUS_BUSY;
	default:
		return STATUS_BROKEN;
	}
}

/* What an extended result code means to a caller. */
static enum status
status_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return STATUS_OK;
	case SQLITE_CONSTRAINT:
		return STATUS_CONFLICT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PROTOCOL:
	case SQLITE_NOMEM:
	case SQLITE_INTERRUPT:
		return STATUS_BUSY;
	case SQLITE_IOERR:
		return status_of_io(code);
	default:
		return STATUS_BROKEN;
	}
}

/* Codes after which a connection may hold a wrong idea of the file. */
static bool
is_fault(int code)
{
	switch (code & 0xff) {
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY: /* READONLY_DBMOVED: the name leads to another file by now */
	case SQLITE_MISUSE:
	case SQLITE_INTERNAL:
		return true;
	default:
		return false;
	}
}

/* Logs a code that is neither success nor a broken constraint, and says what it means. */
static enum status
judge(const struct db *db, const char *what, int code)
{
	enum status status = status_of(code);
	if (status == STATUS_BUSY)
		log_event(LOG_LEVEL_WARNING, "%s: %s: %s (%d)", db->path, what, sqlite3_errstr(code), code);
	else if (status != STATUS_OK && status != STATUS_CONFLICT)
		log_event(LOG_LEVEL_ERROR, "%s: %s: %s (%d)", db->path, what, sqlite3_errstr(code), code);
	return status;
}

/* The same for a connection, which remembers what makes it useless. */
static enum status
judge_conn(struct db_conn *conn, const char *what, int code)
{
	if (is_fault(code))
		conn->fault = code;
	return judge(conn->db, what, code);
}

/* --- the library ------------------------------------------------------------------------------ */

/*
 * SQLite's own messages: only those about files.  Those about statements may carry what somebody
 * typed (a search expression, say), and db_step names the query anyway.
 */
static void
log_sqlite(void *context, int code, const char *message)
{
	char line[LOG_MESSAGE_MOST + 1];
	size_t i = 0;
	(void)context;
	switch (code & 0xff) {
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_CANTOPEN:
	case SQLITE_NOTICE:
		break;
	default:
		return;
	}
	for (; i < LOG_MESSAGE_MOST && message[i] != '\0' && message[i] != '['; i++)
		line[i] = message[i] == '\n' ? ' ' : message[i];
	line[i] = '\0';
	log_event((code & 0xff) == SQLITE_NOTICE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "sqlite: %s (%d)",
	    line, code);
}

/* A connection is used by one thread at a time, which MULTITHREAD asks for and gets by conn_take. */
static void
configure(void)
{
	if (sqlite3_config(SQLITE_CONFIG_MULTITHREAD) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_LOG, log_sqlite, NULL) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		log_event(LOG_LEVEL_WARNING, "sqlite: was set up by somebody else");
}

static void
configure_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure);
}

/* --- times ------------------------------------------------------------------------------------ */

static struct timespec
time_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now;
}

static struct timespec
deadline_from_now(void)
{
	struct timespec at = time_now();
	at.tv_sec += DB_BUSY_TIMEOUT / 1000;
	return at;
}

/* Milliseconds until `deadline`, 0 when it is past. */
static int
left_until(const struct timespec *deadline)
{
	struct timespec now = time_now();
	int64_t left =
	    (int64_t)(deadline->tv_sec - now.tv_sec) * 1000 + (deadline->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* --- statements without parameters ------------------------------------------------------------ */

static int
run(sqlite3 *sqlite, const char *sql)
{
	int code = sqlite3_exec(sqlite, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? code : sqlite3_extended_errcode(sqlite);
}

/* The first value of the first row; 0 when there is none. */
static int
run_integer(sqlite3 *sqlite, const char *sql, int64_t *value)
{
	sqlite3_stmt *stmt = NULL;
	*value = 0;
	int code = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL);
	if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
		code = sqlite3_extended_errcode(sqlite);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int
run_script(sqlite3 *sqlite, const char *const *statements)
{
	int code = SQLITE_OK;
	for (size_t i = 0; statements[i] != NULL && code == SQLITE_OK; i++)
		code = run(sqlite, statements[i]);
	return code;
}

/* --- connections ------------------------------------------------------------------------------ */

/* What each role asks of SQLite, as SQLite itself writes the value when asked for it. */
enum role { ROLE_READER, ROLE_WRITER, ROLE_KEEPER, ROLE_COUNT };

static const struct setting {
	const char *pragma;
	const char *value[ROLE_COUNT];
} settings[] = {
    {"journal_mode", {"wal", "wal", "wal"}},
    {"synchronous", {"2", "2", "2"}},
    {"foreign_keys", {"1", "1", "0"}}, /* a migration may rebuild a table that others refer to */
    {"trusted_schema", {"0", "0", "0"}},
    {"secure_delete", {"1", "1", "1"}},
    {"temp_store", {"2", "2", "2"}},
    {"journal_size_limit", {"4194304", "4194304", "4194304"}},
    {"cache_size", {"-256", "-1024", "-1024"}},
    {"cell_size_check", {"1", "1", "1"}},
    {"query_only", {"1", "0", "0"}},
};

static bool
reads_back(sqlite3 *sqlite, const char *sql, const char *wanted, int *code)
{
	sqlite3_stmt *stmt = NULL;
	*code = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL);
	if (*code == SQLITE_OK)
		*code = sqlite3_step(stmt);
	const char *value = *code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	bool same = value != NULL && strcmp(value, wanted) == 0;
	if (*code != SQLITE_ROW)
		*code = sqlite3_extended_errcode(sqlite);
	sqlite3_finalize(stmt);
	return same;
}

static enum status
apply_setting(const struct db *db, sqlite3 *sqlite, const struct setting *setting, enum role role)
{
	char sql[96];
	snprintf(sql, sizeof sql, "PRAGMA %s = %s", setting->pragma, setting->value[role]);
	int code = run(sqlite, sql);
	if (code != SQLITE_OK)
		return judge(db, setting->pragma, code);
	snprintf(sql, sizeof sql, "PRAGMA %s", setting->pragma);
	if (reads_back(sqlite, sql, setting->value[role], &code))
		return STATUS_OK;
	if (code != SQLITE_ROW)
		return judge(db, setting->pragma, code);
	log_event(LOG_LEVEL_ERROR, "%s: the setting %s does not hold", db->path, setting->pragma);
	return STATUS_BROKEN;
}

/*
 * Opened, but only looked at: nothing is set that would change the file.  The file must be there,
 * and writable.  On failure *sqlite is closed and NULL.
 */
static enum status
sqlite_open(const struct db *db, const char *path, sqlite3 **sqlite)
{
	int code = sqlite3_open_v2(path, sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (code == SQLITE_OK) {
		sqlite3_extended_result_codes(*sqlite, 1);
		sqlite3_busy_timeout(*sqlite, DB_BUSY_TIMEOUT);
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
		code = sqlite3_db_readonly(*sqlite, "main") ? SQLITE_READONLY : SQLITE_OK;
	}
	if (code == SQLITE_OK)
		return STATUS_OK;
	sqlite3_close(*sqlite);
	*sqlite = NULL;
	return judge(db, "open", code);
}

/* The same with the settings of a role. */
static enum status
sqlite_open_as(const struct db *db, const char *path, enum role role, sqlite3 **sqlite)
{
	enum status status = sqlite_open(db, path, sqlite);
	for (size_t i = 0; i < sizeof settings / sizeof *settings && status == STATUS_OK; i++)
		status = apply_setting(db, *sqlite, &settings[i], role);
	if (status != STATUS_OK) {
		sqlite3_close(*sqlite);
		*sqlite = NULL;
	}
	return status;
}

static bool
is_internal(const char *table)
{
	return sqlite3_strnicmp(table, "sqlite_", 7) == 0;
}

/*
 * FTS5 makes its tables known by an «UPDATE sqlite_master» that stores nothing; a real one SQLite
 * refuses by itself, since nobody may say writable_schema.
 */
static int
authorize_change(const struct db_conn *conn, int action, const char *table)
{
	if (action == SQLITE_UPDATE && strcmp(table, "sqlite_master") == 0)
		return SQLITE_OK;
	return conn->writes && !is_internal(table) ? SQLITE_OK : SQLITE_DENY;
}

/* DENY and never IGNORE, which turns columns into NULL and goes on. */
static int
authorize(
    void *context, int action, const char *first, const char *second, const char *database, const char *via)
{
	(void)database;
	(void)via;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return authorize_change(context, action, first);
	case SQLITE_FUNCTION:
		return second != NULL && sqlite3_stricmp(second, "load_extension") == 0 ? SQLITE_DENY
											: SQLITE_OK;
	case SQLITE_PRAGMA: /* to look at: the version for us, the other for FTS5 */
		return second == NULL &&
			(strcmp(first, "user_version") == 0 || strcmp(first, "data_version") == 0)
		    ? SQLITE_OK
		    : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static void
conn_close(struct db_conn *conn)
{
	for (size_t i = 0; i < conn->db->schema->queries_n; i++) {
		sqlite3_finalize(conn->stmts[i].sqlite);
		conn->stmts[i] = (struct db_stmt){.conn = conn};
	}
	sqlite3_finalize(conn->version);
	conn->version = NULL;
	sqlite3_close(conn->sqlite);
	conn->sqlite = NULL;
	conn->fault = SQLITE_OK;
}

static enum status
conn_open(struct db_conn *conn)
{
	struct db *db = conn->db;
	if (conn->sqlite != NULL)
		return STATUS_OK;
	enum status status =
	    sqlite_open_as(db, db->path, conn->writes ? ROLE_WRITER : ROLE_READER, &conn->sqlite);
	if (status != STATUS_OK)
		return status;
	sqlite3_set_authorizer(conn->sqlite, authorize, conn);
	int code = sqlite3_prepare_v3(
	    conn->sqlite, "PRAGMA user_version", -1, SQLITE_PREPARE_PERSISTENT, &conn->version, NULL);
	status = judge(db, "prepare", code);
	if (status != STATUS_OK)
		conn_close(conn);
	return status;
}

static struct db_conn *
conn_free(struct db *db, bool writes)
{
	if (writes)
		return db->conns[0].lent ? NULL : &db->conns[0];
	struct db_conn *found = NULL;
	for (size_t i = 1; i < CONNECTIONS; i++) { /* one that is open, before another is opened */
		struct db_conn *conn = &db->conns[i];
		if (!conn->lent && (found == NULL || (found->sqlite == NULL && conn->sqlite != NULL)))
			found = conn;
	}
	return found;
}

static enum status
conn_take(struct db *db, bool writes, const struct timespec *deadline, struct db_conn **conn)
{
	int waited = 0;
	pthread_mutex_lock(&db->lock);
	while ((*conn = conn_free(db, writes)) == NULL && waited == 0)
		waited = pthread_cond_timedwait(&db->given[writes], &db->lock, deadline);
	if (*conn != NULL)
		(*conn)->lent = true;
	pthread_mutex_unlock(&db->lock);
	if (*conn != NULL)
		return STATUS_OK;
	log_event(LOG_LEVEL_WARNING, "%s: no %s connection was given back in time", db->path,
	    writes ? "writing" : "reading");
	return STATUS_BUSY;
}

/* A connection that met a fault is closed here and opened anew when next lent. */
static void
conn_give(struct db_conn *conn)
{
	struct db *db = conn->db;
	bool writes = conn->writes;
	if (conn->sqlite != NULL && conn->fault != SQLITE_OK)
		conn_close(conn);
	pthread_mutex_lock(&db->lock);
	conn->lent = false;
	pthread_cond_signal(&db->given[writes]);
	pthread_mutex_unlock(&db->lock);
}

/* --- transactions ----------------------------------------------------------------------------- */

/*
 * Reads the version inside the transaction: this is the moment that a snapshot shows.  A program
 * that runs on while a newer one migrates must not go on by its old idea of the tables.
 */
static enum status
check_version(struct db_conn *conn)
{
	int code = sqlite3_step(conn->version);
	int64_t version = code == SQLITE_ROW ? sqlite3_column_int64(conn->version, 0) : 0;
	if (code != SQLITE_ROW)
		code = sqlite3_extended_errcode(conn->sqlite);
	sqlite3_reset(conn->version);
	if (code != SQLITE_ROW)
		return judge_conn(conn, "read", code);
	if (version == conn->db->schema->version)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "%s: is of version %lld, this program of %d", conn->db->path,
	    (long long)version, conn->db->schema->version);
	return STATUS_INVALID;
}

/* A file that was replaced under us by a restored one would swallow what is written. */
static bool
has_moved(struct db_conn *conn)
{
	int moved = 0;
	return sqlite3_file_control(conn->sqlite, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	    moved;
}

static enum status
begin(struct db_conn *conn, const char *sql)
{
	if (conn->sqlite != NULL && has_moved(conn))
		conn_close(conn);
	enum status status = conn_open(conn);
	if (status == STATUS_OK)
		status = judge_conn(conn, "begin", run(conn->sqlite, sql));
	return status == STATUS_OK ? check_version(conn) : status;
}

static void
roll_back(struct db_conn *conn)
{
	if (conn->sqlite == NULL)
		return;
	for (sqlite3_stmt *s = sqlite3_next_stmt(conn->sqlite, NULL); s != NULL;
	     s = sqlite3_next_stmt(conn->sqlite, s))
		sqlite3_reset(s);
	if (sqlite3_get_autocommit(conn->sqlite))
		return;
	int code = run(conn->sqlite, "ROLLBACK");
	if (code != SQLITE_OK && !sqlite3_get_autocommit(conn->sqlite))
		conn->fault = code; /* closing ends the transaction */
}

/* A transaction that SQLite has ended by itself (full disk, no memory) makes COMMIT an error, too. */
static enum status
commit(struct db_conn *conn)
{
	int code = run(conn->sqlite, "COMMIT");
	if (code == SQLITE_OK)
		return STATUS_OK;
	enum status status = judge_conn(conn, "commit", code);
	/* A deferred constraint is our own mistake by now: nobody waits for that answer. */
	return status == STATUS_OK ? STATUS_BROKEN : status;
}

enum status
db_read(struct db *db, struct db_conn **conn)
{
	struct timespec deadline = deadline_from_now();
	enum status status = conn_take(db, false, &deadline, conn);
	if (status != STATUS_OK)
		return status;
	status = begin(*conn, "BEGIN");
	if (status != STATUS_OK) {
		db_release(*conn);
		*conn = NULL;
	}
	return status;
}

void
db_release(struct db_conn *conn)
{
	roll_back(conn);
	conn_give(conn);
}

/* --- the turnstile ---------------------------------------------------------------------------- */

/*
 * Whoever wants to write stands in front of this lock first.  SQLite's own waiting has no order:
 * with it alone a second process waits for seconds beside a busy one.
 */
static int
turnstile_open(const char *path, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd >= 0 && fchmod(fd, mode) != 0) { /* the umask must not shut out the other program's user */
		close(fd);
		return -1;
	}
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
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
	} while (!taken && (errno == EWOULDBLOCK || errno == EINTR) && left_until(deadline) > 0);
	int reason = errno;
	turnstile_mark(fd, F_UNLCK);
	errno = reason;
	return taken;
}

static enum status
turnstile_take(const char *path, int fd, const struct timespec *deadline)
{
	if (turnstile_has_waiting(fd))
		turnstile_pause();
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || turnstile_wait(fd, deadline))
		return STATUS_OK;
	log_event(LOG_LEVEL_WARNING, "%s: the turnstile is held: %s", path, strerror(errno));
	return STATUS_BUSY;
}

static void
turnstile_leave(int fd)
{
	flock(fd, LOCK_UN);
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum status
transact(struct db_conn *conn, db_work *work, void *context, const struct timespec *deadline)
{
	enum status status = conn_open(conn);
	if (status != STATUS_OK)
		return status;
	int left = left_until(deadline);
	sqlite3_busy_timeout(conn->sqlite, left > 0 ? left : 1);
	status = begin(conn, "BEGIN IMMEDIATE");
	if (status == STATUS_OK)
		status = work(conn, context);
	if (status == STATUS_OK)
		status = commit(conn);
	roll_back(conn); /* does nothing behind a commit */
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
	if (run(conn->sqlite, "SAVEPOINT one") != SQLITE_OK)
		return false;
	order->status = order->work(conn, order->context);
	bool ended = sqlite3_get_autocommit(conn->sqlite) != 0 || conn->fault != SQLITE_OK;
	if (ended || order->status == STATUS_BUSY || order->status == STATUS_BROKEN)
		return false;
	if (order->status != STATUS_OK && run(conn->sqlite, "ROLLBACK TO one") != SQLITE_OK)
		return false;
	return run(conn->sqlite, "RELEASE one") == SQLITE_OK && sqlite3_get_autocommit(conn->sqlite) == 0;
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
	enum status status = conn_open(conn);
	int left = left_until(&batch->deadline);
	if (status == STATUS_OK) {
		sqlite3_busy_timeout(conn->sqlite, left > 0 ? left : 1);
		status = begin(conn, "BEGIN IMMEDIATE");
	}
	if (status != STATUS_OK) {
		roll_back(conn);
		answer_all(batch, status);
		return true;
	}
	bool whole = true;
	for (struct order *order = batch; whole && order != NULL; order = order->next)
		whole = try_in_batch(conn, order);
	status = whole ? commit(conn) : STATUS_BUSY;
	roll_back(conn); /* does nothing behind a commit */
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
			conn_close(conn);
		order->status = transact(conn, order->work, order->context, &order->deadline);
	}
}

static void
lead(struct db *db, struct order *batch)
{
	struct db_conn *conn;
	enum status status = conn_take(db, true, &batch->deadline, &conn);
	if (status != STATUS_OK) {
		answer_all(batch, status);
		return;
	}
	status = turnstile_take(db->path, db->turnstile, &batch->deadline);
	if (status != STATUS_OK)
		answer_all(batch, status);
	else {
		/* One alone needs no savepoint. */
		if (batch->next == NULL || !transact_batch(conn, batch))
			transact_each(conn, batch);
		turnstile_leave(db->turnstile);
	}
	conn_give(conn);
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
	for (struct order *order = batch, *next; order != NULL; order = next) {
		next = order->next; /* the order's thread may be gone once it is done */
		order->progress = ORDER_DONE;
	}
	pthread_cond_broadcast(&db->written);
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
	struct order order = {.work = work, .context = context, .deadline = deadline_from_now()};
	pthread_mutex_lock(&db->lock);
	append(db, &order);
	while (order.progress != ORDER_DONE) {
		if (!db->leading && order.progress == ORDER_WAITS)
			lead_once(db);
		else if (order.progress == ORDER_TAKEN)
			pthread_cond_wait(&db->written, &db->lock);
		else if (pthread_cond_timedwait(&db->written, &db->lock, &order.deadline) == ETIMEDOUT &&
		    order.progress == ORDER_WAITS)
			give_up(db, &order);
	}
	pthread_mutex_unlock(&db->lock);
	return order.status;
}

/* --- making ----------------------------------------------------------------------------------- */

static char *
path_with(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *joined = malloc(size);
	if (joined != NULL)
		snprintf(joined, size, "%s%s", path, suffix);
	return joined;
}

static void
remove_with(const char *path, const char *suffix)
{
	char *joined = path_with(path, suffix);
	if (joined != NULL)
		unlink(joined);
	free(joined);
}

static void
remove_database(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		remove_with(path, suffixes[i]);
}

static bool
is_there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/* SQLite's application_id tells our files apart: FNV-1a of the schema's name, positive. */
static int
application_id(const struct db_schema *schema)
{
	uint32_t hash = 2166136261U;
	for (const char *c = schema->name; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return (int)(hash & 0x7fffffffU);
}

/* An empty file of exactly this mode, where none may be. */
static enum status
make_empty(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	bool made = fd >= 0 && fchmod(fd, mode) == 0;
	if (!made)
		log_event(LOG_LEVEL_WARNING, "%s: cannot be made: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return made ? STATUS_OK : STATUS_BUSY;
}

static int
sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int result = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return result;
}

static int
sync_folder(const char *path)
{
	char *folder = path_with(path, "");
	if (folder == NULL)
		return -1;
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	int result = sync_path(slash != NULL ? folder : ".", O_DIRECTORY);
	free(folder);
	return result;
}

/* Gives a finished file its name, for good. */
static enum status
put_in_place(const char *from, const char *to)
{
	if (sync_path(from, 0) == 0 && rename(from, to) == 0 && sync_folder(to) == 0)
		return STATUS_OK;
	log_event(LOG_LEVEL_WARNING, "%s: cannot be put in place: %s", to, strerror(errno));
	return STATUS_BUSY;
}

static int
fill(sqlite3 *sqlite, const struct db_schema *schema)
{
	char mark[64];
	int64_t version = 0;
	snprintf(mark, sizeof mark, "PRAGMA application_id = %d", application_id(schema));
	int code = run(sqlite, "BEGIN EXCLUSIVE");
	if (code == SQLITE_OK)
		code = run_script(sqlite, schema->create);
	if (code == SQLITE_OK)
		code = run(sqlite, mark);
	if (code == SQLITE_OK)
		code = run_integer(sqlite, "PRAGMA user_version", &version);
	if (code == SQLITE_OK && version != schema->version)
		code = SQLITE_MISMATCH;
	if (code == SQLITE_OK)
		code = run(sqlite, "COMMIT");
	/* So that all of it is in the one file that is renamed. */
	return code == SQLITE_OK ? run(sqlite, "PRAGMA wal_checkpoint(TRUNCATE)") : code;
}

static enum status
create_at(const struct db *db, const char *path, mode_t mode)
{
	sqlite3 *sqlite = NULL;
	remove_database(path); /* what a creation left that was killed */
	enum status status = make_empty(path, mode);
	if (status == STATUS_OK)
		status = sqlite_open_as(db, path, ROLE_KEEPER, &sqlite);
	if (status != STATUS_OK)
		return status;
	status = judge(db, "create", fill(sqlite, db->schema));
	int code = sqlite3_close(sqlite);
	return status == STATUS_OK ? judge(db, "create", code) : status;
}

/* Under the turnstile, so that two that create wait for each other. */
static enum status
create_behind(const struct db *db, mode_t mode)
{
	char *fresh = path_with(db->path, ".new");
	enum status status = fresh == NULL ? STATUS_BUSY : STATUS_OK;
	if (is_there(db->path))
		status = STATUS_CONFLICT;
	if (status == STATUS_OK) {
		status = create_at(db, fresh, mode);
		if (status == STATUS_OK)
			status = put_in_place(fresh, db->path);
		remove_database(fresh);
	}
	free(fresh);
	return status;
}

/* A `struct db` that is no more than path, schema, and turnstile. */
static enum status
db_begin(struct db *db, const char *path, const struct db_schema *schema, mode_t mode)
{
	configure_once();
	char *turn = path_with(path, ".turn");
	*db = (struct db){.path = path_with(path, ""), .schema = schema, .turnstile = -1};
	if (turn != NULL && db->path != NULL)
		db->turnstile = turnstile_open(turn, mode);
	if (db->turnstile < 0)
		log_event(LOG_LEVEL_WARNING, "%s.turn: %s", path, strerror(errno));
	free(turn);
	return db->turnstile >= 0 ? STATUS_OK : STATUS_BUSY;
}

static void
db_end(struct db *db)
{
	if (db->turnstile >= 0)
		close(db->turnstile);
	free(db->path);
}

enum status
db_create(const char *path, const struct db_schema *schema, unsigned mode)
{
	struct db db;
	struct timespec deadline = deadline_from_now();
	if (is_there(path))
		return STATUS_CONFLICT;
	enum status status = db_begin(&db, path, schema, (mode_t)mode);
	if (status == STATUS_OK)
		status = turnstile_take(path, db.turnstile, &deadline);
	if (status == STATUS_OK) {
		status = create_behind(&db, (mode_t)mode);
		if (status != STATUS_OK && status != STATUS_CONFLICT)
			remove_with(path, ".turn");
	}
	db_end(&db);
	return status;
}

/* --- migrating -------------------------------------------------------------------------------- */

static enum status
copy_into(const struct db *db, sqlite3 *sqlite, const char *path)
{
	char *sql = sqlite3_mprintf("VACUUM INTO %Q", path);
	enum status status = sql == NULL ? STATUS_BUSY : judge(db, "copy", run(sqlite, sql));
	sqlite3_free(sql);
	return status;
}

/*
 * "<path>.v<N>" as the file is now.  A connection of its own, since VACUUM cannot be part of the
 * transaction that meanwhile keeps all other writers out.
 */
static enum status
keep_copy(const struct db *db, int version, mode_t mode)
{
	char suffix[32];
	sqlite3 *sqlite = NULL;
	snprintf(suffix, sizeof suffix, ".v%d", version);
	char *kept = path_with(db->path, suffix), *fresh = path_with(db->path, ".copy");
	enum status status = kept == NULL || fresh == NULL ? STATUS_BUSY : STATUS_OK;
	if (status == STATUS_OK) {
		unlink(fresh);
		status = make_empty(fresh, mode);
	}
	if (status == STATUS_OK)
		status = sqlite_open(db, db->path, &sqlite);
	if (status == STATUS_OK)
		status = copy_into(db, sqlite, fresh);
	sqlite3_close(sqlite);
	if (status == STATUS_OK)
		status = put_in_place(fresh, kept);
	if (status != STATUS_OK && fresh != NULL)
		unlink(fresh);
	free(kept);
	free(fresh);
	return status;
}

/* All the steps from `version` on, and the look whether they left loose ends. */
static int
migrate_steps(sqlite3 *sqlite, const struct db_schema *schema, int version)
{
	char mark[48];
	int64_t loose = 0;
	int code = SQLITE_OK;
	for (int i = version; i < schema->version && code == SQLITE_OK; i++)
		code = run_script(sqlite, schema->migrations[i - 1]);
	snprintf(mark, sizeof mark, "PRAGMA user_version = %d", schema->version);
	if (code == SQLITE_OK)
		code = run(sqlite, mark);
	if (code == SQLITE_OK)
		code = run_integer(sqlite, "SELECT count(*) FROM pragma_foreign_key_check", &loose);
	return code == SQLITE_OK && loose > 0 ? SQLITE_CONSTRAINT_FOREIGNKEY : code;
}

/* Inside BEGIN IMMEDIATE; another process may have been faster. */
static enum status
migrate_locked(const struct db *db, sqlite3 *sqlite, mode_t mode)
{
	int64_t version = 0;
	enum status status = judge(db, "migrate", run_integer(sqlite, "PRAGMA user_version", &version));
	if (status != STATUS_OK || version >= db->schema->version)
		return status;
	status = keep_copy(db, (int)version, mode);
	if (status != STATUS_OK)
		return status;
	status = judge(db, "migrate", migrate_steps(sqlite, db->schema, (int)version));
	if (status == STATUS_CONFLICT)
		log_event(
		    LOG_LEVEL_ERROR, "%s: what is stored breaks a constraint of the new version", db->path);
	if (status == STATUS_OK)
		status = judge(db, "migrate", run(sqlite, "COMMIT"));
	if (status == STATUS_OK)
		log_event(LOG_LEVEL_INFO,
		    "%s: migrated from version %lld to %d; the former is kept as %s.v%lld", db->path,
		    (long long)version, db->schema->version, db->path, (long long)version);
	return status == STATUS_CONFLICT ? STATUS_BROKEN : status;
}

static enum status
migrate(const struct db *db, mode_t mode)
{
	struct timespec deadline = deadline_from_now();
	sqlite3 *sqlite = NULL;
	enum status status = turnstile_take(db->path, db->turnstile, &deadline);
	if (status != STATUS_OK)
		return status;
	status = sqlite_open_as(db, db->path, ROLE_KEEPER, &sqlite);
	if (status == STATUS_OK)
		status = judge(db, "migrate", run(sqlite, "BEGIN IMMEDIATE"));
	if (status == STATUS_OK)
		status = migrate_locked(db, sqlite, mode);
	sqlite3_close(sqlite); /* rolls back what was not committed */
	turnstile_leave(db->turnstile);
	return status;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Is it ours, and of which version?  Changes nothing, in case it is not. */
static enum status
identify(const struct db *db, int *version)
{
	sqlite3 *sqlite = NULL;
	int64_t id = 0, found = 0;
	enum status status = sqlite_open(db, db->path, &sqlite);
	if (status != STATUS_OK)
		return status;
	int code = run_integer(sqlite, "PRAGMA application_id", &id);
	if (code == SQLITE_OK)
		code = run_integer(sqlite, "PRAGMA user_version", &found);
	sqlite3_close(sqlite);
	if ((code & 0xff) != SQLITE_NOTADB && code != SQLITE_OK)
		return judge(db, "identify", code);
	*version = (int)found;
	if (code == SQLITE_OK && id == application_id(db->schema) && found >= 1 &&
	    found <= db->schema->version)
		return STATUS_OK;
	if (code == SQLITE_OK && id == application_id(db->schema) && found > db->schema->version)
		log_event(LOG_LEVEL_ERROR, "%s: is of version %d, newer than this program, which knows %d",
		    db->path, *version, db->schema->version);
	else
		log_event(LOG_LEVEL_ERROR, "%s: is no database of %s", db->path, db->schema->name);
	return STATUS_INVALID;
}

/* Brings the file to the schema's version, or says why not. */
static enum status
bring_up(const struct db *db, bool may_migrate, mode_t mode)
{
	int version = 0;
	enum status status = identify(db, &version);
	if (status != STATUS_OK || version == db->schema->version)
		return status;
	if (may_migrate)
		return migrate(db, mode);
	log_event(LOG_LEVEL_ERROR, "%s: is of version %d and must be migrated to %d first", db->path, version,
	    db->schema->version);
	return STATUS_INVALID;
}

static enum status
make_conns(struct db *db)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->given[0], &monotonic);
	pthread_cond_init(&db->given[1], &monotonic);
	pthread_cond_init(&db->written, &monotonic);
	pthread_condattr_destroy(&monotonic);
	bool made = true;
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct db_conn *conn = &db->conns[i];
		*conn = (struct db_conn){.db = db, .writes = i == 0};
		conn->stmts = calloc(db->schema->queries_n + 1, sizeof *conn->stmts);
		made = made && conn->stmts != NULL;
	}
	return made ? STATUS_OK : STATUS_BUSY;
}

static enum status
write_nothing(struct db_conn *conn, void *context)
{
	(void)conn;
	(void)context;
	return STATUS_OK;
}

/* Where the file must be, and be a plain one. */
static enum status
look(const char *path, mode_t *mode)
{
	struct stat st;
	if (stat(path, &st) != 0 && errno == ENOENT)
		return STATUS_MISSING;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		log_event(LOG_LEVEL_ERROR, "%s: is no file that can be opened", path);
		return STATUS_INVALID;
	}
	*mode = st.st_mode & 0777;
	return STATUS_OK;
}

enum status
db_open(const char *path, const struct db_schema *schema, bool migrate_older, struct db **db)
{
	mode_t mode = 0;
	*db = NULL;
	enum status status = look(path, &mode);
	if (status != STATUS_OK)
		return status;
	struct db *opened = calloc(1, sizeof *opened);
	if (opened == NULL)
		return STATUS_BUSY;
	status = db_begin(opened, path, schema, mode);
	if (status == STATUS_OK)
		status = bring_up(opened, migrate_older, mode);
	if (status != STATUS_OK) {
		db_end(opened);
		free(opened);
		return status;
	}
	status = make_conns(opened);
	if (status == STATUS_OK) /* finds out now what the first visitor would find out */
		status = db_write(opened, write_nothing, NULL);
	if (status != STATUS_OK) {
		db_close(opened);
		return status;
	}
	*db = opened;
	return STATUS_OK;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (db->conns[i].stmts != NULL)
			conn_close(&db->conns[i]);
		free(db->conns[i].stmts);
	}
	pthread_cond_destroy(&db->given[0]);
	pthread_cond_destroy(&db->given[1]);
	pthread_cond_destroy(&db->written);
	pthread_mutex_destroy(&db->lock);
	db_end(db);
	free(db);
}

/* --- looking after it ------------------------------------------------------------------------- */

enum status
db_health(struct db *db)
{
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status == STATUS_OK)
		db_release(conn);
	return status;
}

static enum status
truncate_wal(struct db_conn *conn)
{
	enum status status = conn_open(conn);
	if (status != STATUS_OK)
		return status;
	/* Waiting for readers would hold up whoever wants to write meanwhile. */
	sqlite3_busy_timeout(conn->sqlite, 0);
	int code = sqlite3_wal_checkpoint_v2(conn->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
		return STATUS_BUSY;
	return judge_conn(conn, "checkpoint", code);
}

enum status
db_truncate(struct db *db)
{
	struct timespec deadline = deadline_from_now();
	struct db_conn *conn;
	enum status status = conn_take(db, true, &deadline, &conn);
	if (status != STATUS_OK)
		return status;
	status = turnstile_take(db->path, db->turnstile, &deadline);
	if (status == STATUS_OK) {
		status = truncate_wal(conn);
		turnstile_leave(db->turnstile);
	}
	conn_give(conn);
	return status;
}

/* The first row's text, unless it says "ok"; damage that stops the check is a complaint, too. */
static enum status
first_complaint(
    const struct db *db, sqlite3 *sqlite, const char *sql, struct arena *arena, struct str *complaint)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if ((code & 0xff) == SQLITE_CORRUPT)
		text = sqlite3_errstr(code);
	if (text != NULL && strcmp(text, "ok") != 0)
		*complaint = str_copy(arena, str_from(text));
	sqlite3_finalize(stmt);
	return (code & 0xff) == SQLITE_CORRUPT ? STATUS_OK : judge(db, "check", code);
}

enum status
db_check(struct db *db, struct arena *arena, struct str *complaint)
{
	static const char *const questions[] = {
	    "SELECT integrity_check FROM pragma_integrity_check(1)",
	    "SELECT 'row ' || ifnull(rowid, '?') || ' of ' || \"table\" || ' refers to no row of ' || parent"
	    " FROM pragma_foreign_key_check LIMIT 1",
	};
	sqlite3 *sqlite = NULL;
	*complaint = STR_NONE;
	enum status status = sqlite_open(db, db->path, &sqlite);
	for (size_t i = 0;
	     i < sizeof questions / sizeof *questions && status == STATUS_OK && complaint->at == NULL; i++)
		status = first_complaint(db, sqlite, questions[i], arena, complaint);
	sqlite3_close(sqlite);
	return status == STATUS_OK && arena->failed ? STATUS_BROKEN : status;
}

int64_t
db_steps(struct db_conn *conn, const struct db_query *query, bool reset)
{
	if (query->slot >= conn->db->schema->queries_n || conn->stmts[query->slot].sqlite == NULL)
		return 0;
	return sqlite3_stmt_status(conn->stmts[query->slot].sqlite, SQLITE_STMTSTATUS_VM_STEP, reset);
}

/* --- for generated code ----------------------------------------------------------------------- */

/* The message of a failed preparation is about our own SQL and holds nothing that anybody typed. */
static enum status
prepare(struct db_conn *conn, struct db_stmt *stmt, const struct db_query *query)
{
	int code =
	    sqlite3_prepare_v3(conn->sqlite, query->sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt->sqlite, NULL);
	*stmt = (struct db_stmt){.sqlite = stmt->sqlite, .conn = conn, .query = query};
	if (code == SQLITE_OK)
		return STATUS_OK;
	code = sqlite3_extended_errcode(conn->sqlite);
	if (status_of(code) == STATUS_BROKEN)
		log_event(
		    LOG_LEVEL_ERROR, "%s: %s: %s", conn->db->path, query->name, sqlite3_errmsg(conn->sqlite));
	return judge_conn(conn, query->name, code);
}

enum status
db_stmt(struct db_conn *conn, const struct db_query *query, struct db_stmt **stmt)
{
	*stmt = NULL;
	if (query->slot >= conn->db->schema->queries_n ||
	    (conn->stmts[query->slot].query != NULL && conn->stmts[query->slot].query != query)) {
		log_event(
		    LOG_LEVEL_ERROR, "%s: %s is a query of another database", conn->db->path, query->name);
		return STATUS_BROKEN;
	}
	struct db_stmt *found = &conn->stmts[query->slot];
	if (found->sqlite == NULL) {
		enum status status = prepare(conn, found, query);
		if (status != STATUS_OK)
			return status;
	}
	sqlite3_reset(found->sqlite);
	found->failed = SQLITE_OK;
	*stmt = found;
	return STATUS_OK;
}

static void
note(struct db_stmt *stmt, int code)
{
	if (stmt->failed == SQLITE_OK)
		stmt->failed = code;
}

void
db_bind_integer(struct db_stmt *stmt, int parameter, int64_t value)
{
	note(stmt, sqlite3_bind_int64(stmt->sqlite, parameter, value));
}

void
db_bind_optional(struct db_stmt *stmt, int parameter, struct db_integer value)
{
	if (value.set)
		note(stmt, sqlite3_bind_int64(stmt->sqlite, parameter, value.value));
	else
		note(stmt, sqlite3_bind_null(stmt->sqlite, parameter));
}

/* SQLITE_STATIC: what is bound outlives the statement's steps, since db_done unbinds it. */
void
db_bind_text(struct db_stmt *stmt, int parameter, struct str value)
{
	note(stmt,
	    sqlite3_bind_text64(stmt->sqlite, parameter, value.at, value.len, SQLITE_STATIC, SQLITE_UTF8));
}

void
db_bind_blob(struct db_stmt *stmt, int parameter, struct str value)
{
	note(stmt, sqlite3_bind_blob64(stmt->sqlite, parameter, value.at, value.len, SQLITE_STATIC));
}

enum status
db_step(struct db_stmt *stmt, bool *row)
{
	*row = false;
	if (stmt->failed != SQLITE_OK)
		return judge_conn(stmt->conn, stmt->query->name, stmt->failed);
	int code = sqlite3_step(stmt->sqlite);
	*row = code == SQLITE_ROW;
	return judge_conn(stmt->conn, stmt->query->name, code);
}

int64_t
db_column_integer(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->sqlite, column);
}

struct db_integer
db_column_optional(struct db_stmt *stmt, int column)
{
	bool set = sqlite3_column_type(stmt->sqlite, column) != SQLITE_NULL;
	return (struct db_integer){set, set ? sqlite3_column_int64(stmt->sqlite, column) : 0};
}

/* A text that is there but has no bytes to show is one for which memory failed. */
static struct str
copy_column(struct db_stmt *stmt, int column, const void *at, struct arena *arena)
{
	size_t len = (size_t)sqlite3_column_bytes(stmt->sqlite, column);
	if (at == NULL && len > 0)
		arena->failed = true;
	return at == NULL ? STR_NONE : str_copy(arena, (struct str){at, len});
}

struct str
db_column_text(struct db_stmt *stmt, int column, struct arena *arena)
{
	if (sqlite3_column_type(stmt->sqlite, column) == SQLITE_NULL)
		return STR_NONE;
	const void *at = sqlite3_column_text(stmt->sqlite, column);
	if (at == NULL)
		arena->failed = true;
	return copy_column(stmt, column, at, arena);
}

struct str
db_column_blob(struct db_stmt *stmt, int column, struct arena *arena)
{
	if (sqlite3_column_type(stmt->sqlite, column) == SQLITE_NULL)
		return STR_NONE;
	const void *at = sqlite3_column_blob(stmt->sqlite, column);
	return copy_column(stmt, column, at == NULL ? "" : at, arena);
}

void *
db_grow(struct arena *arena, void *rows, size_t rows_n, size_t row_size)
{
	if (rows_n > 0 && (rows_n < ROWS_FIRST || (rows_n & (rows_n - 1)) != 0))
		return rows; /* room doubles at powers of two from ROWS_FIRST on */
	size_t room = rows_n == 0 ? ROWS_FIRST : rows_n * 2;
	void *grown = arena_array(arena, room, row_size);
	if (grown != NULL && rows_n > 0)
		memcpy(grown, rows, rows_n * row_size);
	return grown;
}

int64_t
db_changes(struct db_conn *conn)
{
	return sqlite3_changes64(conn->sqlite);
}

void
db_done(struct db_stmt *stmt)
{
	sqlite3_reset(stmt->sqlite);
	sqlite3_clear_bindings(stmt->sqlite);
}
