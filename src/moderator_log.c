/*
 * moderator_log.c - the log as a page: who did what, when, from where and why.
 */
#include "moderator_queue.h"
#include "moderator_visit.h"

#include "journal.h"
#include "page.h"
#include "page/log.h"
#include "sql/moderators/account.h"
#include "sql/rejoinder/log.h"
#include "sql/rejoinder/thread.h"
#include "verdict.h"
#include "when.h"

enum {
	ROWS = 100, /* on a page */
	DAY = 86400
};

/* What is looked for, as typed and as understood. */
struct sieve {
	struct str moderator, day, page, reply;
	struct str canonical; /* of `page` */
	int64_t reply_id;     /* 0: about any */
	int64_t since, until; /* seconds since 1970; 0: whenever */
	int64_t before;       /* ids below this one */
};

/* --- what is looked for ---------------------------------------------------------------------------------- */

/* Midnight on the site's clocks. */
static int64_t
midnight(const struct moderator_visit *visit, int64_t utc)
{
	const struct zone *zone = visit->site->config->zone;
	struct str name;
	int64_t guess = utc - zone_offset(zone, utc, &name);
	return utc - zone_offset(zone, guess, &name);
}

static enum status
read_day(const struct moderator_visit *visit, struct sieve *sieve)
{
	int64_t utc;
	if (sieve->day.len == 0)
		return STATUS_OK;
	if (sieve->day.len != 10 || when_read(sieve->day, &utc) != STATUS_OK)
		return STATUS_INVALID;
	sieve->since = midnight(visit, utc);
	sieve->until = midnight(visit, utc + DAY);
	return STATUS_OK;
}

/* INVALID for what cannot be looked for; the typed words are in the sieve all the same. */
static enum status
read_sieve(const struct moderator_visit *visit, const struct form *query, struct sieve *sieve)
{
	struct str before;
	*sieve = (struct sieve){.before = INT64_MAX};
	if (form_one(query, "moderator", &sieve->moderator) != STATUS_OK || form_one(query, "day", &sieve->day) != STATUS_OK ||
	    form_one(query, "page", &sieve->page) != STATUS_OK || form_one(query, "reply", &sieve->reply) != STATUS_OK ||
	    form_one(query, "before", &before) != STATUS_OK)
		return STATUS_INVALID;
	if (sieve->moderator.at == NULL)
		sieve->moderator = STR(""); /* NULL would equal nothing */
	bool good = before.len == 0 || str_integer(before, &sieve->before) == STATUS_OK;
	if (sieve->reply.len > 0)
		good = str_integer(str_trim(sieve->reply), &sieve->reply_id) == STATUS_OK && sieve->reply_id > 0 && good;
	if (sieve->page.len > 0)
		good = page_typed(visit->arena, visit->site->config, sieve->page, &sieve->canonical) == STATUS_OK && good;
	return read_day(visit, sieve) == STATUS_OK && good ? STATUS_OK : STATUS_INVALID;
}

/* --- finding the rows ------------------------------------------------------------------------------------ */

struct found {
	int64_t ids[ROWS + 1];
	size_t n;
};

/*
 * Times do not rise with ids where a clock was set back, or a slip says whatever it likes: so all from the first
 * to the last row of that time, which may be some too many, but never one too few.
 */
static enum status
limit_time(struct db_conn *conn, struct arena *arena, const struct sieve *sieve, int64_t *before, int64_t *least)
{
	struct log_between_row row;
	*before = sieve->before;
	*least = 0;
	if (sieve->since == 0)
		return STATUS_OK;
	enum status status = log_between(conn, arena, &(struct log_between_in){.since = sieve->since, .until = sieve->until}, &row);
	if (status != STATUS_OK)
		return status;
	*least = row.first.set ? row.first.value : INT64_MAX;
	if (row.last.set && row.last.value < *before)
		*before = row.last.value + 1;
	return STATUS_OK;
}

/* Four indexes, four queries, whose rows are alike but not of one type. */
#define TAKE(rows, rows_n)                          \
	for (size_t i = 0; status == STATUS_OK && i < (rows_n); i++) \
	found->ids[found->n++] = (rows)[i].id

static enum status
find_of_thread(const struct moderator_visit *visit, struct db_conn *conn, const struct sieve *sieve, int64_t before,
    int64_t least, struct found *found)
{
	struct thread_find_row thread;
	struct log_of_thread_row *rows;
	size_t n = 0;
	enum status status = thread_find(conn, visit->arena,
	    &(struct thread_find_in){.site_id = visit->site->id, .page = sieve->canonical}, &thread);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	struct log_of_thread_in in = {.thread_id = thread.id, .site_id = visit->site->id, .moderator = sieve->moderator,
	    .before = before, .least = least, .most = ROWS + 1};
	status = log_of_thread(conn, visit->arena, &in, &rows, &n);
	TAKE(rows, n);
	return status;
}

