/*
 * What a request asks of the store must not cost more when the store has grown: counted in steps of
 * SQLite's virtual machine, which do not depend on the machine.
 */
#include "room.h"

#include "overview.h"
#include "publish.h"
#include "sql/rejoinder/around.h"
#include "sql/rejoinder/overview.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/decision.h"
#include "sql/rejoinder/log.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/search.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"
#include "sql/rejoinder/work.h"

enum { SMALL = 1000, LARGE = 100000, AT_ONCE = 50 };

/*
 * Half of the replies stand in thread 1, a hundred roots a page, the others in threads of their own
 * ten.  Of ten replies six are published, two held, one is spam and one trash.  Every hundredth has
 * the same words, as a flood has.
 */
static const char fill[] =
    "PRAGMA synchronous = OFF; BEGIN;"
    "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d / 10)"
    "INSERT INTO thread (id, site_id, page, title) SELECT n, 1, '/page/' || n, 'Title ' || n FROM i;"
    "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d)"
    "INSERT INTO reply (id, site_id, thread_id, parent_id, state, page_number, name, comment, email_sealed, author_hash,"
    " client_hash, key_hash, submission_hash, comment_hash, content_hash, created_at, published_at)"
    "SELECT n, 1, CASE WHEN n %% 2 = 1 THEN 1 ELSE n / 10 + 1 END, NULL,"
    " CASE n %% 10 WHEN 2 THEN 'spam' WHEN 4 THEN 'trash' WHEN 6 THEN 'held' WHEN 7 THEN 'held' ELSE 'published' END,"
    " CASE WHEN n %% 2 = 1 THEN n / 200 + 1 ELSE 1 END, 'Name ' || n, 'Words ' || n, x'00', CAST('a' || n AS BLOB),"
    " CAST('c' || n AS BLOB), CAST('k' || n AS BLOB), CAST('s' || n AS BLOB),"
    " CAST('w' || CASE WHEN n %% 100 = 1 THEN 0 ELSE n END AS BLOB), x'00', 1000000 + n, 1000000 + n FROM i;"
    "UPDATE reply SET parent_id = id - 200 WHERE thread_id = 1 AND id > 400 AND id %% 200 = 3;"
    "INSERT INTO tally SELECT 1, state, count(*) FROM reply GROUP BY state;"
    "UPDATE reply SET shown = 1 WHERE state = 'published';"
    "UPDATE thread SET published = id;"
    "INSERT INTO job (kind, site_id, due_at) VALUES ('overview', 1, 1), ('overview', 2, 1);"
    "INSERT INTO publication (thread_id, page_number, revision, asked_at) SELECT id, 1, 1, 1 FROM thread;"
    "INSERT INTO decision (batch, action, site_id, reply_id, thread_id, revision, from_state, to_state, moderator, network,"
    " decided_at, mac)"
    " SELECT id, 'decide', 1, id, thread_id, 2, 'held', state, 'eve', '', id, x'00' FROM reply; COMMIT; ANALYZE";

struct ask {
	struct db_conn *conn;
	struct arena *arena;
	int64_t last; /* id of a reply near the end, published, in thread 1 */
};

#define HASH(letter) str_format(ask->arena, letter "%lld", (long long)ask->last)

