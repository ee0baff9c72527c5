/*
 * db.h - a SQLite file that several processes share, and the only place that knows SQLite.
 *
 * A `struct db` is one database: a writer connection, at most DB_READERS reader connections, and a
 * turnstile.  It may be used from any thread of one process; open it before threads start, after
 * any fork.  What SQL there is stands in sql/ and reaches the doors as generated functions, which
 * take the `struct db_conn` that db_read or db_write lends.
 *
 * Settings, checked by reading them back: WAL, synchronous=FULL, foreign_keys, trusted_schema=OFF,
 * secure_delete, temp_store=MEMORY, journal_size_limit, cache_size.  An authorizer denies what no
 * named query needs (ATTACH, PRAGMA, DDL, loading extensions) once the connection is set up.
 * A rollback journal ("-journal") beside a database is never played back: we make none that outlives its
 * program, and in a folder that several users write it could name any file to be removed.
 */
#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	DB_READERS = 4,        /* more cost memory and gain nothing: a reader is lent per request */
	DB_BUSY_TIMEOUT = 5000 /* ms that a writer waits for the turnstile's holder or another program */
};

struct db;
struct db_conn;

/* A nullable INTEGER column. */
struct db_integer {
	bool set;
	int64_t value;
};

/*
 * What sqlgen writes for a folder of sql/.  A script is its statements in order, NULL behind the
 * last: a whole schema would be longer than the 4095 bytes that C promises for a string literal.
 */
struct db_schema {
	const char *name;                     /* "rejoinder"; also makes the file's application_id */
	const char *const *create;            /* schema.sql, which sets user_version */
	const char *const *const *migrations; /* [0] leads from version 1 to 2, and so on */
	int version;                          /* the version that schema.sql makes */
	size_t queries_n;                     /* how many named queries there are */
};

/* One named query; generated code holds these. `slot` is below queries_n. */
struct db_query {
	const char *name;
	const char *sql;
	size_t slot;
};

/*
 * Makes a new database file with mode `mode` (say 0660, whatever the umask) from the schema; CONFLICT
 * when there is one, BUSY when the folder cannot be written or is full.  It is made as "<path>.new"
 * and renamed when it is whole and synced, so nothing is left behind on failure.  Beside it stands
 * the turnstile, the lock file "<path>.turn", of the same mode.
 */
MUST_USE enum status db_create(const char *path, const struct db_schema *schema, unsigned mode);

/*
 * Opens an existing one.  MISSING when there is none; INVALID when it is newer than the schema
 * knows, or no such database; BUSY when it can be read but not written; BROKEN when damaged.
 * An older one is migrated, if `migrate`, in one transaction, after a copy "<path>.v<N>" was kept
 * (N is the old version; a copy of that name from before is replaced); without `migrate` an older
 * one is INVALID.  The reason is logged.  *db is NULL unless STATUS_OK.
 */
MUST_USE enum status db_open(const char *path, const struct db_schema *schema, bool migrate, struct db **db);
/*
 * Which version an existing one is of; changes nothing.  MISSING, and INVALID when it is newer than the schema knows,
 * or no such database; the latter is logged.
 */
MUST_USE enum status db_version(const char *path, const struct db_schema *schema, int *version);
/* What SQLite's application_id is in all files of this schema: it tells them from any others. */
int db_application_id(const struct db_schema *schema);
/* Every connection must have been given back.  NULL is fine. */
void db_close(struct db *db);

/*
 * Lends a reader connection with a snapshot: what it reads is of one moment until db_release.
 * Waits for one to be free, DB_BUSY_TIMEOUT at most (then BUSY).  INVALID when the file was migrated
 * by a newer program meanwhile.  Release it before rendering where you can, and always.
 */
MUST_USE enum status db_read(struct db *db, struct db_conn **conn);
void db_release(struct db_conn *conn);

/*
 * The one way to write.  Takes this process's writer, then the turnstile (flock), then BEGIN
 * IMMEDIATE; calls `work`; on STATUS_OK commits and returns only after the WAL is synced, on
 * anything else rolls back and returns that.  BUSY when the lock was not to be had in time, the
 * disk is full or read-only; BROKEN when a sync failed: the connection is reopened, and nothing
 * that was not acknowledged counts as stored.
 *
 * Writes that several threads want at the same time share one transaction and one sync (group
 * commit); each still gets its own answer.  So `work` does SQL only, may run in another thread of
 * this process while its own waits, sees what earlier work of the batch wrote, and may be called
 * once more after a rolled back batch: it must not keep state of a first attempt.
 */
