/* The log's chain: what shows whoever changes, removes, adds or moves a row, and what must not cry wolf. */
#include "room.h"

#include "journal.h"

enum { ROWS = 12 };

/* What a check told, a line each: "changed 5". */
struct told {
	struct out out;
	struct journal_findings findings;
};

struct adding {
	struct room *room;
	struct journal_entry entry;
	int64_t n;
};

static enum status
add_rows(struct db_conn *conn, void *context)
{
	struct adding *adding = context;
	struct room *room = adding->room;
	enum status status = STATUS_OK;
	for (int64_t i = 0; status == STATUS_OK && i < adding->n; i++) {
		struct journal_entry entry = adding->entry;
		entry.reply_id = i + 1;
		status = journal_add(&room->log_key, conn, &room->arena, &entry);
	}
	return status;
}

static void
add(struct room *room, int64_t n)
{
	struct adding adding = {.room = room, .n = n,
	    .entry = {.action = JOURNAL_DECIDE, .site_id = 1, .thread_id = 1, .revision = 2, .from_state = STR("held"),
	        .to_state = STR("spam"), .moderator = STR("eve"), .network = STR("192.0.2.0/24"), .why = STR("because"),
	        .decided_at = ROOM_NOW}};
	OK(db_write(room->db, add_rows, &adding));
}

static void
open_log(struct room *room, struct journal *journal)
{
	OK(journal_open(room_path(room, "log.key"), room->db, room->moderators, true, journal));
}

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	struct journal journal;
	room_furnish(room, "");
	open_log(room, &journal);
	add(room, ROWS);
	OK(journal_keep_up(&journal));
	journal_close(&journal);
	return 0;
}

static void
tell(void *context, enum journal_fault fault, int64_t from, int64_t id, bool accepted)
{
	static const char *const names[] = {[JOURNAL_CHANGED] = "changed", [JOURNAL_GAP] = "gap",
	    [JOURNAL_UNSIGNED] = "unsigned", [JOURNAL_SHORT] = "short", [JOURNAL_OTHER] = "other", [JOURNAL_BEYOND] = "beyond"};
	struct told *told = context;
	out_format(&told->out, "%s%s %lld %lld\n", accepted ? "accepted " : "", names[fault], (long long)from, (long long)id);
}

static struct str
check(struct room *room, struct journal_findings *findings)
{
	struct told told = {0};
	struct journal journal;
	out_init(&told.out, &room->arena);
	OK(journal_open(room_path(room, "log.key"), room->db, room->moderators, false, &journal));
	OK(journal_check(&journal, tell, &told, findings));
	journal_close(&journal);
	return out_str(&told.out);
}

static void
assert_faults(struct room *room, const char *wanted)
{
	struct journal_findings findings;
	struct str heard = check(room, &findings);
	assert_str(heard.at == NULL ? STR("") : heard, wanted);
}

static void
keep_up(struct room *room, enum status wanted)
{
	struct journal journal;
	open_log(room, &journal);
	assert_int_equal(journal_keep_up(&journal), wanted);
	journal_close(&journal);
}

static void
an_untouched_log_is_whole(void **state)
{
	struct room *room = *state;
	struct journal_findings findings;
	assert_str(check(room, &findings), "");
	assert_int_equal(findings.rows, ROWS);
	assert_int_equal(findings.faults, 0);
	assert_int_equal(findings.forgotten, 0);
	assert_str(room_value(room, "SELECT group_concat(id || ':' || batch) FROM decision WHERE id < 4"), "1:1,2:2,3:3");
}

static void
each_column_is_covered(void **state)
{
	struct room *room = *state;
	static const char *const changes[] = {"batch = 4", "action = 'edit'", "site_id = 2", "reply_id = 1", "reply_id = NULL",
	    "thread_id = 2", "revision = 3", "from_state = 'trash'", "to_state = 'trash'", "undoes = 1", "moderator = 'adam'",
	    "network = '198.51.100.0/24'", "why = 'becausf'", "decided_at = decided_at + 1",
	    "digests = zeroblob(48)", "digests = NULL", "digests = substr(digests, 1, 47)", "mac = zeroblob(32)",
	    "mac = substr(mac, 1, 31)"};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		room_run(room, "CREATE TABLE kept AS SELECT * FROM decision WHERE id = 5");
		room_run(room, str_format(&room->arena, "UPDATE decision SET %s WHERE id = 5", changes[i]).at);
		print_message("%s\n", changes[i]);
		assert_faults(room, "changed 5 5\n");
		room_run(room, "DELETE FROM decision WHERE id = 5; INSERT INTO decision SELECT * FROM kept; DROP TABLE kept");
		assert_faults(room, "");
	}
	room_run(room, "UPDATE decision SET mac = NULL WHERE id = 5");
	assert_faults(room, "unsigned 5 5\n");
}

