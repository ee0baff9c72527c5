/*
 * operator_backup.c - `rejoinder backup` and `restore`: a copy of the store as one file, and back.
 */
#include "operator.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "erase.h"
#include "file.h"
#include "sql/rejoinder/check.h"
#include "sql/rejoinder/database.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"

enum {
	ARENA_MOST = 64 * 1024 * 1024,
	STEP = 500,
	/*
	 * Numbers of replies that are left out after a restore.  Receipts are derived from them, and
	 * those given after the backup was made are nowhere any more where the store was lost.
	 */
	GAP = 1000000
};

/* --- backup ---------------------------------------------------------------------------------------- */

struct backup {
	const char *config, *file;
	int to; /* a descriptor, when the copy is made by another user than whose FILE is */
};

static enum status
copy_store(const struct config *config, const char *to)
{
	return db_copy(config->database, to, &sql_rejoinder, 0600, operator_progress, &(struct operator_work){"Copied"});
}

static enum status
pour_file(const char *from, int to)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		perror(from);
		return STATUS_BROKEN;
	}
	enum status status = file_pour(fd, to);
	close(fd);
	return status;
}

/* SQLite wants a path, so the copy is made beside the store and poured from there. */
static enum status
copy_and_pour(const struct config *config, const char *made, int to)
{
	unlink(made); /* of a backup that was interrupted */
	enum status status = copy_store(config, made);
	if (status == STATUS_OK)
		status = pour_file(made, to);
	unlink(made);
	return status;
}

/* One at a time, since all copies have the same name: a second one would take away what the first is about to pour. */
static int
make_and_pour(void *context)
{
	const struct backup *backup = context;
	struct arena arena;
	struct config *config;
	struct file_lock lock;
	arena_init(&arena, ARENA_MOST);
	enum status status = config_read(&arena, backup->config, &config);
	const char *beside = status == STATUS_OK ? str_format(&arena, "%s.backup", config->moderators_database).at : NULL;
	const char *made = status == STATUS_OK ? str_format(&arena, "%s.backup", config->database).at : NULL;
	if (status == STATUS_OK)
		status = beside == NULL || made == NULL ? STATUS_BROKEN : file_lock(beside, 0, &lock);
	if (status == STATUS_OK) {
		status = copy_and_pour(config, made, backup->to);
		file_unlock(&lock);
	}
	arena_free(&arena);
	return status == STATUS_OK ? OPERATOR_DONE : OPERATOR_FAILED;
}

/* FILE may be where root alone comes: it is opened by root, who goes no nearer to the store than that. */
static enum status
back_up_apart(struct backup *backup)
{
	struct file_draft draft;
	enum status status = file_draft_begin(backup->file, 0600, &draft);
	if (status != STATUS_OK) {
		if (status == STATUS_MISSING)
			fprintf(stderr, "rejoinder: %s: %s\n", backup->file, strerror(ENOENT));
		return status;
	}
	backup->to = draft.fd;
	if (operator_apart(backup->config, make_and_pour, backup) == OPERATOR_DONE)
		return file_draft_keep(&draft, false);
	file_draft_drop(&draft);
	return STATUS_BROKEN;
}

static enum status
back_up(struct backup *backup)
{
	struct arena arena;
	struct config *config;
	bool must;
	enum status status = operator_must_drop(backup->config, &must);
	if (status != STATUS_OK || must)
		return status == STATUS_OK ? back_up_apart(backup) : status;
	arena_init(&arena, ARENA_MOST);
	status = config_read(&arena, backup->config, &config);
	if (status == STATUS_OK)
		status = copy_store(config, backup->file);
	arena_free(&arena);
	return status;
}

static bool
has_folder(const char *file)
{
	char folder[PATH_MAX];
	struct stat info;
	snprintf(folder, sizeof folder, "%s", file);
	char *slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return true;
	*slash = '\0';
	if (stat(folder, &info) == 0 && S_ISDIR(info.st_mode))
		return true;
	fprintf(stderr, "rejoinder: no backup was made: the folder %s: %s\n", folder, strerror(stat(folder, &info) == 0 ? ENOTDIR : errno));
	return false;
}