typedef enum status db_work(struct db_conn *conn, void *context);
MUST_USE enum status db_write(struct db *db, db_work *work, void *context);

/*
 * Brings what the WAL holds into the file and empties it, so that what was deleted is nowhere any
 * more (secure_delete has overwritten it in the file), nor comes back when the power goes.  BUSY
 * while somebody reads: try again.
 */
MUST_USE enum status db_truncate(struct db *db);

/* Can it be read, now?  For health; takes no write lock. */
MUST_USE enum status db_health(struct db *db);

/*
 * PRAGMA integrity_check and foreign_key_check; the first complaint, or STR_NONE, in *complaint.
 * STATUS_OK when the check could be made, whatever it found.
 */
MUST_USE enum status db_check(struct db *db, struct arena *arena, struct str *complaint);

/* How far a copy is, in pages of the file; `all` may grow. */
typedef void db_told(void *context, int64_t done, int64_t all);

/*
 * Copies the database at `from` into the new file `to`, of mode `mode`, while others read and write it:
 * the copy is of one moment, one file without a WAL, checked and on disk before OK.  `told`, or NULL, is
 * called now and then.  CONFLICT when `to` is there; MISSING or INVALID when `from` is no such database
 * (an older version is fine); BROKEN when it is damaged; BUSY when the disk is full.  Nothing is left
 * behind on failure.
 */
MUST_USE enum status db_copy(const char *from, const char *to, const struct db_schema *schema, unsigned mode,
    db_told *told, void *context);

/*
 * Puts the content of the database file `from` in the place of all that `db` holds, in one
 * transaction: who reads meanwhile sees the one or the other.  Counters of AUTOINCREMENT go on `gap`
 * behind the higher one of both, so that no number is given twice, not even one that was given after
 * `from` was copied (`from` is changed by that).  INVALID when `from` is of another schema or version.
 */
MUST_USE enum status db_replace(struct db *db, const char *from, int64_t gap, db_told *told, void *context);

/*
 * Virtual machine steps that this connection has spent on the query since it was prepared or since
 * the last `reset`: a measure of work that does not depend on the machine.  0 before its first use.
 */
int64_t db_steps(struct db_conn *conn, const struct db_query *query, bool reset);

/* --- for generated code (build/gen/sql) ------------------------------------------------------ */

struct db_stmt;

/* The query prepared on this connection (kept for next time), reset, nothing bound. */
MUST_USE enum status db_stmt(struct db_conn *conn, const struct db_query *query, struct db_stmt **stmt);
/* Binding remembers the first failure and db_step reports it. Parameters count from 1. */
void db_bind_integer(struct db_stmt *stmt, int parameter, int64_t value);
void db_bind_optional(struct db_stmt *stmt, int parameter, struct db_integer value);
void db_bind_text(struct db_stmt *stmt, int parameter, struct str value); /* at == NULL binds NULL */
void db_bind_blob(struct db_stmt *stmt, int parameter, struct str value);
/*
 * *row tells whether there is one.  CONFLICT for a broken constraint, BUSY for a lock, full disk,
 * read-only file or want of memory, BROKEN for the rest (logged with the query's name).
 */
MUST_USE enum status db_step(struct db_stmt *stmt, bool *row);
int64_t db_column_integer(struct db_stmt *stmt, int column);
struct db_integer db_column_optional(struct db_stmt *stmt, int column);
/* Copied into `arena`; when that fails at == NULL and arena->failed is set. Columns count from 0. */
struct str db_column_text(struct db_stmt *stmt, int column, struct arena *arena);
struct str db_column_blob(struct db_stmt *stmt, int column, struct arena *arena);
/*
 * Room for one row more behind the `rows_n` of `rows` (NULL when rows_n is 0): `rows`, or a copy with
 * twice the room.  NULL when memory fails.  Rows must come from db_grow one at a time.
 */
void *db_grow(struct arena *arena, void *rows, size_t rows_n, size_t row_size);
/* Rows that the last statement of this connection changed. */
int64_t db_changes(struct db_conn *conn);
void db_done(struct db_stmt *stmt);

#endif
