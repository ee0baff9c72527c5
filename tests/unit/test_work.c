/* Background work: when a job is due, who may do it, and what becomes of one that fails or is taken over. */
#include "room.h"

#include "overview.h"
#include "work.h"

static int64_t now;
static struct room *robbed; /* somebody else takes the lease the next time that the clock is read behind a slice */
static int reads;
static const struct words *all_words[1];
static int64_t site_ids[1];

static int64_t
read_clock(void)
{
	if (robbed != NULL && room_number(robbed, "SELECT count(*) FROM job WHERE lease_by = 'me' AND kind = 'overview'") == 1) {
		room_run(robbed, "UPDATE job SET turn = turn + 1, lease_by = 'other' WHERE kind = 'overview'");
		reads++;
	}
	return now;
}

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	room_furnish(*state, "");
	now = ROOM_NOW;
	robbed = NULL;
	reads = 0;
	return 0;
}

static struct work_bench
bench_of(struct room *room)
{
	all_words[0] = words_default();
	site_ids[0] = room->site_id;
	return (struct work_bench){.press = {.config = room->config, .words = all_words, .db = room->db, .public_tree = room->tree},
	    .matching = &room->matching, .site_ids = site_ids, .who = STR("me"), .read_clock = read_clock};
}

static enum status
round_of(struct room *room, struct work_bench *bench, size_t *done)
{
	room_listen(room);
	enum status status = work_round(bench, done);
	room_heard(room);
	return status;
}

static int64_t
job(struct room *room, const char *column)
{
	return room_number(room, str_format(&room->arena, "SELECT %s FROM job WHERE kind = 'overview'", column).at);
}

static enum status
ask_for_overview(struct db_conn *conn, void *context)
{
	const struct room *room = context;
	return overview_ask(conn, room->site_id, now);
}

/* Runs rounds until nothing is due; how many slices that were. */
static size_t
settle(struct room *room, struct work_bench *bench)
{
	size_t all = 0, done;
	do {
		OK(round_of(room, bench, &done));
		all += done;
	} while (done > 0);
	return all;
}

static void
a_job_is_done_when_it_is_due(void **state)
{
	struct room *room = *state;
	struct work_bench bench = bench_of(room);
	int64_t due_at;
	assert_true(settle(room, &bench) >= 2);
	assert_non_null(room_read(room, "public/main/counts.json").at);
	assert_int_equal(job(room, "due_at"), now + OVERVIEW_EVERY);
	assert_int_equal(settle(room, &bench), 0);
	/* Asked for: soon, but not sooner than the pause allows. */
	now += 3;
	OK(db_write(room->db, ask_for_overview, room));
	assert_int_equal(job(room, "due_at"), ROOM_NOW + OVERVIEW_PAUSE);
	assert_int_equal(settle(room, &bench), 0);
	OK(work_next(&bench, &due_at));
	assert_int_equal(due_at, ROOM_NOW + OVERVIEW_PAUSE);
	now = due_at;
	assert_int_equal(settle(room, &bench), 1);
	assert_int_equal(work_next(&bench, &due_at), STATUS_MISSING);
	/* Nobody asks: a week goes on. */
	now += OVERVIEW_EVERY;
	assert_true(settle(room, &bench) >= 1);
	assert_int_equal(job(room, "done_at"), now);
}

static void
a_failed_job_is_tried_again_later_each_time(void **state)
{
	struct room *room = *state;
	struct work_bench bench = bench_of(room);
	size_t done;
	settle(room, &bench);
	assert_int_equal(unlink(room_path(room, "public/main/counts.json")), 0);
	OK(file_folder(room_path(room, "public/main/counts.json"), 0775));
	now += OVERVIEW_EVERY;
	for (int64_t tries = 1; tries <= 11; tries++) {
		assert_int_not_equal(round_of(room, &bench, &done), STATUS_OK);
		assert_int_equal(job(room, "tries"), tries);
		int64_t wait = tries < 10 ? (int64_t)1 << tries : WORK_PATIENCE;
		assert_int_equal(job(room, "due_at"), now + wait);
		now += wait - 1;
		settle(room, &bench);
		assert_int_equal(job(room, "tries"), tries);
		now += 1;
	}
	assert_int_equal(rmdir(room_path(room, "public/main/counts.json")), 0);
	now -= 1;
	bench.eager = true;
	settle(room, &bench);
	assert_int_equal(job(room, "tries"), 0);
	assert_str(room_value(room, "SELECT failure FROM job WHERE kind = 'overview'"), "");
}

static void
a_lease_keeps_others_away_until_it_ends(void **state)
{
	struct room *room = *state;
	struct work_bench bench = bench_of(room);
	settle(room, &bench);
	room_run(room, str_format(&room->arena, "UPDATE job SET due_at = 1, lease_by = 'other', lease_until = %lld WHERE kind = 'overview'",
	    (long long)(now + WORK_LEASE)).at);
	assert_int_equal(settle(room, &bench), 0);
	now += WORK_LEASE - 1;
	assert_int_equal(settle(room, &bench), 0);
	now += 1;
	assert_int_equal(settle(room, &bench), 1);
	assert_int_equal(job(room, "lease_until"), 0);
}

/* The clock was a year ahead when these were written. */
static void
times_too_far_ahead_count_as_past(void **state)
{
	struct room *room = *state;
	struct work_bench bench = bench_of(room);
	settle(room, &bench);
	room_run(room, str_format(&room->arena, "UPDATE job SET due_at = %lld, done_at = %lld, lease_by = 'other', lease_until = %lld",
	    (long long)now + 31536000, (long long)now + 31536000, (long long)now + 31536000).at);
	assert_true(settle(room, &bench) >= 1);
	assert_int_equal(job(room, "done_at"), now);
	room_run(room, str_format(&room->arena, "UPDATE job SET done_at = %lld", (long long)now + 31536000).at);
	OK(db_write(room->db, ask_for_overview, room));
	assert_int_equal(job(room, "due_at"), now);
}

/* Whoever comes back after its lease has no say any more. */
static void
an_earlier_holder_notes_nothing(void **state)
{
	struct room *room = *state;
	struct work_bench bench = bench_of(room);
	size_t done;
	settle(room, &bench);
	int64_t done_at = job(room, "done_at");
	now += OVERVIEW_EVERY;
	robbed = room;
	OK(round_of(room, &bench, &done));
	robbed = NULL;
	assert_int_equal(reads, 1);
	assert_str(room_value(room, "SELECT lease_by FROM job WHERE kind = 'overview'"), "other");
	assert_int_equal(job(room, "done_at"), done_at);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(a_job_is_done_when_it_is_due),
	    TEST(a_failed_job_is_tried_again_later_each_time),
	    TEST(a_lease_keeps_others_away_until_it_ends),
	    TEST(times_too_far_ahead_count_as_past),
	    TEST(an_earlier_holder_notes_nothing),
	};
	if (!room_has_openat2())
		return 0;
	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
