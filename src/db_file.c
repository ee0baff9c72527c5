/*
 * db_file.c - the files of the store: made, brought up to a newer schema, copied, put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_own.h"
#include "log.h"

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

/* FNV-1a of the schema's name, positive. */
int
db_application_id(const struct db_schema *schema)
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
	snprintf(mark, sizeof mark, "PRAGMA application_id = %d", db_application_id(schema));
	int code = db_run(sqlite, "BEGIN EXCLUSIVE");
	if (code == SQLITE_OK)
		code = db_run_script(sqlite, schema->create);
	if (code == SQLITE_OK)
		code = db_run(sqlite, mark);
	if (code == SQLITE_OK)
		code = db_run_integer(sqlite, "PRAGMA user_version", &version);
	if (code == SQLITE_OK && version != schema->version)
		code = SQLITE_MISMATCH;
	if (code == SQLITE_OK)
		code = db_run(sqlite, "COMMIT");
	/* So that all of it is in the one file that is renamed. */
	return code == SQLITE_OK ? db_run(sqlite, "PRAGMA wal_checkpoint(TRUNCATE)") : code;
}

static enum status
create_at(const struct db *db, const char *path, mode_t mode)
{
	sqlite3 *sqlite = NULL;
	remove_database(path); /* what a creation left that was killed */
	enum status status = make_empty(path, mode);
	if (status == STATUS_OK)
		status = db_sqlite_open_as(db, path, ROLE_KEEPER, &sqlite);
	if (status != STATUS_OK)
		return status;
	status = db_judge(db, "create", fill(sqlite, db->schema));
	int code = sqlite3_close(sqlite);
	return status == STATUS_OK ? db_judge(db, "create", code) : status;
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
enum status
db_begin(struct db *db, const char *path, const struct db_schema *schema, mode_t mode)
{
	db_configure();
	char *turn = path_with(path, ".turn");
	*db = (struct db){.path = path_with(path, ""), .schema = schema, .turnstile = -1};
	if (turn != NULL && db->path != NULL)
		db->turnstile = db_turnstile_open(turn, mode);
	if (db->turnstile < 0)
		log_event(LOG_LEVEL_WARNING, "%s.turn: %s", path, strerror(errno));
	free(turn);
	return db->turnstile >= 0 ? STATUS_OK : STATUS_BUSY;
}

void
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
	struct timespec deadline = db_deadline();
	if (is_there(path))
		return STATUS_CONFLICT;
	enum status status = db_begin(&db, path, schema, (mode_t)mode);
	if (status == STATUS_OK)
		status = db_turnstile_take(path, db.turnstile, &deadline);
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
	enum status status = sql == NULL ? STATUS_BUSY : db_judge(db, "copy", db_run(sqlite, sql));
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
		status = db_sqlite_open(db, db->path, &sqlite);
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
		code = db_run_script(sqlite, schema->migrations[i - 1]);
	snprintf(mark, sizeof mark, "PRAGMA user_version = %d", schema->version);
	if (code == SQLITE_OK)
		code = db_run(sqlite, mark);
	if (code == SQLITE_OK)
		code = db_run_integer(sqlite, "SELECT count(*) FROM pragma_foreign_key_check", &loose);
	return code == SQLITE_OK && loose > 0 ? SQLITE_CONSTRAINT_FOREIGNKEY : code;
}