static void
rows_that_are_gone_are_named(void **state)
{
	struct room *room = *state;
	room_run(room, "DELETE FROM decision WHERE id = 1");
	assert_faults(room, "gap 1 2\n");
	room_run(room, "DELETE FROM decision WHERE id IN (6, 7, 8)");
	assert_faults(room, "gap 1 2\ngap 6 9\n");
	room_run(room, "DELETE FROM decision WHERE id = 12");
	assert_faults(room, "gap 1 2\ngap 6 9\nshort 11 12\n");
	room_run(room, "DELETE FROM decision");
	assert_faults(room, "short 0 12\n");
}

static void
rows_of_another_hand_are_named(void **state)
{
	struct room *room = *state;
	room_run(room, "INSERT INTO decision SELECT 13, batch, action, site_id, reply_id, thread_id, revision, from_state,"
	               " to_state, undoes, moderator, network, why, decided_at, digests, mac FROM decision WHERE id = 12");
	assert_faults(room, "changed 13 13\n");
	/* What is written behind it is none the worse. */
	add(room, 2);
	assert_faults(room, "changed 13 13\n");
	room_run(room, "UPDATE decision SET id = -id WHERE id IN (3, 4); UPDATE decision SET id = 7 + id WHERE id < 0");
	/* The fifth was written behind another fourth. */
	assert_faults(room, "changed 3 3\nchanged 4 4\nchanged 5 5\nchanged 13 13\n");
}

static void
a_replaced_end_is_noticed(void **state)
{
	struct room *room = *state;
	room_run(room, "DELETE FROM decision WHERE id > 10");
	room_listen(room);
	keep_up(room, STATUS_CONFLICT);
	assert_holds(room_heard(room), "row 12");
	assert_faults(room, "short 10 12\n");
	/* The rows after it have right macs, but are not those that were there. */
	add(room, 5);
	assert_faults(room, "other 15 12\n");
	room_listen(room);
	keep_up(room, STATUS_CONFLICT);
	room_heard(room);
	assert_faults(room, "other 15 12\n");
}

/* Whoever can write into the store: a row there must not stop decisions, nor the check. */
static void
the_end_of_all_numbers_is_named_and_stops_nothing(void **state)
{
	static const char *const planted[] = {"9223372036854775807", "4611686018427387904", "4611686018427387905", "-3", "0"};
	struct room *room = *state;
	struct journal journal;
	for (int64_t i = 0; i < 5; i++) {
		room_run(room, str_format(&room->arena, "INSERT INTO decision SELECT %s, batch, action, site_id, reply_id, thread_id, "
		                                        "revision, from_state, to_state, undoes, moderator, network, why, decided_at, "
		                                        "digests, mac FROM decision WHERE id = 3", planted[i]).at);
		assert_faults(room, str_format(&room->arena, "beyond %s %s\n", planted[i], planted[i]).at);
		add(room, 2);
		keep_up(room, STATUS_OK);
		assert_str(room_value_in(room, "moderators.db", "SELECT last_id FROM log_head"),
		    str_format(&room->arena, "%d", ROWS + 3 * (int)i + 2).at);
		assert_faults(room, str_format(&room->arena, "beyond %s %s\n", planted[i], planted[i]).at);
		open_log(room, &journal);
		OK(journal_accept(&journal, JOURNAL_ACCEPT, ROOM_NOW));
		journal_close(&journal);
		assert_faults(room, "");
	}
}

