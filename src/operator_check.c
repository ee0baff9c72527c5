/*
 * operator_check.c - `rejoinder check`: is all as it must be?  A line a finding, each with what to do.
 */
#include "operator.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "door.h"
#include "operator_findings.h"
#include "reply.h"
#include "secret.h"
#include "sql/moderators/database.h"
#include "sql/rejoinder/database.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/reply.h"

/* A step of the longest replies that comment_most lets in fits. */
enum { ARENA_MOST = 256 * 1024 * 1024, STEP = 50, LINE_MOST = 16 * 1024 /* bytes of a finding; the rest is cut */ };

/* Pages, files' names and failures are whatever whoever writes the store has written. */
static void __attribute__((format(printf, 2, 0)))
say(const char *kind, const char *format, va_list args)
{
	char line[LINE_MOST];
	vsnprintf(line, sizeof line, format, args);
	fputs(kind, stdout);
	operator_put(stdout, str_from(line));
	putchar('\n');
}

void
operator_find(struct findings *findings, bool good, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(good ? "ok       " : "mend     ", format, args);
	va_end(args);
	findings->complaints += good ? 0 : 1;
}

void
operator_note(struct findings *findings, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("note     ", format, args);
	va_end(args);
	findings->notes++;
}

static void
check_store(struct findings *findings, struct door *door)
{
	struct str complaint = STR_NONE;
	enum status status = db_check(door->db, &door->arena, &complaint);
	if (status != STATUS_OK)
		operator_find(findings, false, "the database cannot be checked");
	else
		operator_find(findings, complaint.at == NULL, "database: %.*s",
		    complaint.at == NULL ? 17 : (int)complaint.len, complaint.at == NULL ? "sound in its form" : complaint.at);
}

static bool
content_fits(const struct door *door, const struct reply_contents_row *row)
{
	uint8_t hash[SECRET_HASH];
	struct reply_content content = {row->thread_id, row->parent_id, row->name, row->website, row->comment,
	    row->email_sealed, row->network_sealed};
	reply_content_hash(&door->matching, &content, hash);
	return row->content_hash.len == SECRET_HASH && secret_same(hash, row->content_hash.at, SECRET_HASH);
}

static enum status
read_contents(const struct door *door, struct arena *arena, int64_t after, struct reply_contents_row **rows, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = reply_contents(conn, arena, &(struct reply_contents_in){.id = after, .most = STEP}, rows, n);
	db_release(conn);
	return status;
}

static void
look_at_reply(struct findings *findings, const struct door *door, const struct reply_contents_row *row,
    struct operator_boxes *boxes, struct arena *arena)
{
	if (!content_fits(door, row))
		operator_find(findings, false, "reply %lld is not as it was stored", (long long)row->id);
	operator_boxes_look(boxes, arena, SECRET_EMAIL, row->email_sealed);
	operator_boxes_look(boxes, arena, SECRET_NETWORK, row->network_sealed);
}

/* Notices what a flipped byte or another hand has changed, which SQLite's own check does not. */
static void
check_contents(struct findings *findings, const struct door *door)
{
	struct arena arena;
	struct reply_contents_row *rows;
	size_t n = 0, all = 0;
	int64_t after = 0;
	enum status status;
	struct operator_boxes boxes;
	operator_boxes_begin(&boxes, door->config);
	arena_init(&arena, ARENA_MOST);
	do {
		arena_reset(&arena);
		status = read_contents(door, &arena, after, &rows, &n);
		for (size_t i = 0; status == STATUS_OK && i < n; i++) {
			after = rows[i].id;
			look_at_reply(findings, door, &rows[i], &boxes, &arena);
		}
		all += n;
	} while (status == STATUS_OK && n == STEP);
	arena_free(&arena);
	operator_find(findings, status == STATUS_OK, "%zu %s compared with %s", all,
	    operator_noun((int64_t)all, "reply", "replies"), operator_noun((int64_t)all, "its hash", "their hashes"));
	operator_boxes_end(&boxes, findings);
}

