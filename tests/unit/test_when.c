/* Times as text, and text as times. */
#include "room.h"

#include "when.h"

static void
dates_and_times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* as date(1) has them */
	} cases[] = {
	    {"1970-01-01", 0},
	    {"2024-07-03", 1719964800},
	    {"2024-02-29", 1709164800},
	    {"2024-07-03T10:00:00Z", 1720000800},
	    {"2024-07-03t10:00:00z", 1720000800},
	    {"2024-07-03 10:00:00Z", 1720000800},
	    {"2024-07-03T10:00:00.123456789Z", 1720000800},
	    {"2024-07-03T10:00:00+05:30", 1719981000},
	    {"2024-07-03T10:00:00-08:00", 1720029600},
	    {"2016-12-31T23:59:60Z", 1483228800},
	    {"1900-01-01", -2208988800},
	    {"9999-12-31T23:59:59Z", 253402300799},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t seconds = -1;
		OK(when_read(str_from(cases[i].text), &seconds));
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void
what_is_no_date_is_refused(void **state)
{
	static const char *const cases[] = {"", "2024", "2024-07", "2024-7-3", "2024-07-03x", "2024-07-03T", "2024-07-3 ",
	    "2023-02-29", "2024-04-31", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-32", "0999-01-01", "24-07-03",
	    "+2024-07-03", "2024/07/03", "03.07.2024", "2024-07-03T10:00", "2024-07-03T10:00:00", "2024-07-03T24:00:00Z",
	    "2024-07-03T10:60:00Z", "2024-07-03T10:00:61Z", "2024-07-03T10:00:00.Z", "2024-07-03T10:00:00+5:30",
	    "2024-07-03T10:00:00+24:00", "2024-07-03T10:00:00+0530", "2024-07-03T10:00:00Zx", "2024-07-03T10:00:00+05:30x",
	    " 2024-07-03", "2024-07-03 ", "2024-07-03\n", "yesterday"};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t seconds;
		if (when_read(str_from(cases[i]), &seconds) != STATUS_INVALID)
			fail_msg("\"%s\" was taken for a date", cases[i]);
	}
}

/* What is written is read again. */
static void
times_go_both_ways(void **state)
{
	struct room *room = *state;
	for (int64_t seconds = -30610224000; /* the year 1000 */ seconds < 253402300800; seconds += 7777777777) {
		int64_t again = 0;
		OK(when_read(when_rfc3339(&room->arena, seconds), &again));
		assert_int_equal(again, seconds);
	}
}

static void
waits_double_up_to_a_bound(void **state)
{
	static const struct {
		int64_t tries, seconds;
	} cases[] = {{0, 2}, {1, 4}, {2, 8}, {8, 512}, {9, 600}, {10, 600}, {INT64_MAX, 600}, {-1, 2}, {INT64_MIN, 2}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(when_again(cases[i].tries, 2, 600), cases[i].seconds);
	assert_int_equal(when_again(0, 60, 4), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(dates_and_times_are_read),
	    TEST(what_is_no_date_is_refused),
	    TEST(times_go_both_ways),
	    TEST(waits_double_up_to_a_bound),
	};
	return cmocka_run_group_tests_name("when", tests, NULL, NULL);
}
