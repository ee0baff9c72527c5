/*
 * operator_start.c - `rejoinder start` and `rejoinder stop`: both doors, by systemd where that runs, else by
 * ourselves, each as the user that its database belongs to.
 *
 * The folder of sockets may be written by the doors' users, so what lies there is made and believed with their
 * rights only: log and pid file are opened by the child when it is no longer root, and a pid counts only if
 * that process runs the door's program.
 */
#include "operator.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "door.h"
#include "fcgi.h"
#include "file.h"
#include "keep.h"

enum { ARENA_MOST = 16 * 1024 * 1024, DOORS = 2, STOP_MOST = 50 /* seconds; a unit waits 40 */ };

static const char *const names[DOORS] = {"reader", "moderator"};

/* What the web server's user is a member of, where nobody says otherwise; as in the socket units. */
static const char web_group[] = "www-data";

struct start {
	const struct config *config;
	char path[PATH_MAX]; /* of the configuration, absolute */
	const char *group;   /* NULL: web_group, where there is one */
};

struct launch {
	const char *name;
	const struct passwd *user; /* NULL: whoever we are */
	char program[PATH_MAX];
	char socket[PATH_MAX], log[PATH_MAX], pid[PATH_MAX];
	int listener;
	int news; /* where the door says that it is ready */
};

/* --- systemd --------------------------------------------------------------------------------------- */

/* The units know one configuration. */
static bool
is_systemds(const char *config)
{
	return geteuid() == 0 && strcmp(config, CONFIG_DEFAULT_PATH) == 0 && access("/run/systemd/system", F_OK) == 0;
}

void
operator_restart_words(const char *config, char words[OPERATOR_RESTART])
{
	bool usual = strcmp(config, CONFIG_DEFAULT_PATH) == 0;
	const char *option = usual ? "" : "--config ", *path = usual ? "" : config, *space = usual ? "" : " ";
	if (is_systemds(config))
		snprintf(words, OPERATOR_RESTART, "systemctl restart rejoinder-reader rejoinder-moderator");
	else
		snprintf(words, OPERATOR_RESTART, "rejoinder %s%s%sstop && rejoinder %s%s%sstart, or as you started them", option, path,
		    space, option, path, space);
}

#define UNITS \
	"rejoinder-reader.socket", "rejoinder-moderator.socket", "rejoinder-reader.service", "rejoinder-moderator.service", \
	    "rejoinder-work.timer", "rejoinder-mail.timer", NULL

static int
run_systemctl(const char *const *argv)
{
	int how = -1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &how, 0) != pid || how != 0)
		return operator_fail("systemctl could not do it; journalctl -u 'rejoinder-*' may say why (new units want a "
		                     "systemctl daemon-reload first)");
	return OPERATOR_DONE;
}

/* --- what both need to know ------------------------------------------------------------------------ */

/* Beside this program, as in a checkout, or where `make install` puts it. */
static bool
find_program(struct launch *launch)
{
	char here[PATH_MAX - 64], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);
	char *slash = n <= 0 ? NULL : memrchr(here, '/', (size_t)n);
	if (slash == NULL)
		return false;
	*slash = '\0';
	static const char *const places[] = {"", "/../lib/rejoinder"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s%s/%s.fcgi", here, places[i], launch->name);
		if (realpath(path, launch->program) != NULL && access(launch->program, X_OK) == 0)
			return true;
	}
	fprintf(stderr, "rejoinder: there is no program %s.fcgi in %s or %s/../lib/rejoinder\n", launch->name, here, here);
	return false;
}

static bool
is_long(int n)
{
	return n < 0 || n >= PATH_MAX;
}

static bool
find_paths(const struct start *start, struct launch *launch)
{
	const char *run = start->config->run_dir, *name = launch->name;
	return !is_long(snprintf(launch->socket, PATH_MAX, "%s/%s.sock", run, name)) &&
	       !is_long(snprintf(launch->log, PATH_MAX, "%s/%s.log", run, name)) &&
	       !is_long(snprintf(launch->pid, PATH_MAX, "%s/%s.pid", run, name)) && find_program(launch);
}

