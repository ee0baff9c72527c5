/*
 * db_query.c - named queries, for the generated code in build/gen/sql.
 */
#include <string.h>

#include "db_own.h"
#include "log.h"

enum { ROWS_FIRST = 8 /* that db_grow makes room for */ };

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
	if (db_status_of(code) == STATUS_BROKEN)
		log_event(
		    LOG_LEVEL_ERROR, "%s: %s: %s", conn->db->path, query->name, sqlite3_errmsg(conn->sqlite));
	return db_conn_judge(conn, query->name, code);
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
		return db_conn_judge(stmt->conn, stmt->query->name, stmt->failed);
	int code = sqlite3_step(stmt->sqlite);
	*row = code == SQLITE_ROW;
	return db_conn_judge(stmt->conn, stmt->query->name, code);
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

int64_t
db_steps(struct db_conn *conn, const struct db_query *query, bool reset)
{
	if (query->slot >= conn->db->schema->queries_n || conn->stmts[query->slot].sqlite == NULL)
		return 0;
	return sqlite3_stmt_status(conn->stmts[query->slot].sqlite, SQLITE_STMTSTATUS_VM_STEP, reset);
}
