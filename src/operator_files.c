/*
 * operator_files.c - for `rejoinder check`: files, their owners and modes, and the web server's way to
 * them.
 */
#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi.h"
#include "operator.h"
#include "operator_findings.h"
#include "secret.h"

enum { TOLD_MOST = 5 /* files of one kind */, PATH_ROOM = 4096, FOLDERS_OPEN = 16 };

/* --- modes and owners ---------------------------------------------------------------------------- */

/* True if it is there; else that is a finding, with what to do about it. */
static bool
is_there(struct findings *findings, const char *path, struct stat *info, const char *advice)
{
	if (stat(path, info) == 0)
		return true;
	operator_find(findings, false, "%s: %s: %s", path, strerror(errno),
	    errno == EACCES ? "run this as root, or as the moderators' user" : advice);
	return false;
}

static void
check_mode(struct findings *findings, const char *path, unsigned permitted, const char *why)
{
	struct stat info;
	if (!is_there(findings, path, &info, "put the copy back; WHAT TO KEEP in rejoinder(1) says what is "
	                                     "lost without it, and what makes a new one"))
		return;
	unsigned mode = info.st_mode & 0777;
	if ((mode & ~permitted) != 0)
		operator_find(findings, false, "%s has mode %04o; chmod %04o it: %s", path, mode, permitted, why);
	else
		operator_find(findings, true, "%s", path);
}

static void
check_modes(struct findings *findings, const struct config *config)
{
	check_mode(findings, config->secret_key, 0600, "it opens every sealed address");
	check_mode(findings, config->log_key, 0600, "with it rows of the log can be made");
	check_mode(findings, config->moderators_database, 0600, "whoever can write there can sign in");
	check_mode(findings, config->matching_key, 0640, "with it addresses can be guessed at");
	check_mode(findings, config->receipt_key, 0640, "with it receipts can be made");
	check_mode(findings, config->database, 0660, "it holds what readers wrote");
	check_mode(findings, config->public_dir, 0775, "only our programs may write there");
}

/* SQLite and the doors make files beside a database; somebody else's stop both doors. */
static void
check_company(struct findings *findings, const char *database, bool shared)
{
	static const char *const ends[] = {"-wal", "-shm", ".turn"};
	struct stat first, info;
	char path[PATH_ROOM];
	if (stat(database, &first) != 0)
		return;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s%s", database, ends[i]);
		if (stat(path, &info) != 0 || info.st_uid == first.st_uid)
			continue;
		bool group = shared && info.st_gid == first.st_gid && (info.st_mode & 0060) == 0060;
		if (!group)
			operator_find(findings, false, "%s has another owner or group than the database: chown --reference=%s %s", path,
			    database, path);
	}
}

/* Two users write the store and one of them the published files: by the group, unless they are one. */
static void
check_owners(struct findings *findings, const struct config *config)
{
	struct stat database, secret, folder;
	check_company(findings, config->database, true);
	check_company(findings, config->moderators_database, false);
	if (stat(config->database, &database) != 0 || stat(config->secret_key, &secret) != 0)
		return;
	if (database.st_uid != secret.st_uid && (database.st_mode & 0060) != 0060)
		operator_find(findings, false, "%s is not for its group to write, and reader.fcgi and moderator.fcgi are two users: chmod 660 it",
		    config->database);
	if (stat(config->public_dir, &folder) == 0 && folder.st_uid != secret.st_uid && (folder.st_mode & 0030) != 0030)
		operator_find(findings, false, "%s cannot be written by moderator.fcgi: chmod 2775 it", config->public_dir);
	if (database.st_uid == secret.st_uid)
		operator_note(findings, "both programs run as one user: sealing protects backups, but not against a taken-over "
		                        "reader.fcgi");
}

/* --- the web server's way ------------------------------------------------------------------------- */

/* Does anybody else have this group?  As one of its members, or as a user's own. */
static bool
is_shared(gid_t gid, uid_t uid)
{
	const struct group *group = getgrgid(gid);
	const struct passwd *user;
	bool shared = group == NULL || group->gr_mem[0] != NULL;
	setpwent();
	while (!shared && (user = getpwent()) != NULL)
		shared = user->pw_gid == gid && user->pw_uid != uid;
	endpwent();
	return shared;
}

/*
 * Nobody but this user may connect to the public door, so the web server runs as this user, too: a trial, the demo.
 * The folders of this user's are no obstacle then.
 */
static bool
is_web_our_user(const struct config *config)
{
	char path[PATH_ROOM];
	struct stat info;
	snprintf(path, sizeof path, "%s/reader.sock", config->run_dir);
	return lstat(path, &info) == 0 && S_ISSOCK(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 0002) == 0 &&
	       ((info.st_mode & 0020) == 0 || !is_shared(info.st_gid, info.st_uid));
}

