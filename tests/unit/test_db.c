/*
 * The store against real files: what it makes, refuses, survives, and never says twice.
 * Faults come from a VFS and an allocator of our own that fail the n-th call.
 */
#include "db.h"
#include "db_own.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a small schema --------------------------------------------------------------------------- */

enum {
	Q_ADD,
	Q_COUNT,
	Q_TEXT,
	Q_ADD_RETURNING,
	Q_ATTACH,
	Q_PRAGMA,
	Q_DROP,
	Q_SCHEMA,
	Q_SCHEMA_UPDATE,
	Q_WORD_ADD,
	Q_WORD_FIND,
	Q_BLOB,
	Q_EXTENSION,
	Q_ENDED,
	Q_N
};

static const struct db_query queries[Q_N] = {
    [Q_ADD] = {"add", "INSERT INTO note (text, parent_id) VALUES (:text, :parent_id)", Q_ADD},
    [Q_COUNT] = {"count", "SELECT count(*) FROM note", Q_COUNT},
    [Q_TEXT] = {"text", "SELECT text, parent_id FROM note WHERE id = :id", Q_TEXT},
    [Q_ADD_RETURNING] = {"add_returning",
	"INSERT INTO note (text, parent_id) VALUES (:text, :parent_id) RETURNING id", Q_ADD_RETURNING},
    [Q_ATTACH] = {"attach", "ATTACH ':memory:' AS other", Q_ATTACH},
    [Q_PRAGMA] = {"pragma", "PRAGMA secure_delete = OFF", Q_PRAGMA},
    [Q_DROP] = {"drop", "DROP TABLE note", Q_DROP},
    [Q_SCHEMA] = {"schema", "DELETE FROM sqlite_schema", Q_SCHEMA},
    [Q_SCHEMA_UPDATE] = {"schema_update", "UPDATE sqlite_schema SET sql = ''", Q_SCHEMA_UPDATE},
    [Q_WORD_ADD] = {"word_add", "INSERT INTO word (text) VALUES (:text)", Q_WORD_ADD},
    [Q_WORD_FIND] = {"word_find", "SELECT rowid FROM word WHERE word MATCH :words", Q_WORD_FIND},
    [Q_BLOB] = {"blob", "SELECT :a, :b, :c", Q_BLOB},
    [Q_ENDED] = {"ended", "INSERT OR ROLLBACK INTO note (text) VALUES (NULL)", Q_ENDED},
    [Q_EXTENSION] = {"extension", "SELECT load_extension('x')", Q_EXTENSION},
};

static const char *const create_1[] = {
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,"
    " parent_id INTEGER REFERENCES note (id)) STRICT;",
    "CREATE VIRTUAL TABLE word USING fts5 (text);",
    "PRAGMA user_version = 1;",
    NULL,
};
static const char *const create_2[] = {
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,"
    " parent_id INTEGER REFERENCES note (id), rank INTEGER NOT NULL DEFAULT 7) STRICT;",
    "CREATE VIRTUAL TABLE word USING fts5 (text);",
    "PRAGMA user_version = 2;",
    NULL,
};
static const char *const to_2[] = {"ALTER TABLE note ADD COLUMN rank INTEGER NOT NULL DEFAULT 7;", NULL};
static const char *const to_2_broken[] = {
    "ALTER TABLE note ADD COLUMN rank INTEGER;", "UPDATE nothing SET x = 1;", NULL};
static const char *const to_2_loose[] = {"UPDATE note SET parent_id = 99;", NULL};
static const char *const *const steps[] = {to_2};
static const char *const *const steps_broken[] = {to_2_broken};
static const char *const *const steps_loose[] = {to_2_loose};

static const struct db_schema schema_1 = {"test", create_1, NULL, 1, Q_N};
static const struct db_schema schema_2 = {"test", create_2, steps, 2, Q_N};
static const struct db_schema schema_2_broken = {"test", create_2, steps_broken, 2, Q_N};
static const struct db_schema schema_2_loose = {"test", create_2, steps_loose, 2, Q_N};
static const struct db_schema schema_other = {"other", create_1, NULL, 1, Q_N};

/* --- a folder for each test ------------------------------------------------------------------- */

struct place {
	char folder[64];
	char path[96];
	struct arena arena;
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);
	snprintf(place->folder, sizeof place->folder, "/tmp/rejoinder-db-XXXXXX");
	if (mkdtemp(place->folder) == NULL)
		return -1;
	snprintf(place->path, sizeof place->path, "%s/test.db", place->folder);
	arena_init(&place->arena, 1 << 20);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;
	char command[96];
	snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
	arena_free(&place->arena);
	umount(place->folder); /* of a test of full disks that failed */
	int result = system(command);
	free(place);
	return result;
}

static const char *
beside(const struct place *place, const char *suffix)
{
	static char path[128];
	snprintf(path, sizeof path, "%s%s", place->path, suffix);
	return path;
}

static bool
is_there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static size_t
files_in(const char *folder)
{
	char command[96], answer[32] = "";
	snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(answer, sizeof answer, pipe));
	pclose(pipe);
	return (size_t)atol(answer);
}

/* Looks into the file past db.c; the value of the first column of the first row, -1 when refused. */
static int64_t
raw(const char *path, const char *sql)
{
	sqlite3 *sqlite;
	sqlite3_stmt *stmt = NULL;
	int64_t value = -1;
	assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK) {
		int code = sqlite3_step(stmt);
		value = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : code == SQLITE_DONE ? 0 : -1;
	}
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
	return value;
}

static struct db *
made(struct place *place, const struct db_schema *schema)
{
	struct db *db = NULL;
	assert_int_equal(db_create(place->path, schema, 0660), STATUS_OK);
	assert_int_equal(db_open(place->path, schema, false, &db), STATUS_OK);
	return db;
}

/* --- small uses ------------------------------------------------------------------------------- */

struct addition {
	struct str text;
	struct db_integer parent_id;
	enum status after; /* what the work ends with, when the statement went well */
	bool swallow;	   /* a conflict is taken for success, */
	bool swallow_all;  /* and even what ended the transaction */
	const struct db_query *query;
	int calls;
};

static enum status
step_once(struct db_conn *conn, const struct db_query *query, struct str text, struct db_integer parent_id)
{
	struct db_stmt *stmt;
	bool row = true;
	enum status status = db_stmt(conn, query, &stmt);
	if (status != STATUS_OK)
		return status;
	if (text.at != NULL) {
		db_bind_text(stmt, 1, text);
		if (query == &queries[Q_ADD] || query == &queries[Q_ADD_RETURNING])
			db_bind_optional(stmt, 2, parent_id);
	}
	while (status == STATUS_OK && row)
		status = db_step(stmt, &row);
	db_done(stmt);
	return status;
}

