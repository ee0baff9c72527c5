#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"

#define TEMPORARY ".new-"
enum { FOLDER_MODE = 02775, FILE_MODE = 0664 };

static enum status
complain(const char *what, const char *path)
{
	int reason = errno;
	if (reason == ENOENT)
		return STATUS_MISSING;
	log_event(LOG_LEVEL_ERROR, "%s %s: %s", what, path, strerror(reason));
	bool passes = reason == ENOSPC || reason == EDQUOT || reason == EROFS || reason == EMFILE || reason == ENFILE;
	return passes ? STATUS_BUSY : STATUS_BROKEN;
}

static int
open_beneath(int folder, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC),
	    .mode = mode,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

enum status
file_tree_open(const char *path, struct file_tree *tree)
{
	tree->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd >= 0)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "folder %s: %s", path, strerror(errno));
	return errno == ENOENT ? STATUS_MISSING : STATUS_BROKEN;
}

void
file_tree_close(struct file_tree *tree)
{
	close(tree->fd);
	tree->fd = -1;
}

/* Opens the folder `name` of `folder`, which it makes and syncs if need be; closes `folder`. */
static int
step_down(int folder, const char *name)
{
	bool made = mkdirat(folder, name, 0775) == 0;
	int next = made || errno == EEXIST ? open_beneath(folder, name, O_RDONLY | O_DIRECTORY, 0) : -1;
	/* The umask may be tighter than what the web server needs. */
	if (next >= 0 && made && (fchmod(next, FOLDER_MODE) != 0 || fsync(folder) != 0)) {
		close(next);
		next = -1;
	}
	int reason = errno;
	close(folder);
	errno = reason;
	return next;
}

/* The folder that holds `path`, open, made where it is not there; *name is the last segment. */
static int
open_parent(const struct file_tree *tree, char *path, const char **name)
{
	int folder = open_beneath(tree->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	char *slash;
	for (*name = path; folder >= 0 && (slash = strchr(*name, '/')) != NULL; *name = slash + 1) {
		*slash = '\0';
		folder = step_down(folder, *name);
	}
	return folder;
}

static bool
advance_mtime(int fd, int folder, const char *name)
{
	struct stat old;
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {0}};
	clock_gettime(CLOCK_REALTIME, &times[1]);
	if (fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_mtim.tv_sec + 1 > times[1].tv_sec)
		times[1] = (struct timespec){.tv_sec = old.st_mtim.tv_sec + 1};
	return futimens(fd, times) == 0;
}