/* The copy is made as FILE.new: one of an interrupted backup begins as a database, or with nothing yet. */
static bool
is_free(const char *file)
{
	static const char begin[] = "SQLite format 3", nothing[sizeof begin];
	char fresh[PATH_MAX], head[sizeof begin];
	struct stat info;
	if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", file) >= sizeof fresh || lstat(fresh, &info) != 0)
		return true;
	int fd = S_ISREG(info.st_mode) ? open(fresh, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
	if (fd >= 0)
		close(fd);
	if (n == 0 || (n == sizeof head && (memcmp(head, begin, sizeof head) == 0 || memcmp(head, nothing, sizeof head) == 0)))
		return true;
	fprintf(stderr, "rejoinder: no backup was made: %s is in the way, for the copy has that name until it is whole\n", fresh);
	return false;
}

int
operator_backup(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct stat info;
	if (argc != 2 || argv[1][0] == '-')
		return operator_misread(command, argc, argv);
	if (lstat(argv[1], &info) == 0)
		return operator_fail("there is a file of that name already; backup overwrites none: give another name");
	if (!has_folder(argv[1]) || !is_free(argv[1]))
		return OPERATOR_FAILED;
	if (back_up(&(struct backup){.config = config, .file = argv[1], .to = -1}) != STATUS_OK)
		return operator_fail("no backup was made; the reason stands above");
	printf("Backup: %s\n"
	       "Keep beside it, elsewhere than on this machine: rejoinder.conf, the secret key, the log's, receipts' and matching\n"
	       "keys, and moderators.db; WHAT TO KEEP in rejoinder(1) says what is lost without each.\n", argv[1]);
	return stat(argv[1], &info) == 0 ? OPERATOR_DONE : OPERATOR_FAILED;
}

/* --- restore --------------------------------------------------------------------------------------- */

/* A page that had replies and has none in the backup: its files must become those of an empty thread. */
struct emptying {
	struct arena *arena;
	int64_t site_id;
	const struct thread_pages_row *threads;
	size_t n;
};

static enum status
begin_threads(struct db_conn *conn, void *context)
{
	struct emptying *emptying = context;
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < emptying->n; i++) {
		const struct thread_pages_row *thread = &emptying->threads[i];
		struct thread_find_row found;
		struct thread_add_row added;
		status = thread_find(conn, emptying->arena,
		    &(struct thread_find_in){.site_id = emptying->site_id, .page = thread->page}, &found);
		if (status == STATUS_MISSING)
			status = thread_add(conn, emptying->arena,
			    &(struct thread_add_in){.site_id = emptying->site_id, .page = thread->page, .title = thread->title},
			    &added);
	}
	return status;
}

static enum status
read_threads(struct db *db, struct arena *arena, int64_t site_id, int64_t after, struct thread_pages_row **rows, size_t *n)
{
	struct db_conn *conn;
	struct thread_pages_in in = {.site_id = site_id, .id = after, .most = STEP};
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = thread_pages(conn, arena, &in, rows, n);
	db_release(conn);
	return status;
}

static enum status
find_site(struct db *db, struct arena *arena, struct str name, int64_t *id)
{
	struct site_find_row row;
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = site_find(conn, arena, &(struct site_find_in){.name = name}, &row);
	db_release(conn);
	*id = status == STATUS_OK ? row.id : 0;
	return status;
}

/* The threads of one site that the store has and the backup has not. */
static enum status
keep_threads(const struct door *door, struct db *backup, const struct door_site *site)
{
	struct arena arena;
	struct thread_pages_row *rows;
	struct emptying emptying = {.arena = &arena};
	int64_t after = 0;
	arena_init(&arena, ARENA_MOST);
	enum status status = find_site(backup, &arena, site->config->name, &emptying.site_id);
	if (status == STATUS_MISSING) {
		fprintf(stderr, "rejoinder: the backup knows no site %.*s; what that site shows now is left as it is\n",
		    STR_FMT(site->config->name));
		arena_free(&arena);
		return STATUS_OK;
	}
	do {
		if (status == STATUS_OK)
			status = read_threads(door->db, &arena, site->id, after, &rows, &emptying.n);
		if (status != STATUS_OK || emptying.n == 0)
			break;
		emptying.threads = rows;
		after = rows[emptying.n - 1].id;
		status = db_write(backup, begin_threads, &emptying);
		arena_reset(&arena);
	} while (emptying.n == STEP);
	arena_free(&arena);
	return status;
}

