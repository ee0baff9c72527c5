/* Files whole or not at all, and never outside their folder. */
#include "room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	if (mkdir(room_path(room, "tree"), 0755) != 0 || mkdir(room_path(room, "outside"), 0755) != 0)
		return -1;
	return file_tree_open(room_path(room, "tree"), &room->tree) == STATUS_OK ? 0 : -1;
}

static enum status
replace(struct room *room, const char *path, const char *content)
{
	return file_replace(&room->tree, str_from(path), str_from(content));
}

static mode_t
mode_of(struct room *room, const char *name)
{
	struct stat info;
	assert_int_equal(lstat(room_path(room, name), &info), 0);
	return info.st_mode & 07777;
}

static time_t
mtime_of(struct room *room, const char *name)
{
	struct stat info;
	assert_int_equal(lstat(room_path(room, name), &info), 0);
	return info.st_mtim.tv_sec;
}

static size_t
entries(struct room *room, const char *name)
{
	DIR *folder = opendir(room_path(room, name));
	size_t n = 0;
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(folder);
	return n;
}

static void
replacing_makes_folders_and_modes(void **state)
{
	struct room *room = *state;
	mode_t old = umask(0077);
	OK(replace(room, "main/threads/a/~/thread.html", "one"));
	OK(replace(room, "top", "two"));
	umask(old);
	assert_str(room_read(room, "tree/main/threads/a/~/thread.html"), "one");
	assert_int_equal(mode_of(room, "tree/main/threads/a/~/thread.html"), 0664);
	assert_int_equal(mode_of(room, "tree/main"), 02775);
	assert_int_equal(mode_of(room, "tree/main/threads/a/~"), 02775);
	OK(replace(room, "top", ""));
	assert_str(room_read(room, "tree/top"), "");
	assert_int_equal(entries(room, "tree"), 2);
}

static void
mtime_moves_forward_by_a_second(void **state)
{
	struct room *room = *state;
	time_t before = time(NULL);
	OK(replace(room, "x", "aaaa"));
	time_t first = mtime_of(room, "tree/x");
	assert_in_range(first, before, time(NULL));
	for (int i = 1; i <= 5; i++) {
		OK(replace(room, "x", "bbbb"));
		assert_true(mtime_of(room, "tree/x") >= first + i);
	}
	/* A clock that is an hour behind the file. */
	struct timespec ahead[2] = {{.tv_sec = before + 3600, .tv_nsec = 999999999}, {before + 3600, 999999999}};
	assert_int_equal(utimensat(AT_FDCWD, room_path(room, "tree/x"), ahead, 0), 0);
	OK(replace(room, "x", "cccc"));
	assert_int_equal(mtime_of(room, "tree/x"), before + 3601);
	struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	assert_int_equal(utimensat(AT_FDCWD, room_path(room, "tree/x"), past, 0), 0);
	OK(replace(room, "x", "dddd"));
	assert_true(mtime_of(room, "tree/x") >= before);
}

static void
a_reader_keeps_the_old_file(void **state)
{
	struct room *room = *state;
	char text[8] = "";
	OK(replace(room, "x", "old"));
	int fd = open(room_path(room, "tree/x"), O_RDONLY | O_CLOEXEC);
	OK(replace(room, "x", "newer"));
	assert_int_equal(read(fd, text, sizeof text), 3);
	assert_string_equal(text, "old");
	close(fd);
	assert_str(room_read(room, "tree/x"), "newer");
}

/* A reader meanwhile sees one content or the other, whole. */
static void
replacing_is_atomic(void **state)
{
	struct room *room = *state;
	static char a[200000], b[100000];
	memset(a, 'a', sizeof a);
	memset(b, 'b', sizeof b);
	struct str contents[2] = {{a, sizeof a}, {b, sizeof b}};
	OK(file_replace(&room->tree, STR("x"), contents[0]));
	pid_t child = fork();
	if (child == 0) {
		for (size_t i = 0; i < 60; i++)
			if (file_replace(&room->tree, STR("x"), contents[i % 2]) != STATUS_OK)
				_exit(1);
		_exit(0);
	}
	int status = -1, seen = 0;
	while (waitpid(child, &status, WNOHANG) == 0) {
		struct str found;
		arena_reset(&room->arena);
		OK(file_read(&room->tree, &room->arena, STR("x"), 1 << 20, &found));
		assert_true(str_eq(found, contents[0]) || str_eq(found, contents[1]));
		seen++;
	}
	assert_int_equal(status, 0);
	assert_true(seen > 10);
	assert_int_equal(entries(room, "tree"), 1);
}

