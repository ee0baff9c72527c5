/*
 * operator_drop.c - commands that root starts do their work as the moderators' user.
 *
 * The store's folder and the published one are for the group to write, so the public door's user can
 * exchange files there for links while a command works.  What root's rights would then do to some other
 * file, the moderators' user's cannot.
 */
#include "operator.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"

enum { GROUPS_MOST = 256 };

/* --- who ------------------------------------------------------------------------------------------ */

struct user {
	uid_t uid;
	gid_t gid;
	bool other; /* than root */
};

/* A link tells whose it is, for whoever made it is who is at work there; one of root's leads on. */
static bool
look_at(const char *path, struct stat *info)
{
	if (lstat(path, info) != 0)
		return false;
	return !S_ISLNK(info->st_mode) || info->st_uid != 0 || stat(path, info) == 0;
}

static bool
look_at_folder_of(const char *path, struct stat *info)
{
	char folder[PATH_MAX];
	if ((size_t)snprintf(folder, sizeof folder, "%s", path) >= sizeof folder)
		return false;
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	return look_at(slash == NULL ? "." : folder, info);
}

/*
 * The group that the moderators' files have; they may have been given away with a group of root's, which is
 * nobody else's to use.
 */
static enum status
find_group(const char *path, const struct stat *info, struct user *user)
{
	const struct passwd *passwd = getpwuid(user->uid);
	user->gid = info->st_gid != 0 ? info->st_gid : passwd != NULL ? passwd->pw_gid : 0;
	if (user->gid != 0)
		return STATUS_OK;
	fprintf(stderr, "rejoinder: %s belongs to user %lu and to root's group: chgrp it to the group of the two programs\n", path,
	    (unsigned long)user->uid);
	return STATUS_INVALID;
}

/* The owner of the moderators' database, or of its folder where there is none yet. */
static enum status
find_user(const char *database, struct user *user)
{
	struct stat folder, file;
	*user = (struct user){0};
	if (geteuid() != 0)
		return STATUS_OK;
	if (!look_at_folder_of(database, &folder)) {
		fprintf(stderr, "rejoinder: %s: %s; rejoinder init makes it\n", database, strerror(errno));
		return STATUS_MISSING;
	}
	bool made = look_at(database, &file);
	if (made && file.st_uid == 0 && folder.st_uid != 0) {
		fprintf(stderr, "rejoinder: %s is root's, in a folder that is not; who is the moderators' user?  chown it to them\n",
		    database);
		return STATUS_INVALID;
	}
	const struct stat *info = made ? &file : &folder;
	*user = (struct user){.uid = info->st_uid, .other = info->st_uid != 0};
	return user->other ? find_group(database, info, user) : STATUS_OK;
}

static enum status
find_user_of(const char *config_path, struct user *user, bool *programs)
{
	struct arena arena;
	struct config *config;
	arena_init(&arena, DOOR_ARENA_MOST);
	enum status status = config_read(&arena, config_path, &config);
	if (status == STATUS_OK)
		status = find_user(config->moderators_database, user);
	if (status == STATUS_OK)
		*programs = str_eq(config->mail.via, STR("sendmail"));
	arena_free(&arena);
	return status;
}

/* --- becoming ------------------------------------------------------------------------------------- */

static bool
take_groups(const struct user *user, const struct passwd *passwd)
{
	gid_t groups[GROUPS_MOST] = {user->gid};
	int n = 1;
	if (passwd != NULL) {
		n = GROUPS_MOST;
		if (getgrouplist(passwd->pw_name, user->gid, groups, &n) < 0)
			return false;
	}
	return setgroups((size_t)n, groups) == 0;
}

/* setresuid(2) takes the capabilities as well, unless somebody has told the kernel not to. */
static bool
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return syscall(SYS_capset, &head, none) == 0;
}

static bool
is_for_good(const struct user *user)
{
	uid_t uid[3];
	gid_t gid[3];
	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (uid[i] != user->uid || gid[i] != user->gid)
			return false;
	return setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && setresgid((gid_t)-1, 0, (gid_t)-1) != 0;
}

/* What sendmail, or a library, looks for at home must not be looked for at root's. */
static bool
move_home(const struct passwd *passwd)
{
	if (passwd == NULL)
		return setenv("HOME", "/", 1) == 0 && unsetenv("USER") == 0 && unsetenv("LOGNAME") == 0;
	return setenv("HOME", passwd->pw_dir, 1) == 0 && setenv("USER", passwd->pw_name, 1) == 0 &&
	       setenv("LOGNAME", passwd->pw_name, 1) == 0;
}

/* `programs`: some mailers' sendmail is set-group-id, so no_new_privs would keep it from its queue. */
static enum status
become(const struct user *user, bool programs)
{
	const struct passwd *passwd = getpwuid(user->uid);
	if (!move_home(passwd) || !take_groups(user, passwd) || setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0 || !drop_capabilities() ||
	    (!programs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)) {
		fprintf(stderr, "rejoinder: root cannot become user %lu, to whom the moderators' database belongs: %s; run it as "
		                "that user\n", (unsigned long)user->uid, strerror(errno));
		return STATUS_DENIED;
	}
	if (is_for_good(user))
		return STATUS_OK;
	/* Nothing that goes on from here would be what it says. */
	fputs("rejoinder: root's rights cannot be given up here; run it as the moderators' user\n", stderr);
	_exit(OPERATOR_FAILED);
}

static enum status
drop(const char *config, bool mails)
{
	struct user user;
	bool programs;
	if (geteuid() != 0)
		return STATUS_OK;
	enum status status = find_user_of(config, &user, &programs);
	return status == STATUS_OK && user.other ? become(&user, mails && programs) : status;
}

enum status
operator_drop(const char *config)
{
	return drop(config, false);
}

enum status
operator_drop_to_mail(const char *config)
{
	return drop(config, true);
}

enum status
operator_open(const char *config, struct door *door)
{
	enum status status = operator_drop(config);
	return status == STATUS_OK ? door_open(config, door) : status;
}

/* --- apart ---------------------------------------------------------------------------------------- */

enum status
operator_must_drop(const char *config, bool *must)
{
	struct user user = {0};
	bool programs;
	enum status status = geteuid() == 0 ? find_user_of(config, &user, &programs) : STATUS_OK;
	*must = status == STATUS_OK && user.other;
	return status;
}

int
operator_apart(const char *config, operator_task *task, void *context)
{
	bool must;
	int how = 0;
	if (operator_must_drop(config, &must) != STATUS_OK)
		return OPERATOR_FAILED;
	if (!must)
		return task(context);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		int result = operator_drop(config) == STATUS_OK ? task(context) : OPERATOR_FAILED;
		fflush(NULL);
		_exit(result);
	}
	while (child > 0 && waitpid(child, &how, 0) < 0)
		if (errno != EINTR)
			child = -1;
	if (child < 0) {
		perror("rejoinder");
		return OPERATOR_FAILED;
	}
	return WIFEXITED(how) ? WEXITSTATUS(how) : OPERATOR_FAILED;
}