static enum status
find_of_reply(const struct moderator_visit *visit, struct db_conn *conn, const struct sieve *sieve, int64_t before,
    int64_t least, struct found *found)
{
	struct log_of_reply_row *rows;
	size_t n = 0;
	struct log_of_reply_in in = {.reply_id = sieve->reply_id, .site_id = visit->site->id, .moderator = sieve->moderator,
	    .before = before, .least = least, .most = ROWS + 1};
	enum status status = log_of_reply(conn, visit->arena, &in, &rows, &n);
	TAKE(rows, n);
	return status;
}

static enum status
find_of_moderator(const struct moderator_visit *visit, struct db_conn *conn, const struct sieve *sieve, int64_t before,
    int64_t least, struct found *found)
{
	struct log_of_moderator_row *rows;
	size_t n = 0;
	struct log_of_moderator_in in = {.moderator = sieve->moderator, .site_id = visit->site->id, .before = before,
	    .least = least, .most = ROWS + 1};
	enum status status = log_of_moderator(conn, visit->arena, &in, &rows, &n);
	TAKE(rows, n);
	return status;
}

static enum status
find_all(const struct moderator_visit *visit, struct db_conn *conn, int64_t before, int64_t least, struct found *found)
{
	struct log_all_row *rows;
	size_t n = 0;
	struct log_all_in in = {.site_id = visit->site->id, .before = before, .least = least, .most = ROWS + 1};
	enum status status = log_all(conn, visit->arena, &in, &rows, &n);
	TAKE(rows, n);
	return status;
}

static enum status
find(const struct moderator_visit *visit, struct db_conn *conn, const struct sieve *sieve, struct found *found)
{
	int64_t before, least;
	enum status status = limit_time(conn, visit->arena, sieve, &before, &least);
	if (status != STATUS_OK)
		return status;
	if (sieve->reply_id > 0)
		return find_of_reply(visit, conn, sieve, before, least, found);
	if (sieve->canonical.len > 0)
		return find_of_thread(visit, conn, sieve, before, least, found);
	if (sieve->moderator.len > 0)
		return find_of_moderator(visit, conn, sieve, before, least, found);
	return find_all(visit, conn, before, least, found);
}

/* --- a row ------------------------------------------------------------------------------------------------- */

static struct str
what_was_done(const struct moderator_visit *visit, const struct journal_row *row)
{
	static const enum word words[JOURNAL_ACTIONS] = {
	    [JOURNAL_DECIDE] = WORD_LOG_CHANGE,
	    [JOURNAL_UNDO] = WORD_LOG_ACTION_UNDO,
	    [JOURNAL_EDIT] = WORD_LOG_ACTION_EDIT,
	    [JOURNAL_ANSWER] = WORD_LOG_ACTION_ANSWER,
	    [JOURNAL_CLOSE] = WORD_LOG_ACTION_CLOSE,
	    [JOURNAL_REOPEN] = WORD_LOG_ACTION_REOPEN,
	    [JOURNAL_PAUSE] = WORD_LOG_ACTION_PAUSE,
	    [JOURNAL_RESUME] = WORD_LOG_ACTION_RESUME,
	    [JOURNAL_WITHDRAW] = WORD_LOG_ACTION_WITHDRAW,
	    [JOURNAL_ERASE] = WORD_LOG_ACTION_ERASE,
	    [JOURNAL_IMPORT] = WORD_LOG_ACTION_IMPORT,
	    [JOURNAL_MOVE] = WORD_LOG_ACTION_MOVE,
	    [JOURNAL_ACCEPT] = WORD_LOG_ACTION_ACCEPT,
	    [JOURNAL_RESTORE] = WORD_LOG_ACTION_RESTORE,
	};
	enum journal_action action;
	struct word_hole holes[] = {{.name = STR("from"), .text = moderator_state_word(visit, row->from_state)},
	    {.name = STR("to"), .text = moderator_state_word(visit, row->to_state)}};
	if (journal_action(row->action, &action) != STATUS_OK)
		return moderator_say(visit, WORD_LOG_ACTION_OTHER);
	size_t holes_n = action == JOURNAL_DECIDE || action == JOURNAL_UNDO ? 2 : 0;
	return words_say(visit->arena, visit->site->words, words[action], holes, holes_n);
}

/* No name stands there where the author did it, or the command line, or where it was forgotten. */
static struct str
who_did(const struct moderator_visit *visit, const struct journal_row *row)
{
	enum journal_action action;
	if (row->moderator.len > 0)
		return row->moderator;
	if (journal_action(row->action, &action) != STATUS_OK || action <= JOURNAL_ANSWER)
		return moderator_say(visit, WORD_LOG_FORGOTTEN);
	return moderator_say(visit, action == JOURNAL_WITHDRAW ? WORD_LOG_AUTHOR : WORD_LOG_OPERATOR);
}