static void
nothing_leads_outside(void **state)
{
	struct room *room = *state;
	struct str content;
	room_write(room, "outside/secret", STR("secret"));
	OK(replace(room, "inside", "x"));
	assert_int_equal(symlink("../outside", room_path(room, "tree/folder")), 0);
	assert_int_equal(symlink("../outside/secret", room_path(room, "tree/link")), 0);
	assert_int_equal(symlink("inside", room_path(room, "tree/inner")), 0);
	assert_int_equal(symlink("loop", room_path(room, "tree/loop")), 0);
	assert_int_equal(mkdir(room_path(room, "tree/real"), 0755), 0);
	assert_int_equal(symlink("real", room_path(room, "tree/alias")), 0);
	static const char *const writes[] = {"../outside/secret", "../new", "folder/secret", "folder/new", "folder/a/b",
	    "loop/x", "alias/x", "a/../../outside/secret", "real/../../outside/new", "inside/x"};
	room_listen(room);
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
		if (replace(room, writes[i], "evil") == STATUS_OK)
			fail_msg("%s was written", writes[i]);
	static const char *const reads[] = {"../outside/secret", "folder/secret", "link", "loop", "inner", "alias",
	    "/etc/passwd", "real/../../outside/secret"};
	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		if (file_read(&room->tree, &room->arena, str_from(reads[i]), 100, &content) == STATUS_OK)
			fail_msg("%s was read", reads[i]);
	room_heard(room);
	assert_str(room_read(room, "outside/secret"), "secret");
	assert_int_equal(entries(room, "outside"), 1);
	assert_int_equal(entries(room, "tree/real"), 0);
	/* A planted link in a file's place is replaced by the file; what it led to is not touched. */
	OK(replace(room, "link", "ours"));
	struct stat info;
	assert_int_equal(lstat(room_path(room, "tree/link"), &info), 0);
	assert_true(S_ISREG(info.st_mode));
	assert_str(room_read(room, "outside/secret"), "secret");
}

static void
absolute_paths_stay_inside(void **state)
{
	struct room *room = *state;
	const char *path = room_path(room, "outside/absolute");
	room_listen(room);
	enum status status = replace(room, path, "evil");
	room_heard(room);
	assert_int_not_equal(status, STATUS_OK);
	assert_int_equal(entries(room, "outside"), 0);
}

static void
reading_says_what_is_wrong(void **state)
{
	struct room *room = *state;
	struct str content = STR_NONE;
	OK(replace(room, "a/x", "12345"));
	OK(file_read(&room->tree, &room->arena, STR("a/x"), 5, &content));
	assert_str(content, "12345");
	assert_int_equal(file_read(&room->tree, &room->arena, STR("a/x"), 4, &content), STATUS_TOO_LARGE);
	assert_int_equal(file_read(&room->tree, &room->arena, STR("a/y"), 4, &content), STATUS_MISSING);
	assert_int_equal(file_read(&room->tree, &room->arena, STR("b/y"), 4, &content), STATUS_MISSING);
	assert_int_equal(file_read(&room->tree, &room->arena, STR("a/x/y"), 4, &content), STATUS_MISSING);
	assert_int_equal(mkfifo(room_path(room, "tree/pipe"), 0644), 0);
	/* A folder and a pipe are no such files, and the pipe keeps nobody waiting. */
	assert_int_equal(file_read(&room->tree, &room->arena, STR("a"), 5, &content), STATUS_MISSING);
	assert_int_equal(file_read(&room->tree, &room->arena, STR("pipe"), 5, &content), STATUS_MISSING);
	char name[300];
	memset(name, 'n', sizeof name);
	assert_int_equal(file_read(&room->tree, &room->arena, (struct str){name, sizeof name}, 5, &content),
	    STATUS_MISSING);
	assert_int_equal(file_slurp(&room->arena, room_path(room, "none"), 5, &content), STATUS_MISSING);
	OK(file_slurp(&room->arena, room_path(room, "tree/a/x"), 5, &content));
	assert_int_equal(file_slurp(&room->arena, room_path(room, "tree/a/x"), 4, &content), STATUS_TOO_LARGE);
}

