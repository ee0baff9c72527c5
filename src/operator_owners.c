/*
 * operator_owners.c - what root has made with `rejoinder init` goes to the users of the two programs.
 */
#include "operator.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

enum { KEEP = 0, DEPTH_MOST = 300 /* folders in each other; of a page of 512 bytes there are 256 */ };

struct owners {
	uid_t reader, moderator;
	gid_t group;
};

/* As the package and deploy/systemd/rejoinder.sysusers make them. */
static bool
find_owners(struct owners *owners)
{
	const struct passwd *user = getpwnam("rejoinder-reader");
	if (user == NULL)
		return false;
	owners->reader = user->pw_uid;
	user = getpwnam("rejoinder-moderator");
	if (user == NULL)
		return false;
	owners->moderator = user->pw_uid;
	const struct group *group = getgrnam("rejoinder");
	if (group != NULL)
		owners->group = group->gr_gid;
	return group != NULL;
}

static bool
complain(const char *path)
{
	fprintf(stderr, "rejoinder: %s cannot be given to its user: ", path);
	perror(NULL);
	return false;
}

static bool
give(int fd, const char *path, uid_t user, gid_t group, mode_t mode)
{
	struct stat info;
	if (fstat(fd, &info) != 0 || info.st_uid != 0 || (user == 0 && info.st_gid != 0))
		return true;
	/* A second name of it may be another program's, which nobody here meant. */
	if (S_ISREG(info.st_mode) && info.st_nlink > 1)
		return true;
	/* chown(2) takes the bits of user and group away, so the mode comes after it. */
	if (fchown(fd, user, group) != 0 || fchmod(fd, mode == KEEP ? info.st_mode & 07777 : mode) != 0)
		return complain(path);
	return true;
}

/*
 * Only what is root's: whatever belongs to somebody stays theirs.  A `mode` of KEEP leaves it.  Looked at and
 * changed by one descriptor: in the store's folder others may put a link into the place of a file meanwhile.
 */
static bool
hand_over(const char *path, uid_t user, gid_t group, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	/* Not there, a link, a socket. */
	if (fd < 0)
		return true;
	bool given = give(fd, path, user, group, mode);
	close(fd);
	return given;
}

/* What a tree is given to. */
struct heir {
	uid_t user;
	gid_t group;
};

static bool hand_over_folder(int folder, const char *name, const struct heir *heir, unsigned depth);

static bool
hand_over_entry(int folder, const char *name, const struct heir *heir, unsigned depth)
{
	struct stat info;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return true;
	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		return hand_over_folder(fd, name, heir, depth);
	bool given = give(fd, name, heir->user, heir->group, KEEP);
	close(fd);
	return given;
}

/* Takes `folder`. */
static bool
hand_over_folder(int folder, const char *name, const struct heir *heir, unsigned depth)
{
	bool done = give(folder, name, heir->user, heir->group, KEEP);
	DIR *entries = done && depth < DEPTH_MOST ? fdopendir(folder) : NULL;
	if (entries == NULL) {
		close(folder);
		return done;
	}
	for (const struct dirent *one = readdir(entries); done && one != NULL; one = readdir(entries))
		done = strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0 ||
		       hand_over_entry(dirfd(entries), one->d_name, heir, depth + 1);
	closedir(entries);
	return done;
}

/*
 * From folder to folder by descriptors: whoever may write there could put a link into the place of a folder on a path,
 * nftw(3)'s for one, and what lies behind it, /etc, say, would be handed over as well.
 */
static bool
hand_over_tree(const char *path, uid_t user, gid_t group)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder < 0 || hand_over_folder(folder, path, &(struct heir){user, group}, 0);
}

/* The folder of a file, in `folder`, of PATH_MAX bytes. */
static const char *
folder_of(const char *path, char *folder)
{
	snprintf(folder, PATH_MAX, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash != NULL && slash != folder)
		*slash = '\0';
	return folder;
}

/* The database and what SQLite and we keep beside it; the folder's owner makes and removes files there. */
static bool
hand_over_store(const struct config *config, const struct owners *owners)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".turn"};
	char path[PATH_MAX];
	bool done = true;
	for (size_t i = 0; done && i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s%s", config->database, ends[i]);
		done = hand_over(path, owners->reader, owners->group, KEEP);
	}
	/* The web server passes through it to the published files. */
	return done && hand_over(folder_of(config->database, path), owners->moderator, owners->group, 02771);
}

enum status
operator_hand_over(const struct config *config)
{
	struct owners owners;
	char folder[PATH_MAX];
	if (geteuid() != 0 || !find_owners(&owners))
		return STATUS_OK;
	bool done = hand_over(config->path.at, 0, owners.group, KEEP) &&
	            hand_over(config->matching_key, 0, owners.group, KEEP) &&
	            hand_over(config->receipt_key, 0, owners.group, KEEP) && hand_over_store(config, &owners) &&
	            hand_over_tree(config->public_dir, owners.moderator, owners.group) &&
	            hand_over_tree(folder_of(config->moderators_database, folder), owners.moderator, owners.group) &&
	            hand_over(config->secret_key, owners.moderator, owners.group, KEEP) &&
	            hand_over(config->log_key, owners.moderator, owners.group, KEEP) &&
	            hand_over(config->run_dir, 0, owners.group, 02771);
	return done ? STATUS_OK : STATUS_BROKEN;
}