/* What a restore did, for people. */
struct restored {
	int64_t replies; /* put back */
	int64_t gone;    /* that came since the backup was made */
	int64_t erased;  /* of those put back: withdrawn or erased since, so without words */
};

static enum status
count_behind(struct db *db, struct arena *arena, int64_t id, struct check_behind_row *row)
{
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = check_behind(conn, arena, &(struct check_behind_in){.id = id}, row);
	db_release(conn);
	return status;
}

static enum status
count_replies(struct door *door, struct db *backup, struct restored *restored)
{
	struct check_behind_row kept, since;
	enum status status = count_behind(backup, &door->arena, 0, &kept);
	if (status == STATUS_OK)
		status = count_behind(door->db, &door->arena, kept.newest.set ? kept.newest.value : 0, &since);
	if (status != STATUS_OK)
		return status;
	restored->replies = kept.n;
	restored->gone = since.n;
	return STATUS_OK;
}

/* No door runs now; one that is started later reads the numbers anew. */
static enum status
require_no_door(struct door *door)
{
	const char *path;
	struct file_lock claim;
	enum status status = door_attendance(&door->arena, door->config, door->config->sealing_key, &path);
	if (status == STATUS_OK)
		status = file_claim(path, &claim);
	if (status == STATUS_OK)
		file_unlock(&claim);
	else if (status == STATUS_CONFLICT)
		fputs("rejoinder: the backup numbers the sites otherwise than this store, and a running program would take one for "
		      "another: stop reader.fcgi and moderator.fcgi, restore, and start them again\n", stderr);
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
add_site(struct db_conn *conn, void *context)
{
	return site_add(conn, &(struct site_add_in){.name = *(struct str *)context}, NULL);
}

/* A door knows its sites by numbers that it read when it was started: in the copy they must be the same. */
static enum status
check_numbers(struct door *door, struct db *backup)
{
	enum status status = STATUS_OK;
	bool same = true;
	for (size_t i = 0; status == STATUS_OK && i < door->config->sites_n; i++) {
		struct str name = door->sites[i].config->name;
		int64_t id;
		status = db_write(backup, add_site, &name);
		if (status == STATUS_OK)
			status = find_site(backup, &door->arena, name, &id);
		if (status == STATUS_OK && id != door->sites[i].id)
			same = false;
	}
	return status != STATUS_OK || same ? status : require_no_door(door);
}

/* Brings the copy to this version, and to what must not come back or be forgotten. */
static enum status
prepare(struct door *door, const char *copy, struct restored *restored)
{
	struct db *backup;
	enum status status = db_open(copy, &sql_rejoinder, true, &backup);
	if (status == STATUS_OK)
		status = count_replies(door, backup, restored);
	for (size_t i = 0; status == STATUS_OK && i < door->config->sites_n; i++)
		status = keep_threads(door, backup, &door->sites[i]);
	if (status == STATUS_OK)
		status = check_numbers(door, backup);
	if (status == STATUS_OK)
		status = erase_again(door->db, backup, &door->matching, (int64_t)time(NULL), &restored->erased);
	if (backup != NULL && status == STATUS_OK)
		status = db_truncate(backup);
	db_close(backup);
	return status;
}

/* What is put back. */
struct source {
	const char *path;
	int file, wal; /* opened, or -1 */
	bool apart;    /* opened by root for another user, who may not come there */
};
#define RAW "-raw" /* behind the name of the copy: FILE as it is */

static void
remove_file(struct str path)
{
	if (path.at != NULL)
		unlink(path.at);
}

/* The copy, and what db_open left beside it: of an older version what it was before. */
static void
remove_copy(struct arena *arena, const char *copy)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".turn", RAW, RAW "-wal", RAW "-shm"};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		remove_file(str_format(arena, "%s%s", copy, ends[i]));
	for (int version = 1; version < sql_rejoinder.version; version++)
		remove_file(str_format(arena, "%s.v%d", copy, version));
}

/* FILE may be where only root can read it, so it is open already; SQLite wants a path, and its WAL beside it. */
static enum status
take_in(struct door *door, const struct source *source, const char *copy, const char **raw)
{
	static const char *const suffixes[] = {RAW, RAW "-wal"};
	const int from[] = {source->file, source->wal};
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < 2; i++) {
		const char *path = str_format(&door->arena, "%s%s", copy, suffixes[i]).at;
		int fd = path == NULL || from[i] < 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (from[i] >= 0 && fd < 0)
			perror(path);
		*raw = i == 0 ? path : *raw;
		if (from[i] >= 0)
			status = fd < 0 ? STATUS_BUSY : file_pour(from[i], fd);
		if (fd >= 0)
			close(fd);
	}
	return status;
}