static enum status
add(struct db_conn *conn, void *context)
{
	struct addition *addition = context;
	addition->calls++;
	const struct db_query *query = addition->query != NULL ? addition->query : &queries[Q_ADD];
	enum status status = step_once(conn, query, addition->text, addition->parent_id);
	if (status == STATUS_CONFLICT && addition->swallow)
		return STATUS_OK;
	return status == STATUS_OK || addition->swallow_all ? addition->after : status;
}

static enum status
add_text(struct db *db, const char *text)
{
	struct addition addition = {.text = str_from(text)};
	return db_write(db, add, &addition);
}

static enum status
ask_count(struct db_conn *conn, int64_t *n)
{
	struct db_stmt *stmt;
	bool row = false;
	enum status status = db_stmt(conn, &queries[Q_COUNT], &stmt);
	if (status != STATUS_OK)
		return status;
	status = db_step(stmt, &row);
	*n = row ? db_column_integer(stmt, 0) : -1;
	db_done(stmt);
	return status;
}

static int64_t
count(struct db *db)
{
	struct db_conn *conn;
	int64_t n = -1;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(ask_count(conn, &n), STATUS_OK);
	db_release(conn);
	return n;
}

/* --- making and opening ----------------------------------------------------------------------- */

static void
test_create(void **state)
{
	struct place *place = *state;
	struct stat st;
	mode_t before = umask(077);
	assert_int_equal(db_create(place->path, &schema_1, 0660), STATUS_OK);
	umask(before);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(stat(beside(place, ".turn"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(files_in(place->folder), 2);
	assert_int_equal(raw(place->path, "PRAGMA user_version"), 1);
	assert_true(raw(place->path, "PRAGMA application_id") > 0);
	assert_int_equal(db_create(place->path, &schema_1, 0660), STATUS_CONFLICT);
}

static void
test_create_leaves_nothing(void **state)
{
	static const char *const broken[] = {
	    "CREATE TABLE t (id INTEGER PRIMARY KEY);", "CREATE NONSENSE;", NULL};
	static const char *const unversioned[] = {"CREATE TABLE t (id INTEGER PRIMARY KEY);", NULL};
	struct place *place = *state;
	char far[128];
	assert_int_not_equal(
	    db_create(place->path, &(struct db_schema){"test", broken, NULL, 1, 0}, 0600), STATUS_OK);
	assert_int_equal(files_in(place->folder), 0);
	assert_int_not_equal(
	    db_create(place->path, &(struct db_schema){"test", unversioned, NULL, 1, 0}, 0600), STATUS_OK);
	assert_int_equal(files_in(place->folder), 0);
	snprintf(far, sizeof far, "%s/none/test.db", place->folder);
	assert_int_equal(db_create(far, &schema_1, 0600), STATUS_BUSY);
}

static void
test_open_refuses(void **state)
{
	struct place *place = *state;
	struct db *db = (struct db *)place;
	assert_int_equal(db_open(place->path, &schema_1, true, &db), STATUS_MISSING);
	assert_null(db);
	assert_int_equal(db_create(place->path, &schema_1, 0600), STATUS_OK);
	assert_int_equal(db_open(place->path, &schema_other, true, &db), STATUS_INVALID);
	assert_int_equal(db_open(place->folder, &schema_1, true, &db), STATUS_INVALID);
	assert_int_equal(raw(place->path, "PRAGMA user_version = 3"), 0);
	assert_int_equal(db_open(place->path, &schema_2, true, &db), STATUS_INVALID);
	assert_int_equal(raw(place->path, "PRAGMA user_version"), 3);
	assert_null(db);
}

static void
test_open_refuses_strangers(void **state)
{
	struct place *place = *state;
	struct db *db;
	FILE *file = fopen(place->path, "w");
	assert_non_null(file);
	for (int i = 0; i < 500; i++)
		fputs("This is a text and no database. ", file);
	fclose(file);
	assert_int_equal(db_open(place->path, &schema_1, true, &db), STATUS_INVALID);
	assert_int_equal(truncate(place->path, 0), 0);
	assert_int_equal(db_open(place->path, &schema_1, true, &db), STATUS_INVALID);
	assert_int_equal(unlink(place->path), 0);
	sqlite3 *sqlite;
	assert_int_equal(sqlite3_open(place->path, &sqlite), SQLITE_OK);
	sqlite3_exec(sqlite, "CREATE TABLE t (a); PRAGMA user_version = 1", NULL, NULL, NULL);
	sqlite3_close(sqlite);
	assert_int_equal(db_open(place->path, &schema_1, true, &db), STATUS_INVALID);
	assert_int_equal(raw(place->path, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
}

/* --- migrating -------------------------------------------------------------------------------- */

static void
test_migrate(void **state)
{
	struct place *place = *state;
	struct stat st;
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "before"), STATUS_OK);
	db_close(db);
	assert_int_equal(db_open(place->path, &schema_2, false, &db), STATUS_INVALID);
	assert_false(is_there(beside(place, ".v1")));
	assert_int_equal(db_open(place->path, &schema_2, true, &db), STATUS_OK);
	assert_int_equal(count(db), 1);
	db_close(db);
	assert_int_equal(raw(place->path, "SELECT rank FROM note"), 7);
	assert_int_equal(raw(place->path, "PRAGMA user_version"), 2);
	assert_int_equal(stat(beside(place, ".v1"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(raw(beside(place, ".v1"), "PRAGMA user_version"), 1);
	assert_int_equal(raw(beside(place, ".v1"), "SELECT count(*) FROM note"), 1);
	assert_false(is_there(beside(place, ".copy")));
	assert_int_equal(rename(beside(place, ".v1"), place->path), 0); /* the copy is a whole database */
	assert_int_equal(db_open(place->path, &schema_1, false, &db), STATUS_OK);
	db_close(db);
}

static void
test_migrate_fails(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "before"), STATUS_OK);
	db_close(db);
	assert_int_equal(db_open(place->path, &schema_2_broken, true, &db), STATUS_BROKEN);
	assert_null(db);
	assert_int_equal(db_open(place->path, &schema_2_loose, true, &db), STATUS_BROKEN);
	assert_int_equal(raw(place->path, "PRAGMA user_version"), 1);
	assert_int_equal(raw(place->path, "SELECT rank FROM note"), -1);
	assert_int_equal(raw(place->path, "SELECT parent_id IS NULL FROM note"), 1);
	assert_int_equal(db_open(place->path, &schema_1, false, &db), STATUS_OK);
	assert_int_equal(count(db), 1);
	db_close(db);
	assert_int_equal(db_open(place->path, &schema_2, true, &db), STATUS_OK); /* mended, it goes on */
	db_close(db);
}

static void
test_migrated_meanwhile(void **state)
{
	struct place *place = *state;
	struct db_conn *conn;
	struct db *old = made(place, &schema_1), *new;
	assert_int_equal(add_text(old, "one"), STATUS_OK);
	assert_int_equal(db_open(place->path, &schema_2, true, &new), STATUS_OK);
	assert_int_equal(add_text(old, "two"), STATUS_INVALID);
	assert_int_equal(db_read(old, &conn), STATUS_INVALID);
	assert_int_equal(db_health(old), STATUS_INVALID);
	assert_int_equal(count(new), 1);
	db_close(old);
	db_close(new);
}

/* --- what a connection may ---------------------------------------------------------------------- */

static void
test_authorizer(void **state)
{
	static const int forbidden[] = {Q_ATTACH, Q_PRAGMA, Q_DROP, Q_SCHEMA, Q_SCHEMA_UPDATE, Q_EXTENSION};
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		struct addition addition = {.query = &queries[forbidden[i]]};
		assert_int_equal(db_write(db, add, &addition), STATUS_BROKEN);
		assert_int_equal(addition.calls, 1);
	}
	assert_int_equal(add_text(db, "still works"), STATUS_OK);
	assert_int_equal(count(db), 1);
	db_close(db);
}

static void
test_reader_cannot_write(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_not_equal(step_once(conn, &queries[Q_ADD], STR("no"), (struct db_integer){0}), STATUS_OK);
	db_release(conn);
	assert_int_equal(count(db), 0);
	db_close(db);
}

static void
test_foreign_query(void **state)
{
	static const struct db_query stranger = {"stranger", "SELECT 1", Q_COUNT},
				     far = {"far", "SELECT 1", Q_N};
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	struct db_stmt *stmt;
	int64_t n;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(ask_count(conn, &n), STATUS_OK);
	assert_int_equal(db_stmt(conn, &stranger, &stmt), STATUS_BROKEN);
	assert_int_equal(db_stmt(conn, &far, &stmt), STATUS_BROKEN);
	db_release(conn);
	db_close(db);
}

/* The words that somebody searched for must not reach the log by way of SQLite's message. */
static void
test_log_tells_no_words(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	char text[8192] = "";
	fflush(stderr);
	int kept = dup(STDERR_FILENO), log = open(beside(place, ".log"), O_RDWR | O_CREAT, 0600);
	dup2(log, STDERR_FILENO);
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	enum status status =
	    step_once(conn, &queries[Q_WORD_FIND], STR("\"Kaffeehaus"), (struct db_integer){0});
	db_release(conn);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	assert_true(pread(log, text, sizeof text - 1, 0) > 0);
	close(kept);
	close(log);
	assert_int_equal(status, STATUS_BROKEN);
	assert_non_null(strstr(text, "word_find"));
	assert_null(strstr(text, "Kaffeehaus"));
	db_close(db);
}

static void
test_full_text(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	struct addition addition = {.query = &queries[Q_WORD_ADD], .text = STR("a quiet harbour")};
	assert_int_equal(db_write(db, add, &addition), STATUS_OK);
	assert_int_equal(db_write(db, add, &addition), STATUS_OK);
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(
	    step_once(conn, &queries[Q_WORD_FIND], STR("harbour"), (struct db_integer){0}), STATUS_OK);
	db_release(conn);
	db_close(db);
	assert_int_equal(raw(place->path, "SELECT count(*) FROM word WHERE word MATCH 'harbour'"), 2);
}

/* --- binding and reading ---------------------------------------------------------------------- */

static void
test_values(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	struct db_stmt *stmt;
	bool row;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(db_stmt(conn, &queries[Q_BLOB], &stmt), STATUS_OK);
	db_bind_blob(stmt, 1, (struct str){"a\0b", 3});
	db_bind_text(stmt, 2, STR(""));
	db_bind_blob(stmt, 3, STR_NONE);
	assert_int_equal(db_step(stmt, &row), STATUS_OK);
	assert_true(row);
	struct str blob = db_column_blob(stmt, 0, &place->arena),
		   empty = db_column_text(stmt, 1, &place->arena);
	assert_int_equal(blob.len, 3);
	assert_memory_equal(blob.at, "a\0b", 3);
	assert_non_null(empty.at);
	assert_int_equal(empty.len, 0);
	assert_null(db_column_blob(stmt, 2, &place->arena).at);
	assert_false(db_column_optional(stmt, 2).set);
	db_done(stmt);
	assert_int_equal(db_stmt(conn, &queries[Q_BLOB], &stmt), STATUS_OK); /* nothing bound: NULL */
	db_bind_blob(stmt, 2, STR(""));
	db_bind_optional(stmt, 3, (struct db_integer){true, INT64_MIN});
	assert_int_equal(db_step(stmt, &row), STATUS_OK);
	assert_null(db_column_text(stmt, 0, &place->arena).at);
	struct str empty_blob = db_column_blob(stmt, 1, &place->arena);
	assert_non_null(empty_blob.at);
	assert_int_equal(empty_blob.len, 0);
	assert_true(db_column_optional(stmt, 2).set);
	assert_true(db_column_integer(stmt, 2) == INT64_MIN);
	db_done(stmt);
	assert_false(place->arena.failed);
	db_release(conn);
	db_close(db);
}

static void
test_bind_failure(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	struct db_stmt *stmt;
	bool row = true;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(db_stmt(conn, &queries[Q_COUNT], &stmt), STATUS_OK);
	db_bind_integer(stmt, 9, 1);
	assert_int_not_equal(db_step(stmt, &row), STATUS_OK);
	assert_false(row);
	db_done(stmt);
	db_release(conn);
	assert_int_equal(count(db), 0);
	db_close(db);
}

static void
test_arena_too_small(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	struct db_stmt *stmt;
	struct arena small;
	bool row;
	assert_int_equal(add_text(db, "some words"), STATUS_OK);
	arena_init(&small, 4);
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(db_stmt(conn, &queries[Q_TEXT], &stmt), STATUS_OK);
	db_bind_integer(stmt, 1, 1);
	assert_int_equal(db_step(stmt, &row), STATUS_OK);
	assert_null(db_column_text(stmt, 0, &small).at);
	assert_true(small.failed);
	db_done(stmt);
	db_release(conn);
	arena_free(&small);
	db_close(db);
}

static void
test_grow(void **state)
{
	struct place *place = *state;
	int64_t *rows = NULL;
	for (size_t n = 0; n < 1000; n++) {
		rows = db_grow(&place->arena, rows, n, sizeof *rows);
		assert_non_null(rows);
		rows[n] = (int64_t)n;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(rows[n], n);
	struct arena small;
	arena_init(&small, 4);
	assert_null(db_grow(&small, NULL, 0, sizeof *rows));
}

static void
test_steps(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	int64_t n;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(db_steps(conn, &queries[Q_COUNT], false), 0);
	assert_int_equal(ask_count(conn, &n), STATUS_OK);
	int64_t once = db_steps(conn, &queries[Q_COUNT], false);
	assert_true(once > 0);
	assert_int_equal(ask_count(conn, &n), STATUS_OK);
	assert_int_equal(db_steps(conn, &queries[Q_COUNT], true), 2 * once);
	assert_int_equal(db_steps(conn, &queries[Q_COUNT], false), 0);
	db_release(conn);
	db_close(db);
}

/* --- transactions ----------------------------------------------------------------------------- */

static void
test_roll_back(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct addition addition = {.text = STR("no"), .after = STATUS_DENIED};
	assert_int_equal(db_write(db, add, &addition), STATUS_DENIED);
	assert_int_equal(count(db), 0);
	assert_int_equal(add_text(db, "no"), STATUS_OK);
	assert_int_equal(count(db), 1);
	db_close(db);
}

static void
test_conflict(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "same"), STATUS_OK);
	assert_int_equal(add_text(db, "same"), STATUS_CONFLICT);
	struct addition swallow = {.text = STR("same"), .swallow = true};
	assert_int_equal(db_write(db, add, &swallow), STATUS_OK);
	struct addition orphan = {.text = STR("orphan"), .parent_id = {true, 99}};
	assert_int_equal(db_write(db, add, &orphan), STATUS_CONFLICT);
	orphan.query = &queries[Q_ADD_RETURNING]; /* gives its row first and complains afterwards */
	assert_int_equal(db_write(db, add, &orphan), STATUS_CONFLICT);
	assert_int_equal(count(db), 1);
	db_close(db);
}

static void
test_snapshot(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conn;
	int64_t n;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(add_text(db, "later"), STATUS_OK); /* before the reader has read anything */
	assert_int_equal(ask_count(conn, &n), STATUS_OK);
	assert_int_equal(n, 0);
	db_release(conn);
	assert_int_equal(count(db), 1);
	db_close(db);
}

static void
test_readers_are_few(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct db_conn *conns[DB_READERS], *more;
	struct timespec before, after;
	for (size_t i = 0; i < DB_READERS; i++)
		assert_int_equal(db_read(db, &conns[i]), STATUS_OK);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(db_read(db, &more), STATUS_BUSY);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec >= DB_BUSY_TIMEOUT / 1000 - 1);
	assert_true(after.tv_sec - before.tv_sec <= DB_BUSY_TIMEOUT / 1000 + 20);
	for (size_t i = 0; i < DB_READERS; i++)
		db_release(conns[i]);
	assert_int_equal(db_health(db), STATUS_OK);
	db_close(db);
}

/* --- many at once ------------------------------------------------------------------------------- */

enum { WRITERS = 4, EACH = 25 };

static void *
write_and_read(void *context)
{
	struct db *db = context;
	static _Atomic int numbers;
	for (int i = 0; i < EACH; i++) {
		char text[32];
		struct db_conn *conn;
		int64_t n = 0, again = 0;
		snprintf(text, sizeof text, "%d", numbers++);
		if (add_text(db, text) != STATUS_OK || db_read(db, &conn) != STATUS_OK)
			return db;
		bool same =
		    ask_count(conn, &n) == STATUS_OK && ask_count(conn, &again) == STATUS_OK && n == again;
		db_release(conn);
		if (!same || n < i)
			return db;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	pthread_t threads[2 * WRITERS];
	for (size_t i = 0; i < 2 * WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_and_read, db), 0);
	for (size_t i = 0; i < 2 * WRITERS; i++) {
		void *failed = db;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(count(db), 2 * WRITERS * EACH);
	db_close(db);
}

static void
write_in_child(const char *path, int number)
{
	struct db *db;
	if (db_open(path, &schema_1, false, &db) != STATUS_OK)
		_exit(1);
	for (int i = 0; i < EACH; i++) {
		char text[32];
		snprintf(text, sizeof text, "%d/%d", number, i);
		if (add_text(db, text) != STATUS_OK)
			_exit(2);
	}
	db_close(db);
	_exit(0);
}

static void
test_processes(void **state)
{
	struct place *place = *state;
	pid_t children[WRITERS];
	assert_int_equal(db_create(place->path, &schema_1, 0600), STATUS_OK);
	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			write_in_child(place->path, i);
	}
	for (int i = 0; i < WRITERS; i++) {
		int result = -1;
		assert_int_equal(waitpid(children[i], &result, 0), children[i]);
		assert_int_equal(result, 0);
	}
	assert_int_equal(raw(place->path, "SELECT count(*) FROM note"), WRITERS * EACH);
}

/* Somebody who stands in the turnstile for ever costs us DB_BUSY_TIMEOUT, not more. */
static void
test_turnstile(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct timespec before, after;
	struct addition addition = {.text = STR("x")};
	int fd = open(beside(place, ".turn"), O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(db_write(db, add, &addition), STATUS_BUSY);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(addition.calls, 0);
	assert_true(after.tv_sec - before.tv_sec >= DB_BUSY_TIMEOUT / 1000 - 1);
	assert_true(after.tv_sec - before.tv_sec <= DB_BUSY_TIMEOUT / 1000 + 20);
	assert_int_equal(db_health(db), STATUS_OK);
	close(fd);
	assert_int_equal(add_text(db, "x"), STATUS_OK);
	db_close(db);
}

/* A program that knows no turnstile holds SQLite's own lock. */
static void
test_locked_by_another(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	int ready[2], done[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid_t child = fork();
	if (child == 0) {
		sqlite3 *sqlite;
		sqlite3_open(place->path, &sqlite);
		sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		bool told = write(ready[1], "x", 1) == 1 && read(done[0], &byte, 1) == 1;
		sqlite3_close(sqlite);
		_exit(told ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(add_text(db, "x"), STATUS_BUSY);
	assert_int_equal(write(done[1], "x", 1), 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(add_text(db, "x"), STATUS_OK);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
	db_close(db);
}

/* --- faults ------------------------------------------------------------------------------------- */

enum operation { FAIL_WRITE, FAIL_SYNC, FAIL_TRUNCATE, FAIL_READ, FAIL_OPEN, OPERATIONS };

static struct {
	bool armed;
	bool lasting;	       /* all from the n-th on */
	bool no_shared_memory; /* as on some network file systems: WAL cannot be had */
	enum operation operation;
	int code;
	int countdown;
	int hits;
	int syncs; /* seen, armed or not */
	int cut;   /* truncations, and 0 again with the next sync */
} fault;
static sqlite3_vfs faulty, *real;
static const sqlite3_io_methods *real_methods; /* of any file: the calls that fail are the same for all */
static sqlite3_io_methods faulty_methods[2];   /* those of the database itself lock, the others do not */

static bool
fails(enum operation operation)
{
	if (!fault.armed || operation != fault.operation)
		return false;
	fault.countdown--;
	bool now = fault.countdown == 0 || (fault.lasting && fault.countdown < 0);
	fault.hits += now;
	return now;
}

static int
faulty_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	return fails(FAIL_WRITE) ? fault.code : real_methods->xWrite(file, bytes, n, at);
}

static int
faulty_sync(sqlite3_file *file, int flags)
{
	fault.syncs++;
	fault.cut = 0;
	return fails(FAIL_SYNC) ? fault.code : real_methods->xSync(file, flags);
}

static int
faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	fault.cut++;
	return fails(FAIL_TRUNCATE) ? fault.code : real_methods->xTruncate(file, size);
}

static int
faulty_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
	return fails(FAIL_READ) ? fault.code : real_methods->xRead(file, bytes, n, at);
}

static int
faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	(void)vfs;
	if (fails(FAIL_OPEN)) {
		file->pMethods = NULL;
		return fault.code;
	}
	int code = real->xOpen(real, name, file, flags, out_flags);
	if (code != SQLITE_OK || file->pMethods == NULL)
		return code;
	sqlite3_io_methods *methods = &faulty_methods[(flags & SQLITE_OPEN_MAIN_DB) != 0];
	real_methods = file->pMethods;
	*methods = *real_methods;
	methods->xWrite = faulty_write;
	methods->xSync = faulty_sync;
	methods->xTruncate = faulty_truncate;
	methods->xRead = faulty_read;
	if (fault.no_shared_memory)
		methods->iVersion = 1;
	file->pMethods = methods;
	return code;
}

static void
install_faults(void)
{
	if (real != NULL)
		return;
	real = sqlite3_vfs_find(NULL);
	faulty = *real;
	faulty.zName = "faulty";
	faulty.xOpen = faulty_open;
	assert_int_equal(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

/*
 * Fails the 1st, 2nd, 3rd … operation of a kind during a write.  What was acknowledged is there,
 * what was refused is not there after all, and the very next write works without a restart.
 */
static void
fail_each(struct place *place, enum operation operation, int code, enum status expected)
{
	install_faults();
	struct db *db = made(place, &schema_1);
	int64_t stored = 0;
	bool again = true;
	for (int n = 1; again && n < 200; n++) {
		char text[32];
		snprintf(text, sizeof text, "%d", n);
		fault.armed = true;
		fault.lasting = false;
		fault.operation = operation;
		fault.code = code;
		fault.countdown = n;
		fault.hits = 0;
		enum status status = add_text(db, text);
		fault.armed = false;
		again = fault.hits > 0;
		if (again)
			assert_int_equal(status, expected);
		stored += status == STATUS_OK;
		assert_int_equal(count(db), stored);
		assert_int_equal(add_text(db, strcat(text, " again")), STATUS_OK);
		assert_int_equal(count(db), ++stored);
	}
	assert_false(again);
	db_close(db);
	assert_int_equal(raw(place->path, "SELECT count(*) FROM note"), stored);
	assert_int_equal(raw(place->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void
test_each_write_fails(void **state)
{
	fail_each(*state, FAIL_WRITE, SQLITE_IOERR_WRITE, STATUS_BUSY);
}

static void
test_each_write_finds_full(void **state)
{
	fail_each(*state, FAIL_WRITE, SQLITE_FULL, STATUS_BUSY);
}

static void
test_each_sync_fails(void **state)
{
	fail_each(*state, FAIL_SYNC, SQLITE_IOERR_FSYNC, STATUS_BROKEN);
}

/* An emptied WAL that is not synced stands there again, with what was erased, when the power has gone. */
static void
test_emptied_wal_is_synced(void **state)
{
	struct place *place = *state;
	struct stat info;
	char wal[128];
	install_faults();
	struct db *db = made(place, &schema_1);
	snprintf(wal, sizeof wal, "%s-wal", place->path);
	assert_int_equal(add_text(db, "to be erased"), STATUS_OK);
	assert_int_equal(stat(wal, &info), 0);
	assert_true(info.st_size > 0);
	assert_int_equal(db_truncate(db), STATUS_OK);
	assert_int_equal(stat(wal, &info), 0);
	assert_int_equal(info.st_size, 0);
	assert_int_equal(fault.cut, 0);
	/* Of the checkpoint's syncs none may fail unnoticed, that one least of all. */
	bool again = true;
	for (int n = 1; again && n < 20; n++) {
		char text[16];
		snprintf(text, sizeof text, "%d", n);
		assert_int_equal(add_text(db, text), STATUS_OK);
		fault.armed = true;
		fault.lasting = false;
		fault.operation = FAIL_SYNC;
		fault.code = SQLITE_IOERR_FSYNC;
		fault.countdown = n;
		fault.hits = 0;
		enum status status = db_truncate(db);
		fault.armed = false;
		again = fault.hits > 0;
		assert_int_equal(status, again ? STATUS_BROKEN : STATUS_OK);
		assert_true(again || n > 3);
	}
	assert_false(again);
	db_close(db);
}

/* --- group commit ------------------------------------------------------------------------------- */

/* One who holds the writer while others queue behind, so that they make one batch. */
struct crowd {
	struct db *db;
	struct addition additions[3];
	enum status statuses[3];
	db_work *works[3];
	pthread_t threads[3], holder;
	int entered[2], leave[2]; /* pipes */
};

static enum status
hold(struct db_conn *conn, void *context)
{
	struct crowd *crowd = context;
	char byte;
	(void)conn;
	assert_int_equal(write(crowd->entered[1], "x", 1), 1);
	assert_int_equal(read(crowd->leave[0], &byte, 1), 1);
	return STATUS_OK;
}

static void *
hold_in_thread(void *context)
{
	struct crowd *crowd = context;
	assert_int_equal(db_write(crowd->db, hold, crowd), STATUS_OK);
	return NULL;
}

struct one_of_crowd {
	struct crowd *crowd;
	int i;
};

static void *
write_in_thread(void *context)
{
	struct one_of_crowd *one = context;
	struct crowd *crowd = one->crowd;
	crowd->statuses[one->i] = db_write(crowd->db, crowd->works[one->i], &crowd->additions[one->i]);
	return NULL;
}

/* Returns when `n` orders stand behind the one that is being seen through. */
static void
until_waiting(struct db *db, int n)
{
	int waiting;
	do {
		usleep(1000);
		waiting = 0;
		pthread_mutex_lock(&db->lock);
		for (const struct order *one = db->first; one != NULL; one = one->next)
			waiting += one->progress == ORDER_WAITS;
		pthread_mutex_unlock(&db->lock);
	} while (waiting < n);
}

/* Lets the three writes of the crowd queue one behind the other, then run as one batch. */
static void
run_crowd(struct crowd *crowd)
{
	struct one_of_crowd ones[3];
	char byte;
	assert_int_equal(pipe(crowd->entered), 0);
	assert_int_equal(pipe(crowd->leave), 0);
	assert_int_equal(pthread_create(&crowd->holder, NULL, hold_in_thread, crowd), 0);
	assert_int_equal(read(crowd->entered[0], &byte, 1), 1);
	for (int i = 0; i < 3; i++) {
		ones[i] = (struct one_of_crowd){crowd, i};
		if (crowd->works[i] == NULL)
			crowd->works[i] = add;
		assert_int_equal(pthread_create(&crowd->threads[i], NULL, write_in_thread, &ones[i]), 0);
		until_waiting(crowd->db, i + 1); /* they queue in this order */
	}
	fault.syncs = 0;
	assert_int_equal(write(crowd->leave[1], "x", 1), 1);
	pthread_join(crowd->holder, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(crowd->threads[i], NULL);
	for (int i = 0; i < 2; i++) {
		close(crowd->entered[i]);
		close(crowd->leave[i]);
	}
}

/* Three waiting writes share one sync. */
static void
test_batch_shares_a_sync(void **state)
{
	struct place *place = *state;
	install_faults();
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "zero"), STATUS_OK);
	fault.syncs = 0;
	assert_int_equal(add_text(db, "alone"), STATUS_OK);
	int alone = fault.syncs;
	struct crowd crowd = {.db = db, .additions = {{.text = STR("a")}, {.text = STR("b")}, {.text = STR("c")}}};
	run_crowd(&crowd);
	assert_true(alone > 0);
	assert_int_equal(fault.syncs, alone);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(crowd.statuses[i], STATUS_OK);
		assert_int_equal(crowd.additions[i].calls, 1);
	}
	assert_int_equal(count(db), 5);
	db_close(db);
}

/* One that breaks a constraint, or refuses itself, takes nothing of the others with it. */
static void
test_batch_with_a_refusal(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct crowd crowd = {.db = db,
	    .additions = {{.text = STR("a")}, {.text = STR("a")}, {.text = STR("c"), .after = STATUS_MISSING}}};
	run_crowd(&crowd);
	assert_int_equal(crowd.statuses[0], STATUS_OK);
	assert_int_equal(crowd.statuses[1], STATUS_CONFLICT);
	assert_int_equal(crowd.statuses[2], STATUS_MISSING);
	assert_int_equal(count(db), 1);
	db_close(db);
}

/* One that ends the transaction: the first was done in vain and is done again, each by itself. */
static void
test_batch_that_is_ended(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct crowd crowd = {.db = db,
	    .additions = {{.text = STR("a")}, {.swallow_all = true, .query = &queries[Q_ENDED]}, {.text = STR("c")}}};
	run_crowd(&crowd);
	assert_int_equal(crowd.statuses[0], STATUS_OK);
	assert_int_equal(crowd.statuses[1], STATUS_BROKEN);
	assert_int_equal(crowd.statuses[2], STATUS_OK);
	assert_int_equal(crowd.additions[0].calls, 2);
	assert_int_equal(crowd.additions[2].calls, 1);
	assert_int_equal(count(db), 2);
	db_close(db);
}

/* The disk is full for the second of three, which wants more room than the others. */
static enum status
add_much(struct db_conn *conn, void *context)
{
	struct addition *addition = context;
	fault.armed = true;
	fault.lasting = true;
	fault.operation = FAIL_WRITE;
	fault.code = SQLITE_FULL;
	fault.countdown = 1;
	enum status status = add(conn, addition);
	fault.armed = false;
	return status;
}

static void
test_batch_meets_a_full_disk(void **state)
{
	struct place *place = *state;
	static char much[8 * 1024 * 1024]; /* does not fit into the page cache, so it is written at once */
	install_faults();
	struct db *db = made(place, &schema_1);
	memset(much, 'x', sizeof much);
	struct crowd crowd = {.db = db, .works = {NULL, add_much, NULL},
	    .additions = {{.text = STR("a")}, {.text = {much, sizeof much}}, {.text = STR("c")}}};
	run_crowd(&crowd);
	assert_int_equal(crowd.statuses[0], STATUS_OK);
	assert_int_equal(crowd.statuses[1], STATUS_BUSY);
	assert_int_equal(crowd.statuses[2], STATUS_OK);
	assert_int_equal(crowd.additions[0].calls, 2);
	assert_int_equal(count(db), 2);
	assert_int_equal(add_text(db, "later"), STATUS_OK);
	db_close(db);
	assert_int_equal(raw(place->path, "SELECT count(*) FROM note"), 3);
}

/* A sync that fails under a batch: nobody is told that anything was stored. */
static void
test_batch_meets_a_failed_sync(void **state)
{
	struct place *place = *state;
	install_faults();
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "zero"), STATUS_OK);
	fault.armed = true;
	fault.lasting = false;
	fault.operation = FAIL_SYNC;
	fault.code = SQLITE_IOERR_FSYNC;
	fault.countdown = 1;
	struct crowd crowd = {.db = db, .additions = {{.text = STR("a")}, {.text = STR("b")}, {.text = STR("c")}}};
	run_crowd(&crowd);
	fault.armed = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(crowd.statuses[i], STATUS_BROKEN);
	assert_int_equal(count(db), 1);
	assert_int_equal(add_text(db, "a"), STATUS_OK);
	db_close(db);
}

/* Work that overlooks a failure which has ended its transaction is not told that it was stored. */
static void
test_swallowed_failure(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct addition addition = {.swallow_all = true, .query = &queries[Q_ENDED]};
	assert_int_equal(db_write(db, add, &addition), STATUS_BROKEN);
	assert_int_equal(addition.calls, 1);
	assert_int_equal(count(db), 0);
	assert_int_equal(add_text(db, "kept"), STATUS_OK);
	db_close(db);
}

/* The folder cannot be opened anew either: as long as that lasts nothing is acknowledged. */
static void
test_reopening_fails(void **state)
{
	struct place *place = *state;
	install_faults();
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "one"), STATUS_OK);
	fault.armed = true;
	fault.lasting = false;
	fault.operation = FAIL_SYNC;
	fault.code = SQLITE_IOERR_FSYNC;
	fault.countdown = 1;
	assert_int_equal(add_text(db, "two"), STATUS_BROKEN);
	fault.operation = FAIL_OPEN;
	fault.code = SQLITE_CANTOPEN;
	fault.countdown = 1;
	fault.lasting = true;
	assert_int_equal(add_text(db, "three"), STATUS_BUSY);
	assert_int_equal(add_text(db, "three"), STATUS_BUSY);
	assert_int_equal(db_health(db), STATUS_BUSY);
	fault.armed = false;
	assert_int_equal(db_health(db), STATUS_OK);
	assert_int_equal(add_text(db, "three"), STATUS_OK);
	assert_int_equal(count(db), 2);
	db_close(db);
}

/* SQLite answers a setting that it cannot keep with the old one, and no error. */
static void
test_setting_does_not_hold(void **state)
{
	struct place *place = *state;
	install_faults();
	fault.no_shared_memory = true;
	assert_int_equal(db_create(place->path, &schema_1, 0600), STATUS_BROKEN);
	fault.no_shared_memory = false;
	assert_int_equal(files_in(place->folder), 0);
}

static void
test_creation_fails(void **state)
{
	static const enum operation operations[] = {FAIL_WRITE, FAIL_SYNC, FAIL_OPEN};
	static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_CANTOPEN};
	struct place *place = *state;
	install_faults();
	for (size_t i = 0; i < 3; i++) {
		bool again = true;
		for (int n = 1; again && n < 500; n++) {
			fault.armed = true;
			fault.lasting = false;
			fault.operation = operations[i];
			fault.code = codes[i];
			fault.countdown = n;
			fault.hits = 0;
			enum status status = db_create(place->path, &schema_1, 0600);
			fault.armed = false;
			again = fault.hits > 0;
			if (status != STATUS_OK)
				assert_int_equal(files_in(place->folder), 0);
			else
				assert_int_equal(raw(place->path, "SELECT count(*) FROM note"), 0);
			unlink(place->path);
			unlink(beside(place, ".turn"));
		}
		assert_false(again);
	}
}