static enum status
fill_subject(const struct moderator_visit *visit, struct db_conn *conn, const struct journal_row *row,
    struct page_log_rows *shown)
{
	struct log_subject_row subject = {0};
	struct thread_one_row thread = {0};
	enum status status = STATUS_OK;
	if (row->reply_id.set) {
		status = log_subject(conn, visit->arena,
		    &(struct log_subject_in){.id = row->reply_id.value, .site_id = visit->site->id}, &subject);
		shown->name = subject.name.len > 0 ? subject.name : moderator_say(visit, WORD_LOG_GONE);
		shown->title = subject.title;
		shown->reply_url =
		    moderator_path(visit, str_format(visit->arena, "reply/%lld", (long long)row->reply_id.value).at);
	} else if (row->thread_id.set) {
		status = thread_one(conn, visit->arena, &(struct thread_one_in){.id = row->thread_id.value}, &thread);
		shown->title = thread.title;
	}
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
fill_row(const struct moderator_visit *visit, struct db_conn *conn, int64_t id, struct page_log_rows *shown)
{
	struct journal_row row;
	bool good;
	enum status status = journal_look(&visit->moderator->journal.key, conn, visit->arena, id, &row, &good);
	if (status != STATUS_OK)
		return status;
	*shown = (struct page_log_rows){
	    .id = row.id,
	    .bad = !good,
	    .decided_at = when_rfc3339(visit->arena, row.decided_at),
	    .decided = when_date(visit->arena, visit->site->words, visit->site->config->zone, row.decided_at),
	    .who = who_did(visit, &row),
	    .what = what_was_done(visit, &row),
	    .why = row.why,
	    .network = row.network,
	};
	return fill_subject(visit, conn, &row, shown);
}

static enum status
fill_rows(const struct moderator_visit *visit, const struct sieve *sieve, struct found *found, struct page_log *page)
{
	struct db_conn *conn;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = find(visit, conn, sieve, found);
	size_t n = found->n > ROWS ? ROWS : found->n;
	page->rows = arena_array(visit->arena, n, sizeof *page->rows);
	if (page->rows == NULL)
		status = STATUS_BROKEN;
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		status = fill_row(visit, conn, found->ids[i], &page->rows[page->rows_n++]);
	db_release(conn);
	return status;
}

/* --- the page ------------------------------------------------------------------------------------------------ */

static enum status
fill_moderators(const struct moderator_visit *visit, struct str chosen, struct page_log *page)
{
	struct account_list_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(visit->moderator->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = account_list(conn, visit->arena, &(struct account_list_in){0}, &rows, &n);
	db_release(conn);
	page->moderators = arena_array(visit->arena, n, sizeof *page->moderators);
	if (page->moderators == NULL)
		status = STATUS_BROKEN;
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		page->moderators[page->moderators_n++] = (struct page_log_moderators){rows[i].name, str_eq(rows[i].name, chosen)};
	return status;
}

static struct str
address(const struct moderator_visit *visit, const struct sieve *sieve, int64_t before)
{
	const char *const names[] = {"moderator", "day", "page", "reply"};
	const struct str values[] = {sieve->moderator, sieve->day, sieve->page, sieve->reply};
	struct out out;
	out_init(&out, visit->arena);
	out_put(&out, moderator_path(visit, "log?"));
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		if (values[i].len == 0)
			continue;
		out_format(&out, "%s=", names[i]);
		out_url_part(&out, values[i]);
		out_put(&out, STR("&"));
	}
	if (before > 0)
		out_format(&out, "before=%lld", (long long)before);
	return out_str(&out);
}

static void
show_log(const struct moderator_visit *visit, const struct sieve *sieve, bool understood, struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_LOG);
	struct page_log page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1, .site = visit->site->config->title,
	    .mount = visit->site->config->mount, .day = sieve->day, .page = sieve->page, .reply = sieve->reply};
	struct found found = {.n = 0};
	page.sieved = sieve->moderator.len + sieve->day.len + sieve->page.len + sieve->reply.len > 0;
	enum status status = fill_moderators(visit, sieve->moderator, &page);
	if (status == STATUS_OK && understood)
		status = fill_rows(visit, sieve, &found, &page);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	if (!understood)
		page.notice = moderator_say(visit, WORD_LOG_WRONG);
	if (sieve->before != INT64_MAX)
		page.newest = address(visit, sieve, 0);
	if (found.n > ROWS)
		page.older = address(visit, sieve, found.ids[ROWS - 1]);
	door_private_page(response, understood ? 200 : 422);
	page_log(&response->body, visit->site->words, &page);
}

void
moderator_log(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct sieve sieve;
	struct form query;
	if (form_query(visit->arena, request->query, &query) != STATUS_OK) {
		moderator_notice(visit, response, 404, WORD_TITLE_MISSING, WORD_REFUSED_MISSING);
		return;
	}
	bool understood = read_sieve(visit, &query, &sieve) == STATUS_OK;
	show_log(visit, &sieve, understood, response);
}
