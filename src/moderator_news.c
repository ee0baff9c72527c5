/*
 * moderator_news.c - what has come while a page of the queue was open, for www/static/moderate.js.
 */
#include "moderator_visit.h"
#include "page/news_json.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/site.h"
#include "verdict.h"

enum {
	NEWS_MOST = 1000 /* more are not counted: «1000 new replies» says enough */
};

static enum status
read_news(const struct moderator_visit *visit, int64_t after, struct page_news_json *page)
{
	struct queue_news_in in = {.site_id = visit->site->id, .after = after, .most = NEWS_MOST};
	struct queue_news_row row;
	struct tally_list_row *tallies;
	size_t tallies_n = 0;
	struct db_conn *conn;
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = queue_news(conn, visit->arena, &in, &row);
	if (status == STATUS_OK)
		status = tally_list(conn, visit->arena, &(struct tally_list_in){.site_id = visit->site->id}, &tallies, &tallies_n);
	db_release(conn);
	if (status != STATUS_OK)
		return status;
	int64_t *counts[VERDICT_STATES] = {[VERDICT_HELD] = &page->held, [VERDICT_PUBLISHED] = &page->published,
	    [VERDICT_SPAM] = &page->spam, [VERDICT_TRASH] = &page->trash};
	page->n = row.n;
	page->sentence = moderator_say_n(visit, WORD_COMFORT_NEWS, row.n);
	for (size_t i = 0; i < tallies_n; i++) {
		enum verdict_state state;
		if (verdict_state(tallies[i].state, &state) == STATUS_OK)
			*counts[state] = tallies[i].n;
	}
	return STATUS_OK;
}

void
moderator_news(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct moderator_visit *visit = context;
	struct page_news_json page = {0};
	struct form query;
	struct str text;
	int64_t after = 0;
	if (form_query(visit->arena, request->query, &query) != STATUS_OK || form_one(&query, "after", &text) != STATUS_OK ||
	    (text.len > 0 && str_integer(text, &after) != STATUS_OK)) {
		moderator_notice(visit, response, 404, WORD_TITLE_MISSING, WORD_REFUSED_MISSING);
		return;
	}
	enum status status = read_news(visit, after, &page);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	door_json(response, 200);
	page_news_json(&response->body, visit->site->words, &page);
}