static void
files_are_made_once(void **state)
{
	struct room *room = *state;
	const char *path = room_path(room, "made");
	mode_t old = umask(0077);
	OK(file_make(path, STR("one"), 0640));
	umask(old);
	assert_int_equal(mode_of(room, "made"), 0640);
	assert_int_equal(file_make(path, STR("two"), 0600), STATUS_CONFLICT);
	assert_str(room_read(room, "made"), "one");
	assert_int_equal(symlink("elsewhere", room_path(room, "dangling")), 0);
	assert_int_equal(file_make(room_path(room, "dangling"), STR("x"), 0600), STATUS_CONFLICT);
	assert_null(room_read(room, "elsewhere").at);
	assert_int_equal(file_make(room_path(room, "no/such"), STR("x"), 0600), STATUS_MISSING);
	OK(file_folder(room_path(room, "a/b/c"), 02750));
	OK(file_folder(room_path(room, "a/b/c"), 0700));
	assert_int_equal(mode_of(room, "a/b/c"), 02750);
	room_listen(room);
	assert_int_not_equal(file_folder(room_path(room, "made/x"), 0700), STATUS_OK);
	room_heard(room);
	assert_int_equal(file_folder("", 0700), STATUS_INVALID);
	struct file_tree none;
	room_listen(room);
	assert_int_equal(file_tree_open(room_path(room, "none"), &none), STATUS_MISSING);
	assert_holds(room_heard(room), "/none: ");
}

static void
a_draft_gets_its_name_when_it_is_whole(void **state)
{
	struct room *room = *state;
	struct file_draft draft;
	room_write(room, "tree/copy.new", STR("left by somebody who was killed"));
	mode_t old = umask(0077);
	OK(file_draft_begin(room_path(room, "tree/copy"), 0640, &draft));
	umask(old);
	assert_int_equal(write(draft.fd, "one", 3), 3);
	assert_null(room_read(room, "tree/copy").at);
	OK(file_draft_keep(&draft, false));
	assert_str(room_read(room, "tree/copy"), "one");
	assert_int_equal(mode_of(room, "tree/copy"), 0640);
	OK(file_draft_begin(room_path(room, "tree/copy"), 0600, &draft));
	assert_int_equal(file_draft_keep(&draft, false), STATUS_CONFLICT);
	assert_str(room_read(room, "tree/copy"), "one");
	OK(file_draft_begin(room_path(room, "tree/copy"), 0600, &draft));
	assert_int_equal(write(draft.fd, "two", 3), 3);
	OK(file_draft_keep(&draft, true));
	assert_str(room_read(room, "tree/copy"), "two");
	OK(file_draft_begin(room_path(room, "tree/gone"), 0600, &draft));
	file_draft_drop(&draft);
	assert_int_equal(entries(room, "tree"), 1);
	assert_int_equal(file_draft_begin(room_path(room, "no/such"), 0600, &draft), STATUS_MISSING);
}

/* Who puts a link, or another folder, in its way makes it write nowhere else. */
static void
a_draft_is_made_where_it_was_begun(void **state)
{
	struct room *room = *state;
	struct file_draft draft;
	room_write(room, "outside/victim", STR("kept"));
	assert_int_equal(symlink("../outside/victim", room_path(room, "tree/copy.new")), 0);
	OK(file_draft_begin(room_path(room, "tree/copy"), 0600, &draft));
	assert_int_equal(write(draft.fd, "x", 1), 1);
	assert_int_equal(rename(room_path(room, "tree"), room_path(room, "former")), 0);
	assert_int_equal(symlink("outside", room_path(room, "tree")), 0);
	OK(file_draft_keep(&draft, true));
	assert_str(room_read(room, "former/copy"), "x");
	assert_str(room_read(room, "outside/victim"), "kept");
	assert_int_equal(entries(room, "outside"), 1);
}

static void
what_is_poured_is_all_that_is_behind(void **state)
{
	struct room *room = *state;
	static char big[300001];
	memset(big, 'z', sizeof big);
	room_write(room, "from", (struct str){big, sizeof big});
	int from = open(room_path(room, "from"), O_RDONLY), to = open(room_path(room, "to"), O_WRONLY | O_CREAT, 0600);
	OK(file_pour(from, to));
	assert_int_equal(room_read(room, "to").len, sizeof big);
	assert_int_equal(lseek(from, 0, SEEK_SET), 0);
	close(to);
	to = open("/dev/full", O_WRONLY);
	room_listen(room);
	assert_int_equal(file_pour(from, to), STATUS_BUSY);
	assert_holds(room_heard(room), "write a copy");
	close(from);
	close(to);
}