static void
test_migration_meets_faults(void **state)
{
	struct place *place = *state;
	install_faults();
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "before"), STATUS_OK);
	db_close(db);
	enum status status = STATUS_BUSY;
	for (int n = 1; status != STATUS_OK && n < 500; n++) {
		fault.armed = true;
		fault.lasting = false;
		fault.operation = FAIL_WRITE;
		fault.code = SQLITE_FULL;
		fault.countdown = n;
		status = db_open(place->path, &schema_2, true, &db);
		fault.armed = false;
		assert_int_equal(raw(place->path, "SELECT count(*) FROM note"), 1);
		int64_t version = raw(place->path, "PRAGMA user_version");
		assert_true(version == 1 || (version == 2 && raw(place->path, "SELECT rank FROM note") == 7));
		if (version == 2)
			assert_int_equal(raw(beside(place, ".v1"), "SELECT count(*) FROM note"), 1);
	}
	assert_int_equal(status, STATUS_OK);
	db_close(db);
}

/* --- want of memory ----------------------------------------------------------------------------- */

static sqlite3_mem_methods real_memory;
static int memory_countdown; /* 0: memory never fails */

static bool
memory_fails(void)
{
	return memory_countdown > 0 && --memory_countdown == 0;
}

static void *
faulty_malloc(int n)
{
	return memory_fails() ? NULL : real_memory.xMalloc(n);
}

