/*
 * trespasser.c - a door that was taken over: opens what it opens, goes into the sandbox, and then
 * tries everything else.  tests/flow/box.test.mjs drives it.
 *
 *	trespasser reader|moderator CONFIG boxed|free tries|file|haul ARGUMENT
 *
 * `tries` prints a line for each attempt, "socket ok" or "socket EPERM"; ARGUMENT is the path of a
 * socket that somebody listens on.  `file` opens the file ARGUMENT, to read and to write.  `haul`
 * writes to standard output every byte that it can read below the folders ARGUMENT (a colon between
 * two), and what any key among them opens of the sealed values.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"
#include "log.h"
#include "moderator.h"

enum { KEYS_MOST = 64, FILE_MOST = 1 << 26 };

static pid_t victim; /* a process of ours, made before the sandbox */

/* It lives until we end, which closes the pipe: in the sandbox nobody could end it. */
static void
make_victim(void)
{
	int ends[2];
	char waste;
	if (pipe(ends) != 0)
		exit(1);
	victim = fork();
	if (victim != 0)
		return;
	close(ends[1]);
	while (read(ends[0], &waste, 1) > 0)
		;
	_exit(0);
}

static void
tell(const char *name, bool done)
{
	printf("%s %s\n", name, done ? "ok" : strerrorname_np(errno));
}

