/*
 * What must be on disk before anybody is told that it is: the order of calls in file.c, seen by
 * standing in for the ones that sync.  A power cut cannot be had here; what it would undo can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"

/* One letter a call: w(rite), f(sync of a file), r(ename), d(irectory sync), m(kdir). */
static char calls[64];
static int failing; /* the letter of the call that fails with EIO, or 0 */

static int
note(char letter)
{
	size_t n = strlen(calls);
	assert_true(n + 1 < sizeof calls);
	calls[n] = letter;
	calls[n + 1] = '\0';
	if (failing != letter)
		return 0;
	errno = EIO;
	return -1;
}

/* These take the place of libc's in this program. */
int fsync(int fd);
int
fsync(int fd)
{
	struct stat info;
	assert_int_equal(fstat(fd, &info), 0);
	return note(S_ISDIR(info.st_mode) ? 'd' : 'f') != 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	struct stat info;
	bool file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && fd > 2;
	return file && note('w') != 0 ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, len);
}

int
renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	return note('r') != 0 ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int
mkdirat(int folder, const char *name, mode_t mode)
{
	int made = (int)syscall(SYS_mkdirat, folder, name, mode);
	if (made == 0)
		assert_int_equal(note('m'), 0);
	return made;
}

struct place {
	char folder[48], file[80];
	struct file_tree tree;
	struct arena arena;
};

static int
enter(void **state)
{
	struct place *place = calloc(1, sizeof *place);
	snprintf(place->folder, sizeof place->folder, "/tmp/rejoinder-durable-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->file, sizeof place->file, "%s/file", place->folder);
	assert_int_equal(file_tree_open(place->folder, &place->tree), STATUS_OK);
	arena_init(&place->arena, 65536);
	calls[0] = '\0';
	failing = 0;
	*state = place;
	return 0;
}

static void
drop(const char *folder, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	remove(path);
}

static int
leave(void **state)
{
	struct place *place = *state;
	drop(place->folder, "a/b/file");
	drop(place->folder, "a/b");
	drop(place->folder, "a");
	drop(place->folder, "file");
	assert_int_equal(rmdir(place->folder), 0);
	file_tree_close(&place->tree);
	arena_free(&place->arena);
	free(place);
	return 0;
}

/* valgrind of Debian 12 does not know openat2(2), without which file.c opens nothing. */
static void
skip_without_openat2(const struct place *place)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC};
	int fd = (int)syscall(SYS_openat2, place->tree.fd, ".", &how, sizeof how);
	if (fd < 0 && errno == ENOSYS)
		skip();
	assert_true(fd >= 0);
	close(fd);
}

static void
a_file_is_synced_before_its_name_and_its_folder_after(void **state)
{
	struct place *place = *state;
	skip_without_openat2(place);
	assert_int_equal(file_replace(&place->tree, STR("file"), STR("one")), STATUS_OK);
	assert_string_equal(calls, "wfrd");
}

static void
new_folders_are_synced_into_theirs(void **state)
{
	struct place *place = *state;
	skip_without_openat2(place);
	assert_int_equal(file_replace(&place->tree, STR("a/b/file"), STR("one")), STATUS_OK);
	assert_string_equal(calls, "mdmdwfrd");
	calls[0] = '\0';
	assert_int_equal(file_replace(&place->tree, STR("a/b/file"), STR("two")), STATUS_OK);
	assert_string_equal(calls, "wfrd");
}

static void
a_made_file_is_synced_with_its_folder(void **state)
{
	struct place *place = *state;
	assert_int_equal(file_make(place->file, STR("key"), 0600), STATUS_OK);
	assert_string_equal(calls, "wfd");
}

/* Whatever fails before the new name stands, the old file does, and nothing else is left. */
static void
a_call_that_fails_leaves_the_old_file(void **state)
{
	struct place *place = *state;
	struct str content;
	skip_without_openat2(place);
	assert_int_equal(file_replace(&place->tree, STR("file"), STR("old")), STATUS_OK);
	for (const char *letter = "wfr"; *letter != '\0'; letter++) {
		failing = *letter;
		assert_int_equal(file_replace(&place->tree, STR("file"), STR("new")), STATUS_BROKEN);
		failing = 0;
		assert_int_equal(file_read(&place->tree, &place->arena, STR("file"), 100, &content), STATUS_OK);
		assert_memory_equal(content.at, "old", 3);
	}
	assert_int_equal(file_sweep(&place->tree), 0);
}

/* The new file may stand, but nobody is told that it is safe. */
static void
a_folder_that_does_not_sync_is_told(void **state)
{
	struct place *place = *state;
	skip_without_openat2(place);
	failing = 'd';
	assert_int_equal(file_replace(&place->tree, STR("file"), STR("new")), STATUS_BROKEN);
	drop(place->folder, "file");
	assert_int_equal(file_make(place->file, STR("key"), 0600), STATUS_BROKEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_file_is_synced_before_its_name_and_its_folder_after, enter, leave),
	    cmocka_unit_test_setup_teardown(new_folders_are_synced_into_theirs, enter, leave),
	    cmocka_unit_test_setup_teardown(a_made_file_is_synced_with_its_folder, enter, leave),
	    cmocka_unit_test_setup_teardown(a_call_that_fails_leaves_the_old_file, enter, leave),
	    cmocka_unit_test_setup_teardown(a_folder_that_does_not_sync_is_told, enter, leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