static void *
faulty_realloc(void *at, int n)
{
	return memory_fails() ? NULL : real_memory.xRealloc(at, n);
}

static void
install_memory(void)
{
	sqlite3_mem_methods methods;
	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
	methods = real_memory;
	methods.xMalloc = faulty_malloc;
	methods.xRealloc = faulty_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

static void
test_each_allocation_fails(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	int64_t stored = 0;
	bool again = true;
	for (int n = 1; again && n < 5000; n++) {
		char text[32];
		snprintf(text, sizeof text, "%d", n);
		db_close(db); /* so that all is prepared anew */
		assert_int_equal(db_open(place->path, &schema_1, false, &db), STATUS_OK);
		memory_countdown = n;
		enum status status = add_text(db, text);
		again = memory_countdown == 0;
		memory_countdown = 0;
		stored += status == STATUS_OK;
		assert_int_equal(count(db), stored);
	}
	assert_false(again);
	assert_true(stored > 0);
	assert_int_equal(add_text(db, "in the end"), STATUS_OK);
	db_close(db);
}

/* --- disks -------------------------------------------------------------------------------------- */

static void
test_full_disk(void **state)
{
	struct place *place = *state;
	if (geteuid() != 0 || mount("tmpfs", place->folder, "tmpfs", 0, "size=768k") != 0) {
		print_message("skipped: a small tmpfs needs root and leave to mount\n");
		skip();
	}
	struct db *db = made(place, &schema_1);
	char *long_text = calloc(1, 20001), ballast[96];
	enum status status = STATUS_OK;
	int64_t stored = 0;
	for (int i = 0; i < 100 && status == STATUS_OK; i++) {
		memset(long_text, 'a' + i % 26, 20000);
		snprintf(long_text, 20001, "%d", i);
		long_text[strlen(long_text)] = ' ';
		status = add_text(db, long_text);
		stored += status == STATUS_OK;
		snprintf(ballast, sizeof ballast, "%s/ballast", place->folder);
		if (i == 0) {
			FILE *file = fopen(ballast, "w");
			for (int k = 0; k < 300; k++)
				fprintf(file, "%01023d\n", k);
			fclose(file);
		}
	}
	assert_int_equal(status, STATUS_BUSY);
	assert_int_equal(count(db), stored); /* reading goes on */
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(add_text(db, long_text), STATUS_OK); /* there is room again */
	assert_int_equal(count(db), stored + 1);
	free(long_text);
	db_close(db);
	assert_int_equal(umount(place->folder), 0);
}

static void
test_read_only(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	db_close(db);
	assert_int_equal(chmod(place->path, 0400), 0);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) { /* root may write everything: become somebody else */
		if (geteuid() == 0 &&
		    (chown(place->path, 65534, 65534) != 0 || chmod(place->folder, 0755) != 0 ||
			chmod(beside(place, ".turn"), 0666) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
			_exit(99);
		_exit((int)db_open(place->path, &schema_1, false, &db));
	}
	int result = -1;
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result));
	assert_int_equal(WEXITSTATUS(result), STATUS_BUSY);
}