static void
leftovers_are_swept(void **state)
{
	struct room *room = *state;
	OK(replace(room, "a/b/thread.html", "x"));
	OK(replace(room, "a/thread.html", "x"));
	room_write(room, "tree/.new-0123456789abcdef", STR("left"));
	room_write(room, "tree/a/.new-1", STR("left"));
	room_write(room, "tree/a/b/.new-2", STR("left"));
	room_write(room, "tree/a/b/new-3", STR("kept"));
	room_write(room, "outside/.new-4", STR("kept"));
	assert_int_equal(symlink("../outside", room_path(room, "tree/folder")), 0);
	assert_int_equal(file_sweep(&room->tree), 3);
	assert_int_equal(file_sweep(&room->tree), 0);
	assert_str(room_read(room, "tree/a/b/thread.html"), "x");
	assert_str(room_read(room, "tree/a/b/new-3"), "kept");
	assert_str(room_read(room, "outside/.new-4"), "kept");
	assert_int_equal(entries(room, "tree/a"), 2);
}

/* A writer that is killed anywhere leaves the old file or the new one, and what it left is swept. */
static void
kills_leave_whole_files(void **state)
{
	struct room *room = *state;
	static char big[3000000];
	memset(big, 'z', sizeof big);
	for (useconds_t wait = 0; wait < 20000; wait += 800) {
		OK(replace(room, "x", "old"));
		pid_t child = fork();
		if (child == 0) {
			if (file_replace(&room->tree, STR("x"), (struct str){big, sizeof big}) != STATUS_OK)
				_exit(1);
			_exit(0);
		}
		usleep(wait);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		struct str found;
		arena_reset(&room->arena);
		OK(file_read(&room->tree, &room->arena, STR("x"), 1 << 23, &found));
		assert_true(str_eq(found, STR("old")) || found.len == sizeof big);
		file_sweep(&room->tree);
		assert_int_equal(entries(room, "tree"), 1);
	}
}

static void
full_disks_leave_the_old_file(void **state)
{
	struct room *room = *state;
	if (geteuid() != 0 || mkdir(room_path(room, "small"), 0755) != 0 ||
	    mount("none", room_path(room, "small"), "tmpfs", 0, "size=64k,nr_inodes=8") != 0) {
		print_message("skipped: mounting a small tmpfs needs root (%s)\n", strerror(errno));
		skip();
	}
	struct file_tree small;
	static char big[200000];
	OK(file_tree_open(room_path(room, "small"), &small));
	enum status before = file_replace(&small, STR("x"), STR("old"));
	room_listen(room);
	enum status full = file_replace(&small, STR("x"), (struct str){big, sizeof big});
	enum status inodes = STATUS_OK;
	for (int i = 0; i < 10 && inodes == STATUS_OK; i++)
		inodes = file_replace(&small, str_format(&room->arena, "y%d", i), STR("y"));
	enum status folder = file_replace(&small, STR("folder/x"), STR("y"));
	struct str heard = room_heard(room);
	struct str found = room_read(room, "small/x");
	int64_t swept = file_sweep(&small);
	file_tree_close(&small);
	assert_int_equal(umount(room_path(room, "small")), 0);
	OK(before);
	assert_int_equal(full, STATUS_BUSY);
	assert_int_equal(inodes, STATUS_BUSY);
	assert_int_equal(folder, STATUS_BUSY);
	assert_str(found, "old");
	assert_int_equal(swept, 0);
	assert_holds(heard, "No space left on device");
}

static void
read_only_disks_are_busy(void **state)
{
	struct room *room = *state;
	if (geteuid() != 0 || mkdir(room_path(room, "fixed"), 0755) != 0 ||
	    mount("none", room_path(room, "fixed"), "tmpfs", MS_RDONLY, "size=64k") != 0) {
		print_message("skipped: mounting a tmpfs needs root (%s)\n", strerror(errno));
		skip();
	}
	struct file_tree fixed;
	OK(file_tree_open(room_path(room, "fixed"), &fixed));
	room_listen(room);
	enum status file = file_replace(&fixed, STR("x"), STR("y"));
	enum status folder = file_replace(&fixed, STR("a/x"), STR("y"));
	room_heard(room);
	file_tree_close(&fixed);
	assert_int_equal(umount(room_path(room, "fixed")), 0);
	assert_int_equal(file, STATUS_BUSY);
	assert_int_equal(folder, STATUS_BUSY);
}

