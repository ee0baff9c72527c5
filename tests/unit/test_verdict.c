/* Every decision from every state, what it changes, and what it leaves alone. */
#include "room.h"

#include "verdict.h"

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	room_furnish(room, "");
	room_run(room, "INSERT INTO thread (id, site_id, page, title) VALUES (1, 1, '/a', 'A')");
	return 0;
}

/* A reply with all that goes with its state. */
static void
add(struct room *room, int64_t id, const char *state, const char *parent)
{
	bool published = strcmp(state, "published") == 0;
	const char *sql = str_format(&room->arena,
	    "INSERT INTO reply (id, site_id, thread_id, parent_id, state, revision, page_number, name, comment, content_hash,"
	    " created_at) VALUES (%lld, 1, 1, %s, '%s', 3, %s, 'Ada', 'words', x'00', 1);"
	    "INSERT INTO tally VALUES (1, '%s', 1) ON CONFLICT DO UPDATE SET n = n + 1;"
	    "UPDATE thread SET published = published + %d, roots = roots + %d",
	    (long long)id, parent, state, published ? "1" : "NULL", state, published,
	    published && strcmp(parent, "NULL") == 0)
	                      .at;
	room_run(room, sql);
	room_show(room);
}

static enum status
decide_all(struct room *room, const struct verdict_target *targets, size_t n, enum verdict_state to,
    struct verdict_result *results)
{
	struct verdict_order order = {.key = &room->log_key, .site_id = room->site_id, .targets = targets, .targets_n = n, .state = to,
	    .moderator = STR("eve"), .network = STR("192.0.2.0/24"), .why = STR("because"), .now = ROOM_NOW};
	return verdict_decide(room->db, &room->arena, &order, results);
}

static struct verdict_result
decide(struct room *room, int64_t id, int64_t revision, enum verdict_state to)
{
	struct verdict_target target = {id, revision};
	struct verdict_result result;
	OK(decide_all(room, &target, 1, to, &result));
	return result;
}

static int64_t
tally(struct room *room, struct str state)
{
	int64_t n = room_number(room, str_format(&room->arena, "SELECT n FROM tally WHERE state = '%.*s'", STR_FMT(state)).at);
	return n < 0 ? 0 : n;
}

/* --- the table --------------------------------------------------------------------------------- */

static void
check_decision(struct room *room, enum verdict_state from, enum verdict_state to, int64_t id)
{
	struct str names[2] = {verdict_state_names[from], verdict_state_names[to]};
	add(room, id, str_copy(&room->arena, names[0]).at, "NULL");
	room_run(room, "DELETE FROM publication; DELETE FROM decision; UPDATE thread SET updated_at = 0");
	int64_t less = tally(room, names[0]), more = tally(room, names[1]);
	int64_t published = room_number(room, "SELECT published FROM thread"), roots = room_number(room, "SELECT roots FROM thread");
	int64_t revision = room_number(room, "SELECT revision FROM thread");
	struct verdict_result result = decide(room, id, 3, to);
	bool changes = from != to, appears = changes && to == VERDICT_PUBLISHED;
	bool vanishes = changes && from == VERDICT_PUBLISHED, touches = appears || vanishes;
	OK(result.status);
	assert_int_equal(result.id, id);
	assert_int_equal(result.from, from);
	assert_str(result.name, "Ada");
	assert_str(result.title, "A");
	assert_int_equal(result.revision, changes ? 4 : 3);
	assert_int_equal(result.changes_files, touches);
	const char *where = str_format(&room->arena, "SELECT state || ' ' || revision FROM reply WHERE id = %lld", (long long)id).at;
	assert_str(room_value(room, where), str_format(&room->arena, "%.*s %d", STR_FMT(names[1]), changes ? 4 : 3).at);
	assert_int_equal(tally(room, names[0]), less - changes);
	assert_int_equal(tally(room, names[1]), more + changes);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), published + appears - vanishes);
	assert_int_equal(room_number(room, "SELECT roots FROM thread"), roots + appears);
	assert_int_equal(room_number(room, "SELECT revision FROM thread"), revision + touches);
	assert_int_equal(room_number(room, "SELECT updated_at FROM thread"), touches ? ROOM_NOW : 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication WHERE page_number = 1"), touches);
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), touches);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision"), changes);
	if (changes)
		assert_str(room_value(room, "SELECT reply_id || from_state || to_state || revision || moderator || network || why ||"
		                            " decided_at FROM decision"),
		    str_format(&room->arena, "%lld%.*s%.*s4eve192.0.2.0/24because%d", (long long)id, STR_FMT(names[0]),
		        STR_FMT(names[1]), ROOM_NOW)
		        .at);
	if (appears)
		assert_int_equal(room_number(room, str_format(&room->arena, "SELECT published_at + page_number FROM reply WHERE id ="
		                                                            " %lld", (long long)id).at),
		    ROOM_NOW + 1);
}