static enum status
put_back(struct door *door, const struct source *source, struct restored *restored)
{
	const char *file = source->path;
	struct str copy = str_format(&door->arena, "%s.restore", door->config->database);
	if (copy.at == NULL)
		return STATUS_BROKEN;
	remove_copy(&door->arena, copy.at);
	enum status status = !source->apart ? STATUS_OK : take_in(door, source, copy.at, &file);
	if (status == STATUS_OK)
		status = db_copy(file, copy.at, &sql_rejoinder, 0600, operator_progress, &(struct operator_work){"Read"});
	if (status == STATUS_OK)
		status = prepare(door, copy.at, restored);
	if (status == STATUS_OK)
		status = db_replace(door->db, copy.at, GAP, operator_progress,
		    &(struct operator_work){"Restored"});
	remove_copy(&door->arena, copy.at);
	return status;
}

/* Files of the moment before are of no use: all are made anew from what is in the store now. */
static int
publish_restored(const char *config)
{
	struct door door;
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	operator_log_restored(&door);
	enum status status = operator_publish_all(&door);
	door_close(&door);
	return status == STATUS_OK ? OPERATOR_DONE : OPERATOR_FAILED;
}

static void
say_restored(const struct restored *restored)
{
	printf("Put back: %lld %s. Gone, since they came after the backup: %lld.\n", (long long)restored->replies,
	    operator_noun(restored->replies, "reply", "replies"), (long long)restored->gone);
	if (restored->erased > 0)
		printf("Left out, since they were withdrawn or erased after the backup: %lld.\n", (long long)restored->erased);
	printf("The numbers of replies go on %d later, so that no old receipt opens a new reply.\n", GAP);
	puts("Restored and published.");
}

static int
say_no_backup(const char *path)
{
	fprintf(stderr, "rejoinder: %s is no backup of Rejoinder; nothing was changed\n", path);
	return OPERATOR_FAILED;
}

/* By whom it was typed; the WAL beside it is of use where another user does the rest. */
static bool
open_source(const char *config, struct source *source)
{
	char wal[PATH_MAX];
	struct stat info;
	if (operator_must_drop(config, &source->apart) != STATUS_OK)
		return false;
	source->file = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (source->file < 0) {
		fprintf(stderr, "rejoinder: %s: %s\n", source->path, strerror(errno));
		return false;
	}
	if (fstat(source->file, &info) != 0 || !S_ISREG(info.st_mode))
		return say_no_backup(source->path) == OPERATOR_DONE;
	if (source->apart && (size_t)snprintf(wal, sizeof wal, "%s-wal", source->path) < sizeof wal)
		source->wal = open(wal, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return true;
}

static void
close_source(struct source *source)
{
	if (source->file >= 0)
		close(source->file);
	if (source->wal >= 0)
		close(source->wal);
}

static int
restore_from(const char *config, const struct source *source)
{
	struct door door;
	struct restored restored = {0};
	if (operator_open(config, &door) != STATUS_OK)
		return operator_fail("there must be an installation to restore into: on a new machine put rejoinder.conf and "
		                     "the keys back first and run rejoinder init; a damaged database must be moved away first");
	bool known = operator_is_copy(source->file);
	enum status status = known ? put_back(&door, source, &restored) : STATUS_INVALID;
	door_close(&door);
	if (!known)
		return say_no_backup(source->path);
	if (status != STATUS_OK)
		return operator_fail("nothing was restored, and the store is as it was; the reason stands above");
	if (publish_restored(config) != OPERATOR_DONE)
		return operator_fail("the store is restored, but not all files could be written; run rejoinder publish --all");
	say_restored(&restored);
	return OPERATOR_DONE;
}

int
operator_restore(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct source source = {.path = argc == 2 ? argv[1] : NULL, .file = -1, .wal = -1};
	if (argc != 2 || argv[1][0] == '-')
		return operator_misread(command, argc, argv);
	int result = open_source(config, &source) ? restore_from(config, &source) : OPERATOR_FAILED;
	close_source(&source);
	return result;
}