/* What is written must not vanish in a file that nobody finds any more. */
/*
 * A rollback journal as SQLite knows it (fileformat2.html section 3), of no pages, with the name of a
 * super-journal at its end: played back, it would have SQLite shorten the database and remove that file.
 */
static void
plant_journal(const char *database, const char *super)
{
	static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	unsigned char head[512] = {0}, number[4];
	char path[160];
	uint32_t len = (uint32_t)strlen(super), sum = 0;
	snprintf(path, sizeof path, "%s-journal", database);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	memcpy(head, magic, sizeof magic);
	head[19] = 1;    /* page of the database before */
	head[22] = 2;    /* a sector of 512 bytes */
	head[26] = 0x10; /* a page of 4096 */
	fwrite(head, sizeof head, 1, file);
	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)super[i];
	const uint32_t numbers[] = {0x40000000U / 4096 + 1, len, sum};
	for (int i = 0; i < 3; i++) {
		for (int byte = 0; byte < 4; byte++)
			number[byte] = (unsigned char)(numbers[i] >> (24 - 8 * byte));
		fwrite(number, sizeof number, 1, file);
		if (i == 0)
			fwrite(super, len, 1, file);
	}
	fwrite(magic, sizeof magic, 1, file);
	fclose(file);
}

static void
test_planted_journal(void **state)
{
	struct place *place = *state;
	char victim[128];
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "kept"), STATUS_OK);
	db_close(db);
	snprintf(victim, sizeof victim, "%s/secret.key", place->folder);
	FILE *file = fopen(victim, "w");
	assert_non_null(file);
	fputs("a key\n", file);
	fclose(file);
	plant_journal(place->path, victim);
	assert_int_equal(db_open(place->path, &schema_1, false, &db), STATUS_OK);
	assert_int_equal(count(db), 1);
	assert_int_equal(add_text(db, "more"), STATUS_OK);
	db_close(db);
	assert_int_equal(access(victim, F_OK), 0);
}