static void
check_lag(struct findings *findings, struct door *door)
{
	enum { NAMED = 20 };
	struct publication_failing_row *failing;
	struct publication_lag_row lag;
	size_t n = 0;
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status == STATUS_OK) {
		status = publication_lag(conn, &door->arena, &lag);
		if (status == STATUS_OK)
			status = publication_failing(conn, &door->arena, &(struct publication_failing_in){.most = NAMED}, &failing, &n);
		db_release(conn);
	}
	if (status == STATUS_OK)
		operator_find(findings, lag.n == 0, "%lld %s behind the store%s", (long long)lag.n,
		    operator_noun(lag.n, "page lags", "pages lag"), lag.n == 0 ? "" : ": run rejoinder publish and look at what it says");
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		operator_find(findings, false, "page %lld of %.*s could not be written %lld %s: %.*s; the log says more",
		    (long long)failing[i].page_number, STR_FMT(failing[i].page), (long long)failing[i].tries,
		    operator_noun(failing[i].tries, "time", "times"),
		    STR_FMT(failing[i].failure));
}

/* Opening an older one would migrate it under the doors that run, which are of an older version, too. */
static enum status
check_version(struct findings *findings, const char *path, const struct db_schema *schema)
{
	int version = schema->version;
	/* Who may not read it is told so where it is opened. */
	enum status status = access(path, R_OK) == 0 ? db_version(path, schema, &version) : STATUS_MISSING;
	if (status == STATUS_OK && version < schema->version)
		operator_find(findings, false, "%s is of version %d, which these programs bring to %d when one starts, and keep "
		                               "a copy beside it: restart reader.fcgi and moderator.fcgi", path, version, schema->version);
	return status == STATUS_OK && version < schema->version ? STATUS_CONFLICT : status;
}

static enum status
check_versions(struct findings *findings, const struct config *config)
{
	enum status status = check_version(findings, config->database, &sql_rejoinder);
	enum status moderators = check_version(findings, config->moderators_database, &sql_moderators);
	return status == STATUS_OK || moderators == STATUS_CONFLICT ? moderators : status;
}

static void
check_open(struct findings *findings, const struct config *config, const char *path)
{
	struct door door;
	fflush(stdout);
	enum status status = check_versions(findings, config);
	if (status == STATUS_CONFLICT)
		return;
	if (status == STATUS_OK || status == STATUS_MISSING)
		status = operator_open(path, &door);
	if (status != STATUS_OK) {
		operator_find(findings, false, "reader.fcgi and moderator.fcgi would not start; standard error says why");
		return;
	}
	operator_check_store(findings, &door);
	check_store(findings, &door);
	check_contents(findings, &door);
	check_lag(findings, &door);
	operator_check_published(findings, &door);
	operator_check_log(findings, &door);
	door_close(&door);
}

static void
check_all(struct findings *findings, const struct config *config, const char *path)
{
	operator_find(findings, true, "%s", path);
	operator_check_modes(findings, config);
	operator_check_doors(findings, config);
	fflush(stdout);
	if (operator_drop(path) != STATUS_OK) {
		operator_find(findings, false, "all else is looked at as the moderators' user; standard error says why that cannot be");
		return;
	}
	operator_check_files(findings, config);
	check_open(findings, config, path);
}

static void
say_end(const struct findings *findings)
{
	const char *notes = operator_noun(findings->notes, "note", "notes"), *joint = findings->complaints == 0 ? ", with" : ", and";
	putchar('\n');
	for (int i = 0; findings->complaints == 0 && i < findings->silent_n; i++)
		printf("%s%s.fcgi", i == 0 ? "" : " and ", findings->silent[i]);
	if (findings->complaints > 0)
		printf("%d to mend", findings->complaints);
	else if (findings->silent_n > 0)
		printf(" %s not answer; all else is well", findings->silent_n == 1 ? "does" : "do");
	else
		fputs("All is well", stdout);
	if (findings->notes > 0)
		printf("%s %d %s", joint, findings->notes, notes);
	puts(".");
}

int
operator_check(const struct operator_command *command, const char *path, int argc, char **argv)
{
	struct findings findings = {0};
	struct config *config;
	struct arena arena;
	if (argc == 2 && strcmp(argv[1], "--accept-log") == 0)
		return operator_log_accept(path);
	if (argc != 1)
		return operator_misread(command, argc, argv);
	arena_init(&arena, ARENA_MOST);
	bool read = config_read(&arena, path, &config) == STATUS_OK;
	if (read)
		check_all(&findings, config, path);
	arena_free(&arena);
	if (!read)
		return operator_fail("the configuration cannot be used; the reason stands above");
	say_end(&findings);
	return findings.complaints == 0 ? OPERATOR_DONE : OPERATOR_FAILED;
}
