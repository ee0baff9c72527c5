/*
 * operator.h - the commands of rejoinder(1); cgi-bin/operator.c says which word is whose.
 */
#ifndef OPERATOR_H
#define OPERATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "status.h"
#include "str.h"

/* Exit statuses of all commands. */
enum { OPERATOR_DONE = 0, OPERATOR_FAILED = 1, OPERATOR_USAGE = 2, OPERATOR_WAITS = 3 };

struct operator_command {
	const char *name;
	const char *arguments; /* as --help shows them */
	const char *what;
	/* argv[0] is the command's name; returns the exit status. */
	int (*run)(const struct operator_command *command, const char *config, int argc, char **argv);
};

/* COMMAND --help: the usage, and a line an argument. */
void operator_help(const struct operator_command *command);

/* Says on standard error why it failed, or how the command is used; returns the exit status. */
int operator_fail(const char *what);
int operator_misuse(const struct operator_command *command);
/* The same behind a line that says which word is wrong. */
int operator_misread(const struct operator_command *command, int argc, char **argv);
/*
 * The first word that looks like an option and is none of the command's, or NULL.  Looked for before it runs, so
 * that a slip of the pen is no page's or moderator's name; an e-mail address may begin with dashes.
 */
const char *operator_strange(const struct operator_command *command, int argc, char **argv);

/*
 * A command has failed: if that is since a file is not for this user to read, says which and whose it is.
 * `moderators`: it takes their files, too.  Nothing for root.
 */
void operator_tell_denied(const char *config, bool moderators);

/* "reply" for one, else "replies". */
const char *operator_noun(int64_t n, const char *one, const char *many);

/*
 * How both programs are started anew, as whoever looks after this installation types it.  Up to RESTART bytes.
 */
enum { OPERATOR_RESTART = 2 * 4096 };
void operator_restart_words(const char *config, char words[OPERATOR_RESTART]);

/*
 * Prints what somebody else may have written, a page, a file's name, what the store says, as a terminal may be
 * shown it: control characters as \\x1b.
 */
void operator_put(FILE *to, struct str text);

/* A db_told that shows on a terminal how far the work is; elsewhere it says nothing. */
struct operator_work {
	const char *verb; /* "Copied" */
};
void operator_progress(void *work, int64_t done, int64_t all);

/* Copies of the store in its folder: what the programs have made is removed, if `purge`; else it is named. */
struct operator_copies {
	bool purge;
	int left; /* of ours; or the folder cannot be read */
};
void operator_look_for_copies(const char *database, struct operator_copies *copies);

/* Is what is open there a store of Rejoinder's, of whatever version? */
bool operator_is_copy(int fd);

struct config;
struct door;
struct door_site;

/*
 * Started by root, a command becomes the owner of the moderators' database, for good, before it comes near
 * the store or the published files: their folders are the group's, so the public door's user could put
 * links there for root to follow.  Where all is root's, and for others than root, these do nothing.  They
 * say on standard error why it cannot be done.  What only root can reach is opened before, or stays with a
 * parent (operator_apart).
 */
MUST_USE enum status operator_drop(const char *config);
/* The same for what starts another program, which may have to become yet another user or group. */
MUST_USE enum status operator_drop_to_mail(const char *config);
/* operator_drop, then door_open: how every command opens what it works on. */
MUST_USE enum status operator_open(const char *config, struct door *door);
/* Would operator_drop do anything? */
MUST_USE enum status operator_must_drop(const char *config, bool *must);
/*
 * Runs `task`, which returns an exit status, in a child that has dropped; here where there is nothing to drop.
 * Returns its exit status.
 */
typedef int operator_task(void *context);
int operator_apart(const char *config, operator_task *task, void *context);

/*
 * Gives what root has made to the users rejoinder-reader and rejoinder-moderator and the group
 * rejoinder, where there are these; what is not root's stays as it is.  For others than root it does
 * nothing.  BROKEN after saying on standard error why not.
 */
MUST_USE enum status operator_hand_over(const struct config *config);

/* Takes `--site NAME` out of a command's arguments; *name is NULL without it.  False when it is twice, or without NAME. */
bool operator_take_site(int *argc, char **argv, const char **name);
/* The site of that name, or the first for NULL; NULL after saying which there are. */
const struct door_site *operator_site(const struct door *door, const char *name);

/* Writes the files of all threads anew. */
MUST_USE enum status operator_publish_all(struct door *door);
/* check --accept-log. */
int operator_log_accept(const char *config);
/* After a restore the log ends earlier: a row says why. */
void operator_log_restored(const struct door *door);

/* rejoinder start; `group` is that of the web server, or NULL.  Returns the exit status. */
int operator_start_doors(const char *config, const char *group);
/* moderator add for init: whoever is there already stays as they are.  Returns the exit status. */
int operator_moderator_make(const char *config, const char *name);
/* May a moderator be called so?  Says what is wrong on standard error. */
bool operator_moderator_named(const char *name);

typedef int operator_run(const struct operator_command *command, const char *config, int argc, char **argv);

operator_run operator_init; /* src/operator_init.c */
operator_run operator_moderator; /* src/operator_moderator.c */
operator_run operator_start; /* src/operator_start.c */
operator_run operator_stop; /* src/operator_start.c */
operator_run operator_close; /* src/operator_close.c */
operator_run operator_reopen; /* src/operator_close.c */
operator_run operator_pages; /* src/operator_pages.c */
operator_run operator_snippet; /* src/operator_pages.c */
operator_run operator_publish; /* src/operator_publish.c */
operator_run operator_work; /* src/operator_work.c */
operator_run operator_check; /* src/operator_check.c */
operator_run operator_backup; /* src/operator_backup.c */
operator_run operator_restore; /* src/operator_backup.c */
operator_run operator_mail; /* src/operator_mail.c */
operator_run operator_rekey; /* src/operator_rekey.c */
operator_run operator_export; /* src/operator_export.c */
operator_run operator_waiting; /* src/operator_waiting.c */
operator_run operator_erase; /* src/operator_erase.c */
operator_run operator_stats; /* src/operator_stats.c */

#endif