static void
each_state_to_each_state(void **state)
{
	struct room *room = *state;
	int64_t id = 1;
	for (int from = 0; from < VERDICT_STATES; from++)
		for (int to = 0; to < VERDICT_STATES; to++)
			check_decision(room, (enum verdict_state)from, (enum verdict_state)to, id++);
}

/* --- who was first ----------------------------------------------------------------------------- */

static void
older_revisions_change_nothing(void **state)
{
	struct room *room = *state;
	add(room, 1, "held", "NULL");
	OK(decide(room, 1, 3, VERDICT_SPAM).status);
	struct str before = room_value(room, "SELECT group_concat(state || n) FROM tally");
	for (int64_t revision = 1; revision <= 6; revision++) {
		if (revision == 4)
			continue;
		struct verdict_result result = decide(room, 1, revision, VERDICT_PUBLISHED);
		assert_int_equal(result.status, STATUS_CONFLICT);
		assert_int_equal(result.revision, 4);
		assert_str(result.now_state, "spam");
		assert_str(result.moderator, "eve");
		assert_str(result.comment, "words");
		assert_false(result.changes_files);
	}
	assert_true(str_eq(before, room_value(room, "SELECT group_concat(state || n) FROM tally")));
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision"), 1);
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 0);
	/* Its author edited it: then nobody decided. */
	room_run(room, "UPDATE reply SET revision = 9, state = 'held', comment = 'new'");
	struct verdict_result result = decide(room, 1, 4, VERDICT_PUBLISHED);
	assert_int_equal(result.status, STATUS_CONFLICT);
	assert_int_equal(result.moderator.len, 0);
	assert_str(result.comment, "new");
}

static void
withdrawn_missing_and_foreign_replies(void **state)
{
	struct room *room = *state;
	add(room, 1, "withdrawn", "NULL");
	for (int to = 0; to < VERDICT_STATES; to++)
		assert_int_equal(decide(room, 1, 3, (enum verdict_state)to).status, STATUS_CONFLICT);
	assert_int_equal(decide(room, 77, 1, VERDICT_SPAM).status, STATUS_MISSING);
	add(room, 2, "held", "NULL");
	room_run(room, "INSERT INTO site (id, name) VALUES (2, 'other'); UPDATE reply SET site_id = 2 WHERE id = 2");
	assert_int_equal(decide(room, 2, 3, VERDICT_PUBLISHED).status, STATUS_MISSING);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision"), 0);
	assert_str(room_value(room, "SELECT group_concat(state) FROM (SELECT state FROM reply ORDER BY id)"), "withdrawn,held");
}

