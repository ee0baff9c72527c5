/*
 * db_conn.c - connections to the store: opened with their settings, lent, and their transactions.
 */
#include <stdio.h>
#include <string.h>

#include "db_own.h"
#include "log.h"

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

enum status
db_conn_judge(struct db_conn *conn, const char *what, int code)
{
	if (is_fault(code))
		conn->fault = code;
	return db_judge(conn->db, what, code);
}

/* --- connections ------------------------------------------------------------------------------ */

/* What each role asks of SQLite, as SQLite itself writes the value when asked for it. */

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
	int code = db_run(sqlite, sql);
	if (code != SQLITE_OK)
		return db_judge(db, setting->pragma, code);
	snprintf(sql, sizeof sql, "PRAGMA %s", setting->pragma);
	if (reads_back(sqlite, sql, setting->value[role], &code))
		return STATUS_OK;
	if (code != SQLITE_ROW)
		return db_judge(db, setting->pragma, code);
	log_event(LOG_LEVEL_ERROR, "%s: the setting %s does not hold", db->path, setting->pragma);
	return STATUS_BROKEN;
}

/*
 * Opened, but only looked at: nothing is set that would change the file.  On failure *sqlite is closed
 * and NULL.
 */
enum status
db_sqlite_open_with(const struct db *db, const char *path, int flags, sqlite3 **sqlite)
{
	int code = sqlite3_open_v2(path, sqlite, flags | SQLITE_OPEN_NOFOLLOW, NULL);
	if (code == SQLITE_OK) {
		sqlite3_extended_result_codes(*sqlite, 1);
		sqlite3_busy_timeout(*sqlite, DB_BUSY_TIMEOUT);
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
		/* A query runs by the plan that the build has looked at, whatever is bound: and is not planned
		 * anew for each value, where it might fit a partial index. */
		sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
		if ((flags & SQLITE_OPEN_READWRITE) != 0 && sqlite3_db_readonly(*sqlite, "main"))
			code = SQLITE_READONLY;
	}
	if (code == SQLITE_OK)
		return STATUS_OK;
	sqlite3_close(*sqlite);
	*sqlite = NULL;
	return db_judge(db, "open", code);
}

/* The file must be there, and writable. */
enum status
db_sqlite_open(const struct db *db, const char *path, sqlite3 **sqlite)
{
	return db_sqlite_open_with(db, path, SQLITE_OPEN_READWRITE, sqlite);
}

