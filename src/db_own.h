/*
 * db_own.h - what the files of the store share: its state, and SQLite itself.
 *
 * Only src/db*.c include this, and SQLite through it; and their unit test, which looks at who waits.
 */
#ifndef DB_OWN_H
#define DB_OWN_H

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>
#include <time.h>

#include "db.h"

enum {
	DB_CONNECTIONS = 1 + DB_READERS /* the first one writes */
};

/* A write that waits for its turn, on the stack of the thread that wants it. */
struct order {
	db_work *work;
	void *context;
	struct timespec deadline;
	enum status status;
	enum { ORDER_WAITS, ORDER_TAKEN, ORDER_DONE } progress; /* under db->lock */
	pthread_cond_t change;					/* of it, or nobody leads and this one is the next */
	struct order *next;
};

/* What begins and ends transactions and savepoints: prepared once a connection, like queries. */
enum control {
	CONTROL_BEGIN,
	CONTROL_BEGIN_WRITING,
	CONTROL_COMMIT,
	CONTROL_ROLLBACK,
	CONTROL_SAVEPOINT,
	CONTROL_ROLLBACK_TO,
	CONTROL_RELEASE,
	CONTROLS
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
	sqlite3_stmt *controls[CONTROLS]; /* NULL until first asked for */
	struct db_stmt *stmts;		  /* as many as the schema has queries */
	bool writes;
	bool lent;
	int fault; /* a code after which this connection is not to be used again */
};

struct db {
	char *path;
	const struct db_schema *schema;
	int turnstile;
	pthread_mutex_t lock;	 /* over `lent` of all connections */
	pthread_condattr_t monotonic; /* for all that waits here */
	pthread_cond_t given[2]; /* a reader, the writer was given back */
	struct order *first;	 /* of the orders that wait, oldest first */
	bool leading;		 /* somebody sees a batch through */
	struct db_conn conns[DB_CONNECTIONS];
};

/* What an extended result code of SQLite means to a caller. */
enum status db_status_of(int code);

/* Logs a code that is neither success nor a broken constraint, and says what it means. */
MUST_USE enum status db_judge(const struct db *db, const char *what, int code);

/* SQLite's own settings; once a process, before the first connection. */
void db_configure(void);

/* The deadline of whoever begins to wait now. */
struct timespec db_deadline(void);
/* Milliseconds until it, 0 when it is past. */
int db_left_until(const struct timespec *deadline);

/* --- statements without parameters: SQLite's extended codes ---------------------------------------- */

int db_run(sqlite3 *sqlite, const char *sql);
int db_run_integer(sqlite3 *sqlite, const char *sql, int64_t *value); /* of the first row; 0 when there is none */
int db_run_script(sqlite3 *sqlite, const char *const *statements);    /* NULL behind the last */

/* The first row's text, unless it says "ok", to *complaint; damage that stops the check is one, too. */
MUST_USE enum status db_first_complaint(const struct db *db, sqlite3 *sqlite, const char *sql, struct arena *arena,
    struct str *complaint);

/* --- SQLite's own connections; on failure *sqlite is closed and NULL ------------------------------------ */

enum role { ROLE_READER, ROLE_WRITER, ROLE_KEEPER, ROLE_COUNT };

/* Opened, but only looked at: nothing is set that would change the file.  `flags` are SQLITE_OPEN_... */
MUST_USE enum status db_sqlite_open_with(const struct db *db, const char *path, int flags, sqlite3 **sqlite);
/* The same; the file must be there, and writable. */
MUST_USE enum status db_sqlite_open(const struct db *db, const char *path, sqlite3 **sqlite);
/* The same with the settings of a role. */
MUST_USE enum status db_sqlite_open_as(const struct db *db, const char *path, enum role role, sqlite3 **sqlite);

/* --- what lends a `struct db_conn` (db_conn.c) ---------------------------------------------------------- */

/* db_judge for a connection, which remembers what makes it useless. */
MUST_USE enum status db_conn_judge(struct db_conn *conn, const char *what, int code);

/* Opens its SQLite connection, if it is not open. */
MUST_USE enum status db_conn_open(struct db_conn *conn);
void db_conn_close(struct db_conn *conn);

/* The writer, or one of the readers; BUSY when none is free in time. */
MUST_USE enum status db_conn_take(struct db *db, bool writes, const struct timespec *deadline, struct db_conn **conn);
/* One that met a fault is closed here and opened anew when next lent. */
void db_conn_give(struct db_conn *conn);

/* Transactions. db_conn_control gives an extended code; roll_back does nothing behind a commit. */
int db_conn_control(struct db_conn *conn, enum control which);
MUST_USE enum status db_conn_begin(struct db_conn *conn, enum control how);
MUST_USE enum status db_conn_commit(struct db_conn *conn);
void db_conn_roll_back(struct db_conn *conn);

/* --- the turnstile (db_write.c) ------------------------------------------------------------------------ */

int db_turnstile_open(const char *path, mode_t mode); /* -1: errno tells */
MUST_USE enum status db_turnstile_take(const char *path, int fd, const struct timespec *deadline);
void db_turnstile_leave(int fd);

/* --- files (db_file.c) --------------------------------------------------------------------------------- */

/* A `struct db` that is no more than path, schema, and turnstile. */
MUST_USE enum status db_begin(struct db *db, const char *path, const struct db_schema *schema, mode_t mode);
void db_end(struct db *db);

/* Where the file must be, and be a plain one; MISSING, INVALID. */
MUST_USE enum status db_look(const char *path, mode_t *mode);
/* Brings the file to the schema's version, or says why not. */
MUST_USE enum status db_bring_up(const struct db *db, bool may_migrate, mode_t mode);

#endif
