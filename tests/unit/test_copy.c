/*
 * Copies of the store: made while others write, put back while others read.
 */
#include "db.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "operator.h"
#include "sql/rejoinder/database.h"

static const char *const create[] = {
    "CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL) STRICT;",
    "CREATE TABLE other (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;",
    "PRAGMA user_version = 1;",
    NULL,
};
enum { Q_ADD, Q_COUNT, Q_N };
static const struct db_query queries[Q_N] = {
    [Q_ADD] = {"add", "INSERT INTO note (text) VALUES (:text) RETURNING id", Q_ADD},
    [Q_COUNT] = {"count", "SELECT count(*) FROM note", Q_COUNT},
};
static const struct db_schema schema = {"test", create, NULL, 1, Q_N};
static const struct db_schema schema_other = {"other", create, NULL, 1, Q_N};

struct place {
	char folder[64], path[96], copy[96];
	struct db *db;
};

static int
set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);
	snprintf(place->folder, sizeof place->folder, "/tmp/rejoinder-copy-XXXXXX");
	if (mkdtemp(place->folder) == NULL)
		return -1;
	snprintf(place->path, sizeof place->path, "%s/test.db", place->folder);
	snprintf(place->copy, sizeof place->copy, "%s/test.backup", place->folder);
	*state = place;
	return db_create(place->path, &schema, 0600) == STATUS_OK &&
	               db_open(place->path, &schema, false, &place->db) == STATUS_OK
	           ? 0
	           : -1;
}

static int
tear_down(void **state)
{
	struct place *place = *state;
	char command[96];
	db_close(place->db);
	snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
	int result = system(command);
	free(place);
	return result;
}

/* As a stranger sees it; -1 when it fails. */
static int64_t
raw(const char *path, const char *sql)
{
	sqlite3 *sqlite;
	sqlite3_stmt *stmt = NULL;
	int64_t value = -1;
	if (sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK) {
		int code = sqlite3_step(stmt);
		value = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : code == SQLITE_DONE ? 0 : -1;
	}
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
	return value;
}

struct adding {
	int n;
	int64_t id;
};