/* So many that we do not go on below them: refused, told what helps, and that helps. */
static void
a_crowd_at_the_end_is_removed(void **state)
{
	struct room *room = *state;
	struct journal journal;
	room_run(room, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) INSERT INTO decision "
	               "SELECT 4611686018427387904 - i, batch, action, site_id, reply_id, thread_id, revision, from_state, to_state, "
	               "undoes, moderator, network, why, decided_at, digests, mac FROM decision, n WHERE id = 3");
	struct adding adding = {.room = room, .n = 1, .entry = {.action = JOURNAL_PAUSE, .site_id = 1, .decided_at = ROOM_NOW}};
	room_listen(room);
	assert_int_equal(db_write(room->db, add_rows, &adding), STATUS_BROKEN);
	assert_holds(room_heard(room), "--accept-log");
	open_log(room, &journal);
	OK(journal_accept(&journal, JOURNAL_ACCEPT, ROOM_NOW));
	journal_close(&journal);
	add(room, 1);
}

static void
a_crash_between_the_commits_is_no_fault(void **state)
{
	struct room *room = *state;
	add(room, 3);
	assert_faults(room, "");
	assert_str(room_value_in(room, "moderators.db", "SELECT last_id FROM log_head"), "12");
	keep_up(room, STATUS_OK);
	assert_str(room_value_in(room, "moderators.db", "SELECT last_id FROM log_head"), "15");
	room_run(room, "DELETE FROM decision WHERE id = 15");
	assert_faults(room, "short 14 15\n");
}

static void
what_is_forgotten_is_no_fault(void **state)
{
	struct room *room = *state;
	struct journal_findings findings;
	room_run(room, "UPDATE decision SET network = '' WHERE id < 5; UPDATE decision SET moderator = '', why = '' WHERE id = 9");
	assert_str(check(room, &findings), "");
	assert_int_equal(findings.forgotten, 5);
}

static void
the_owner_may_accept(void **state)
{
	struct room *room = *state;
	struct journal journal;
	room_run(room, "UPDATE decision SET why = 'x' WHERE id = 2; DELETE FROM decision WHERE id > 9");
	assert_faults(room, "changed 2 2\nshort 9 12\n");
	open_log(room, &journal);
	OK(journal_accept(&journal, JOURNAL_ACCEPT, ROOM_NOW));
	OK(journal_keep_up(&journal));
	journal_close(&journal);
	assert_faults(room, "accepted changed 2 2\n");
	assert_str(room_value(room, "SELECT id || action FROM decision ORDER BY id DESC LIMIT 1"), "10accept");
	add(room, 2);
	keep_up(room, STATUS_OK);
	room_run(room, "UPDATE decision SET why = 'x' WHERE id = 11");
	assert_faults(room, "accepted changed 2 2\nchanged 11 11\n");
}

static void
a_restored_log_is_not_accepted_unseen(void **state)
{
	struct room *room = *state;
	struct journal journal;
	room_run(room, "UPDATE decision SET why = 'x' WHERE id = 2; DELETE FROM decision WHERE id > 9");
	open_log(room, &journal);
	OK(journal_accept(&journal, JOURNAL_RESTORE, ROOM_NOW));
	journal_close(&journal);
	assert_faults(room, "changed 2 2\n");
}

static void
rows_of_older_versions_are_signed_once(void **state)
{
	struct room *room = *state;
	struct journal journal;
	room_run(room, "UPDATE decision SET mac = NULL, digests = NULL; UPDATE decision SET id = id + 700 WHERE id > 6");
	room_run_in(room, "moderators.db", "DELETE FROM log_head");
	assert_int_equal(journal_open(room_path(room, "log.key"), room->db, room->moderators, false, &journal), STATUS_MISSING);
	room_listen(room);
	open_log(room, &journal);
	assert_holds(room_heard(room), "signed the log");
	journal_close(&journal);
	assert_faults(room, "");
	/* From now on a row without a mac is nobody's. */
	room_run(room, "UPDATE decision SET mac = NULL WHERE id = 712");
	open_log(room, &journal);
	journal_close(&journal);
	assert_faults(room, "unsigned 712 712\nother 712 712\n");
}

