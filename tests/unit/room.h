/*
 * room.h - what the unit tests share: a folder of their own, and a whole instance in it.
 *
 * Everything is real: files, keys, SQLite.  room_enter and room_leave are a test's set-up and
 * tear-down; room_furnish adds configuration, keys, both databases, pace file and published folder.
 * room_run, room_number and room_text look at the databases with SQLite itself, past db.c.
 */
#ifndef ROOM_H
#define ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "db.h"
#include "file.h"
#include "out.h"
#include "pace.h"
#include "reply.h"
#include "secret.h"
#include "sql/moderators/database.h"
#include "sql/rejoinder/database.h"

enum { ROOM_NOW = 1800000000 }; /* when the tests happen, as a rule: in January of 2027 */

struct room {
	char folder[48];
	struct arena arena;
	int log; /* standard error as it was, while room_listen() keeps it; else 0 */
	/* Furniture. */
	struct config *config;
	struct config_site *site; /* the first one, which a test may change */
	int64_t site_id;
	struct db *db, *moderators;
	struct pace *pace;
	struct file_tree tree;
	struct secret_key matching, receipt, sealing, secret, log_key;
	struct secret_sealer sealer;
};

#define OK(call) assert_int_equal((call), STATUS_OK)

/* Compares a struct str with a C string, and shows both. */
#define assert_str(s, wanted) room_assert_str((s), (wanted), __FILE__, __LINE__)

static inline void
room_assert_str(struct str s, const char *wanted, const char *file, int line)
{
	if (str_eq(s, str_from(wanted)) && s.at != NULL)
		return;
	print_error("%s:%d: \"%.*s\"%s is not \"%s\"\n", file, line, STR_FMT(s), s.at == NULL ? " (not there)" : "",
	    wanted);
	_fail(file, line);
}

/* Does `s` hold `part`?  Shows both when not. */
#define assert_holds(s, part) room_assert_holds((s), (part), true, __FILE__, __LINE__)
#define assert_holds_not(s, part) room_assert_holds((s), (part), false, __FILE__, __LINE__)

static inline void
room_assert_holds(struct str s, const char *part, bool wanted, const char *file, int line)
{
	bool holds = memmem(s.at == NULL ? "" : s.at, s.len, part, strlen(part)) != NULL;
	if (holds == wanted)
		return;
	print_error("%s:%d: \"%s\" is %s in:\n%.*s\n", file, line, part, holds ? "" : "not", STR_FMT(s));
	_fail(file, line);
}

static inline int
room_enter(void **state)
{
	struct room *room = calloc(1, sizeof *room);
	if (room == NULL)
		return -1;
	snprintf(room->folder, sizeof room->folder, "/tmp/rejoinder-unit-XXXXXX");
	arena_init(&room->arena, (size_t)512 << 20);
	room->tree.fd = -1;
	*state = room;
	return secret_init() == STATUS_OK && mkdtemp(room->folder) != NULL ? 0 : -1;
}

/* Puts standard error back, and returns what was said meanwhile. */
static inline struct str
room_heard(struct room *room)
{
	struct str heard = STR("");
	fflush(stderr);
	dup2(room->log, 2);
	close(room->log);
	room->log = 0;
	const char *path = str_format(&room->arena, "%s/.log", room->folder).at;
	OK(file_slurp(&room->arena, path, 1 << 20, &heard));
	return heard;
}

/* From here on standard error goes to a file, until room_heard(). */
static inline void
room_listen(struct room *room)
{
	const char *path = str_format(&room->arena, "%s/.log", room->folder).at;
	fflush(stderr);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	room->log = fcntl(2, F_DUPFD_CLOEXEC, 10);
	assert_true(fd >= 0 && room->log >= 0 && dup2(fd, 2) == 2);
	close(fd);
}

static inline int
room_leave(void **state)
{
	struct room *room = *state;
	char command[96];
	if (room->log != 0) {
		dup2(room->log, 2);
		close(room->log);
	}
	if (room->tree.fd >= 0)
		file_tree_close(&room->tree);
	pace_close(room->pace);
	db_close(room->db);
	db_close(room->moderators);
	arena_free(&room->arena);
	snprintf(command, sizeof command, "rm -rf '%s'", room->folder);
	free(room);
	return system(command);
}

static inline const char *
room_path(struct room *room, const char *name)
{
	return str_format(&room->arena, "%s/%s", room->folder, name).at;
}

static inline void
room_write(struct room *room, const char *name, struct str content)
{
	FILE *file = fopen(room_path(room, name), "we");
	assert_non_null(file);
	assert_int_equal(fwrite(content.at, 1, content.len, file), content.len);
	assert_int_equal(fclose(file), 0);
}

/* A file of the room; STR_NONE when there is none. */
static inline struct str
room_read(struct room *room, const char *name)
{
	struct str content = STR_NONE;
	return file_slurp(&room->arena, room_path(room, name), 64 << 20, &content) == STATUS_OK ? content : STR_NONE;
}

/* --- furniture -------------------------------------------------------------------------------- */

static inline struct secret_key
room_key(struct room *room, const char *name)
{
	struct secret_key key;
	OK(secret_key_make(room_path(room, name), 0600));
	OK(secret_key_load(room_path(room, name), 0600, &key));
	return key;
}