/*
 * The store's folder is for the public door's user to write: a file of root's or of the moderators' that lies
 * there must not, under the database's name, make that door run as its owner.  Where both are one user by
 * choice, there are no two of our names.
 */
static bool
is_believable(const struct start *start, const struct stat *info)
{
	struct stat own;
	const struct passwd *reader = getpwnam("rejoinder-reader"), *moderator;
	bool two = reader != NULL && (moderator = getpwnam("rejoinder-moderator")) != NULL && info->st_uid == moderator->pw_uid;
	if (!S_ISREG(info->st_mode) || stat(start->config->moderators_database, &own) != 0)
		return S_ISREG(info->st_mode);
	return !two && (info->st_uid != 0 || own.st_uid == 0);
}

/* Root starts a door as the user of its database, whom `init` gave that to. */
static bool
find_user(const struct start *start, struct launch *launch, size_t door)
{
	const char *database = door == 0 ? start->config->database : start->config->moderators_database;
	struct stat info;
	launch->user = NULL;
	if (geteuid() != 0)
		return true;
	if (lstat(database, &info) != 0) {
		fprintf(stderr, "rejoinder: %s: %s; run rejoinder init first\n", database, strerror(errno));
		return false;
	}
	if (door == 0 && !is_believable(start, &info)) {
		fprintf(stderr, "rejoinder: %s belongs to user %lu, as no public program should run: who has exchanged it?  chown it to "
		                "that program's user when you know\n", database, (unsigned long)info.st_uid);
		return false;
	}
	launch->user = getpwuid(info.st_uid);
	if (launch->user == NULL)
		fprintf(stderr, "rejoinder: %s belongs to no user of this system: give it to rejoinder-%s\n", database, launch->name);
	return launch->user != NULL;
}

/* --- start ----------------------------------------------------------------------------------------- */

/* What root was given, a secret of another service, say, is nothing to a public program. */
static bool
take_environment(const struct passwd *user)
{
	static const char *const kept[] = {"PATH", "LANG", "LC_ALL", "TZ", "REJOINDER_BOX"};
	enum { KEPT = sizeof kept / sizeof *kept };
	const char *values[KEPT];
	for (size_t i = 0; i < KEPT; i++)
		values[i] = getenv(kept[i]);
	bool taken = clearenv() == 0 && setenv("HOME", user->pw_dir, 1) == 0 && setenv("USER", user->pw_name, 1) == 0;
	for (size_t i = 0; taken && i < KEPT; i++)
		taken = values[i] == NULL || setenv(kept[i], values[i], 1) == 0;
	return taken;
}

/* The door's own user from here on. */
static bool
drop_root(const struct passwd *user)
{
	return user == NULL || user->pw_uid == geteuid() ||
	       (initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0 &&
	           take_environment(user));
}

static bool
write_pid(const char *path)
{
	unlink(path); /* may be another user's, of an earlier start */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool written = fd >= 0 && dprintf(fd, "%ld\n", (long)getpid()) > 0;
	if (fd >= 0)
		close(fd);
	return written;
}

/* A pipe in its place would keep us waiting; another user's file may be read by others than ours. */
static int
open_log(const char *path)
{
	struct stat info;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd < 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid()))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* In the child: never returns.  What fails is said where `start` was typed, until the log takes over. */
static void
become(const struct start *start, const struct launch *launch)
{
	char number[16];
	snprintf(number, sizeof number, "%d", launch->news);
	umask(0007);
	if (setsid() < 0 || !drop_root(launch->user) || chdir("/") != 0)
		_exit(operator_fail("it cannot be started as its user"));
	int log = open_log(launch->log);
	if (log < 0 || !write_pid(launch->pid)) {
		fprintf(stderr, "rejoinder: %s cannot be written: %s\n", log < 0 ? launch->log : launch->pid, strerror(errno));
		_exit(OPERATOR_FAILED);
	}
	/* Nor whatever else was open where `start` was typed.  An older kernel cannot; then it stays open. */
	(void)close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	if (dup2(launch->listener, STDIN_FILENO) == STDIN_FILENO && dup2(log, STDOUT_FILENO) == STDOUT_FILENO &&
	    dup2(log, STDERR_FILENO) == STDERR_FILENO && fcntl(launch->news, F_SETFD, 0) == 0 &&
	    setenv(KEEP_STARTER, number, 1) == 0)
		execl(launch->program, launch->program, "--config", start->path, "--keep", (char *)NULL);
	_exit(operator_fail("it cannot be run"));
}