static void
a_lost_key_is_not_made_anew(void **state)
{
	struct room *room = *state;
	struct journal journal;
	assert_int_equal(unlink(room_path(room, "log.key")), 0);
	room_listen(room);
	assert_int_equal(journal_open(room_path(room, "log.key"), room->db, room->moderators, true, &journal), STATUS_INVALID);
	assert_holds(room_heard(room), "--accept-log");
	assert_int_equal(access(room_path(room, "log.key"), F_OK), -1);
}

static enum status
leave_slips(struct db_conn *conn, void *context)
{
	struct room *room = context;
	struct journal_entry entry = {.action = JOURNAL_WITHDRAW, .site_id = 1, .reply_id = 7, .thread_id = 1, .revision = 2,
	    .from_state = STR("held"), .to_state = STR("withdrawn"), .moderator = STR("not kept"), .decided_at = ROOM_NOW};
	enum status status = STATUS_OK;
	for (int i = 0; status == STATUS_OK && i < 250; i++)
		status = journal_add(NULL, conn, &room->arena, &entry);
	return status;
}

static void
slips_are_copied(void **state)
{
	struct room *room = *state;
	OK(db_write(room->db, leave_slips, room));
	room_run(room, "UPDATE slip SET action = 'nonsense' WHERE id = 5");
	room_listen(room);
	keep_up(room, STATUS_OK);
	assert_holds(room_heard(room), "slip 5");
	assert_int_equal(room_number(room, "SELECT count(*) FROM slip"), 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision WHERE action = 'withdraw' AND moderator = ''"), 249);
	assert_faults(room, "");
}

/* Whoever may write into the store must not have rows signed of what moderators did not do. */
static void
slips_of_moderators_are_nobodys(void **state)
{
	static const enum journal_action forged[] = {JOURNAL_DECIDE, JOURNAL_UNDO, JOURNAL_EDIT, JOURNAL_ANSWER, JOURNAL_ACCEPT,
	    JOURNAL_RESTORE};
	struct room *room = *state;
	OK(db_write(room->db, leave_slips, room));
	for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
		struct str action = journal_action_names[forged[i]];
		char sql[80];
		snprintf(sql, sizeof sql, "UPDATE slip SET action = '%s' WHERE id = %zu", action.at, i + 1);
		room_run(room, sql);
	}
	room_listen(room);
	keep_up(room, STATUS_OK);
	assert_holds(room_heard(room), "slip 6");
	assert_int_equal(room_number(room, "SELECT count(*) FROM slip"), 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision WHERE action <> 'withdraw' AND moderator = ''"), 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM decision WHERE action = 'withdraw'"), 244);
}

static void
reasons(void **state)
{
	struct room *room = *state;
	struct str why;
	char *long_one = arena_alloc(&room->arena, 502);
	memset(long_one, 'a', 501);
	OK(journal_why(&room->arena, STR_NONE, &why));
	assert_str(why, "");
	OK(journal_why(&room->arena, STR("  two\r\nlines "), &why));
	assert_str(why, "two\nlines");
	assert_int_equal(journal_why(&room->arena, (struct str){long_one, 501}, &why), STATUS_INVALID);
	OK(journal_why(&room->arena, (struct str){long_one, 500}, &why));
	assert_int_equal(why.len, 500);
	assert_int_equal(journal_why(&room->arena, STR("a\x01"), &why), STATUS_INVALID);
	assert_int_equal(journal_why(&room->arena, STR("\xff"), &why), STATUS_INVALID);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)
	const struct CMUnitTest tests[] = {TEST(an_untouched_log_is_whole), TEST(each_column_is_covered),
	    TEST(rows_that_are_gone_are_named), TEST(rows_of_another_hand_are_named), TEST(a_replaced_end_is_noticed),
	    TEST(the_end_of_all_numbers_is_named_and_stops_nothing), TEST(a_crowd_at_the_end_is_removed),
	    TEST(a_crash_between_the_commits_is_no_fault), TEST(what_is_forgotten_is_no_fault), TEST(the_owner_may_accept), TEST(a_restored_log_is_not_accepted_unseen),
	    TEST(rows_of_older_versions_are_signed_once), TEST(a_lost_key_is_not_made_anew), TEST(slips_are_copied), TEST(slips_of_moderators_are_nobodys),
	    TEST(reasons)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
