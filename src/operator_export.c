/*
 * operator_export.c - `rejoinder export`: all that is stored as lines of JSON; their form stands in rejoinder(1).
 *
 * What is written is of the moment when its step of some rows is read: no snapshot is held for
 * longer, so that a busy site's WAL does not grow meanwhile.
 */
#include "operator.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "door.h"
#include "page/export_head_json.h"
#include "page/export_page_json.h"
#include "page/export_reply_json.h"
#include "secret.h"
#include "sql/rejoinder/export.h"
#include "version.h"
#include "when.h"

/* A step of the longest replies that comment_most lets in, with their JSON, fits. */
enum { ARENA_MOST = 256 * 1024 * 1024, STEP = 10, FORMAT = 1 };

struct export {
	const struct door *door;
	struct arena arena; /* of a step */
	struct out out;
	bool addresses;
	struct secret_key secret, former;
	struct secret_opener opener;
	int64_t sealed; /* addresses that the key does not open */
};

/* Writes what a step has made; the next begins with nothing. */
static enum status
flush_step(struct export *export)
{
	enum status status = out_status(&export->out);
	struct str text = out_str(&export->out);
	if (status == STATUS_OK && fwrite(text.at, 1, text.len, stdout) != text.len)
		status = STATUS_BUSY;
	arena_reset(&export->arena);
	out_init(&export->out, &export->arena);
	return status;
}

static struct str
time_or_none(struct export *export, struct db_integer seconds)
{
	return seconds.set ? when_rfc3339(&export->arena, seconds.value) : STR_NONE;
}

static struct str
open_box(struct export *export, char purpose, struct str sealed)
{
	struct str plain;
	if (!export->addresses || sealed.len == 0)
		return STR_NONE;
	if (secret_open_next(&export->opener, &export->arena, purpose, sealed, &plain) == STATUS_OK)
		return plain;
	export->sealed++;
	return STR_NONE;
}

static void
write_reply(struct export *export, const struct export_replies_row *row)
{
	struct arena *arena = &export->arena;
	struct page_export_reply_json page = {
	    .site = row->site,
	    .id = str_format(arena, "%lld", (long long)row->id),
	    .page = row->page,
	    .parent_id = row->parent_id.set ? str_format(arena, "%lld", (long long)row->parent_id.value) : STR_NONE,
	    .state = row->state,
	    .name = row->name,
	    .website = row->website,
	    .comment = row->comment,
	    .by_moderator = row->by_moderator != 0,
	    .created_at = when_rfc3339(arena, row->created_at),
	    .edited_at = time_or_none(export, row->edited_at),
	    .decided_at = time_or_none(export, row->decided_at),
	    .published_at = time_or_none(export, row->published_at),
	    .addresses = export->addresses,
	    .email = open_box(export, SECRET_EMAIL, row->email_sealed),
	    .network = open_box(export, SECRET_NETWORK, row->network_sealed),
	};
	page_export_reply_json(&export->out, words_default(), &page);
}

static enum status
write_replies(struct export *export, int64_t *after, size_t *n)
{
	struct export_replies_row *rows;
	struct db_conn *conn;
	struct export_replies_in in = {.id = *after, .most = STEP};
	enum status status = db_read(export->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = export_replies(conn, &export->arena, &in, &rows, n);
	db_release(conn);
	for (size_t i = 0; status == STATUS_OK && i < *n; i++) {
		write_reply(export, &rows[i]);
		*after = rows[i].id;
	}
	return status == STATUS_OK ? flush_step(export) : status;
}

static enum status
write_pages(struct export *export, int64_t *after, size_t *n)
{
	struct export_pages_row *rows;
	struct db_conn *conn;
	struct export_pages_in in = {.id = *after, .most = STEP};
	enum status status = db_read(export->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = export_pages(conn, &export->arena, &in, &rows, n);
	db_release(conn);
	for (size_t i = 0; status == STATUS_OK && i < *n; i++) {
		struct page_export_page_json page = {
		    .site = rows[i].site, .page = rows[i].page, .title = rows[i].title, .closed = rows[i].closed != 0};
		page_export_page_json(&export->out, words_default(), &page);
		*after = rows[i].id;
	}
	return status == STATUS_OK ? flush_step(export) : status;
}

static enum status
write_all(struct export *export)
{
	int64_t page = 0, reply = 0;
	size_t n = 0;
	struct page_export_head_json head = {.format = FORMAT, .version = STR(VERSION),
	    .exported_at = when_rfc3339(&export->arena, (int64_t)time(NULL))};
	page_export_head_json(&export->out, words_default(), &head);
	enum status status = flush_step(export);
	do {
		if (status == STATUS_OK)
			status = write_pages(export, &page, &n);
	} while (status == STATUS_OK && n == STEP);
	do {
		if (status == STATUS_OK)
			status = write_replies(export, &reply, &n);
	} while (status == STATUS_OK && n == STEP);
	if (status == STATUS_OK && fflush(stdout) != 0)
		status = STATUS_BUSY;
	return status;
}

static int
export_with(struct export *export)
{
	arena_init(&export->arena, ARENA_MOST);
	out_init(&export->out, &export->arena);
	enum status status = write_all(export);
	arena_free(&export->arena);
	if (export->sealed > 0)
		fprintf(stderr, "rejoinder: %lld %s not sealed to this secret key, and null in what was printed\n",
		    (long long)export->sealed, operator_noun(export->sealed, "address is", "addresses are"));
	return status == STATUS_OK ? OPERATOR_DONE : operator_fail("the export ends before its end: the store could not be read, or the output not written");
}

int
operator_export(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	struct export export = {.door = &door, .addresses = argc == 2 && strcmp(argv[1], "--addresses") == 0};
	int result = OPERATOR_FAILED;
	bool has_former = false;
	if (argc != 1 && !export.addresses)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	if (export.addresses && (door_key(door.config->secret_key, 0600, &export.secret) != STATUS_OK ||
	                            door_former_key(door.config, &export.former, &has_former) != STATUS_OK))
		operator_fail("--addresses needs the secret key: run it as the moderators' user");
	else {
		export.opener = (struct secret_opener){.secret = &export.secret, .former = has_former ? &export.former : NULL};
		result = export_with(&export);
	}
	secret_wipe(&export.secret, sizeof export.secret);
	secret_wipe(&export.former, sizeof export.former);
	secret_wipe(&export.opener, sizeof export.opener);
	door_close(&door);
	return result;
}