/* Every folder on the way to `path` lets the web server pass; a note, since the web server may be the same user. */
static void
note_way(struct findings *findings, const char *path, bool ours)
{
	char at[PATH_ROOM];
	struct stat info;
	if ((size_t)snprintf(at, sizeof at, "%s", path) >= sizeof at)
		return;
	for (char *slash = strchr(at + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (stat(at, &info) == 0 && (info.st_mode & 0001) == 0 && !(ours && info.st_uid == geteuid()))
			operator_note(findings, "%s has mode %04o, so a web server that is neither its user nor in its group cannot "
			                        "pass: chmod o+x it, or put %s elsewhere", at, info.st_mode & 0777, path);
		*slash = '/';
	}
}

/* nftw has no context; a check is made once. */
static struct findings *walking;
static int walked_n, walked_apart_n;

/* A file is read, a folder passed through. */
static int
look_at(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	unsigned group = kind == FTW_F ? 0040 : 0010, others = kind == FTW_F ? 0004 : 0001;
	(void)at;
	if (kind == FTW_SL || kind == FTW_SLN || (info->st_mode & others) != 0)
		return 0;
	if (kind != FTW_NS && (info->st_mode & group) != 0)
		walked_apart_n++;
	else if (++walked_n <= TOLD_MOST)
		operator_find(walking, false, "%s has mode %04o, so the web server cannot read it: chmod o+r%s it", path,
		    info->st_mode & 0777, kind == FTW_F ? "" : "x");
	return 0;
}

static void
check_served(struct findings *findings, const struct config *config)
{
	note_way(findings, config->public_dir, is_web_our_user(config));
	walking = findings;
	walked_n = walked_apart_n = 0;
	if (nftw(config->public_dir, look_at, FOLDERS_OPEN, FTW_PHYS) != 0)
		return;
	if (walked_n > TOLD_MOST)
		operator_find(findings, false, "... and %d more", walked_n - TOLD_MOST);
	if (walked_apart_n > 0)
		operator_note(findings, "among the published files %d %s for the group alone, so a web server that is not in it cannot "
		                        "read all: chmod -R o+rX %s", walked_apart_n, operator_noun(walked_apart_n, "is", "are"), config->public_dir);
}

/* --- the system -------------------------------------------------------------------------------------- */

/* The system grants a socket no more connections that wait than this. */
static void
check_backlog(struct findings *findings)
{
	FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");
	char line[32] = "";
	if (file == NULL)
		return;
	bool read = fgets(line, sizeof line, file) != NULL;
	long granted = strtol(line, NULL, 10);
	if (read && granted > 0 && granted < FCGI_BACKLOG)
		operator_note(findings, "net.core.somaxconn is %ld: more visitors at once than that may see 502; sysctl -w "
		                        "net.core.somaxconn=%d", granted, FCGI_BACKLOG);
	fclose(file);
}

/* --- what sites name -------------------------------------------------------------------------------- */

static void
check_sites(struct findings *findings, const struct config *config)
{
	struct stat info;
	for (size_t i = 0; i < config->sites_n; i++) {
		const struct config_site *site = &config->sites[i];
		if (site->document_root.len > 0 && (stat(site->document_root.at, &info) != 0 || !S_ISDIR(info.st_mode)))
			operator_find(findings, false, "document_root %s of site %s is no folder: name the one with the articles' files, "
			                               "or \"\"", site->document_root.at, site->name.at);
	}
}

static void
check_pair(struct findings *findings, const struct config *config)
{
	struct secret_key secret, public;
	struct stat info;
	if (stat(config->secret_key, &info) != 0 || (info.st_mode & 0077) != 0)
		return;
	if (secret_init() != STATUS_OK || secret_key_load(config->secret_key, 0600, &secret) != STATUS_OK) {
		operator_find(findings, false, "%s cannot be read: run this as the moderators' user", config->secret_key);
		return;
	}
	secret_public(&secret, &public);
	if (!secret_same(public.bytes, config->sealing_key, SECRET_KEY))
		operator_find(findings, false, "%s does not belong to the configured sealing_key: put back the one that fits",
		    config->secret_key);
	secret_wipe(&secret, sizeof secret);
}

void
operator_check_modes(struct findings *findings, const struct config *config)
{
	check_modes(findings, config);
	check_owners(findings, config);
}

void
operator_check_files(struct findings *findings, const struct config *config)
{
	check_served(findings, config);
	check_backlog(findings);
	check_sites(findings, config);
	check_pair(findings, config);
}