static void
test_planted_pipe(void **state)
{
	struct place *place = *state;
	char turn[128];
	struct db *db = made(place, &schema_1);
	db_close(db);
	snprintf(turn, sizeof turn, "%s.turn", place->path);
	assert_int_equal(unlink(turn), 0);
	assert_int_equal(mkfifo(turn, 0660), 0);
	alarm(10); /* ends the test where opening waits for ever */
	assert_int_equal(db_open(place->path, &schema_1, false, &db), STATUS_OK);
	alarm(0);
	db_close(db);
}

static void
test_replaced_file(void **state)
{
	struct place *place = *state;
	char aside[128];
	struct db *db = made(place, &schema_1);
	assert_int_equal(add_text(db, "old"), STATUS_OK);
	snprintf(aside, sizeof aside, "%s/aside.db", place->folder);
	assert_int_equal(db_create(aside, &schema_1, 0600), STATUS_OK);
	assert_int_equal(rename(aside, place->path), 0);
	unlink(beside(place, "-wal"));
	unlink(beside(place, "-shm"));
	assert_int_equal(add_text(db, "new"), STATUS_OK);
	assert_int_equal(count(db), 1);
	db_close(db);
	assert_int_equal(raw(place->path, "SELECT count(*) FROM note WHERE text = 'new'"), 1);
}