/* Writes and syncs the temporary file, then renames it over `name` and syncs the folder. */
static bool
replace_in(int folder, const char *temporary, const char *name, struct str content)
{
	int fd = open_beneath(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return false;
	bool done = fchmod(fd, FILE_MODE) == 0 && fd_write_all(fd, content.at, content.len) && advance_mtime(fd, folder, name) &&
	            fsync(fd) == 0;
	done = close(fd) == 0 && done;
	done = done && renameat(folder, temporary, folder, name) == 0 && fsync(folder) == 0;
	int reason = errno;
	if (!done)
		unlinkat(folder, temporary, 0);
	errno = reason;
	return done;
}

enum status
file_replace(const struct file_tree *tree, struct str path, struct str content)
{
	char copy[PATH_MAX], temporary[64];
	const char *name;
	uint64_t random[2];
	if (path.len >= sizeof copy || getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return STATUS_BROKEN;
	memcpy(copy, path.at, path.len);
	copy[path.len] = '\0';
	int folder = open_parent(tree, copy, &name);
	if (folder < 0)
		return complain("cannot make the folder of", name) == STATUS_BUSY ? STATUS_BUSY : STATUS_BROKEN;
	snprintf(temporary, sizeof temporary, TEMPORARY "%016llx%016llx", (unsigned long long)random[0],
	    (unsigned long long)random[1]);
	enum status status = STATUS_OK;
	if (!replace_in(folder, temporary, name, content))
		status = complain("cannot write", name) == STATUS_BUSY ? STATUS_BUSY : STATUS_BROKEN;
	close(folder);
	return status;
}

static enum status
read_all(int fd, struct arena *arena, const char *path, size_t most, struct str *content)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return complain("cannot read", path);
	/* A folder, a pipe: there is no such file. */
	if (!S_ISREG(info.st_mode))
		return STATUS_MISSING;
	if ((uint64_t)info.st_size > most)
		return STATUS_TOO_LARGE;
	size_t room = (size_t)info.st_size, len = 0;
	char *at = arena_alloc(arena, room + 1);
	if (at == NULL)
		return STATUS_BROKEN;
	while (len < room) {
		ssize_t n = read(fd, at + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain("cannot read", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*content = (struct str){at, len};
	return STATUS_OK;
}

static enum status
read_and_close(int fd, struct arena *arena, const char *path, size_t most, struct str *content)
{
	if (fd < 0)
		return complain("cannot open", path);
	enum status status = read_all(fd, arena, path, most, content);
	close(fd);
	return status;
}

enum status
file_read(const struct file_tree *tree, struct arena *arena, struct str path, size_t most, struct str *content)
{
	char *name = str_c(arena, path);
	if (name == NULL)
		return STATUS_BROKEN;
	int fd = open_beneath(tree->fd, name, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP || errno == EXDEV || errno == ENAMETOOLONG))
		return STATUS_MISSING;
	return read_and_close(fd, arena, name, most, content);
}

enum status
file_slurp(struct arena *arena, const char *path, size_t most, struct str *content)
{
	/* A pipe is no file: without O_NONBLOCK opening one would wait for somebody who writes to it. */
	return read_and_close(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), arena, path, most, content);
}

static void
draft_close(struct file_draft *draft)
{
	if (draft->fd >= 0)
		close(draft->fd);
	if (draft->folder >= 0)
		close(draft->folder);
	draft->fd = draft->folder = -1;
}

enum status
file_draft_begin(const char *path, mode_t mode, struct file_draft *draft)
{
	char folder[PATH_MAX];
	*draft = (struct file_draft){.folder = -1, .fd = -1};
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	const char *name = slash == NULL ? path : path + (slash - folder) + 1;
	if (strlen(path) >= sizeof folder || name[0] == '\0' || strlen(name) + sizeof ".new" > sizeof draft->fresh) {
		errno = ENAMETOOLONG;
		return complain("cannot make", path);
	}
	snprintf(draft->name, sizeof draft->name, "%s", name);
	snprintf(draft->fresh, sizeof draft->fresh, "%.*s.new", (int)(sizeof draft->fresh - sizeof ".new"), name);
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	draft->folder = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft->folder >= 0) {
		unlinkat(draft->folder, draft->fresh, 0);
		draft->fd = openat(draft->folder, draft->fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	}
	if (draft->fd >= 0 && fchmod(draft->fd, mode) == 0)
		return STATUS_OK;
	enum status status = complain("cannot make", path);
	file_draft_drop(draft);
	return status;
}

/* Not every file system knows RENAME_NOREPLACE; those that do not know links. */
static int
give_name(const struct file_draft *draft, bool replace)
{
	if (replace)
		return renameat(draft->folder, draft->fresh, draft->folder, draft->name);
	int result = renameat2(draft->folder, draft->fresh, draft->folder, draft->name, RENAME_NOREPLACE);
	if (result != 0 && errno == EINVAL) {
		result = linkat(draft->folder, draft->fresh, draft->folder, draft->name, 0);
		if (result == 0)
			unlinkat(draft->folder, draft->fresh, 0);
	}
	return result;
}

enum status
file_draft_keep(struct file_draft *draft, bool replace)
{
	if (fsync(draft->fd) == 0 && give_name(draft, replace) == 0) {
		enum status status = fsync(draft->folder) == 0 ? STATUS_OK : complain("cannot sync the folder of", draft->name);
		draft_close(draft);
		return status;
	}
	enum status status = errno == EEXIST ? STATUS_CONFLICT : complain("cannot put in place", draft->name);
	file_draft_drop(draft);
	return status;
}

void
file_draft_drop(struct file_draft *draft)
{
	if (draft->fd >= 0)
		unlinkat(draft->folder, draft->fresh, 0);
	draft_close(draft);
}

enum status
file_make(const char *path, struct str content, mode_t mode)
{
	struct file_draft draft;
	enum status status = file_draft_begin(path, mode, &draft);
	if (status != STATUS_OK)
		return status;
	if (fd_write_all(draft.fd, content.at, content.len))
		return file_draft_keep(&draft, false);
	status = complain("cannot write", path);
	file_draft_drop(&draft);
	return status;
}

enum status
file_pour(int from, int to)
{
	char piece[64 * 1024];
	ssize_t n = 0;
	do {
		n = read(from, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !fd_write_all(to, piece, (size_t)n))
			return complain("cannot", n < 0 ? "read a copy" : "write a copy");
	} while (n != 0);
	return STATUS_OK;
}

/* Of a folder that was made just now.  By its descriptor: where others may write, a link may stand there by then. */
static bool
set_mode(const char *folder, mode_t mode)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool set = fd >= 0 && fchmod(fd, mode) == 0;
	int reason = errno;
	if (fd >= 0)
		close(fd);
	errno = reason;
	return set;
}

enum status
file_folder(const char *path, mode_t mode)
{
	char copy[PATH_MAX];
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof copy)
		return STATUS_INVALID;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(copy, path, i);
		copy[i] = '\0';
		bool last = path[i] == '\0';
		if (mkdir(copy, last ? mode : 0755) == 0) {
			if (last && !set_mode(copy, mode))
				return complain("cannot set the mode of", copy);
		} else if (errno != EEXIST)
			return complain("cannot make the folder", copy) == STATUS_BUSY ? STATUS_BUSY : STATUS_BROKEN;
	}
	return STATUS_OK;
}