/* Inside BEGIN IMMEDIATE; another process may have been faster. */
static enum status
migrate_locked(const struct db *db, sqlite3 *sqlite, mode_t mode)
{
	int64_t version = 0;
	enum status status = db_judge(db, "migrate", db_run_integer(sqlite, "PRAGMA user_version", &version));
	if (status != STATUS_OK || version >= db->schema->version)
		return status;
	status = keep_copy(db, (int)version, mode);
	if (status != STATUS_OK)
		return status;
	status = db_judge(db, "migrate", migrate_steps(sqlite, db->schema, (int)version));
	if (status == STATUS_CONFLICT)
		log_event(
		    LOG_LEVEL_ERROR, "%s: what is stored breaks a constraint of the new version", db->path);
	if (status == STATUS_OK)
		status = db_judge(db, "migrate", db_run(sqlite, "COMMIT"));
	if (status == STATUS_OK)
		log_event(LOG_LEVEL_INFO,
		    "%s: migrated from version %lld to %d; the former is kept as %s.v%lld", db->path,
		    (long long)version, db->schema->version, db->path, (long long)version);
	return status == STATUS_CONFLICT ? STATUS_BROKEN : status;
}

static enum status
migrate(const struct db *db, mode_t mode)
{
	struct timespec deadline = db_deadline();
	sqlite3 *sqlite = NULL;
	enum status status = db_turnstile_take(db->path, db->turnstile, &deadline);
	if (status != STATUS_OK)
		return status;
	status = db_sqlite_open_as(db, db->path, ROLE_KEEPER, &sqlite);
	if (status == STATUS_OK)
		status = db_judge(db, "migrate", db_run(sqlite, "BEGIN IMMEDIATE"));
	if (status == STATUS_OK)
		status = migrate_locked(db, sqlite, mode);
	sqlite3_close(sqlite); /* rolls back what was not committed */
	db_turnstile_leave(db->turnstile);
	return status;
}

/* --- what file it is --------------------------------------------------------------------------- */

static void
warn_of_journal(const char *path)
{
	char *journal = path_with(path, "-journal");
	if (journal != NULL && is_there(journal))
		log_event(LOG_LEVEL_WARNING, "%s: nothing of Rejoinder makes such a file; it is not looked at, and may be removed", journal);
	free(journal);
}

/* Is it ours, and of which version?  Changes nothing, in case it is not. */
static enum status
identify(const struct db *db, int flags, int *version)
{
	sqlite3 *sqlite = NULL;
	int64_t id = 0, found = 0;
	warn_of_journal(db->path);
	enum status status = db_sqlite_open_with(db, db->path, flags, &sqlite);
	if (status != STATUS_OK)
		return status;
	int code = db_run_integer(sqlite, "PRAGMA application_id", &id);
	if (code == SQLITE_OK)
		code = db_run_integer(sqlite, "PRAGMA user_version", &found);
	sqlite3_close(sqlite);
	if ((code & 0xff) != SQLITE_NOTADB && code != SQLITE_OK)
		return db_judge(db, "identify", code);
	*version = (int)found;
	if (code == SQLITE_OK && id == db_application_id(db->schema) && found >= 1 &&
	    found <= db->schema->version)
		return STATUS_OK;
	if (code == SQLITE_OK && id == db_application_id(db->schema) && found > db->schema->version)
		log_event(LOG_LEVEL_ERROR, "%s: is of version %d, newer than this program, which knows %d",
		    db->path, *version, db->schema->version);
	else
		log_event(LOG_LEVEL_ERROR, "%s: is no database of %s", db->path, db->schema->name);
	return STATUS_INVALID;
}

/* Brings the file to the schema's version, or says why not. */
enum status
db_bring_up(const struct db *db, bool may_migrate, mode_t mode)
{
	int version = 0;
	enum status status = identify(db, SQLITE_OPEN_READWRITE, &version);
	if (status != STATUS_OK || version == db->schema->version)
		return status;
	if (may_migrate)
		return migrate(db, mode);
	log_event(LOG_LEVEL_ERROR, "%s: is of version %d and must be migrated to %d first", db->path, version,
	    db->schema->version);
	return STATUS_INVALID;
}