static inline struct db *
room_db(struct room *room, const char *name, const struct db_schema *schema)
{
	struct db *db;
	OK(db_create(room_path(room, name), schema, 0660));
	OK(db_open(room_path(room, name), schema, false, &db));
	return db;
}

/* Reads a configuration whose site section holds `lines` beside title and base. */
static inline void
room_configure(struct room *room, const char *lines)
{
	const char *f = room->folder;
	struct str text = str_format(&room->arena,
	    "database = \"%s/rejoinder.db\"\npublic = \"%s/public\"\nrun = \"%s\"\nsealing_key = \"%.*s\"\n"
	    "matching_key = \"%s/matching.key\"\nreceipt_key = \"%s/receipt.key\"\n"
	    "moderators { database = \"%s/moderators.db\" secret_key = \"%s/secret.key\" }\n"
	    "site main {\n  title = \"The Meridian\"\n  base = \"https://news.example\"\n%s\n}\n",
	    f, f, f, STR_FMT(secret_key_hex(&room->arena, &room->sealing)), f, f, f, f, lines);
	room_write(room, "rejoinder.conf", text);
	OK(config_read(&room->arena, room_path(room, "rejoinder.conf"), &room->config));
	room->site = &room->config->sites[0];
}

static inline void room_run(struct room *room, const char *sql);
static inline int64_t room_number(struct room *room, const char *sql);

static inline void
room_furnish(struct room *room, const char *lines)
{
	room->matching = room_key(room, "matching.key");
	room->receipt = room_key(room, "receipt.key");
	room->log_key = room_key(room, "log.key");
	OK(secret_pair_make(room_path(room, "secret.key"), 0600, &room->sealing));
	OK(secret_key_load(room_path(room, "secret.key"), 0600, &room->secret));
	room_configure(room, lines);
	room->db = room_db(room, "rejoinder.db", &sql_rejoinder);
	room->moderators = room_db(room, "moderators.db", &sql_moderators);
	room_run(room, "INSERT INTO site (name) VALUES ('main')");
	room->site_id = room_number(room, "SELECT id FROM site WHERE name = 'main'");
	OK(pace_open(room_path(room, "pace"), &room->pace));
	secret_sealer_open(&room->sealer, &room->sealing);
	OK(file_folder(room_path(room, "public"), 0775));
	OK(file_tree_open(room_path(room, "public"), &room->tree));
}

static inline struct reply_desk
room_desk(struct room *room)
{
	return (struct reply_desk){.site = room->site, .site_id = room->site_id, .db = room->db, .pace = room->pace,
	    .matching = &room->matching, .receipt = &room->receipt, .sealer = &room->sealer};
}

/* --- the databases, past db.c ------------------------------------------------------------------- */

static inline sqlite3 *
room_sqlite(struct room *room, const char *name)
{
	sqlite3 *sqlite;
	assert_int_equal(sqlite3_open_v2(room_path(room, name), &sqlite, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	return sqlite;
}

static inline void
room_run_in(struct room *room, const char *database, const char *sql)
{
	sqlite3 *sqlite = room_sqlite(room, database);
	char *why = NULL;
	if (sqlite3_exec(sqlite, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why == NULL ? "?" : why);
	sqlite3_close(sqlite);
}

/* The first column of the first row as bytes; STR_NONE for NULL and for no row. */
static inline struct str
room_value_in(struct room *room, const char *database, const char *sql)
{
	sqlite3 *sqlite = room_sqlite(room, database);
	sqlite3_stmt *stmt;
	struct str value = STR_NONE;
	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
		const char *at = sqlite3_column_blob(stmt, 0);
		value = str_copy(&room->arena, (struct str){at == NULL ? "" : at, (size_t)sqlite3_column_bytes(stmt, 0)});
	}
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
	return value;
}

static inline void
room_run(struct room *room, const char *sql)
{
	room_run_in(room, "rejoinder.db", sql);
}

/* After replies were put in by hand: which of them are shown, as decisions would have kept it. */
static inline void
room_show(struct room *room)
{
	room_run(room, "UPDATE reply SET shown = id IN (WITH RECURSIVE tree (id) AS (SELECT id FROM reply"
	               " WHERE parent_id IS NULL AND state = 'published' UNION ALL SELECT down.id FROM tree"
	               " JOIN reply AS down ON down.parent_id = tree.id WHERE down.state = 'published')"
	               " SELECT id FROM tree)");
}

static inline struct str
room_value(struct room *room, const char *sql)
{
	return room_value_in(room, "rejoinder.db", sql);
}

/* -1 where there is no number. */
static inline int64_t
room_number(struct room *room, const char *sql)
{
	int64_t n = -1;
	return str_integer(room_value(room, sql), &n) == STATUS_OK ? n : -1;
}

/* valgrind 3.19 does not know openat2(2), without which file.c opens nothing. Says so when it is not there. */
static inline bool
room_has_openat2(void)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
	if (fd >= 0)
		close((int)fd);
	else
		print_message("skipped: there is no openat2(2) here (%s)\n", strerror(errno));
	return fd >= 0;
}

/* A seed, printed so that a failure can be had again: SEED=n in the environment. */
static inline unsigned
room_seed(void)
{
	const char *given = getenv("SEED");
	unsigned seed = 0;
	if (given != NULL)
		seed = (unsigned)strtoul(given, NULL, 10);
	else
		secret_random(&seed, sizeof seed);
	print_message("SEED=%u\n", seed);
	return seed;
}

#endif