static void
selections_may_be_mixed(void **state)
{
	struct room *room = *state;
	add(room, 1, "held", "NULL");
	add(room, 2, "spam", "NULL");
	add(room, 3, "published", "NULL");
	add(room, 4, "withdrawn", "NULL");
	struct verdict_target targets[] = {{1, 3}, {2, 2}, {3, 3}, {4, 3}, {5, 1}, {2, 3}, {1, 3}};
	static const enum status wanted[] = {STATUS_OK, STATUS_CONFLICT, STATUS_OK, STATUS_CONFLICT, STATUS_MISSING,
	    STATUS_OK, STATUS_CONFLICT};
	struct verdict_result results[7];
	OK(decide_all(room, targets, 7, VERDICT_PUBLISHED, results));
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(results[i].status, wanted[i]);
		assert_int_equal(results[i].id, targets[i].id);
	}
	assert_str(room_value(room, "SELECT group_concat(state) FROM (SELECT state FROM reply ORDER BY id)"), "published,published,published,withdrawn");
	assert_int_equal(tally(room, STR("published")), 3);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 3);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision"), 2);
	assert_int_equal(room_number(room, "SELECT revision FROM publication"), room_number(room, "SELECT revision FROM thread"));
	struct verdict_result none;
	OK(decide_all(room, targets, 0, VERDICT_SPAM, &none));
}

/* --- pages and counts -------------------------------------------------------------------------- */

static void
roots_get_their_page_once(void **state)
{
	struct room *room = *state;
	room_run(room, "UPDATE thread SET roots = 99");
	add(room, 1, "held", "NULL");
	add(room, 2, "held", "NULL");
	decide(room, 2, 3, VERDICT_PUBLISHED);
	decide(room, 1, 3, VERDICT_PUBLISHED);
	assert_str(room_value(room, "SELECT group_concat(page_number) FROM reply"), "2,1");
	assert_int_equal(room_number(room, "SELECT roots FROM thread"), 101);
	assert_str(room_value(room, "SELECT group_concat(page_number) FROM publication"), "1,2");
	/* Hidden and shown again it keeps its page. */
	decide(room, 1, 4, VERDICT_TRASH);
	decide(room, 1, 5, VERDICT_PUBLISHED);
	assert_str(room_value(room, "SELECT group_concat(page_number) FROM reply"), "2,1");
	assert_int_equal(room_number(room, "SELECT roots FROM thread"), 101);
	/* An answer stands with its root. */
	add(room, 3, "held", "1");
	decide(room, 3, 3, VERDICT_PUBLISHED);
	assert_int_equal(room_number(room, "SELECT page_number FROM reply WHERE id = 3"), 2);
	assert_int_equal(room_number(room, "SELECT roots FROM thread"), 101);
}

/* The page that was the last must lead to the new one; no other page is asked for without need. */
static void
a_new_page_is_told_to_the_one_before(void **state)
{
	struct room *room = *state;
	const char *asked = "SELECT group_concat(page_number) FROM publication";
	room_run(room, "UPDATE thread SET roots = 199");
	for (int64_t id = 1; id <= 6; id++)
		add(room, id, "held", id == 4 ? "2" : "NULL");
	decide(room, 1, 3, VERDICT_PUBLISHED);
	assert_str(room_value(room, asked), "1,2");
	room_run(room, "DELETE FROM publication");
	decide(room, 2, 3, VERDICT_PUBLISHED);
	assert_int_equal(room_number(room, "SELECT page_number FROM reply WHERE id = 2"), 3);
	assert_str(room_value(room, asked), "1,2,3");
	assert_int_equal(room_number(room, "SELECT min(revision) FROM publication"), room_number(room, "SELECT revision FROM thread"));
	/* Page 3 is there already: for a further root, an answer, one that goes and one that comes back. */
	room_run(room, "DELETE FROM publication");
	decide(room, 3, 3, VERDICT_PUBLISHED);
	decide(room, 4, 3, VERDICT_PUBLISHED);
	decide(room, 2, 4, VERDICT_SPAM);
	decide(room, 2, 5, VERDICT_PUBLISHED);
	assert_str(room_value(room, asked), "1,3");
	/* Two in one decision, of which the second opens page 4. */
	room_run(room, "UPDATE thread SET roots = 299; DELETE FROM publication");
	struct verdict_target targets[] = {{5, 3}, {6, 3}};
	struct verdict_result results[2];
	OK(decide_all(room, targets, 2, VERDICT_PUBLISHED, results));
	assert_str(room_value(room, asked), "1,3,4");
}

