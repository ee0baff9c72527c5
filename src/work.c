#include "work.h"

#include "log.h"
#include "overview.h"
#include "retention.h"
#include "sql/rejoinder/work.h"
#include "when.h"

enum {
	WORK_ARENA = 256 * 1024 * 1024,
	CHECKPOINT_EVERY = 3600,
	FIRST_WAIT = 2 /* seconds until what failed is tried again */
};

/* One slice of a job: what it is about, and how far it is. */
struct slice {
	struct work_bench *bench;
	struct arena *arena;
	const struct config_site *site; /* NULL where it is of no site */
	int64_t site_id;                /* 0 there */
	int64_t cursor;                 /* where to go on; where to go on next time, 0 at the end */
};

/* --- the kinds ----------------------------------------------------------------------------------- */

static enum status
publication_waits(struct slice *slice)
{
	return publish_waits(&slice->bench->press, slice->arena, slice->bench->eager);
}

static enum status
publication_slice(struct slice *slice)
{
	return publish_lagging(&slice->bench->press, slice->bench->eager, &slice->cursor);
}

static enum status
overview_slice(struct slice *slice)
{
	return overview_write(&slice->bench->press, slice->arena, slice->site, slice->site_id);
}

static enum status
checkpoint_slice(struct slice *slice)
{
	return db_truncate(slice->bench->press.db);
}

/* Emptying the WAL is tried once: what somebody's reading holds up now, the next checkpoint does. */
static enum status
slice_of_retention(struct slice *slice)
{
	const struct publish_press *press = &slice->bench->press;
	bool more;
	enum status status = retention_slice(&press->config->keep, press->db, slice->bench->matching, slice->arena, press->now,
	    &more);
	slice->cursor = more ? 1 : 0;
	if (status != STATUS_OK || more)
		return status;
	status = db_truncate(press->db);
	return status == STATUS_BUSY ? STATUS_OK : status;
}