static enum status
add(struct db_conn *conn, void *context)
{
	struct adding *adding = context;
	char text[1200];
	memset(text, 'x', sizeof text);
	for (int i = 0; i < adding->n; i++) {
		struct db_stmt *stmt;
		bool row;
		enum status status = db_stmt(conn, &queries[Q_ADD], &stmt);
		if (status != STATUS_OK)
			return status;
		db_bind_text(stmt, 1, (struct str){text, sizeof text});
		status = db_step(stmt, &row);
		adding->id = status == STATUS_OK && row ? db_column_integer(stmt, 0) : 0;
		db_done(stmt);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static int64_t
add_notes(struct db *db, int n)
{
	struct adding adding = {.n = n};
	assert_int_equal(db_write(db, add, &adding), STATUS_OK);
	return adding.id;
}

static int64_t
count_notes(struct db *db)
{
	struct db_conn *conn;
	struct db_stmt *stmt;
	bool row;
	assert_int_equal(db_read(db, &conn), STATUS_OK);
	assert_int_equal(db_stmt(conn, &queries[Q_COUNT], &stmt), STATUS_OK);
	assert_int_equal(db_step(stmt, &row), STATUS_OK);
	int64_t n = db_column_integer(stmt, 0);
	db_done(stmt);
	db_release(conn);
	return n;
}

struct telling {
	struct db *db;
	int times;
	int64_t done, all;
};

/* Somebody writes between two slices. */
static void
tell(void *context, int64_t done, int64_t all)
{
	struct telling *telling = context;
	telling->times++;
	telling->done = done;
	telling->all = all;
	if (telling->db != NULL)
		add_notes(telling->db, 1);
}

static void
test_copy_while_written(void **state)
{
	struct place *place = *state;
	struct telling telling = {.db = place->db};
	struct stat st;
	add_notes(place->db, 3000);
	assert_int_equal(db_copy(place->path, place->copy, &schema, 0640, tell, &telling), STATUS_OK);
	assert_true(telling.times >= 3);
	assert_true(telling.done == telling.all && telling.all > 512);
	/* Of one moment, though more came while it was made. */
	assert_int_equal(raw(place->copy, "SELECT count(*) FROM note"), 3000);
	assert_int_equal(count_notes(place->db), 3000 + telling.times);
	assert_int_equal(stat(place->copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(raw(place->copy, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
	assert_int_equal(raw(place->copy, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void
test_copy_refuses(void **state)
{
	struct place *place = *state;
	char away[128], fresh[128];
	struct stat st;
	snprintf(away, sizeof away, "%s/none/x", place->folder);
	snprintf(fresh, sizeof fresh, "%s.new", place->copy);
	assert_int_equal(db_copy(place->path, place->path, &schema, 0600, NULL, NULL), STATUS_CONFLICT);
	assert_int_equal(db_copy(away, place->copy, &schema, 0600, NULL, NULL), STATUS_MISSING);
	assert_int_equal(db_copy(place->path, place->copy, &schema_other, 0600, NULL, NULL), STATUS_INVALID);
	assert_int_equal(db_copy(place->path, away, &schema, 0600, NULL, NULL), STATUS_BUSY);
	assert_int_equal(stat(place->copy, &st), -1);
	assert_int_equal(stat(fresh, &st), -1);
}

static void
test_copy_of_damage(void **state)
{
	struct place *place = *state;
	struct stat st;
	add_notes(place->db, 200);
	assert_int_equal(db_truncate(place->db), STATUS_OK);
	int64_t page = raw(place->path, "SELECT rootpage FROM sqlite_schema WHERE name = 'note'");
	int fd = open(place->path, O_RDWR);
	assert_int_equal(pwrite(fd, "\x0d\xff\xff\xff\xff\xff\xff\xff", 8, (page - 1) * 4096), 8);
	close(fd);
	assert_int_equal(db_copy(place->path, place->copy, &schema, 0600, NULL, NULL), STATUS_BROKEN);
	assert_int_equal(stat(place->copy, &st), -1);
}

static void
test_replace(void **state)
{
	struct place *place = *state;
	struct telling telling = {0};
	add_notes(place->db, 600);
	assert_int_equal(db_copy(place->path, place->copy, &schema, 0600, NULL, NULL), STATUS_OK);
	int64_t last = add_notes(place->db, 400);
	assert_int_equal(last, 1000);
	assert_int_equal(count_notes(place->db), 1000); /* and this connection has pages in its cache */
	assert_int_equal(db_replace(place->db, place->copy, 50, tell, &telling), STATUS_OK);
	assert_true(telling.times > 0);
	assert_int_equal(count_notes(place->db), 600);
	/* 601 to 1000 were somebody's: nobody gets them again. */
	assert_int_equal(add_notes(place->db, 1), 1051);
	assert_int_equal(raw(place->path, "INSERT INTO other DEFAULT VALUES"), 0);
	assert_int_equal(raw(place->path, "SELECT max(id) FROM other"), 1);
	assert_int_equal(raw(place->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void
test_replace_refuses(void **state)
{
	struct place *place = *state;
	char other[128];
	snprintf(other, sizeof other, "%s/other.db", place->folder);
	add_notes(place->db, 3);
	assert_int_equal(db_create(other, &schema_other, 0600), STATUS_OK);
	assert_int_equal(db_replace(place->db, other, 1, NULL, NULL), STATUS_INVALID);
	assert_int_equal(count_notes(place->db), 3);
}

/* Does this process hold a lock on the file?  Only another one can ask. */
static bool
is_locked(const char *path)
{
	int how = 0;
	pid_t child = fork();
	if (child == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(path, O_RDWR | O_CLOEXEC);
		_exit(fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 ? 2 : lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how) && WEXITSTATUS(how) < 2);
	return WEXITSTATUS(how) == 1;
}

/* Whoever closes a file takes SQLite's locks on it: others would then remove the WAL of a store that is open. */
static void
test_looking_keeps_locks(void **state)
{
	struct place *place = *state;
	char store[128], copy[160];
	struct db *db;
	struct operator_copies copies = {.purge = true};
	snprintf(store, sizeof store, "%s/store.db", place->folder);
	snprintf(copy, sizeof copy, "%s.v1", store);
	assert_int_equal(db_create(store, &sql_rejoinder, 0600), STATUS_OK);
	assert_int_equal(db_create(copy, &sql_rejoinder, 0600), STATUS_OK);
	assert_int_equal(db_open(store, &sql_rejoinder, false, &db), STATUS_OK);
	assert_true(is_locked(store));
	int fd = open(copy, O_RDONLY | O_CLOEXEC), other = open(place->path, O_RDONLY | O_CLOEXEC);
	assert_true(operator_is_copy(fd));
	assert_false(operator_is_copy(other));
	operator_look_for_copies(store, &copies);
	assert_int_equal(access(copy, F_OK), -1);
	assert_int_equal(copies.left, 0);
	assert_true(is_locked(store));
	close(fd);
	close(other);
	db_close(db);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_copy_while_written),
	    TEST(test_copy_refuses),
	    TEST(test_copy_of_damage),
	    TEST(test_replace),
	    TEST(test_replace_refuses),
	    TEST(test_looking_keeps_locks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
