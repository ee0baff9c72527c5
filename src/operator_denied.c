/*
 * operator_denied.c - who failed since a file is not theirs to read is told whose it is.
 */
#include "operator.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "door.h"
#include "log.h"

enum { NAME_ROOM = 64 };

/* Copied, since the next question overwrites the answer; a number where there is no name. */
static const char *
name_user(uid_t uid, char name[NAME_ROOM])
{
	const struct passwd *user = getpwuid(uid);
	if (user != NULL)
		snprintf(name, NAME_ROOM, "%s", user->pw_name);
	else
		snprintf(name, NAME_ROOM, "%lu", (unsigned long)uid);
	return name;
}

static const char *
name_group(gid_t gid, char name[NAME_ROOM])
{
	const struct group *group = getgrgid(gid);
	if (group != NULL)
		snprintf(name, NAME_ROOM, "%s", group->gr_name);
	else
		snprintf(name, NAME_ROOM, "%lu", (unsigned long)gid);
	return name;
}

/* Whose door it is: of the moderators' folder, which everybody may look at from outside. */
static bool
find_moderators_user(const struct config *config, char name[NAME_ROOM])
{
	const struct passwd *user = config == NULL ? getpwnam("rejoinder-moderator") : NULL;
	char folder[PATH_MAX];
	struct stat info;
	if (user != NULL)
		return name_user(user->pw_uid, name) != NULL;
	if (config == NULL)
		return false;
	snprintf(folder, sizeof folder, "%s", config->moderators_database);
	char *slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return false;
	*slash = '\0';
	return stat(folder, &info) == 0 && info.st_uid != 0 && name_user(info.st_uid, name) != NULL;
}

/* The file, or the first folder on the way to it that can be looked at. */
static bool
find_closed(const char *path, char at[PATH_MAX], struct stat *info)
{
	if ((size_t)snprintf(at, PATH_MAX, "%s", path) >= PATH_MAX)
		return false;
	for (char *slash; lstat(at, info) != 0; *slash = '\0')
		if ((slash = strrchr(at, '/')) == NULL || slash == at)
			return false;
	return true;
}

/* True if it is what is in the way; then that was said. */
static bool
tell(const char *path, int how, const struct config *config)
{
	char at[PATH_MAX], user[NAME_ROOM], group[NAME_ROOM], own[NAME_ROOM], moderators[NAME_ROOM];
	struct stat info;
	if (access(path, how) == 0 || errno != EACCES || !find_closed(path, at, &info))
		return false;
	bool known = find_moderators_user(config, moderators), shared = (info.st_mode & 0070) != 0;
	fprintf(stderr, "rejoinder: you are user %s, and %s is for user %s%s%s alone (mode %04o): run this as root%s%s\n",
	    name_user(geteuid(), own), at, name_user(info.st_uid, user), shared ? " and group " : "",
	    shared ? name_group(info.st_gid, group) : "", (unsigned)info.st_mode & 0777, known ? " or as user " : "",
	    known ? moderators : "");
	return true;
}

static bool
tell_store(const struct config *config)
{
	return tell(config->matching_key, R_OK, config) || tell(config->receipt_key, R_OK, config) ||
	       tell(config->database, R_OK | W_OK, config);
}

static void
tell_files(const char *path, bool moderators)
{
	struct arena arena;
	struct config *config;
	arena_init(&arena, DOOR_ARENA_MOST);
	/* What is wrong with it was said. */
	log_mute(true);
	enum status status = config_read(&arena, path, &config);
	log_mute(false);
	if (status == STATUS_OK && !tell_store(config) && moderators)
		(void)(tell(config->moderators_database, R_OK | W_OK, config) || tell(config->secret_key, R_OK, config));
	arena_free(&arena);
}

void
operator_tell_denied(const char *config, bool moderators)
{
	if (geteuid() != 0 && !tell(config, R_OK, NULL))
		tell_files(config, moderators);
}