/* Where the file must be, and be a plain one. */
enum status
db_look(const char *path, mode_t *mode)
{
	struct stat st;
	if (stat(path, &st) != 0 && errno == ENOENT)
		return STATUS_MISSING;
	if (stat(path, &st) != 0) {
		log_event(LOG_LEVEL_ERROR, "%s: %s", path, strerror(errno));
		return STATUS_INVALID;
	}
	if (!S_ISREG(st.st_mode)) {
		log_event(LOG_LEVEL_ERROR, "%s: is no file that can be opened", path);
		return STATUS_INVALID;
	}
	*mode = st.st_mode & 0777;
	return STATUS_OK;
}

/* --- copies ----------------------------------------------------------------------------------- */

enum { COPY_PAGES = 256 /* at a time: a megabyte */ };

/* SQLite's own backup, in slices. */
static int
copy_pages(sqlite3 *from, sqlite3 *to, db_told *told, void *context)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int code = backup == NULL ? sqlite3_extended_errcode(to) : SQLITE_OK;
	while (code == SQLITE_OK) {
		code = sqlite3_backup_step(backup, COPY_PAGES);
		int all = sqlite3_backup_pagecount(backup);
		if (told != NULL)
			told(context, all - sqlite3_backup_remaining(backup), all);
	}
	int end = sqlite3_backup_finish(backup);
	return code == SQLITE_DONE ? end : code;
}

/*
 * A copy that is whole in the one file, and sound.  The snapshot is held from the first slice to the
 * last: without it every write of a busy site would begin the backup anew.
 */
static enum status
copy_out(const struct db *db, sqlite3 *from, sqlite3 *to, db_told *told, void *context)
{
	struct arena arena;
	struct str complaint = STR_NONE;
	int64_t version;
	int code = db_run(from, "BEGIN");
	if (code == SQLITE_OK)
		code = db_run_integer(from, "PRAGMA user_version", &version);
	if (code == SQLITE_OK)
		code = copy_pages(from, to, told, context);
	if (code == SQLITE_OK)
		code = db_run(to, "PRAGMA journal_mode = DELETE");
	/* What is full is where the copy goes. */
	struct db there = {.path = (char *)(uintptr_t)sqlite3_db_filename(to, "main"), .schema = db->schema};
	if (code != SQLITE_OK)
		return db_judge((code & 0xff) == SQLITE_FULL ? &there : db, "backup", code);
	arena_init(&arena, 1 << 20);
	enum status status = db_first_complaint(db, to, "SELECT integrity_check FROM pragma_integrity_check(1)", &arena, &complaint);
	if (status == STATUS_OK && complaint.at != NULL) {
		log_event(LOG_LEVEL_ERROR, "%s: is damaged: %.*s", db->path, STR_FMT(complaint));
		status = STATUS_BROKEN;
	}
	arena_free(&arena);
	return status;
}

/* A backup may lie where nobody writes; a database in use needs its -shm, which is written. */
static int
flags_for(const char *path)
{
	return access(path, W_OK) == 0 ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
}

/* Makes "<to>.new" and gives it its name when it is whole. */
static enum status
copy_file(const struct db *db, const char *to, mode_t mode, db_told *told, void *context)
{
	sqlite3 *source = NULL, *target = NULL;
	char *fresh = path_with(to, ".new");
	enum status status = fresh == NULL ? STATUS_BUSY : STATUS_OK;
	if (status == STATUS_OK) {
		remove_database(fresh);
		status = make_empty(fresh, mode);
	}
	if (status == STATUS_OK)
		status = db_sqlite_open_with(db, db->path, flags_for(db->path), &source);
	if (status == STATUS_OK)
		status = db_sqlite_open(db, fresh, &target);
	if (status == STATUS_OK)
		status = copy_out(db, source, target, told, context);
	sqlite3_close(target);
	sqlite3_close(source);
	if (status == STATUS_OK)
		status = put_in_place(fresh, to);
	if (fresh != NULL)
		remove_database(fresh);
	free(fresh);
	return status;
}

