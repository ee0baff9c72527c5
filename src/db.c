#include "db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_own.h"
#include "log.h"

enum { LOG_MESSAGE_MOST = 200 /* bytes of what SQLite itself says */ };

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
enum status
db_status_of(int code)
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

/* Logs a code that is neither success nor a broken constraint, and says what it means. */
enum status
db_judge(const struct db *db, const char *what, int code)
{
	enum status status = db_status_of(code);
	if (status == STATUS_BUSY)
		log_event(LOG_LEVEL_WARNING, "%s: %s: %s (%d)", db->path, what, sqlite3_errstr(code), code);
	else if (status != STATUS_OK && status != STATUS_CONFLICT)
		log_event(LOG_LEVEL_ERROR, "%s: %s: %s (%d)", db->path, what, sqlite3_errstr(code), code);
	return status;
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

static sqlite3_vfs our_files, *system_files;

/*
 * SQLite plays back a "-journal" that it finds beside a database, and then removes the file that the journal
 * names as its super-journal: any file that this process may remove.  Who may write beside the store could so
 * take the moderators' keys away, or, where root runs a command, whatever they like.  We know only WAL, and
 * what is made is made under another name, so a journal is never ours: for SQLite there is none.
 */
static int
look_for_file(sqlite3_vfs *vfs, const char *path, int flags, int *found)
{
	(void)vfs;
	if (flags == SQLITE_ACCESS_EXISTS && path != NULL && str_ends(str_from(path), STR("-journal"))) {
		*found = 0;
		return SQLITE_OK;
	}
	return system_files->xAccess(system_files, path, flags, found);
}

static int
leave_journals_alone(void)
{
	system_files = sqlite3_vfs_find(NULL);
	if (system_files == NULL)
		return SQLITE_ERROR;
	our_files = *system_files;
	our_files.zName = "rejoinder";
	our_files.xAccess = look_for_file;
	return sqlite3_vfs_register(&our_files, 1);
}

/* A connection is used by one thread at a time, which MULTITHREAD asks for and gets by db_conn_take. */
static void
configure(void)
{
	if (sqlite3_config(SQLITE_CONFIG_MULTITHREAD) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_LOG, log_sqlite, NULL) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		log_event(LOG_LEVEL_WARNING, "sqlite: was set up by somebody else");
	/* Without it no database is safe to be opened. */
	if (leave_journals_alone() != SQLITE_OK)
		abort();
}

void
db_configure(void)
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

struct timespec
db_deadline(void)
{
	struct timespec at = time_now();
	at.tv_sec += DB_BUSY_TIMEOUT / 1000;
	return at;
}

/* Milliseconds until `deadline`, 0 when it is past. */
int
db_left_until(const struct timespec *deadline)
{
	struct timespec now = time_now();
	int64_t left =
	    (int64_t)(deadline->tv_sec - now.tv_sec) * 1000 + (deadline->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* --- statements without parameters ------------------------------------------------------------ */

int
db_run(sqlite3 *sqlite, const char *sql)
{
	int code = sqlite3_exec(sqlite, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? code : sqlite3_extended_errcode(sqlite);
}

/* The first value of the first row; 0 when there is none. */
int
db_run_integer(sqlite3 *sqlite, const char *sql, int64_t *value)
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

int
db_run_script(sqlite3 *sqlite, const char *const *statements)
{
	int code = SQLITE_OK;
	for (size_t i = 0; statements[i] != NULL && code == SQLITE_OK; i++)
		code = db_run(sqlite, statements[i]);
	return code;
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum status
make_conns(struct db *db)
{
	pthread_condattr_init(&db->monotonic);
	pthread_condattr_setclock(&db->monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->given[0], &db->monotonic);
	pthread_cond_init(&db->given[1], &db->monotonic);
	bool made = true;
	for (size_t i = 0; i < DB_CONNECTIONS; i++) {
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

enum status
db_open(const char *path, const struct db_schema *schema, bool migrate_older, struct db **db)
{
	mode_t mode = 0;
	*db = NULL;
	enum status status = db_look(path, &mode);
	if (status != STATUS_OK)
		return status;
	struct db *opened = calloc(1, sizeof *opened);
	if (opened == NULL)
		return STATUS_BUSY;
	status = db_begin(opened, path, schema, mode);
	if (status == STATUS_OK)
		status = db_bring_up(opened, migrate_older, mode);
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
	for (size_t i = 0; i < DB_CONNECTIONS; i++) {
		if (db->conns[i].stmts != NULL)
			db_conn_close(&db->conns[i]);
		free(db->conns[i].stmts);
	}
	pthread_cond_destroy(&db->given[0]);
	pthread_cond_destroy(&db->given[1]);
	pthread_condattr_destroy(&db->monotonic);
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

/* SQLite leaves a WAL that it has cut to the file system, and after a power cut it would stand there as before. */
static int
sync_wal(sqlite3 *sqlite)
{
	sqlite3_file *wal = NULL;
	int code = sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (code != SQLITE_OK || wal == NULL || wal->pMethods == NULL)
		return code;
	return wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
}

static enum status
truncate_wal(struct db_conn *conn)
{
	enum status status = db_conn_open(conn);
	if (status != STATUS_OK)
		return status;
	/* Waiting for readers would hold up whoever wants to write meanwhile. */
	sqlite3_busy_timeout(conn->sqlite, 0);
	int code = sqlite3_wal_checkpoint_v2(conn->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
		return STATUS_BUSY;
	if (code == SQLITE_OK)
		code = sync_wal(conn->sqlite);
	return db_conn_judge(conn, "checkpoint", code);
}

enum status
db_truncate(struct db *db)
{
	struct timespec deadline = db_deadline();
	struct db_conn *conn;
	enum status status = db_conn_take(db, true, &deadline, &conn);
	if (status != STATUS_OK)
		return status;
	status = db_turnstile_take(db->path, db->turnstile, &deadline);
	if (status == STATUS_OK) {
		status = truncate_wal(conn);
		db_turnstile_leave(db->turnstile);
	}
	db_conn_give(conn);
	return status;
}

/* The first row's text, unless it says "ok"; damage that stops the check is a complaint, too. */
enum status
db_first_complaint(
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
	return (code & 0xff) == SQLITE_CORRUPT ? STATUS_OK : db_judge(db, "check", code);
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
	enum status status = db_sqlite_open(db, db->path, &sqlite);
	for (size_t i = 0;
	     i < sizeof questions / sizeof *questions && status == STATUS_OK && complaint->at == NULL; i++)
		status = db_first_complaint(db, sqlite, questions[i], arena, complaint);
	sqlite3_close(sqlite);
	return status == STATUS_OK && arena->failed ? STATUS_BROKEN : status;
}