/* A byte when the door can answer; none when it has ended. */
static bool
launch_door(const struct start *start, struct launch *launch)
{
	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	launch->news = ends[1];
	pid_t pid = fork();
	if (pid == 0)
		become(start, launch);
	close(ends[1]);
	bool ready = pid > 0 && read(ends[0], &byte, 1) == 1;
	close(ends[0]);
	return ready;
}

/* The web server's group may connect. */
static bool
open_to_web(const struct start *start, const char *socket)
{
	const struct group *group = getgrnam(start->group == NULL ? web_group : start->group);
	if (start->group != NULL && group == NULL) {
		fprintf(stderr, "rejoinder: there is no group %s\n", start->group);
		return false;
	}
	if (group == NULL || (start->group == NULL && geteuid() != 0))
		return true;
	if (lchown(socket, (uid_t)-1, group->gr_gid) == 0)
		return true;
	fprintf(stderr, "rejoinder: %s cannot be given to the group %s: %s\n", socket, group->gr_name, strerror(errno));
	return false;
}

static bool
start_door(const struct start *start, size_t door)
{
	struct launch launch = {.name = names[door]};
	struct fcgi_socket listener;
	if (!find_paths(start, &launch) || !find_user(start, &launch, door))
		return false;
	if (fcgi_answers(launch.socket)) {
		printf("%s.fcgi runs already\n", launch.name);
		return true;
	}
	if (fcgi_listen(launch.socket, FCGI_SOCKET_MODE, &listener) != STATUS_OK)
		return false;
	launch.listener = listener.fd;
	bool ready = open_to_web(start, launch.socket) && launch_door(start, &launch);
	close(listener.fd);
	if (!ready)
		/* Nobody would answer there. */
		unlink(launch.socket);
	fflush(stdout);
	if (ready)
		printf("%s.fcgi runs%s%s, and writes %s\n", launch.name, launch.user == NULL ? "" : " as ",
		    launch.user == NULL ? "" : launch.user->pw_name, launch.log);
	else
		fprintf(stderr, "rejoinder: %s.fcgi did not start; the end of %s says why\n", launch.name, launch.log);
	return ready;
}

/* In most containers /run is empty at each start. */
static bool
make_run_folder(const struct config *config)
{
	struct stat info;
	if (stat(config->run_dir, &info) == 0)
		return true;
	umask(0007);
	return file_folder(config->run_dir, 02770) == STATUS_OK && operator_hand_over(config) == STATUS_OK;
}

static bool
start_doors(struct start *start)
{
	bool started = make_run_folder(start->config);
	for (size_t i = 0; started && i < DOORS; i++)
		started = start_door(start, i);
	return started;
}

static enum status
read_config(struct arena *arena, const char *path, struct start *start)
{
	struct config *config = NULL;
	enum status status = config_read(arena, path, &config);
	start->config = config;
	if (status == STATUS_OK && realpath(path, start->path) == NULL)
		status = STATUS_MISSING;
	return status;
}

int
operator_start_doors(const char *config, const char *group)
{
	static const char *const systemctl[] = {"systemctl", "enable", "--now", UNITS};
	struct start start = {.group = group};
	struct arena arena;
	if (is_systemds(config) && group != NULL)
		return operator_fail("systemd makes the sockets: name the group in SocketGroup=, by systemctl edit "
		                     "rejoinder-reader.socket rejoinder-moderator.socket");
	if (is_systemds(config)) {
		int result = run_systemctl(systemctl);
		if (result == OPERATOR_DONE)
			puts("The programs run, and systemd starts them with the machine.");
		return result;
	}
	arena_init(&arena, ARENA_MOST);
	bool started = read_config(&arena, config, &start) == STATUS_OK && start_doors(&start);
	arena_free(&arena);
	return started ? OPERATOR_DONE : OPERATOR_FAILED;
}

