/*
 * operator_copies.c - copies of the store beside it: what a migration has kept, what an interrupted restore
 * left, and backups that somebody put there.
 */
#include "operator.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "sql/rejoinder/database.h"

enum { PATH_ROOM = 4096 };

/* SQLite's file format, section 1.3: the file begins so, and has the application_id at byte 68. */
static const char magic[16] = "SQLite format 3";
enum { ID_AT = 68, HEAD = ID_AT + 4 };

/*
 * The store itself is never opened for this: SQLite's locks are the process's, and whichever of its descriptors
 * is closed takes them all.
 */
bool
operator_is_copy(int fd)
{
	unsigned char head[HEAD];
	uint32_t id = 0;
	if (pread(fd, head, HEAD, 0) != HEAD || memcmp(head, magic, sizeof magic) != 0)
		return false;
	for (size_t i = ID_AT; i < HEAD; i++)
		id = id << 8 | head[i];
	return id == (uint32_t)db_application_id(&sql_rejoinder);
}

static bool
is_copy_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool copy = fd >= 0 && operator_is_copy(fd);
	if (fd >= 0)
		close(fd);
	return copy;
}

/* "rejoinder.db.v2", "rejoinder.db.restore", "rejoinder.db.backup" and what is beside these: the programs have made them. */
static bool
is_ours(const char *name, const char *base)
{
	size_t len = strlen(base);
	if (strncmp(name, base, len) != 0 || name[len] != '.')
		return false;
	const char *end = name + len + 1;
	size_t digits = end[0] == 'v' ? strspn(end + 1, "0123456789") : 0;
	return (digits > 0 && end[1 + digits] == '\0') || strcmp(end, "new") == 0 || strncmp(end, "restore", 7) == 0 ||
	       strncmp(end, "backup", 6) == 0;
}

/* The store's folder is for more users to write: a name may be anything. */
static void
tell(const char *what, const char *path)
{
	fputs(what, stdout);
	operator_put(stdout, str_from(path));
	putchar('\n');
}

/* Names or removes one; counts those of ours that stay. */
static void
look_at(const char *folder, const char *name, const char *base, struct operator_copies *copies)
{
	char path[PATH_ROOM];
	if (strcmp(name, base) == 0 || (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return;
	bool same = is_copy_at(path);
	/* The WAL of an interrupted restore has no such head. */
	bool beside = is_ours(name, base) && str_ends(str_from(name), STR("-wal"));
	if (!same && !beside)
		return;
	if (!is_ours(name, base)) {
		tell("Another copy of the store, which is left alone: ", path);
		return;
	}
	if (copies->purge && unlink(path) == 0) {
		tell("Removed: ", path);
		return;
	}
	if (copies->purge)
		fprintf(stderr, "rejoinder: %s: %s\n", path, strerror(errno));
	else
		tell("A copy of the store from before: ", path);
	copies->left++;
}

void
operator_look_for_copies(const char *database, struct operator_copies *copies)
{
	char folder[PATH_ROOM];
	struct dirent *entry;
	if ((size_t)snprintf(folder, sizeof folder, "%s", database) >= sizeof folder)
		return;
	char *slash = strrchr(folder, '/');
	const char *base = slash == NULL ? database : database + (slash - folder) + 1;
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	DIR *dir = opendir(slash == NULL ? "." : folder);
	if (dir == NULL) {
		copies->left++;
		fprintf(stderr, "rejoinder: %s: %s\n", folder, strerror(errno));
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		look_at(slash == NULL ? "." : folder, entry->d_name, base, copies);
	closedir(dir);
}
