/* Who may come how fast, across processes, restarts, kills and damage. */
#include "room.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static const int64_t T = (int64_t)ROOM_NOW * 1000;
static const struct pace_rule ten = {.burst = 10, .every = 30000};

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	return pace_open(room_path(room, "pace"), &room->pace) == STATUS_OK ? 0 : -1;
}

static bool
take(struct room *room, uint64_t who, int64_t now, int64_t *wait)
{
	*wait = -1;
	return pace_take(room->pace, who, ten, now, wait);
}

static void
bursts_pass_and_then_wait(void **state)
{
	struct room *room = *state;
	int64_t wait;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, T, &wait));
	for (int i = 0; i < 100; i++) {
		assert_false(take(room, 42, T, &wait));
		assert_int_equal(wait, 30);
	}
	assert_false(take(room, 42, T + 29999, &wait));
	assert_int_equal(wait, 1);
	assert_false(take(room, 42, T + 28999, &wait));
	assert_int_equal(wait, 2);
	/* Another one is not touched, not even in the same row of the file. */
	assert_true(take(room, 43, T, &wait));
	assert_true(take(room, 42 + 8192, T, &wait));
	assert_false(take(room, 42, T, &wait));
}

static void
buckets_refill_to_the_burst_and_no_further(void **state)
{
	struct room *room = *state;
	int64_t wait;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, T, &wait));
	assert_true(take(room, 42, T + 30000, &wait));
	assert_false(take(room, 42, T + 30000, &wait));
	int64_t later = T + 86400 * 1000;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, later, &wait));
	assert_false(take(room, 42, later, &wait));
}

static void
the_rate_holds_over_an_hour(void **state)
{
	struct room *room = *state;
	int64_t wait, n = 0;
	for (int64_t now = T; now < T + 3600000; now += 250)
		n += take(room, 7, now, &wait) ? 1 : 0;
	assert_in_range(n, 10 + 119, 10 + 120);
}

static void
clocks_may_jump(void **state)
{
	struct room *room = *state;
	int64_t wait;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, T, &wait));
	/* A year back: nobody waits a year. */
	int64_t back = T - (int64_t)365 * 86400 * 1000;
	assert_false(take(room, 42, back, &wait));
	assert_in_range(wait, 1, 30);
	assert_true(take(room, 42, back + 30000, &wait));
	/* And after a jump forward and back again the burst is the most there is to wait for. */
	int64_t forward = T + (int64_t)365 * 86400 * 1000;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, forward, &wait));
	assert_false(take(room, 42, T, &wait));
	assert_in_range(wait, 1, 30);
}

static void
what_is_given_back_counts_once(void **state)
{
	struct room *room = *state;
	int64_t wait;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, T, &wait));
	pace_give(room->pace, 42, ten);
	assert_true(take(room, 42, T, &wait));
	assert_false(take(room, 42, T, &wait));
}

/* Giving back to a bucket that has been full for long must not make it fuller than full. */
static void
a_full_bucket_gets_no_fuller(void **state)
{
	struct room *room = *state;
	int64_t wait, n = 0;
	for (int i = 0; i < 50; i++)
		pace_give(room->pace, 42, ten);
	while (n < 100 && take(room, 42, T, &wait))
		n++;
	assert_int_equal(n, 10);
}

static void
some_rules_are_special(void **state)
{
	struct room *room = *state;
	const struct pace_rule none = {.burst = 1, .every = 0}, one = {.burst = 1, .every = 1000};
	int64_t wait = -1;
	for (int i = 0; i < 1000; i++)
		assert_true(pace_take(room->pace, 1, none, T, &wait));
	pace_give(room->pace, 1, none);
	assert_true(pace_take(room->pace, 0, one, T, &wait));
	assert_false(pace_take(room->pace, 0, one, T, &wait));
	assert_int_equal(wait, 1);
	assert_true(pace_take(room->pace, 0, one, T + 1000, &wait));
	assert_false(pace_take(room->pace, UINT64_MAX, one, T, &wait) && pace_take(room->pace, UINT64_MAX, one, T, &wait));
}

/* A row of the file is full: the harmless are forgotten first, whoever waits goes on waiting. */
static void
floods_do_not_free_who_waits(void **state)
{
	struct room *room = *state;
	int64_t wait;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, T, &wait));
	for (uint64_t other = 1; other < 1000; other++)
		assert_true(take(room, 42 + other * 8192, T, &wait));
	assert_false(take(room, 42, T, &wait));
}

static void
the_file_outlives_the_program(void **state)
{
	struct room *room = *state;
	struct stat info;
	int64_t wait;
	for (int i = 0; i < 10; i++)
		assert_true(take(room, 42, T, &wait));
	pace_close(room->pace);
	OK(pace_open(room_path(room, "pace"), &room->pace));
	assert_false(take(room, 42, T, &wait));
	assert_int_equal(stat(room_path(room, "pace"), &info), 0);
	assert_int_equal(info.st_mode & 0007, 0);
	pace_close(NULL);
}