static void
hidden_parents_hide_their_answers_from_the_count(void **state)
{
	struct room *room = *state;
	add(room, 1, "published", "NULL");
	add(room, 2, "published", "1");
	add(room, 3, "published", "2");
	add(room, 4, "held", "3");
	add(room, 5, "published", "NULL");
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 4);
	decide(room, 1, 3, VERDICT_HELD);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 1);
	decide(room, 4, 3, VERDICT_PUBLISHED);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 1);
	decide(room, 2, 3, VERDICT_SPAM);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 1);
	decide(room, 1, 4, VERDICT_PUBLISHED);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 2);
	decide(room, 2, 4, VERDICT_PUBLISHED);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 5);
}

/* Random decisions: the kept counts are what counting says. */
static void
counts_stay_right(void **state)
{
	struct room *room = *state;
	unsigned seed = room_seed();
	for (int64_t id = 1; id <= 24; id++)
		add(room, id, "held", id < 5 ? "NULL" : str_format(&room->arena, "%lld", (long long)(1 + (id * 7) % (id - 1))).at);
	for (int i = 0; i < 300; i++) {
		int64_t id = 1 + rand_r(&seed) % 24;
		int64_t revision = room_number(room, str_format(&room->arena, "SELECT revision FROM reply WHERE id = %lld", (long long)id).at);
		OK(decide(room, id, revision, (enum verdict_state)(rand_r(&seed) % VERDICT_STATES)).status);
	}
	assert_int_equal(room_number(room, "SELECT count(*) FROM tally WHERE n <>"
	                                   " (SELECT count(*) FROM reply WHERE reply.state = tally.state)"),
	    0);
	assert_int_equal(room_number(room,
	                     "WITH RECURSIVE shown (id) AS (SELECT id FROM reply WHERE parent_id IS NULL AND state = 'published'"
	                     " UNION ALL SELECT reply.id FROM reply JOIN shown ON reply.parent_id = shown.id"
	                     " WHERE reply.state = 'published') SELECT count(*) FROM shown"),
	    room_number(room, "SELECT published FROM thread"));
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE revision <> 3 +"
	                                   " (SELECT count(*) FROM decision WHERE reply_id = reply.id)"),
	    0);
}