/* The same with the settings of a role. */
enum status
db_sqlite_open_as(const struct db *db, const char *path, enum role role, sqlite3 **sqlite)
{
	enum status status = db_sqlite_open(db, path, sqlite);
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

void
db_conn_close(struct db_conn *conn)
{
	for (size_t i = 0; i < conn->db->schema->queries_n; i++) {
		sqlite3_finalize(conn->stmts[i].sqlite);
		conn->stmts[i] = (struct db_stmt){.conn = conn};
	}
	for (size_t i = 0; i < CONTROLS; i++) {
		sqlite3_finalize(conn->controls[i]);
		conn->controls[i] = NULL;
	}
	sqlite3_finalize(conn->version);
	conn->version = NULL;
	sqlite3_close(conn->sqlite);
	conn->sqlite = NULL;
	conn->fault = SQLITE_OK;
}

enum status
db_conn_open(struct db_conn *conn)
{
	struct db *db = conn->db;
	if (conn->sqlite != NULL)
		return STATUS_OK;
	enum status status =
	    db_sqlite_open_as(db, db->path, conn->writes ? ROLE_WRITER : ROLE_READER, &conn->sqlite);
	if (status != STATUS_OK)
		return status;
	sqlite3_set_authorizer(conn->sqlite, authorize, conn);
	int code = sqlite3_prepare_v3(
	    conn->sqlite, "PRAGMA user_version", -1, SQLITE_PREPARE_PERSISTENT, &conn->version, NULL);
	status = db_judge(db, "prepare", code);
	if (status != STATUS_OK)
		db_conn_close(conn);
	return status;
}

static struct db_conn *
conn_free(struct db *db, bool writes)
{
	if (writes)
		return db->conns[0].lent ? NULL : &db->conns[0];
	struct db_conn *found = NULL;
	for (size_t i = 1; i < DB_CONNECTIONS; i++) { /* one that is open, before another is opened */
		struct db_conn *conn = &db->conns[i];
		if (!conn->lent && (found == NULL || (found->sqlite == NULL && conn->sqlite != NULL)))
			found = conn;
	}
	return found;
}

enum status
db_conn_take(struct db *db, bool writes, const struct timespec *deadline, struct db_conn **conn)
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

void
db_conn_give(struct db_conn *conn)
{
	struct db *db = conn->db;
	bool writes = conn->writes;
	if (conn->sqlite != NULL && conn->fault != SQLITE_OK)
		db_conn_close(conn);
	pthread_mutex_lock(&db->lock);
	conn->lent = false;
	pthread_cond_signal(&db->given[writes]);
	pthread_mutex_unlock(&db->lock);
}

/* --- transactions ----------------------------------------------------------------------------- */

/* Gives an extended code.  Through sqlite3_exec each would be parsed and compiled anew: five for a reply. */
int
db_conn_control(struct db_conn *conn, enum control which)
{
	static const char *const sql[CONTROLS] = {
	    [CONTROL_BEGIN] = "BEGIN",
	    [CONTROL_BEGIN_WRITING] = "BEGIN IMMEDIATE",
	    [CONTROL_COMMIT] = "COMMIT",
	    [CONTROL_ROLLBACK] = "ROLLBACK",
	    [CONTROL_SAVEPOINT] = "SAVEPOINT one",
	    [CONTROL_ROLLBACK_TO] = "ROLLBACK TO one",
	    [CONTROL_RELEASE] = "RELEASE one",
	};
	sqlite3_stmt **stmt = &conn->controls[which];
	int code = SQLITE_OK;
	if (*stmt == NULL)
		code = sqlite3_prepare_v3(conn->sqlite, sql[which], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(*stmt);
	if (code != SQLITE_DONE)
		code = sqlite3_extended_errcode(conn->sqlite);
	sqlite3_reset(*stmt);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

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
		return db_conn_judge(conn, "read", code);
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

enum status
db_conn_begin(struct db_conn *conn, enum control how)
{
	if (conn->sqlite != NULL && has_moved(conn))
		db_conn_close(conn);
	enum status status = db_conn_open(conn);
	if (status == STATUS_OK)
		status = db_conn_judge(conn, "begin", db_conn_control(conn, how));
	return status == STATUS_OK ? check_version(conn) : status;
}

void
db_conn_roll_back(struct db_conn *conn)
{
	if (conn->sqlite == NULL)
		return;
	for (sqlite3_stmt *s = sqlite3_next_stmt(conn->sqlite, NULL); s != NULL;
	     s = sqlite3_next_stmt(conn->sqlite, s))
		sqlite3_reset(s);
	if (sqlite3_get_autocommit(conn->sqlite))
		return;
	int code = db_conn_control(conn, CONTROL_ROLLBACK);
	if (code != SQLITE_OK && !sqlite3_get_autocommit(conn->sqlite))
		conn->fault = code; /* closing ends the transaction */
}

/* A transaction that SQLite has ended by itself (full disk, no memory) makes COMMIT an error, too. */
enum status
db_conn_commit(struct db_conn *conn)
{
	int code = db_conn_control(conn, CONTROL_COMMIT);
	if (code == SQLITE_OK)
		return STATUS_OK;
	enum status status = db_conn_judge(conn, "commit", code);
	/* A deferred constraint is our own mistake by now: nobody waits for that answer. */
	return status == STATUS_OK ? STATUS_BROKEN : status;
}

enum status
db_read(struct db *db, struct db_conn **conn)
{
	struct timespec deadline = db_deadline();
	enum status status = db_conn_take(db, false, &deadline, conn);
	if (status != STATUS_OK)
		return status;
	status = db_conn_begin(*conn, CONTROL_BEGIN);
	if (status != STATUS_OK) {
		db_release(*conn);
		*conn = NULL;
	}
	return status;
}

void
db_release(struct db_conn *conn)
{
	db_conn_roll_back(conn);
	db_conn_give(conn);
}