int
operator_start(const struct operator_command *command, const char *config, int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--group") == 0)
		return operator_start_doors(config, argv[2]);
	return argc == 1 ? operator_start_doors(config, NULL) : operator_misread(command, argc, argv);
}

/* --- stop ------------------------------------------------------------------------------------------ */

/* 0 for none.  A pipe in the file's place would keep us waiting. */
static long
read_pid(const char *path)
{
	char text[16];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	long pid = strtol(text, NULL, 10);
	return pid > 1 && pid <= INT_MAX ? pid : 0;
}

/*
 * By the first word of its command line, which everybody may read: root asks in vain for the /proc/PID/exe of another
 * user's process where it lacks CAP_SYS_PTRACE, as in most containers.  Whose first word lies is whoever wrote it.
 */
static bool
runs(long pid, const char *program)
{
	char path[64], words[PATH_MAX + 1];
	snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, words, sizeof words - 1);
	if (fd >= 0)
		close(fd);
	words[n > 0 ? n : 0] = '\0';
	return strcmp(words, program) == 0;
}

/* The process that the file names, if it is one of the door's program; else 0. */
static pid_t
find_running(const struct launch *launch)
{
	long pid = read_pid(launch->pid);
	return pid != 0 && runs(pid, launch->program) ? (pid_t)pid : 0;
}

static bool
wait_for_end(const struct launch *launch)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	for (int i = 0; i < STOP_MOST * 50 && find_running(launch) != 0; i++)
		nanosleep(&pause, NULL);
	return find_running(launch) == 0;
}

/* Then nothing there is known to be left over, and that was said. */
static bool
is_closed(const struct launch *launch, const char *path, int how)
{
	if (access(path, how) == 0 || errno != EACCES)
		return false;
	fprintf(stderr, "rejoinder: %s: %s, so whether %s.fcgi runs cannot be seen\n", path, strerror(errno), launch->name);
	return true;
}

static bool
stop_door(const struct start *start, size_t door)
{
	struct launch launch = {.name = names[door]};
	if (!find_paths(start, &launch))
		return false;
	pid_t pid = find_running(&launch);
	if (pid == 0 && (is_closed(&launch, start->config->run_dir, X_OK) || is_closed(&launch, launch.socket, W_OK)))
		return false;
	if (pid == 0) {
		bool elsewhere = fcgi_answers(launch.socket);
		/* Of a program that was killed: check would ask for it still. */
		if (!elsewhere && unlink(launch.pid) == 0)
			unlink(launch.socket);
		printf("%s.fcgi %s\n", launch.name, elsewhere ? "was not started by rejoinder start, and goes on" : "does not run");
		return !elsewhere;
	}
	if (kill(pid, SIGTERM) != 0 || !wait_for_end(&launch)) {
		fprintf(stderr, "rejoinder: %s.fcgi (process %ld) does not end: %s\n", launch.name, (long)pid, strerror(errno));
		return false;
	}
	/* Whoever may write beside the sockets may have named another process than the one that holds this one. */
	if (fcgi_answers(launch.socket)) {
		fprintf(stderr, "rejoinder: process %ld, which %s named, has ended, but %s.fcgi goes on: end it yourself\n", (long)pid,
		    launch.pid, launch.name);
		return false;
	}
	unlink(launch.pid);
	unlink(launch.socket);
	printf("%s.fcgi has ended\n", launch.name);
	return true;
}

int
operator_stop(const struct operator_command *command, const char *config, int argc, char **argv)
{
	static const char *const systemctl[] = {"systemctl", "stop", UNITS};
	struct start start = {.group = NULL};
	struct arena arena;
	if (argc != 1)
		return operator_misread(command, argc, argv);
	if (is_systemds(config))
		return run_systemctl(systemctl);
	arena_init(&arena, ARENA_MOST);
	bool stopped = read_config(&arena, config, &start) == STATUS_OK;
	for (size_t i = 0; start.config != NULL && i < DOORS; i++)
		stopped = stop_door(&start, i) && stopped;
	arena_free(&arena);
	return stopped ? OPERATOR_DONE : OPERATOR_FAILED;
}