/* --- damage ------------------------------------------------------------------------------------- */

static void
use_damaged(struct place *place)
{
	struct db *db;
	struct db_conn *conn;
	struct str complaint;
	int64_t n;
	if (db_open(place->path, &schema_1, true, &db) != STATUS_OK)
		return;
	if (db_read(db, &conn) == STATUS_OK) {
		(void)!ask_count(conn, &n);
		(void)!step_once(conn, &queries[Q_WORD_FIND], STR("harbour"), (struct db_integer){0});
		db_release(conn);
	}
	(void)!add_text(db, "into damage");
	(void)!db_check(db, &place->arena, &complaint);
	db_close(db);
}

/* Whatever byte is wrong, the answer is a status; the sanitizers and the exit code are the judges. */
static void
test_damage(void **state)
{
	struct place *place = *state;
	unsigned seed = 20260101;
	struct db *db = made(place, &schema_1);
	char text[32], copy[128], command[300];
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "text number %d", i);
		assert_int_equal(add_text(db, text), STATUS_OK);
	}
	db_close(db);
	snprintf(copy, sizeof copy, "%s/whole", place->folder);
	snprintf(command, sizeof command, "cp '%s' '%s'", place->path, copy);
	assert_int_equal(system(command), 0);
	struct stat st;
	assert_int_equal(stat(place->path, &st), 0);
	fflush(stderr);
	int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	snprintf(command, sizeof command, "cp '%s' '%s'", copy, place->path);
	for (int round = 0; round < 60; round++) {
		unlink(beside(place, "-wal"));
		unlink(beside(place, "-shm"));
		assert_int_equal(system(command), 0);
		int fd = open(place->path, O_RDWR);
		for (int i = 0; i < 20; i++) {
			unsigned char byte = (unsigned char)rand_r(&seed);
			off_t at = (off_t)rand_r(&seed) % (round % 2 ? st.st_size : 200);
			assert_int_equal(pwrite(fd, &byte, 1, at < 24 && round % 3 ? 24 : at), 1);
		}
		close(fd);
		use_damaged(place);
	}
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(null);
}