static enum status
ask_search_state_down(const struct ask *ask)
{
	struct search_state_down_row *rows;
	size_t n;
	struct search_state_down_in in = {.site_id = 1, .state = STR("held"), .before = ask->last, .most = AT_ONCE};
	enum status status = search_state_down(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_search_state_up(const struct ask *ask)
{
	struct search_state_up_row *rows;
	size_t n;
	struct search_state_up_in in = {.site_id = 1, .state = STR("held"), .after = 10, .most = AT_ONCE};
	enum status status = search_state_up(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_search_thread_down(const struct ask *ask)
{
	struct search_thread_down_row *rows;
	size_t n;
	struct search_thread_down_in in = {.site_id = 1, .thread_id = 1, .state = STR("held"), .before = ask->last, .most = AT_ONCE};
	enum status status = search_thread_down(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_search_thread_up(const struct ask *ask)
{
	struct search_thread_up_row *rows;
	size_t n;
	struct search_thread_up_in in = {.site_id = 1, .thread_id = 1, .state = STR("held"), .after = 10, .most = AT_ONCE};
	enum status status = search_thread_up(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_queue_one(const struct ask *ask)
{
	struct queue_one_row row;
	return queue_one(ask->conn, ask->arena, &(struct queue_one_in){.id = ask->last, .site_id = 1}, &row);
}

static enum status
ask_around_above(const struct ask *ask)
{
	struct around_above_row *rows;
	size_t n;
	struct around_above_in in = {.id = 403, .most = 20};
	enum status status = around_above(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 1);
	return status;
}

static enum status
ask_around_below(const struct ask *ask)
{
	struct around_below_row *rows;
	size_t n;
	struct around_below_in in = {.id = 403, .most = 20};
	enum status status = around_below(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 1);
	return status;
}

static enum status
ask_around_author(const struct ask *ask)
{
	struct around_author_row *rows;
	size_t n;
	struct around_author_in in = {.author_hash = HASH("a"), .state = STR("published"), .site_id = 1, .most = 20};
	enum status status = around_author(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 1);
	return status;
}

static enum status
ask_around_history(const struct ask *ask)
{
	struct around_history_row *rows;
	size_t n;
	struct around_history_in in = {.reply_id = ask->last, .most = 20};
	enum status status = around_history(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 1);
	return status;
}

static enum status
ask_queue_news(const struct ask *ask)
{
	struct queue_news_row row;
	return queue_news(ask->conn, ask->arena,
	    &(struct queue_news_in){.site_id = 1, .after = 0, .most = 100}, &row);
}

static enum status
ask_page_replies(const struct ask *ask)
{
	struct page_replies_row *rows;
	size_t n;
	struct page_replies_in in = {.thread_id = 1, .page_number = (struct db_integer){true, 3}};
	enum status status = page_replies(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 80);
	return status;
}

static enum status
ask_feed_replies(const struct ask *ask)
{
	struct feed_replies_row *rows;
	size_t n;
	enum status status = feed_replies(ask->conn, ask->arena,
	    &(struct feed_replies_in){.thread_id = 1, .most = PUBLISH_FEED}, &rows, &n);
	assert_int_equal(n, PUBLISH_FEED);
	return status;
}

static enum status
ask_reply_by_key(const struct ask *ask)
{
	struct reply_by_key_row row;
	return reply_by_key(ask->conn, ask->arena, &(struct reply_by_key_in){.site_id = 1, .key_hash = HASH("k")}, &row);
}

static enum status
ask_reply_by_submission(const struct ask *ask)
{
	struct reply_by_submission_row row;
	return reply_by_submission(ask->conn, ask->arena,
	    &(struct reply_by_submission_in){.site_id = 1, .submission_hash = HASH("s"), .client_hash = HASH("c")}, &row);
}

static enum status
ask_reply_by_comment(const struct ask *ask)
{
	struct reply_by_comment_row row;
	return reply_by_comment(ask->conn, ask->arena,
	    &(struct reply_by_comment_in){.thread_id = 1, .comment_hash = HASH("w"), .client_hash = HASH("c")}, &row);
}

/* The words of a flood, from a client who has not said them. */
static enum status
ask_reply_by_common_comment(const struct ask *ask)
{
	struct reply_by_comment_row row;
	struct reply_by_comment_in in = {.thread_id = 1, .comment_hash = STR("w0"), .client_hash = STR("nobody")};
	return reply_by_comment(ask->conn, ask->arena, &in, &row) == STATUS_MISSING ? STATUS_OK : STATUS_BROKEN;
}

static enum status
ask_reply_parent(const struct ask *ask)
{
	struct reply_parent_row row;
	return reply_parent(ask->conn, ask->arena, &(struct reply_parent_in){.id = ask->last, .thread_id = 1}, &row);
}

static enum status
ask_author_published(const struct ask *ask)
{
	struct author_published_row row;
	return author_published(ask->conn, ask->arena, &(struct author_published_in){.author_hash = HASH("a")}, &row);
}

static enum status
ask_thread_find(const struct ask *ask)
{
	struct thread_find_row row;
	return thread_find(ask->conn, ask->arena, &(struct thread_find_in){.site_id = 1, .page = STR("/page/77")}, &row);
}

static enum status
ask_thread_one(const struct ask *ask)
{
	struct thread_one_row row;
	return thread_one(ask->conn, ask->arena, &(struct thread_one_in){.id = 1}, &row);
}

static enum status
ask_thread_list(const struct ask *ask)
{
	struct thread_list_row *rows;
	size_t n;
	return thread_list(ask->conn, ask->arena, &(struct thread_list_in){.site_id = 1, .id = 9, .most = AT_ONCE}, &rows, &n);
}

static enum status
ask_tally_list(const struct ask *ask)
{
	struct tally_list_row *rows;
	size_t n;
	return tally_list(ask->conn, ask->arena, &(struct tally_list_in){.site_id = 1}, &rows, &n);
}

static enum status
ask_reply_receipt(const struct ask *ask)
{
	struct reply_receipt_row row;
	return reply_receipt(ask->conn, ask->arena, &(struct reply_receipt_in){.id = ask->last, .site_id = 1}, &row);
}

static enum status
ask_reply_verdict(const struct ask *ask)
{
	struct reply_verdict_row row;
	return reply_verdict(ask->conn, ask->arena, &(struct reply_verdict_in){.id = ask->last, .site_id = 1}, &row);
}

static enum status
ask_reply_show(const struct ask *ask)
{
	return reply_show(ask->conn, &(struct reply_show_in){.id = ask->last, .shown = 0}, NULL);
}

static enum status
ask_reply_place(const struct ask *ask)
{
	return reply_place(ask->conn, &(struct reply_place_in){.id = ask->last, .page_number = {true, 7}}, NULL);
}

static enum status
ask_thread_listing(const struct ask *ask)
{
	struct thread_listing_row *rows;
	size_t n;
	struct thread_listing_in in = {.site_id = 1, .first = STR("/page/3"), .last = STR("/page/\xff"), .bound = 10, .most = 40};
	enum status status = thread_listing(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 40);
	return status;
}

static enum status
ask_thread_recent(const struct ask *ask)
{
	struct thread_recent_row *rows;
	size_t n;
	struct thread_recent_in in = {.site_id = 1, .updated_at = INT64_MAX, .id = INT64_MAX, .bound = 10, .most = 40};
	enum status status = thread_recent(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, 40);
	return status;
}

static enum status
ask_latest_replies(const struct ask *ask)
{
	struct latest_replies_row *rows;
	size_t n;
	struct latest_replies_in in = {.site_id = 1, .most = OVERVIEW_LATEST};
	enum status status = latest_replies(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, OVERVIEW_LATEST);
	return status;
}

/* A week in which as many replies came, whatever there was before. */
static enum status
ask_trending_threads(const struct ask *ask)
{
	struct trending_threads_row *rows;
	size_t n;
	struct trending_threads_in in = {.site_id = 1, .since = 1000000 + ask->last - 400, .most = OVERVIEW_TRENDING};
	enum status status = trending_threads(ask->conn, ask->arena, &in, &rows, &n);
	assert_in_range(n, 30, OVERVIEW_TRENDING);
	return status;
}

static enum status
ask_thread_counts(const struct ask *ask)
{
	struct thread_counts_row *rows;
	size_t n;
	enum status status = thread_counts(ask->conn, ask->arena, &(struct thread_counts_in){.site_id = 1, .most = 50}, &rows, &n);
	assert_int_equal(n, 50);
	return status;
}

static enum status
ask_job_ask(const struct ask *ask)
{
	return job_ask(ask->conn, &(struct job_ask_in){.kind = STR("overview"), .site_id = 1, .now = 5, .pause = 5}, NULL);
}

static enum status
ask_job_list(const struct ask *ask)
{
	struct job_list_row *rows;
	size_t n;
	return job_list(ask->conn, ask->arena, &(struct job_list_in){.kind = STR("overview")}, &rows, &n);
}

static enum status
ask_decision_last(const struct ask *ask)
{
	struct decision_last_row row;
	return decision_last(ask->conn, ask->arena, &(struct decision_last_in){.reply_id = ask->last}, &row);
}

static enum status
ask_decision_tail(const struct ask *ask)
{
	struct decision_tail_row row;
	return decision_tail(ask->conn, ask->arena, &(struct decision_tail_in){.most = INT64_MAX}, &row);
}

static enum status
ask_decision_from(const struct ask *ask)
{
	struct decision_from_row row;
	return decision_from(ask->conn, ask->arena, &(struct decision_from_in){.id = ask->last}, &row);
}

static enum status
ask_log_all(const struct ask *ask)
{
	struct log_all_row *rows;
	size_t n;
	struct log_all_in in = {.site_id = 1, .before = ask->last, .most = AT_ONCE};
	return log_all(ask->conn, ask->arena, &in, &rows, &n);
}

static enum status
ask_log_of_moderator(const struct ask *ask)
{
	struct log_of_moderator_row *rows;
	size_t n;
	struct log_of_moderator_in in = {.moderator = STR("eve"), .site_id = 1, .before = ask->last, .most = AT_ONCE};
	return log_of_moderator(ask->conn, ask->arena, &in, &rows, &n);
}

static enum status
ask_log_between(const struct ask *ask)
{
	struct log_between_row row;
	return log_between(ask->conn, ask->arena, &(struct log_between_in){.since = ask->last, .until = ask->last + 1}, &row);
}

static enum status
ask_log_mine(const struct ask *ask)
{
	struct log_mine_row *rows;
	size_t n;
	return log_mine(ask->conn, ask->arena, &(struct log_mine_in){.moderator = STR("eve"), .site_id = 1, .most = AT_ONCE}, &rows,
	    &n);
}

static enum status
ask_log_left(const struct ask *ask)
{
	struct log_left_row row;
	return log_left(ask->conn, ask->arena, &(struct log_left_in){.batch = ask->last}, &row);
}

static enum status
ask_publication_next(const struct ask *ask)
{
	struct publication_next_row *rows;
	size_t n;
	enum status status = publication_next(ask->conn, ask->arena,
	    &(struct publication_next_in){.thread_id = 5, .now = 9, .future = 99, .most = AT_ONCE}, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_publication_pages(const struct ask *ask)
{
	struct publication_pages_row *rows;
	size_t n;
	return publication_pages(ask->conn, ask->arena, &(struct publication_pages_in){.thread_id = 7, .most = AT_ONCE}, &rows, &n);
}

static enum status
ask_reply_decide(const struct ask *ask)
{
	struct reply_decide_in in = {.id = ask->last, .revision = 1, .state = STR("trash"),
	    .decided_at = {true, 1}, .page_number = {true, 1}};
	return reply_decide(ask->conn, &in, NULL);
}

static enum status
ask_thread_change(const struct ask *ask)
{
	struct thread_change_row row;
	return thread_change(ask->conn, ask->arena, &(struct thread_change_in){.id = 1, .updated_at = 1}, &row);
}

static enum status
ask_tally_add(const struct ask *ask)
{
	return tally_add(ask->conn, &(struct tally_add_in){.site_id = 1, .state = STR("held")}, NULL);
}

static enum status
ask_publication_done(const struct ask *ask)
{
	return publication_done(ask->conn,
	    &(struct publication_done_in){.thread_id = 7, .page_number = 1, .revision = 9}, NULL);
}

static enum status
ask_reply_add(const struct ask *ask)
{
	struct reply_add_row row;
	struct reply_add_in in = {.site_id = 1, .thread_id = 1, .name = STR("n"), .comment = STR("c"), .author_hash = STR("x"),
	    .client_hash = STR("x"), .key_hash = STR("x"), .submission_hash = STR("x"), .comment_hash = STR("w0"),
	    .content_hash = STR("x"), .reasons = STR(""), .created_at = 1};
	return reply_add(ask->conn, ask->arena, &in, &row);
}

static const struct {
	const struct db_query *query;
	enum status (*ask)(const struct ask *ask);
} asks[] = {
    {&query_queue_news, ask_queue_news},
    {&query_search_state_down, ask_search_state_down},
    {&query_search_state_up, ask_search_state_up},
    {&query_search_thread_down, ask_search_thread_down},
    {&query_search_thread_up, ask_search_thread_up},
    {&query_queue_one, ask_queue_one},
    {&query_around_above, ask_around_above},
    {&query_around_below, ask_around_below},
    {&query_around_author, ask_around_author},
    {&query_around_history, ask_around_history},
    {&query_page_replies, ask_page_replies},
    {&query_feed_replies, ask_feed_replies},
    {&query_reply_by_key, ask_reply_by_key},
    {&query_reply_by_submission, ask_reply_by_submission},
    {&query_reply_by_comment, ask_reply_by_comment},
    {&query_reply_by_comment, ask_reply_by_common_comment},
    {&query_reply_parent, ask_reply_parent},
    {&query_author_published, ask_author_published},
    {&query_thread_find, ask_thread_find},
    {&query_thread_one, ask_thread_one},
    {&query_thread_list, ask_thread_list},
    {&query_tally_list, ask_tally_list},
    {&query_reply_receipt, ask_reply_receipt},
    {&query_reply_verdict, ask_reply_verdict},
    {&query_reply_show, ask_reply_show},
    {&query_reply_place, ask_reply_place},
    {&query_thread_listing, ask_thread_listing},
    {&query_thread_recent, ask_thread_recent},
    {&query_latest_replies, ask_latest_replies},
    {&query_trending_threads, ask_trending_threads},
    {&query_thread_counts, ask_thread_counts},
    {&query_job_ask, ask_job_ask},
    {&query_job_list, ask_job_list},
    {&query_decision_last, ask_decision_last},
    {&query_decision_tail, ask_decision_tail},
    {&query_decision_from, ask_decision_from},
    {&query_log_all, ask_log_all},
    {&query_log_of_moderator, ask_log_of_moderator},
    {&query_log_between, ask_log_between},
    {&query_log_mine, ask_log_mine},
    {&query_log_left, ask_log_left},
    {&query_publication_next, ask_publication_next},
    {&query_publication_pages, ask_publication_pages},
    {&query_reply_decide, ask_reply_decide},
    {&query_thread_change, ask_thread_change},
    {&query_tally_add, ask_tally_add},
    {&query_publication_done, ask_publication_done},
    {&query_reply_add, ask_reply_add},
};
enum { ASKS = sizeof asks / sizeof *asks };

struct count {
	struct arena *arena;
	int64_t last;
	int64_t steps[ASKS];
};

static enum status
count_steps(struct db_conn *conn, void *context)
{
	struct count *count = context;
	struct ask ask = {conn, count->arena, count->last};
	for (size_t i = 0; i < ASKS; i++) {
		db_steps(conn, asks[i].query, true);
		enum status status = asks[i].ask(&ask);
		if (status != STATUS_OK)
			fail_msg("%zu: %s: %s", i, asks[i].query->name, status_name(status));
		count->steps[i] = db_steps(conn, asks[i].query, true);
		assert_true(count->steps[i] > 0);
	}
	return STATUS_OK;
}

static void
count_with(struct room *room, int replies, struct count *count)
{
	room_furnish(room, "");
	room_run(room, str_format(&room->arena, fill, replies, replies).at);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply"), replies);
	/* Opened anew, so that it sees what ANALYZE wrote, as after a restart. */
	db_close(room->db);
	OK(db_open(room_path(room, "rejoinder.db"), &sql_rejoinder, false, &room->db));
	*count = (struct count){.arena = &room->arena, .last = replies - 1};
	OK(db_write(room->db, count_steps, count));
}

static void
steps_do_not_grow_with_the_store(void **state)
{
	(void)state;
	struct count counts[2];
	/* Under valgrind (see tests/run-unit) a hundred thousand rows take minutes. */
	int large = getenv("RUNNER") == NULL ? LARGE : LARGE / 10;
	for (size_t i = 0; i < 2; i++) {
		void *room = NULL;
		assert_int_equal(room_enter(&room), 0);
		count_with(room, i == 0 ? SMALL : large, &counts[i]);
		assert_int_equal(room_leave(&room), 0);
	}
	int grown = 0;
	for (size_t i = 0; i < ASKS; i++) {
		int64_t few = counts[0].steps[i], many = counts[1].steps[i];
		bool grows = (double)many > 1.3 * (double)few + 2;
		if (grows)
			print_error("%s takes %lld steps with %d replies, %lld with %d\n", asks[i].query->name, (long long)few, SMALL,
			    (long long)many, large);
		grown += grows;
	}
	assert_int_equal(grown, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(steps_do_not_grow_with_the_store),
	};
	return cmocka_run_group_tests_name("query steps", tests, NULL, NULL);
}