static void
names_and_targets_are_read(void **state)
{
	(void)state;
	enum verdict_state found;
	struct verdict_target target;
	static const char *const names[] = {"", "Held", "withdrawn", "approved", "held ", "spam\n"};
	static const char *const bad[] = {"", ":", "1", "1:", ":1", "0:1", "1:0", "-1:1", "1:-1", "1:2:3", "a:b", "1 :2",
	    "99999999999999999999:1", "1:1x"};
	for (int i = 0; i < VERDICT_STATES; i++) {
		OK(verdict_state(verdict_state_names[i], &found));
		assert_int_equal(found, i);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(verdict_state(str_from(names[i]), &found), STATUS_INVALID);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(verdict_target(str_from(bad[i]), &target), STATUS_INVALID);
	OK(verdict_target(STR("12:34"), &target));
	assert_true(target.id == 12 && target.revision == 34);
}

/* The store is a stranger's, who may have made two replies hang on each other. */
static void
replies_in_a_ring_end(void **state)
{
	struct room *room = *state;
	add(room, 1, "published", "NULL");
	add(room, 2, "published", "1");
	room_run(room, "UPDATE reply SET parent_id = 2 WHERE id = 1; UPDATE reply SET shown = 1, page_number = NULL");
	assert_int_equal(decide(room, 1, 3, VERDICT_TRASH).shown, 2);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE shown = 1"), 0);
	room_run(room, "UPDATE reply SET shown = 1 WHERE id = 2; UPDATE thread SET roots = 1");
	assert_int_equal(decide(room, 1, 4, VERDICT_PUBLISHED).shown, 2);
}

/* 1 - 2 - 3 and 1 - 4; 5 hangs on 6, which is held. */
static void
what_goes_along_counts_once(void **state)
{
	struct room *room = *state;
	add(room, 1, "published", "NULL");
	add(room, 2, "published", "1");
	add(room, 3, "published", "2");
	add(room, 4, "published", "1");
	add(room, 6, "held", "NULL");
	add(room, 7, "published", "6");
	struct verdict_target some[] = {{7, 3}, {1, 3}, {2, 3}}, again[] = {{2, 4}, {7, 4}, {1, 4}};
	struct verdict_result results[3], *undone;
	size_t n;
	OK(decide_all(room, some, 3, VERDICT_HELD, results));
	assert_int_equal(verdict_with(results, 3), -2);
	assert_int_equal(results[0].id, 7);
	OK(decide_all(room, again, 3, VERDICT_PUBLISHED, results));
	assert_int_equal(verdict_with(results, 3), 2);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE shown = 1"), 4);
	struct verdict_order order = {.key = &room->log_key, .site_id = room->site_id, .moderator = STR("eve"),
	    .network = STR("192.0.2.0/24"), .why = STR(""), .now = ROOM_NOW};
	OK(verdict_undo(room->db, &room->arena, &order, results[0].batch, &undone, &n));
	assert_int_equal(n, 3);
	assert_int_equal(verdict_with(undone, n), -2);
	OK(verdict_undo(room->db, &room->arena, &order, undone[0].batch, &undone, &n));
	assert_int_equal(verdict_with(undone, n), 2);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE shown = 1"), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

/* --- taking it back ---------------------------------------------------------------------------- */

static enum status
undo(struct room *room, const char *moderator, int64_t batch, struct verdict_result **results, size_t *n)
{
	struct verdict_order order = {.key = &room->log_key, .site_id = room->site_id, .moderator = str_from(moderator),
	    .network = STR("192.0.2.0/24"), .why = STR(""), .now = ROOM_NOW + 5};
	return verdict_undo(room->db, &room->arena, &order, batch, results, n);
}

static struct str
states(struct room *room)
{
	return room_value(room, "SELECT group_concat(state, ' ') FROM (SELECT state FROM reply ORDER BY id)");
}

/* Three of different states, decided about at once; the batch's number. */
static int64_t
decide_three(struct room *room)
{
	struct verdict_target targets[] = {{1, 3}, {2, 3}, {3, 3}};
	struct verdict_result results[3];
	add(room, 1, "held", "NULL");
	add(room, 2, "published", "NULL");
	add(room, 3, "spam", "NULL");
	OK(decide_all(room, targets, 3, VERDICT_TRASH, results));
	assert_int_equal(results[0].batch, results[2].batch);
	assert_true(results[0].batch > 0);
	assert_str(states(room), "trash trash trash");
	return results[0].batch;
}

static void
a_mixed_batch_is_undone_and_done_again(void **state)
{
	struct room *room = *state;
	struct verdict_result *results;
	size_t n;
	int64_t batch = decide_three(room);
	OK(undo(room, "eve", batch, &results, &n));
	assert_int_equal(n, 3);
	assert_str(states(room), "held published spam");
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 1);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision WHERE action = 'undo' AND undoes = 1 AND batch = 4"), 3);
	/* The same again changes nothing: it is not as the batch left it. */
	OK(undo(room, "eve", batch, &results, &n));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(results[i].status, STATUS_CONFLICT);
	OK(undo(room, "eve", 4, &results, &n));
	assert_str(states(room), "trash trash trash");
	assert_str(room_value(room, "SELECT group_concat(state || n) FROM tally WHERE n > 0"), "trash3");
}

static void
a_part_of_a_batch_can_be_undone(void **state)
{
	struct room *room = *state;
	struct verdict_result *results;
	size_t n;
	struct verdict_target part[] = {{2, 4}, {9, 1}};
	struct verdict_order order = {.key = &room->log_key, .site_id = room->site_id, .moderator = STR("eve"),
	    .network = STR(""), .why = STR(""), .now = ROOM_NOW, .targets = part, .targets_n = 2};
	int64_t batch = decide_three(room);
	OK(verdict_undo(room->db, &room->arena, &order, batch, &results, &n));
	assert_int_equal(n, 1);
	assert_str(states(room), "trash published trash");
}

static void
what_was_decided_since_stays(void **state)
{
	struct room *room = *state;
	struct verdict_result *results;
	size_t n;
	int64_t batch = decide_three(room);
	OK(decide(room, 2, 4, VERDICT_SPAM).status);
	OK(undo(room, "eve", batch, &results, &n));
	assert_str(states(room), "held spam spam");
	assert_int_equal(results[0].status, STATUS_OK);
	assert_int_equal(results[1].status, STATUS_CONFLICT);
	assert_str(results[1].moderator, "eve");
	assert_str(results[1].now_state, "spam");
	assert_int_equal(results[1].decided_at, ROOM_NOW);
	assert_int_equal(results[2].status, STATUS_OK);
}

static void
only_own_and_signed_batches_are_undone(void **state)
{
	struct room *room = *state;
	struct verdict_result *results;
	size_t n;
	int64_t batch = decide_three(room);
	assert_int_equal(undo(room, "adam", batch, &results, &n), STATUS_MISSING);
	assert_int_equal(undo(room, "eve", batch + 1, &results, &n), STATUS_MISSING);
	assert_int_equal(undo(room, "eve", 99, &results, &n), STATUS_MISSING);
	/* Whoever can write into the store must not decide by a moderator's hand. */
	room_run(room, "UPDATE decision SET from_state = 'published' WHERE id = 3");
	assert_int_equal(undo(room, "eve", batch, &results, &n), STATUS_INVALID);
	assert_str(states(room), "trash trash trash");
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision"), 3);
}

/* As an import, or a moderator's answer to what waits, may have it. */
static void
answers_that_came_first_get_the_page_of_their_root(void **state)
{
	struct room *room = *state;
	room_run(room, "UPDATE thread SET roots = 100");
	add(room, 1, "held", "NULL");
	add(room, 2, "held", "1");
	add(room, 3, "held", "2");
	add(room, 4, "held", "1");
	decide(room, 3, 3, VERDICT_PUBLISHED);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE page_number IS NULL"), 4);
	decide(room, 1, 3, VERDICT_PUBLISHED);
	assert_str(room_value(room, "SELECT group_concat(id || ':' || page_number) FROM reply WHERE shown = 1"), "1:2");
	decide(room, 2, 3, VERDICT_PUBLISHED);
	assert_str(room_value(room, "SELECT group_concat(id || ':' || page_number) FROM reply WHERE shown = 1"), "1:2,2:2,3:2");
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 3);
	decide(room, 1, 4, VERDICT_TRASH);
	assert_int_equal(room_number(room, "SELECT published FROM thread"), 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE shown = 1"), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(each_state_to_each_state),
	    TEST(older_revisions_change_nothing),
	    TEST(withdrawn_missing_and_foreign_replies),
	    TEST(selections_may_be_mixed),
	    TEST(roots_get_their_page_once),
	    TEST(a_new_page_is_told_to_the_one_before),
	    TEST(hidden_parents_hide_their_answers_from_the_count),
	    TEST(counts_stay_right),
	    TEST(a_mixed_batch_is_undone_and_done_again),
	    TEST(a_part_of_a_batch_can_be_undone),
	    TEST(what_was_decided_since_stays),
	    TEST(only_own_and_signed_batches_are_undone),
	    cmocka_unit_test(names_and_targets_are_read),
	    TEST(answers_that_came_first_get_the_page_of_their_root),
	    TEST(replies_in_a_ring_end),
	    TEST(what_goes_along_counts_once),
	};
	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
