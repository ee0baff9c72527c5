/*
 * file.h - files that are there whole or not at all, and never outside their folder.
 *
 * A `struct file_tree` is an open folder; every path below is relative to it and resolved by
 * openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS: neither "../x" nor a planted link leads
 * out.  Reasons for failures are logged with the path.
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "status.h"
#include "str.h"

struct file_tree {
	int fd;
};

/* Opens the folder at `path`; MISSING when there is none. Close it with file_tree_close. */
MUST_USE enum status file_tree_open(const char *path, struct file_tree *tree);
void file_tree_close(struct file_tree *tree);

/*
 * Replaces the file at `path` by `content`: temporary file of an unpredictable name in the same
 * folder, write, fsync, rename, fsync of the folder.  Folders on the way are made (2775) and
 * synced into theirs.  The new mtime is max(now, old + 1 s): web servers make their ETag of mtime
 * and size, and the same second with the same size would answer 304 for changed content.
 * Mode 0664.  BUSY when the disk is full or read-only, BROKEN otherwise; then the old file stands.
 */
MUST_USE enum status file_replace(const struct file_tree *tree, struct str path, struct str content);

/* The whole file, at most `most` bytes (TOO_LARGE above); MISSING when there is none. */
MUST_USE enum status file_read(const struct file_tree *tree, struct arena *arena, struct str path, size_t most,
    struct str *content);

/* The same for an ordinary path, for files that the configuration names. */
MUST_USE enum status file_slurp(struct arena *arena, const char *path, size_t most, struct str *content);

/* Creates the file at an ordinary path with `content` and `mode`, all at once; CONFLICT when there is one. Synced. */
MUST_USE enum status file_make(const char *path, struct str content, mode_t mode);

/*
 * A file at an ordinary path that gets its name when it is whole: until then it is "<path>.new", made by us
 * (what lies there is removed), and its folder is held open, so that whoever exchanges a folder on the way
 * changes nothing.  Write to `fd`.  file_draft_keep syncs it, and CONFLICT leaves what has the name already,
 * unless `replace`; file_draft_drop removes it.  Either ends it.
 */
struct file_draft {
	int folder, fd;
	char name[256], fresh[256]; /* NAME_MAX and its end */
};
MUST_USE enum status file_draft_begin(const char *path, mode_t mode, struct file_draft *draft);
MUST_USE enum status file_draft_keep(struct file_draft *draft, bool replace);
void file_draft_drop(struct file_draft *draft);

/* Copies all that is behind `from`'s place to `to`; BUSY when the disk is full. */
MUST_USE enum status file_pour(int from, int to);

/* Creates the folder and those on the way to it; not an error when it is there. */
MUST_USE enum status file_folder(const char *path, mode_t mode);

/* Removes what interrupted file_replace calls left below `tree`. Returns how many. */
int64_t file_sweep(const struct file_tree *tree);

/*
 * Holds lock `number` (0..FILE_LOCKS-1) of the lock files "<beside>.lock<number>" until
 * file_unlock; waits for other processes and threads.  Root makes them for the owner of `beside`.
 */
enum { FILE_LOCKS = 64 };
struct file_lock {
	int fd;
};
MUST_USE enum status file_lock(const char *beside, unsigned number, struct file_lock *lock);
void file_unlock(struct file_lock *lock);

/*
 * "I am here", for as long as the program lives or until file_unlock: a shared lock on the file at `path`, which
 * is made if need be, for the group.  file_claim finds out whether anybody is: CONFLICT then; MISSING when
 * there is no such file; else nobody is, and nobody comes while the claim is held.  Neither waits.
 */
MUST_USE enum status file_attend(const char *path, struct file_lock *lock);
MUST_USE enum status file_claim(const char *path, struct file_lock *lock);

#endif