static int
add_under_lock(const char *beside, const char *counter)
{
	for (int i = 0; i < 200; i++) {
		struct file_lock lock;
		if (file_lock(beside, 7 + FILE_LOCKS * (unsigned)i, &lock) != STATUS_OK)
			return 1;
		FILE *file = fopen(counter, "r+e");
		int n = -1;
		if (file == NULL || fscanf(file, "%d", &n) != 1)
			return 1;
		rewind(file);
		fprintf(file, "%d\n", n + 1);
		fclose(file);
		file_unlock(&lock);
	}
	return 0;
}

static void
locks_hold_between_processes(void **state)
{
	struct room *room = *state;
	const char *beside = room_path(room, "db"), *counter = room_path(room, "counter");
	room_write(room, "counter", STR("0\n"));
	pid_t children[3];
	for (size_t i = 0; i < 3; i++)
		if ((children[i] = fork()) == 0)
			_exit(add_under_lock(beside, counter));
	for (size_t i = 0; i < 3; i++) {
		int status;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_str(room_read(room, "counter"), "600\n");
	struct file_lock one, other;
	OK(file_lock(beside, 1, &one));
	OK(file_lock(beside, 2, &other));
	file_unlock(&other);
	file_unlock(&one);
	OK(file_lock(beside, 1, &one));
	file_unlock(&one);
	assert_int_equal(one.fd, -1);
	assert_int_equal(symlink("elsewhere", room_path(room, "db.lock3")), 0);
	room_listen(room);
	assert_int_equal(file_lock(beside, 3, &one), STATUS_BROKEN);
	room_heard(room);
	assert_null(room_read(room, "elsewhere").at);
}

static void
who_is_there_is_known_while_they_live(void **state)
{
	struct room *room = *state;
	const char *path = room_path(room, "here");
	struct file_lock one, two, claim;
	assert_int_equal(file_claim(path, &claim), STATUS_MISSING);
	OK(file_attend(path, &one));
	OK(file_attend(path, &two));
	assert_int_equal(file_claim(path, &claim), STATUS_CONFLICT);
	file_unlock(&one);
	assert_int_equal(file_claim(path, &claim), STATUS_CONFLICT);
	file_unlock(&two);
	OK(file_claim(path, &claim));
	assert_int_equal(file_attend(path, &one), STATUS_CONFLICT);
	file_unlock(&claim);
	/* A link or a pipe that somebody has put there leads nowhere and keeps nobody. */
	assert_int_equal(symlink("made", room_path(room, "link")), 0);
	room_listen(room);
	assert_int_equal(file_attend(room_path(room, "link"), &one), STATUS_BROKEN);
	room_heard(room);
	assert_null(room_read(room, "made").at);
	assert_int_equal(mkfifo(room_path(room, "pipe"), 0600), 0);
	OK(file_attend(room_path(room, "pipe"), &one));
	file_unlock(&one);
}

static void
a_killed_holder_lets_go(void **state)
{
	struct room *room = *state;
	const char *beside = room_path(room, "db");
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		struct file_lock lock;
		if (file_lock(beside, 0, &lock) != STATUS_OK || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	struct file_lock lock;
	OK(file_lock(beside, 0, &lock));
	file_unlock(&lock);
	close(ready[0]);
	close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(replacing_makes_folders_and_modes),
	    TEST(mtime_moves_forward_by_a_second),
	    TEST(a_reader_keeps_the_old_file),
	    TEST(replacing_is_atomic),
	    TEST(nothing_leads_outside),
	    TEST(absolute_paths_stay_inside),
	    TEST(reading_says_what_is_wrong),
	    TEST(files_are_made_once),
	    TEST(a_draft_gets_its_name_when_it_is_whole),
	    TEST(a_draft_is_made_where_it_was_begun),
	    TEST(what_is_poured_is_all_that_is_behind),
	    TEST(leftovers_are_swept),
	    TEST(kills_leave_whole_files),
	    TEST(full_disks_leave_the_old_file),
	    TEST(read_only_disks_are_busy),
	    TEST(locks_hold_between_processes),
	    TEST(who_is_there_is_known_while_they_live),
	    TEST(a_killed_holder_lets_go),
	};
	if (!room_has_openat2())
		return 0;
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
