/*
 * What a request asks of the store must not cost more when the store has grown: counted in steps of
 * SQLite's virtual machine, which do not depend on the machine.
 */
#include "room.h"

#include "publish.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"

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
    "INSERT INTO publication SELECT id, 1, 1, 1 FROM thread;"
    "INSERT INTO decision (reply_id, revision, from_state, to_state, moderator, network, decided_at)"
    " SELECT id, 2, 'held', state, 'eve', '', 1 FROM reply; COMMIT; ANALYZE";

struct ask {
	struct db_conn *conn;
	struct arena *arena;
	int64_t last; /* id of a reply near the end, published, in thread 1 */
};

#define HASH(letter) str_format(ask->arena, letter "%lld", (long long)ask->last)

static enum status
ask_queue_list(const struct ask *ask)
{
	struct queue_list_row *rows;
	size_t n;
	struct queue_list_in in = {.site_id = 1, .state = STR("held"), .before = ask->last, .most = AT_ONCE};
	enum status status = queue_list(ask->conn, ask->arena, &in, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_queue_next(const struct ask *ask)
{
	struct queue_next_row row;
	return queue_next(ask->conn, ask->arena,
	    &(struct queue_next_in){.site_id = 1, .state = STR("spam"), .before = ask->last}, &row);
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
ask_reply_above(const struct ask *ask)
{
	struct reply_above_row row;
	return reply_above(ask->conn, ask->arena, &(struct reply_above_in){.id = 403}, &row);
}

static enum status
ask_reply_below(const struct ask *ask)
{
	struct reply_below_row row;
	return reply_below(ask->conn, ask->arena, &(struct reply_below_in){.id = ask->last}, &row);
}

static enum status
ask_decision_last(const struct ask *ask)
{
	struct decision_last_row row;
	return decision_last(ask->conn, ask->arena, &(struct decision_last_in){.reply_id = ask->last}, &row);
}

static enum status
ask_publication_next(const struct ask *ask)
{
	struct publication_next_row *rows;
	size_t n;
	enum status status = publication_next(ask->conn, ask->arena,
	    &(struct publication_next_in){.thread_id = 5, .most = AT_ONCE}, &rows, &n);
	assert_int_equal(n, AT_ONCE);
	return status;
}

static enum status
ask_publication_pages(const struct ask *ask)
{
	struct publication_pages_row *rows;
	size_t n;
	return publication_pages(ask->conn, ask->arena, &(struct publication_pages_in){.thread_id = 7}, &rows, &n);
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
    {&query_queue_list, ask_queue_list},
    {&query_queue_next, ask_queue_next},
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
    {&query_reply_above, ask_reply_above},
    {&query_reply_below, ask_reply_below},
    {&query_decision_last, ask_decision_last},
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
