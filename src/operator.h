/*
 * operator.h - the commands of rejoinder(1); cgi-bin/operator.c says which word is whose.
 */
#ifndef OPERATOR_H
#define OPERATOR_H

/* Exit statuses of all commands. */
enum { OPERATOR_DONE = 0, OPERATOR_FAILED = 1, OPERATOR_USAGE = 2, OPERATOR_WAITS = 3 };

struct operator_command {
	const char *name;
	const char *arguments; /* as --help shows them */
	const char *what;
	/* argv[0] is the command's name; returns the exit status. */
	int (*run)(const struct operator_command *command, const char *config, int argc, char **argv);
};

/* Says on standard error why it failed, or how the command is used; returns the exit status. */
int operator_fail(const char *what);
int operator_misuse(const struct operator_command *command);

typedef int operator_run(const struct operator_command *command, const char *config, int argc, char **argv);

operator_run operator_init;
operator_run operator_moderator;
operator_run operator_close;
operator_run operator_reopen;
operator_run operator_pages; /* src/operator_pages.c */
operator_run operator_snippet; /* src/operator_pages.c */
operator_run operator_publish;
operator_run operator_check;
operator_run operator_stats;

#endif
