/* Searches in both directions, with each filter, in slices, and up to the number of looks that they have. */
#include "room.h"

#include "search.h"

/* Every second reply is held; of thread 2 every fifth; with a link every tenth, with reasons as they come. */
static const char fill[] =
    "INSERT INTO thread (id, site_id, page, title) VALUES (1, 1, '/a', 'A'), (2, 1, '/b', 'B');"
    "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1000)"
    "INSERT INTO reply (id, site_id, thread_id, state, name, comment, content_hash, reasons, created_at)"
    "SELECT n, 1, CASE WHEN n % 5 = 0 THEN 2 ELSE 1 END, CASE WHEN n % 2 = 0 THEN 'held' ELSE 'spam' END, 'N',"
    " CASE WHEN n % 10 = 0 THEN CASE n % 20 WHEN 0 THEN 'HTTP://x' ELSE 'see WWW.x' END ELSE 'words' END, x'00',"
    " CASE n % 3 WHEN 0 THEN 'first' WHEN 1 THEN 'links 3' || char(10) || 'first' ELSE 'word first links' END, 1 FROM i";

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	room_furnish(*state, "");
	room_run(*state, fill);
	return 0;
}

static struct search_found
find(struct room *room, struct search search)
{
	struct search_found found;
	struct db_conn *conn;
	search.site_id = search.site_id == 0 ? 1 : search.site_id;
	search.state = search.state.at == NULL ? STR("held") : search.state;
	search.from = search.from == 0 && !search.up ? INT64_MAX : search.from;
	search.looks = search.looks == 0 ? SEARCH_LOOKS : search.looks;
	OK(db_read(room->db, &conn));
	OK(search_find(conn, &room->arena, &search, &found));
	db_release(conn);
	return found;
}

/* What SQL finds for the same, as text. */
static void
check(struct room *room, struct search search, const char *where)
{
	struct search_found found = find(room, search);
	struct out out;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < found.n; i++)
		out_format(&out, "%s%lld", i > 0 ? "," : "", (long long)found.ids[i]);
	const char *sql = str_format(&room->arena,
	    "SELECT coalesce(group_concat(id), '') FROM (SELECT id FROM reply WHERE state = 'held' AND %s ORDER BY id %s LIMIT %zu)",
	    where, search.up ? "" : "DESC", search.most)
	                      .at;
	assert_str(room_value(room, sql), str_format(&room->arena, "%.*s", STR_FMT(out_str(&out))).at);
}

static void
finds_what_fits(void **state)
{
	struct room *room = *state;
	check(room, (struct search){.most = 7}, "1");
	check(room, (struct search){.most = 7, .up = true}, "1");
	check(room, (struct search){.most = 7, .from = 500}, "id < 500");
	check(room, (struct search){.most = 7, .from = 500, .up = true}, "id > 500");
	check(room, (struct search){.most = 200, .thread_id = 2}, "thread_id = 2");
	check(room, (struct search){.most = 9, .thread_id = 2, .up = true, .from = 300}, "thread_id = 2 AND id > 300");
	check(room, (struct search){.most = 200, .links = true}, "id % 10 = 0");
	check(room, (struct search){.most = 999, .reasons = 1u << SPAM_FIRST}, "id % 3 < 2");
	check(room, (struct search){.most = 999, .reasons = 1u << SPAM_FIRST | 1u << SPAM_LINKS}, "id % 3 = 1");
	check(room, (struct search){.most = 999, .reasons = 1u << SPAM_WORD}, "id % 3 = 2");
	check(room, (struct search){.most = 999, .reasons = 1u << SPAM_LINKS, .links = true, .thread_id = 2, .up = true},
	    "id % 3 = 1 AND id % 10 = 0");
	check(room, (struct search){.most = 20, .reasons = 1u << SPAM_HONEYPOT}, "0");
}

static void
tells_whether_there_is_more(void **state)
{
	struct room *room = *state;
	assert_true(find(room, (struct search){.most = 499}).more);
	assert_false(find(room, (struct search){.most = 500}).more);
	assert_false(find(room, (struct search){.most = 501}).more);
	assert_true(find(room, (struct search){.most = 99, .links = true}).more);
	assert_false(find(room, (struct search){.most = 100, .links = true}).more);
	assert_int_equal(find(room, (struct search){.most = 5, .state = STR("trash")}).n, 0);
	assert_int_equal(find(room, (struct search){.most = 5, .site_id = 2}).n, 0);
	assert_int_equal(find(room, (struct search){.most = 5, .site_id = 2, .thread_id = 1}).n, 0);
}

/* A search that was cut goes on from `last` and finds the same as one that was not, each once. */
static void
goes_on_where_it_was_cut(void **state)
{
	struct room *room = *state;
	for (size_t looks = 1; looks <= 600; looks += 37) {
		for (int up = 0; up < 2; up++) {
			struct search search = {.most = 30, .links = true, .looks = looks, .up = up == 1};
			struct search_found found = {.cut = true};
			int64_t sum = 0;
			size_t n = 0, rounds = 0;
			while (found.cut || found.more) {
				found = find(room, search);
				assert_true(found.looked <= looks);
				for (size_t i = 0; i < found.n; i++)
					sum += found.ids[i];
				n += found.n;
				search.from = found.last;
				assert_true(rounds++ <= 500 / looks + 20);
			}
			assert_int_equal(n, 100);
			assert_int_equal(sum, 100 * 101 / 2 * 10);
		}
	}
}

static void
without_filters_looks_at_no_more_than_it_shows(void **state)
{
	struct room *room = *state;
	struct search_found found = find(room, (struct search){.most = 50, .looks = 10});
	assert_int_equal(found.n, 50);
	assert_int_equal(found.looked, 50);
	assert_true(found.more);
	assert_false(found.cut);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(finds_what_fits),
	    TEST(tells_whether_there_is_more),
	    TEST(goes_on_where_it_was_cut),
	    TEST(without_filters_looks_at_no_more_than_it_shows),
	};
	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
