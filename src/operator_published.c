/*
 * operator_published.c - for `rejoinder check`: do the published files hold what the store says?
 *
 * Each file of each page of a thread is there, and holds exactly the replies that are shown on it.  A
 * page whose files lag is passed over: that is another finding.
 */
#include <stdlib.h>

#include "operator.h"
#include "operator_findings.h"
#include "page.h"
#include "publish.h"
#include "sql/rejoinder/check.h"
#include "sql/rejoinder/publication.h"

enum {
	ARENA_MOST = 256 * 1024 * 1024, /* a page's largest file fits, as it did when it was made */
	FILE_MOST = 128 * 1024 * 1024,
	STEP = 200,     /* threads at a time */
	TOLD_MOST = 5,  /* of many files that are gone, a few show which */
	TRIES = 3       /* a decision may come between a look at the store and one at the file */
};

struct look {
	struct findings *findings;
	const struct door *door;
	const struct config_site *site;
	struct arena arena; /* of one page */
	int64_t pages;
	int wrong;
};

struct shown {
	struct check_shown_row *rows;
	size_t n;
	bool lags;
};

static enum status
read_shown(struct look *look, int64_t thread_id, int64_t number, struct shown *shown)
{
	struct check_shown_in in = {.thread_id = thread_id, .page_number = {true, number}};
	struct publication_pages_in lag = {.thread_id = thread_id, .page_number = number, .most = 1};
	struct publication_pages_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(look->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = check_shown(conn, &look->arena, &in, &shown->rows, &shown->n);
	if (status == STATUS_OK)
		status = publication_pages(conn, &look->arena, &lag, &rows, &n);
	db_release(conn);
	shown->lags = n > 0 && rows[0].page_number == number;
	return status;
}

static int
by_id(const void *a, const void *b)
{
	const struct check_shown_row *left = a, *right = b;
	return (left->id > right->id) - (left->id < right->id);
}

/* Behind each `mark` stands the number of a reply: each of the shown ones once, and no other. */
static bool
holds(struct arena *arena, const struct shown *shown, struct str content, struct str mark)
{
	bool *met = arena_array(arena, shown->n, sizeof *met);
	size_t n = 0, at;
	while (met != NULL && (at = str_search(content, mark)) < content.len) {
		struct check_shown_row wanted;
		content = str_sub(content, at + mark.len, content.len);
		if (str_integer(str_sub(content, 0, str_find(content, '"')), &wanted.id) != STATUS_OK || shown->n == 0)
			return false;
		const struct check_shown_row *row = bsearch(&wanted, shown->rows, shown->n, sizeof wanted, by_id);
		if (row == NULL || met[row - shown->rows])
			return false;
		met[row - shown->rows] = true;
		n++;
	}
	return met != NULL && n == shown->n;
}

/* An empty `mark`: the file must be there.  Nothing else writes these marks: text has no bare < and no bare quote. */
static bool
file_fits(struct look *look, const struct shown *shown, struct str page, struct str name, struct str mark)
{
	struct arena *arena = &look->arena;
	struct str content, path = str_format(arena, "%.*s/%.*s", STR_FMT(look->site->name),
	    STR_FMT(page_file(arena, page, name)));
	enum status status = path.at == NULL ? STATUS_BROKEN
	                                     : file_read(&look->door->public_tree, arena, path, FILE_MOST, &content);
	/* Where nothing was ever approved there may be none. */
	if (status == STATUS_MISSING)
		return shown->n == 0;
	return status == STATUS_OK && (mark.len == 0 || holds(arena, shown, content, mark));
}

static bool
files_fit(struct look *look, const struct shown *shown, struct str page, int64_t number)
{
	struct arena *arena = &look->arena;
	struct str html = number == 1 ? STR("thread.html") : str_format(arena, "page.%lld.html", (long long)number);
	struct str json = number == 1 ? STR("thread.json") : str_format(arena, "thread.%lld.json", (long long)number);
	return file_fits(look, shown, page, html, STR("<article id=\"reply-")) &&
	       file_fits(look, shown, page, json, STR("{\"id\":\"")) &&
	       (number > 1 || file_fits(look, shown, page, STR("feed.xml"), STR("")));
}

static enum status
check_page(struct look *look, const struct check_threads_row *thread, int64_t number)
{
	enum status status = STATUS_OK;
	bool fits = false;
	for (int i = 0; status == STATUS_OK && !fits && i < TRIES; i++) {
		struct shown shown = {0};
		arena_reset(&look->arena);
		status = read_shown(look, thread->id, number, &shown);
		fits = status == STATUS_OK && (shown.lags || files_fit(look, &shown, thread->page, number));
	}
	look->pages++;
	if (status == STATUS_OK && !fits && ++look->wrong <= TOLD_MOST)
		operator_find(look->findings, false,
		    "the files of page %lld of %.*s of site %.*s do not hold what is published: run rejoinder publish --all",
		    (long long)number, STR_FMT(thread->page), STR_FMT(look->site->name));
	return status;
}

static enum status
read_threads(const struct look *look, struct arena *arena, int64_t site_id, int64_t after, struct check_threads_row **rows,
    size_t *n)
{
	struct check_threads_in in = {.site_id = site_id, .id = after, .most = STEP};
	struct db_conn *conn;
	enum status status = db_read(look->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = check_threads(conn, arena, &in, rows, n);
	db_release(conn);
	return status;
}

static enum status
check_site(struct look *look, int64_t site_id)
{
	struct check_threads_row *rows;
	struct arena list;
	size_t n = 0;
	int64_t after = 0;
	enum status status;
	arena_init(&list, ARENA_MOST);
	do {
		arena_reset(&list);
		status = read_threads(look, &list, site_id, after, &rows, &n);
		for (size_t i = 0; status == STATUS_OK && i < n; i++) {
			int64_t pages = publish_page_number(rows[i].roots);
			after = rows[i].id;
			for (int64_t number = 1; status == STATUS_OK && number <= pages; number++)
				status = check_page(look, &rows[i], number);
		}
	} while (status == STATUS_OK && n == STEP);
	arena_free(&list);
	return status;
}

void
operator_check_published(struct findings *findings, const struct door *door)
{
	struct look look = {.findings = findings, .door = door};
	enum status status = STATUS_OK;
	arena_init(&look.arena, ARENA_MOST);
	for (size_t i = 0; status == STATUS_OK && i < door->config->sites_n; i++) {
		look.site = door->sites[i].config;
		status = check_site(&look, door->sites[i].id);
	}
	arena_free(&look.arena);
	if (look.wrong > TOLD_MOST)
		operator_find(findings, false, "... and %d more", look.wrong - TOLD_MOST);
	operator_find(findings, status == STATUS_OK, "published files of %lld %s compared with the store",
	    (long long)look.pages, operator_noun(look.pages, "page", "pages"));
}