static void
test_check(void **state)
{
	struct place *place = *state;
	struct db *db = made(place, &schema_1);
	struct str complaint = STR("x");
	assert_int_equal(add_text(db, "one"), STATUS_OK);
	assert_int_equal(db_check(db, &place->arena, &complaint), STATUS_OK);
	assert_null(complaint.at);
	assert_int_equal(raw(place->path, "UPDATE note SET parent_id = 77"), 0);
	assert_int_equal(db_check(db, &place->arena, &complaint), STATUS_OK);
	assert_true(str_starts(complaint, STR("row 1 of note")));
	assert_int_equal(raw(place->path, "UPDATE note SET parent_id = NULL"), 0);
	assert_int_equal(raw(place->path, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
	db_close(db);
	int64_t page = raw(place->path, "SELECT rootpage FROM sqlite_schema WHERE name = 'note'");
	assert_int_equal(db_open(place->path, &schema_1, false, &db), STATUS_OK);
	int fd = open(place->path, O_RDWR);
	assert_int_equal(pwrite(fd, "\x0d\xff\xff\xff\xff\xff\xff\xff", 8, (page - 1) * 4096), 8);
	close(fd);
	assert_int_equal(db_check(db, &place->arena, &complaint), STATUS_OK);
	assert_non_null(complaint.at);
	db_close(db);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_create), TEST(test_create_leaves_nothing), TEST(test_open_refuses),
	    TEST(test_open_refuses_strangers), TEST(test_migrate), TEST(test_migrate_fails),
	    TEST(test_migrated_meanwhile), TEST(test_authorizer), TEST(test_reader_cannot_write),
	    TEST(test_foreign_query), TEST(test_log_tells_no_words), TEST(test_full_text), TEST(test_values),
	    TEST(test_bind_failure), TEST(test_arena_too_small), TEST(test_grow), TEST(test_steps),
	    TEST(test_roll_back), TEST(test_conflict), TEST(test_snapshot), TEST(test_readers_are_few),
	    TEST(test_threads), TEST(test_processes), TEST(test_turnstile), TEST(test_locked_by_another),
	    TEST(test_full_disk), TEST(test_read_only), TEST(test_planted_journal), TEST(test_planted_pipe),
	    TEST(test_replaced_file), TEST(test_damage),
	    TEST(test_check), TEST(test_each_allocation_fails), TEST(test_each_write_fails),
	    TEST(test_batch_shares_a_sync),
	    TEST(test_batch_with_a_refusal),
	    TEST(test_batch_that_is_ended),
	    TEST(test_batch_meets_a_full_disk),
	    TEST(test_batch_meets_a_failed_sync),
	    TEST(test_each_write_finds_full), TEST(test_each_sync_fails), TEST(test_emptied_wal_is_synced), TEST(test_swallowed_failure),
	    TEST(test_reopening_fails), TEST(test_setting_does_not_hold), TEST(test_creation_fails),
	    TEST(test_migration_meets_faults)};
	install_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