enum status
db_version(const char *path, const struct db_schema *schema, int *version)
{
	mode_t mode;
	struct db db = {.schema = schema, .turnstile = -1};
	db_configure();
	enum status status = db_look(path, &mode);
	if (status != STATUS_OK)
		return status;
	db.path = path_with(path, "");
	status = db.path == NULL ? STATUS_BUSY : identify(&db, flags_for(path), version);
	free(db.path);
	return status;
}

enum status
db_copy(const char *from, const char *to, const struct db_schema *schema, unsigned mode, db_told *told, void *context)
{
	int version;
	mode_t found;
	/* Only what needs no turnstile is used of it: nobody is kept from writing. */
	struct db db = {.schema = schema, .turnstile = -1};
	db_configure();
	if (is_there(to))
		return STATUS_CONFLICT;
	enum status status = db_look(from, &found);
	if (status != STATUS_OK)
		return status;
	db.path = path_with(from, "");
	status = db.path == NULL ? STATUS_BUSY : identify(&db, flags_for(from), &version);
	if (status == STATUS_OK)
		status = copy_file(&db, to, (mode_t)mode, told, context);
	free(db.path);
	return status;
}

/*
 * The numbers that `db` has given, or may have given since the copy was made, are never given again.
 * A table that has given none has no row yet in one of the two.
 */
static int
raise_numbers(sqlite3 *copy, const char *live, int64_t gap)
{
	char *attach = sqlite3_mprintf("ATTACH %Q AS live", live);
	char *raise = sqlite3_mprintf(
	    "UPDATE sqlite_sequence SET seq = %lld + max(seq, ifnull((SELECT l.seq FROM live.sqlite_sequence AS l"
	    " WHERE l.name = sqlite_sequence.name), 0))", (long long)gap);
	int code = attach == NULL || raise == NULL ? SQLITE_NOMEM : db_run(copy, attach);
	if (code == SQLITE_OK)
		code = db_run(copy, "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM live.sqlite_sequence AS l"
		    " WHERE NOT EXISTS (SELECT 1 FROM main.sqlite_sequence AS c WHERE c.name = l.name)");
	if (code == SQLITE_OK)
		code = db_run(copy, raise);
	if (code == SQLITE_OK)
		code = db_run(copy, "DETACH live");
	sqlite3_free(attach);
	sqlite3_free(raise);
	return code;
}

static enum status
replace_locked(const struct db *db, const char *from, int64_t gap, db_told *told, void *context)
{
	sqlite3 *copy = NULL, *live = NULL;
	enum status status = db_sqlite_open(db, from, &copy);
	if (status == STATUS_OK) {
		sqlite3_db_config(copy, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL); /* sqlite_sequence is SQLite's own */
		status = db_sqlite_open_as(db, db->path, ROLE_KEEPER, &live);
	}
	if (status == STATUS_OK)
		status = db_judge(db, "restore", raise_numbers(copy, db->path, gap));
	if (status == STATUS_OK)
		status = db_judge(db, "restore", copy_pages(copy, live, told, context));
	if (status == STATUS_OK)
		status = db_judge(db, "restore", db_run(live, "PRAGMA wal_checkpoint(TRUNCATE)"));
	sqlite3_close(copy);
	sqlite3_close(live);
	return status;
}

enum status
db_replace(struct db *db, const char *from, int64_t gap, db_told *told, void *context)
{
	int version;
	struct db other = {.schema = db->schema, .turnstile = -1, .path = path_with(from, "")};
	struct timespec deadline = db_deadline();
	enum status status = other.path == NULL ? STATUS_BUSY : identify(&other, SQLITE_OPEN_READWRITE, &version);
	free(other.path);
	if (status == STATUS_OK && version != db->schema->version)
		status = STATUS_INVALID;
	if (status == STATUS_OK)
		status = db_turnstile_take(db->path, db->turnstile, &deadline);
	if (status != STATUS_OK)
		return status;
	status = replace_locked(db, from, gap, told, context);
	db_turnstile_leave(db->turnstile);
	return status;
}