static bool
is_over(pid_t child)
{
	int status;
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
forks(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	return child > 0;
}

static bool
runs(void)
{
	char name[] = "true", *const argv[] = {name, NULL};
	pid_t child = fork();
	if (child > 0)
		return is_over(child);
	/* Refused a process, it gives up its own. */
	execv("/bin/true", argv);
	if (child == 0)
		_exit(1);
	return false;
}

static bool
connects(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool
maps_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at != MAP_FAILED;
}

static bool
makes_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at != MAP_FAILED && mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool
peeks(void)
{
	static char there[8]; /* where it is, the victim has it, too */
	char here[8];
	struct iovec local = {here, sizeof here}, remote = {there, sizeof there};
	return process_vm_readv(victim, &local, 1, &remote, 1, 0) == sizeof here;
}

static bool
raises_limit(void)
{
	struct rlimit limit = {64, 64};
	return prlimit(0, RLIMIT_NOFILE, &limit, NULL) == 0;
}

static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
try_files(const struct config *config)
{
	char planted[4096], linked[4096];
	snprintf(planted, sizeof planted, "%s.planted", config->database);
	snprintf(linked, sizeof linked, "%s.linked", config->database);
	tell("write-beside-database", opens(planted, O_RDWR | O_CREAT));
	tell("read-passwd", opens("/etc/passwd", O_RDONLY));
	tell("list-root", opens("/", O_RDONLY | O_DIRECTORY));
	tell("write-tmp", opens("/tmp/rejoinder-trespasser", O_RDWR | O_CREAT));
	unlink("/tmp/rejoinder-trespasser");
	tell("symlink", symlink("/etc/passwd", linked) == 0);
	unlink(linked);
	tell("link", link(planted, linked) == 0);
	unlink(linked);
	tell("mknod", mknod(linked, S_IFIFO | 0600, 0) == 0);
	unlink(linked);
	tell("chmod", chmod(planted, 0666) == 0);
	unlink(planted);
}

static void
try_calls(int fd, const char *listening)
{
	tell("socket-inet", socket(AF_INET, SOCK_STREAM, 0) >= 0);
	tell("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	tell("connect", connects(fd, listening));
	tell("map-code", maps_code());
	tell("make-code", makes_code());
	tell("kill", kill(victim, 0) == 0);
	tell("process-vm-readv", peeks());
	tell("ptrace", ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0);
	tell("limit", raises_limit());
	tell("unshare", unshare(CLONE_NEWUTS) == 0);
	tell("fork", forks());
	tell("exec", runs());
}

static void
tries(const struct config *config, const char *listening, int fd)
{
	try_files(config);
	try_calls(fd, listening);
	fflush(stdout);
}

/* --- hauling ----------------------------------------------------------------------------------- */

struct haul {
	struct arena arena;
	struct secret_key keys[KEYS_MOST];
	size_t keys_n;
};

static void
keep_key(struct haul *haul, const struct str content)
{
	struct secret_key key;
	if (content.len >= 64 && haul->keys_n < KEYS_MOST && secret_key_read(str_sub(content, 0, 64), &key) == STATUS_OK)
		haul->keys[haul->keys_n++] = key;
}

static void
haul_file(struct haul *haul, const char *path)
{
	struct str content;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	char *at = arena_alloc(&haul->arena, FILE_MOST);
	size_t len = 0;
	for (ssize_t n = 1; at != NULL && n > 0 && len < FILE_MOST; len += n > 0 ? (size_t)n : 0)
		n = read(fd, at + len, FILE_MOST - len);
	close(fd);
	content = (struct str){at, len};
	fwrite(content.at, 1, content.len, stdout);
	keep_key(haul, content);
	arena_reset(&haul->arena);
}

static void
haul_folder(struct haul *haul, const char *path, int depth)
{
	DIR *folder = opendir(path);
	for (const struct dirent *one; folder != NULL && depth > 0 && (one = readdir(folder)) != NULL;) {
		char below[4096];
		struct stat info;
		snprintf(below, sizeof below, "%s/%s", path, one->d_name);
		if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0 || lstat(below, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			haul_folder(haul, below, depth - 1);
		else if (S_ISREG(info.st_mode))
			haul_file(haul, below);
	}
	if (folder != NULL)
		closedir(folder);
}

static void
open_with(struct haul *haul, char purpose, struct str sealed)
{
	for (size_t i = 0; i < haul->keys_n; i++) {
		struct str plain;
		if (secret_open(&haul->keys[i], &haul->arena, purpose, sealed, &plain) == STATUS_OK)
			printf("\nopened %.*s\n", STR_FMT(plain));
	}
}

static int
open_sealed(struct haul *haul, const char *database)
{
	sqlite3 *sqlite;
	sqlite3_stmt *stmt;
	int sealed = 0;
	if (sqlite3_open_v2(database, &sqlite, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(sqlite, "SELECT email_sealed, network_sealed FROM reply", -1, &stmt, NULL) != SQLITE_OK)
		return -1;
	for (; sqlite3_step(stmt) == SQLITE_ROW; sealed++) {
		for (int i = 0; i < 2; i++)
			open_with(haul, i == 0 ? SECRET_EMAIL : SECRET_NETWORK,
			    (struct str){sqlite3_column_blob(stmt, i), (size_t)sqlite3_column_bytes(stmt, i)});
	}
	sqlite3_finalize(stmt);
	sqlite3_close(sqlite);
	return sealed;
}

static void
haul(const struct door *door, const char *folders)
{
	static struct haul haul;
	arena_init(&haul.arena, (size_t)512 << 20);
	haul.keys[haul.keys_n++] = door->matching;
	haul.keys[haul.keys_n++] = door->receipt;
	memcpy(haul.keys[haul.keys_n++].bytes, door->config->sealing_key, SECRET_KEY);
	for (struct str rest = str_from(folders); rest.at != NULL;) {
		char folder[4096];
		struct str one = str_cut(&rest, ':');
		snprintf(folder, sizeof folder, "%.*s", STR_FMT(one));
		haul_folder(&haul, folder, 16);
	}
	int sealed = open_sealed(&haul, door->config->database);
	printf("\nsealed rows %d, keys %zu\n", sealed, haul.keys_n);
	fflush(stdout);
}

/* --- the door ---------------------------------------------------------------------------------- */

struct job {
	const struct door *door;
	const char *what, *argument;
	int fd;
};

/* In a thread that the door makes after it went into the sandbox, as its workers are. */
static void *
trespass(void *context)
{
	const struct job *job = context;
	if (strcmp(job->what, "tries") == 0)
		tries(job->door->config, job->argument, job->fd);
	else if (strcmp(job->what, "haul") == 0)
		haul(job->door, job->argument);
	else {
		tell("read", opens(job->argument, O_RDONLY));
		tell("write", opens(job->argument, O_WRONLY));
		fflush(stdout);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct door door;
	static struct moderator_door moderator;
	pthread_t thread;
	if (argc != 6)
		return 2;
	bool reader = strcmp(argv[1], "reader") == 0;
	make_victim();
	log_door("trespasser");
	enum status status = reader ? door_open(argv[2], &door) : moderator_open(argv[2], &moderator);
	if (status == STATUS_OK && reader)
		status = door_pace(&door);
	struct door *own = reader ? &door : &moderator.door;
	struct job job = {own, argv[4], argv[5], socket(AF_UNIX, SOCK_STREAM, 0)};
	if (status == STATUS_OK && strcmp(argv[3], "boxed") == 0)
		door_lock_in(own, reader ? NULL : own->config->moderators_database);
	if (status == STATUS_OK && pthread_create(&thread, NULL, trespass, &job) == 0)
		pthread_join(thread, NULL);
	fflush(stdout);
	return status == STATUS_OK ? 0 : 1;
}