static int
take_all(const char *path)
{
	struct pace *pace;
	int64_t wait;
	int n = 0;
	if (pace_open(path, &pace) != STATUS_OK)
		return 255;
	for (int i = 0; i < 2000; i++)
		n += pace_take(pace, 42, (struct pace_rule){.burst = 100, .every = 1000}, T, &wait) ? 1 : 0;
	pace_close(pace);
	return n;
}

static void
processes_share_one_burst(void **state)
{
	struct room *room = *state;
	pid_t children[2];
	int total = 0;
	for (size_t i = 0; i < 2; i++)
		if ((children[i] = fork()) == 0)
			_exit(take_all(room_path(room, "pace")));
	for (size_t i = 0; i < 2; i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_true(WIFEXITED(status));
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 100);
}

struct taker {
	struct pace *pace;
	int n;
};

static void *
take_in_thread(void *context)
{
	struct taker *taker = context;
	int64_t wait;
	for (int i = 0; i < 20000; i++)
		taker->n += pace_take(taker->pace, 42, (struct pace_rule){.burst = 5000, .every = 1000}, T, &wait) ? 1 : 0;
	return NULL;
}

static void
threads_share_one_burst(void **state)
{
	struct room *room = *state;
	struct taker takers[2] = {{room->pace, 0}, {room->pace, 0}};
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_in_thread, &takers[i]), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(takers[0].n + takers[1].n, 5000);
}

/* Whoever is killed with the lock in its hand stops nobody; kills hit the lock now and then. */
static void
killed_holders_stop_nobody(void **state)
{
	struct room *room = *state;
	const char *path = room_path(room, "pace");
	for (useconds_t round = 0; round < 60; round++) {
		pid_t child = fork();
		if (child == 0) {
			struct pace *pace;
			int64_t wait;
			if (pace_open(path, &pace) != STATUS_OK)
				_exit(1);
			for (uint64_t i = 0;; i++)
				if (pace_take(pace, i, ten, T, &wait))
					pace_give(pace, i, ten);
		}
		usleep(1000 + round * 131);
		kill(child, SIGKILL);
		int status;
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		int64_t wait;
		alarm(20);
		take(room, 99 + round, T, &wait);
		alarm(0);
	}
}

static void
damaged_files_are_made_anew(void **state)
{
	struct room *room = *state;
	static char noise[4096];
	static const struct {
		const char *name;
		size_t len;
	} cases[] = {{"empty", 0}, {"short", 100}, {"noise", sizeof noise}};
	int64_t wait;
	secret_random(noise, sizeof noise);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pace *pace;
		room_write(room, cases[i].name, (struct str){noise, cases[i].len});
		OK(pace_open(room_path(room, cases[i].name), &pace));
		for (int n = 0; n < 10; n++)
			assert_true(pace_take(pace, 42, ten, T, &wait));
		assert_false(pace_take(pace, 42, ten, T, &wait));
		pace_close(pace);
	}
	/* The right length, another magic. */
	pace_close(room->pace);
	int fd = open(room_path(room, "pace"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, noise, sizeof noise, 0), sizeof noise);
	close(fd);
	OK(pace_open(room_path(room, "pace"), &room->pace));
	for (int n = 0; n < 10; n++)
		assert_true(take(room, 42, T, &wait));
	assert_false(take(room, 42, T, &wait));
}

static void
strange_places_are_refused(void **state)
{
	struct room *room = *state;
	struct pace *pace = NULL;
	assert_int_equal(symlink("elsewhere", room_path(room, "link")), 0);
	room_listen(room);
	assert_int_equal(pace_open(room_path(room, "link"), &pace), STATUS_BROKEN);
	assert_int_equal(pace_open(room_path(room, "no/such/pace"), &pace), STATUS_BROKEN);
	struct str heard = room_heard(room);
	assert_holds(heard, "no/such/pace: No such file or directory");
	assert_null(pace);
	assert_null(room_read(room, "elsewhere").at);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(bursts_pass_and_then_wait),
	    TEST(buckets_refill_to_the_burst_and_no_further),
	    TEST(the_rate_holds_over_an_hour),
	    TEST(clocks_may_jump),
	    TEST(what_is_given_back_counts_once),
	    TEST(a_full_bucket_gets_no_fuller),
	    TEST(some_rules_are_special),
	    TEST(floods_do_not_free_who_waits),
	    TEST(the_file_outlives_the_program),
	    TEST(processes_share_one_burst),
	    TEST(threads_share_one_burst),
	    TEST(killed_holders_stop_nobody),
	    TEST(damaged_files_are_made_anew),
	    TEST(strange_places_are_refused),
	};
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