/* nftw(3) takes no context; a sweep happens once, at start, before threads. */
static int64_t swept;

static int
sweep_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	bool ours = kind == FTW_F && strncmp(path + at->base, TEMPORARY, sizeof TEMPORARY - 1) == 0;
	if (ours && unlink(path) == 0)
		swept++;
	return 0;
}

int64_t
file_sweep(const struct file_tree *tree)
{
	char path[64];
	/* nftw(3) drops a final slash and would then see a link. */
	snprintf(path, sizeof path, "/proc/self/fd/%d/.", tree->fd);
	swept = 0;
	nftw(path, sweep_one, 16, FTW_PHYS);
	return swept;
}

enum status
file_lock(const char *beside, unsigned number, struct file_lock *lock)
{
	struct stat info;
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s.lock%u", beside, number % FILE_LOCKS);
	lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (lock->fd < 0)
		return complain("cannot open", path);
	/* What root makes on the command line must open for the door, too. */
	if (geteuid() == 0 && stat(beside, &info) == 0 && fchown(lock->fd, info.st_uid, info.st_gid) != 0)
		log_event(LOG_LEVEL_WARNING, "%s stays root's: %s", path, strerror(errno));
	while (flock(lock->fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		enum status status = complain("cannot lock", path);
		file_unlock(lock);
		return status;
	}
	return STATUS_OK;
}

void
file_unlock(struct file_lock *lock)
{
	close(lock->fd);
	lock->fd = -1;
}

static enum status
lock_at_once(int fd, int how, const char *path, struct file_lock *lock)
{
	lock->fd = fd;
	if (fd >= 0 && flock(fd, how | LOCK_NB) == 0)
		return STATUS_OK;
	enum status status = fd >= 0 && errno == EWOULDBLOCK ? STATUS_CONFLICT : complain("cannot lock", path);
	if (fd >= 0)
		file_unlock(lock);
	return status;
}

enum status
file_attend(const char *path, struct file_lock *lock)
{
	/* A pipe in its place would keep us waiting. */
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0660);
	return lock_at_once(fd, LOCK_SH, path, lock);
}

enum status
file_claim(const char *path, struct file_lock *lock)
{
	return lock_at_once(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), LOCK_EX, path, lock);
}
