/*
 * operator_doors.c - for `rejoinder check`: do both programs answer, and may the web server ask them?
 *
 * Looked at before root is given up: the moderators' user may not connect to the public door's socket.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi.h"
#include "file.h"
#include "operator_findings.h"

enum { PATH_ROOM = 4096, ARENA_MOST = 1024 * 1024 };

static const char *const names[FINDINGS_DOORS] = {"reader", "moderator"};

struct look {
	struct findings *findings;
	const struct config *config;
	const char *name;           /* of the program, without .fcgi */
	char socket[PATH_ROOM];
	bool there;                 /* a socket of that name */
};

/* --- does anybody listen? -------------------------------------------------------------------------- */

/* What stands behind the first n words of a line. */
static const char *
behind(const char *line, int n)
{
	line += strspn(line, " ");
	for (int i = 0; i < n; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return line;
}

/* Without a connection, so that everybody may ask; a socket that was made under another name of its folder is not found. */
static bool
is_listed(const char *path)
{
	enum { FLAGS = 3, PATH = 7, LISTENS = 0x10000 }; /* words before them; __SO_ACCEPTCON */
	FILE *file = fopen("/proc/net/unix", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	while (file != NULL && !found && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		found = (strtoul(behind(line, FLAGS), NULL, 16) & LISTENS) != 0 && strcmp(behind(line, PATH), path) == 0;
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
}

/* One of the two programs runs, whichever it is, by the file that each holds meanwhile. */
static bool
is_attended(const struct config *config)
{
	struct arena arena;
	struct file_lock claim;
	const char *path;
	arena_init(&arena, ARENA_MOST);
	enum status status = door_attendance(&arena, config, config->sealing_key, &path);
	if (status == STATUS_OK && access(path, F_OK) != 0)
		status = STATUS_MISSING;
	if (status == STATUS_OK)
		status = file_claim(path, &claim);
	if (status == STATUS_OK)
		file_unlock(&claim);
	arena_free(&arena);
	return status == STATUS_CONFLICT;
}

/* --- nobody does ----------------------------------------------------------------------------------- */

static bool
is_beside(const struct look *look, const char *end)
{
	char path[PATH_ROOM];
	struct stat info;
	snprintf(path, sizeof path, "%s/%s.%s", look->config->run_dir, look->name, end);
	return lstat(path, &info) == 0;
}

static bool
is_usual(const struct look *look)
{
	return str_eq(look->config->path, STR(CONFIG_DEFAULT_PATH));
}

/* The units know the usual configuration, and whoever starts otherwise has switched them off. */
static bool
is_systemds(const struct look *look)
{
	char path[PATH_ROOM];
	struct stat info;
	snprintf(path, sizeof path, "/etc/systemd/system/sockets.target.wants/rejoinder-%s.socket", look->name);
	return is_usual(look) && lstat(path, &info) == 0 && access("/run/systemd/system", F_OK) == 0;
}

static const char *
how_it_is(const struct look *look)
{
	return look->there ? "nobody listens there" : "it is not there";
}

static void
tell_not_started(struct look *look)
{
	struct findings *findings = look->findings;
	if (!look->there && is_attended(look->config)) {
		operator_note(findings, "%s: it is not there: %s.fcgi has another socket, or does not run", look->socket, look->name);
		return;
	}
	findings->silent[findings->silent_n++] = look->name;
	if (is_usual(look))
		operator_find(findings, false, "%s: %s: start %s.fcgi with rejoinder start, or as it was started before, and see its log",
		    look->socket, how_it_is(look), look->name);
	else
		operator_note(findings, "%s: %s: start %s.fcgi with rejoinder --config %.*s start, or as it was started before, and see "
		                        "its log", look->socket, how_it_is(look), look->name, STR_FMT(look->config->path));
}

/* What is left of how it was started tells whether it must run, and what starts it again. */
static void
tell_silence(struct look *look)
{
	struct findings *findings = look->findings;
	const char *option = is_usual(look) ? "" : "--config ", *space = is_usual(look) ? "" : " ";
	if (is_systemds(look))
		operator_find(findings, false, "%s: %s: start %s.fcgi with systemctl start rejoinder-%s.socket; journalctl -u "
		                               "rejoinder-%s says why it ended", look->socket, how_it_is(look), look->name, look->name,
		    look->name);
	else if (is_beside(look, "pid"))
		operator_find(findings, false, "%s: %s: start %s.fcgi with rejoinder %s%.*s%sstart; the end of %s/%s.log says why it ended",
		    look->socket, how_it_is(look), look->name, option, is_usual(look) ? 0 : (int)look->config->path.len,
		    look->config->path.at, space, look->config->run_dir, look->name);
	else if (is_beside(look, "start"))
		operator_find(findings, true, "%s: %s.fcgi does not run now; %s.cgi starts it when somebody comes", look->socket,
		    look->name, look->name);
	else
		tell_not_started(look);
}

/* --- a door ---------------------------------------------------------------------------------------- */

static void
tell_answer(const struct look *look, const struct stat *info)
{
	struct group *group = getgrgid(info->st_gid);
	if ((info->st_mode & 0002) == 0)
		operator_find(look->findings, true, "%s: the web server's user must be in its group, %s", look->socket,
		    group == NULL ? "which has no name" : group->gr_name);
	else
		operator_find(look->findings, true, "%s", look->socket);
}

static void
tell_unasked(const struct look *look)
{
	operator_note(look->findings, "%s: whether %s.fcgi answers could not be asked, for this user may not connect: run "
	                              "rejoinder check as root", look->socket, look->name);
}

static void
check_door(struct look *look)
{
	struct stat info;
	snprintf(look->socket, sizeof look->socket, "%s/%s.sock", look->config->run_dir, look->name);
	bool seen = lstat(look->socket, &info) == 0;
	look->there = seen && S_ISSOCK(info.st_mode);
	if (!seen && errno == EACCES)
		tell_unasked(look);
	else if (!look->there)
		tell_silence(look);
	else if ((info.st_mode & 0022) == 0)
		operator_find(look->findings, false, "%s has mode %04o, so the web server cannot connect: start %s.fcgi with --mode 0660, "
		                                     "or set SocketMode=0660", look->socket, info.st_mode & 0777, look->name);
	else if (access(look->socket, W_OK) == 0 ? fcgi_answers(look->socket) : is_listed(look->socket))
		tell_answer(look, &info);
	else if (access(look->socket, W_OK) != 0)
		tell_unasked(look);
	else
		tell_silence(look);
}

void
operator_check_doors(struct findings *findings, const struct config *config)
{
	struct look look = {.findings = findings, .config = config};
	for (size_t i = 0; i < FINDINGS_DOORS; i++) {
		look.name = names[i];
		check_door(&look);
	}
}