static const struct kind {
	struct str name;
	bool each_site;
	int64_t every; /* seconds from one end to the next due time; 0: only when asked, or when it waits */
	int64_t pause; /* seconds between two runs, however often it is asked for */
	enum status (*waits)(struct slice *slice); /* MISSING: there is nothing to do; or NULL: the row says it */
	enum status (*slice)(struct slice *slice);
} kinds[] = {
    {STR_INIT("publication"), false, 0, 0, publication_waits, publication_slice},
    {STR_INIT(OVERVIEW_JOB), true, OVERVIEW_EVERY, OVERVIEW_PAUSE, NULL, overview_slice},
    {STR_INIT("retention"), false, RETENTION_EVERY, RETENTION_EVERY, NULL, slice_of_retention},
    {STR_INIT("checkpoint"), false, CHECKPOINT_EVERY, CHECKPOINT_EVERY, NULL, checkpoint_slice},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* --- is it due, is it free? ---------------------------------------------------------------------- */

/* Has a time that may lie at most `most` seconds ahead come? */
static bool
has_come(int64_t time, int64_t now, int64_t most)
{
	return time <= now || time > now + most;
}

static int64_t
ahead_most(const struct kind *kind)
{
	int64_t most = kind->every > kind->pause ? kind->every : kind->pause;
	return most > WORK_PATIENCE ? most : WORK_PATIENCE;
}

static bool
is_free(const struct job_list_row *row, int64_t now)
{
	return has_come(row->lease_until, now, WORK_LEASE);
}

static bool
is_due(const struct work_bench *bench, const struct kind *kind, const struct job_list_row *row)
{
	int64_t now = bench->press.now;
	bool impatient = bench->eager && row->tries > 0;
	return row->due_at.set && (impatient || has_come(row->due_at.value, now, ahead_most(kind)));
}

/* --- the row ------------------------------------------------------------------------------------- */

/* What is noted of a job; `changed` is 0 when somebody else has a later lease. */
struct note {
	const struct kind *kind;
	const struct job_list_row *row;
	const struct slice *slice;
	enum status status; /* of the slice */
	int64_t turn, now, changed;
};

static enum status
ask(struct db_conn *conn, void *context)
{
	const struct note *note = context;
	struct job_ask_in in = {.kind = note->kind->name, .site_id = note->slice->site_id, .now = note->now,
	    .pause = note->kind->pause};
	return job_ask(conn, &in, NULL);
}

static enum status
take(struct db_conn *conn, void *context)
{
	struct note *note = context;
	struct job_take_in in = {.kind = note->kind->name, .site_id = note->row->site_id, .turn = note->row->turn,
	    .lease_until = note->now + WORK_LEASE, .lease_by = note->slice->bench->who};
	return job_take(conn, &in, &note->changed);
}

static enum status
note_failed(struct db_conn *conn, const struct note *note)
{
	struct job_failed_in in = {.kind = note->kind->name, .site_id = note->row->site_id, .turn = note->turn,
	    .failure = str_from(status_name(note->status)), .due_at = {true, note->now + when_again(note->row->tries, FIRST_WAIT, WORK_PATIENCE)}};
	return job_failed(conn, &in, NULL);
}

static enum status
note_step(struct db_conn *conn, const struct note *note)
{
	/* The lease is given back with each slice: whoever has time goes on. */
	struct job_step_in in = {.kind = note->kind->name, .site_id = note->row->site_id, .turn = note->turn,
	    .cursor = note->slice->cursor};
	return job_step(conn, &in, NULL);
}

static enum status
note_done(struct db_conn *conn, const struct note *note)
{
	struct job_done_in in = {.kind = note->kind->name, .site_id = note->row->site_id, .turn = note->turn,
	    .asked = note->row->asked, .done_at = note->now, .soon = note->now + note->kind->pause};
	if (note->kind->every > 0)
		in.due_at = (struct db_integer){true, note->now + note->kind->every};
	return job_done(conn, &in, NULL);
}

static enum status
note_slice(struct db_conn *conn, void *context)
{
	const struct note *note = context;
	if (note->status != STATUS_OK)
		return note_failed(conn, note);
	return note->slice->cursor != 0 ? note_step(conn, note) : note_done(conn, note);
}

/* --- one job --------------------------------------------------------------------------------------- */

static struct str
site_name(const struct slice *slice)
{
	return slice->site == NULL ? STR("") : slice->site->name;
}

/* Takes the lease, does the slice, and notes it.  *done stays as it was when somebody else was first. */
static enum status
do_slice(struct slice *slice, const struct kind *kind, const struct job_list_row *row, size_t *done)
{
	struct work_bench *bench = slice->bench;
	struct db *db = bench->press.db;
	struct note note = {.kind = kind, .row = row, .slice = slice, .turn = row->turn + 1, .now = bench->press.now};
	enum status status = db_write(db, take, &note);
	if (status != STATUS_OK || note.changed == 0)
		return status;
	slice->cursor = row->cursor;
	note.status = kind->slice(slice);
	note.now = bench->read_clock();
	status = db_write(db, note_slice, &note);
	++*done;
	if (note.status != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "work: %.*s%s%.*s: %s, tried %lld times", STR_FMT(kind->name),
		    slice->site == NULL ? "" : " of ", STR_FMT(site_name(slice)), status_name(note.status),
		    (long long)row->tries + 1);
	if (bench->progress != NULL)
		bench->progress(kind->name, site_name(slice), note.status);
	return note.status == STATUS_OK ? status : note.status;
}

/* The row of the slice's job, which is made where there is none yet. */
static enum status
find_row(struct slice *slice, const struct kind *kind, struct job_list_row *row)
{
	struct job_list_row *rows;
	struct db_conn *conn;
	size_t n;
	enum status status = db_read(slice->bench->press.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = job_list(conn, slice->arena, &(struct job_list_in){.kind = kind->name}, &rows, &n);
	db_release(conn);
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		if (rows[i].site_id != slice->site_id)
			continue;
		*row = rows[i];
		return STATUS_OK;
	}
	return status == STATUS_OK ? STATUS_MISSING : status;
}

static enum status
have_row(struct slice *slice, const struct kind *kind, struct job_list_row *row)
{
	enum status status = find_row(slice, kind, row);
	struct note note = {.kind = kind, .slice = slice, .now = slice->bench->press.now};
	if (status != STATUS_MISSING)
		return status;
	status = db_write(slice->bench->press.db, ask, &note);
	return status == STATUS_OK ? find_row(slice, kind, row) : status;
}

static enum status
do_job(struct slice *slice, const struct kind *kind, size_t *done)
{
	struct job_list_row row;
	slice->bench->press.now = slice->bench->read_clock();
	enum status status = kind->waits == NULL ? STATUS_OK : kind->waits(slice);
	if (status == STATUS_MISSING)
		return STATUS_OK;
	if (status == STATUS_OK)
		status = have_row(slice, kind, &row);
	if (status != STATUS_OK || !is_free(&row, slice->bench->press.now))
		return status;
	bool due = kind->waits != NULL || is_due(slice->bench, kind, &row);
	return due ? do_slice(slice, kind, &row, done) : STATUS_OK;
}

/* --- all jobs -------------------------------------------------------------------------------------- */

typedef enum status for_job(struct slice *slice, const struct kind *kind, void *context);

/* Calls `visit` for each job there is; goes on behind one that fails, whose status it returns. */
static enum status
each_job(struct work_bench *bench, for_job *visit, void *context)
{
	struct arena arena;
	enum status worst = STATUS_OK;
	arena_init(&arena, WORK_ARENA);
	for (size_t k = 0; k < KINDS; k++) {
		size_t sites = kinds[k].each_site ? bench->press.config->sites_n : 1;
		for (size_t i = 0; i < sites; i++) {
			struct slice slice = {.bench = bench, .arena = &arena};
			if (kinds[k].each_site) {
				slice.site = &bench->press.config->sites[i];
				slice.site_id = bench->site_ids[i];
			}
			enum status status = visit(&slice, &kinds[k], context);
			worst = status == STATUS_OK ? worst : status;
			arena_reset(&arena);
		}
	}
	arena_free(&arena);
	return worst;
}

static enum status
visit_round(struct slice *slice, const struct kind *kind, void *context)
{
	return do_job(slice, kind, context);
}

enum status
work_round(struct work_bench *bench, size_t *done)
{
	*done = 0;
	return each_job(bench, visit_round, done);
}

static enum status
visit_next(struct slice *slice, const struct kind *kind, void *context)
{
	struct job_list_row row;
	int64_t *due_at = context, now = slice->bench->press.now;
	if (kind->waits != NULL)
		return STATUS_OK;
	enum status status = find_row(slice, kind, &row);
	if (status == STATUS_OK && row.due_at.set && row.due_at.value > now && row.due_at.value <= now + WORK_SOON &&
	    row.due_at.value < *due_at)
		*due_at = row.due_at.value;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

enum status
work_next(struct work_bench *bench, int64_t *due_at)
{
	*due_at = INT64_MAX;
	bench->press.now = bench->read_clock();
	enum status status = each_job(bench, visit_next, due_at);
	return status == STATUS_OK && *due_at == INT64_MAX ? STATUS_MISSING : status;
}
