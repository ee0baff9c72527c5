/* What the commands of rejoinder(1) have in common; each has a file of its own. */
#include "operator.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "door.h"

int
operator_fail(const char *what)
{
	fprintf(stderr, "rejoinder: %s\n", what);
	return OPERATOR_FAILED;
}

int
operator_misuse(const struct operator_command *command)
{
	const char *space = command->arguments[0] == '\0' ? "" : " ";
	fprintf(stderr, "Usage: rejoinder %s%s%s\n", command->name, space, command->arguments);
	return OPERATOR_USAGE;
}

/* Does the usage name this option, and no longer one that begins so? */
static bool
names_option(const char *usage, const char *option)
{
	size_t len = strlen(option);
	for (const char *at = strstr(usage, option); at != NULL; at = strstr(at + 1, option))
		if (at > usage && at[-1] == '[' && (at[len] == ']' || at[len] == ' '))
			return true;
	return false;
}

const char *
operator_strange(const struct operator_command *command, int argc, char **argv)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], "--", 2) == 0 && argv[i][strspn(argv[i], letters)] == '\0' && !names_option(command->arguments, argv[i]))
			return argv[i];
	return NULL;
}

int
operator_misread(const struct operator_command *command, int argc, char **argv)
{
	const char *option = operator_strange(command, argc, argv), *name = command->name;
	bool takes_file = command->arguments[0] >= 'A' && command->arguments[0] <= 'Z';
	if (option != NULL)
		fprintf(stderr, "rejoinder: %s has no option \"%s\"\n", name, option);
	else if (argc == 1)
		fprintf(stderr, "rejoinder: %s wants %s\n", name, command->arguments);
	else if (strcmp(argv[argc - 1], "--site") == 0 || strcmp(argv[argc - 1], "--group") == 0)
		fprintf(stderr, "rejoinder: %s wants a %s's name\n", argv[argc - 1], argv[argc - 1] + 2);
	else if (argv[1][0] == '-' && argv[1][1] != '\0' && !names_option(command->arguments, argv[1]))
		fprintf(stderr, "rejoinder: %s has no option \"%s\"\n", name, argv[1]);
	else if (!takes_file && strstr(command->arguments, argv[1]) == NULL)
		fprintf(stderr, "rejoinder: %s does not know \"%s\"\n", name, argv[1]);
	else
		fprintf(stderr, "rejoinder: %s has too few or too many words behind it\n", name);
	return operator_misuse(command);
}

const char *
operator_noun(int64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

void
operator_put(FILE *to, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c < ' ' || c == 0x7f || (c == 0xc2 && i + 1 < text.len && (unsigned char)text.at[i + 1] < 0xa0))
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
}

void
operator_progress(void *context, int64_t done, int64_t all)
{
	const struct operator_work *work = context;
	if (isatty(STDERR_FILENO) == 0 || all == 0)
		return;
	/* Of numbers of replies, which may be as large as they get. */
	double percent = (double)done * 100 / (double)all;
	fprintf(stderr, "\r%s %3d %%%s", work->verb, (int)percent, done == all ? "\n" : "");
}

bool
operator_take_site(int *argc, char **argv, const char **name)
{
	int kept = 1;
	*name = NULL;
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--site") != 0)
			argv[kept++] = argv[i];
		else if (*name != NULL || ++i == *argc)
			return false;
		else
			*name = argv[i];
	}
	*argc = kept;
	return true;
}

const struct door_site *
operator_site(const struct door *door, const char *name)
{
	const struct door_site *site = door_site(door, str_from(name));
	if (site == NULL) {
		fprintf(stderr, "rejoinder: the configuration has no site \"%s\"; it has", name);
		for (size_t i = 0; i < door->config->sites_n; i++)
			fprintf(stderr, "%s %.*s", i == 0 ? "" : ",", STR_FMT(door->config->sites[i].name));
		fputs("\n", stderr);
	}
	return site;
}
