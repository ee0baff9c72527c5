/* The clocks of places, compared with date(1), which reads the same files by the C library. */
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "zone.h"

static struct str
zone_file(struct arena *arena, const char *name)
{
	struct str path = str_format(arena, ZONE_FOLDER "/%s", name), file = STR_NONE;
	return file_slurp(arena, path.at, ZONE_FILE_MOST, &file) == STATUS_OK ? file : STR_NONE;
}

/* "+0500 +05" as date(1) has it. */
static void
ask_date(const char *name, int64_t seconds, char *answer, int room)
{
	char command[160];
	snprintf(command, sizeof command, "TZ=%s date -d @%lld '+%%z %%Z'", name, (long long)seconds);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(answer, room, pipe));
	pclose(pipe);
	answer[strcspn(answer, "\n")] = '\0';
}

static void
clocks_show_what_date_says(void **state)
{
	struct room *room = *state;
	static const char *const names[] = {"Asia/Almaty", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
	    "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "UTC", "Etc/GMT+5"};
	/* Before any change, in winters and summers, at a change, and late. */
	static const int64_t times[] = {-5000000000, 0, 1174806000, 1700000000, 1720000000, 1743296399, 1743296400,
	    1761440399, 1761440400, 1795462200, 2050000000};
	if (access(ZONE_FOLDER "/Europe/Berlin", R_OK) != 0) {
		print_message("skipped: there is no zone database\n");
		skip();
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct zone zone;
		assert_int_equal(zone_read(zone_file(&room->arena, names[i]), &zone), STATUS_OK);
		for (size_t j = 0; j < sizeof times / sizeof *times; j++) {
			char expected[64], found[64];
			struct str name;
			int64_t offset = zone_offset(&zone, times[j], &name), size = offset < 0 ? -offset : offset;
			ask_date(names[i], times[j], expected, sizeof expected);
			snprintf(found, sizeof found, "%c%02lld%02lld %.*s", offset < 0 ? '-' : '+', (long long)(size / 3600),
			    (long long)(size / 60 % 60), STR_FMT(name));
			if (strcmp(found, expected) != 0)
				fail_msg("%s at %lld: %s, date(1) says %s", names[i], (long long)times[j], found, expected);
		}
	}
}

static void
no_zone_is_utc(void **state)
{
	struct str name;
	(void)state;
	assert_int_equal(zone_offset(NULL, 1700000000, &name), 0);
	assert_true(str_eq(name, STR("UTC")));
}

/* Cut anywhere before its footer, or with any byte of a header or an index bent, it is refused or stays in bounds. */
static void
damaged_files_do_no_harm(void **state)
{
	struct room *room = *state;
	struct str whole = zone_file(&room->arena, "Europe/Berlin");
	struct zone zone;
	struct str name;
	if (whole.at == NULL)
		skip();
	for (size_t len = 0; len < 44; len++)
		assert_int_equal(zone_read(str_sub(whole, 0, len), &zone), STATUS_INVALID);
	for (size_t len = 44; len < whole.len; len++)
		if (zone_read(str_sub(whole, 0, len), &zone) == STATUS_OK)
			zone_offset(&zone, 1700000000, &name);
	assert_int_equal(zone_read(str_sub(whole, 0, whole.len / 2), &zone), STATUS_INVALID);
	char *bent = str_c(&room->arena, whole);
	for (size_t i = 0; i < whole.len; i++) {
		bent[i] = (char)~bent[i];
		if (zone_read((struct str){bent, whole.len}, &zone) == STATUS_OK)
			for (int64_t at = -3000000000; at < 3000000000; at += 500000000)
				zone_offset(&zone, at, &name);
		bent[i] = (char)~bent[i];
	}
}

static void
names_stay_in_the_database(void **state)
{
	(void)state;
	assert_true(zone_is_name(STR("America/Argentina/Buenos_Aires")));
	assert_true(zone_is_name(STR("Etc/GMT+5")));
	static const char *const bad[] = {"", "/etc/passwd", "../x", "a/../../x", "a.b", "a b", "a\nb"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(zone_is_name(str_from(bad[i])));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(clocks_show_what_date_says),
	    TEST(no_zone_is_utc),
	    TEST(damaged_files_do_no_harm),
	    TEST(names_stay_in_the_database),
	};
	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
