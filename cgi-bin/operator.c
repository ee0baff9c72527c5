/*
 * rejoinder - the command line of whoever runs the site.
 *
 * Every command stands in the table below; its function is in src/operator.c or src/operator_pages.c.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "operator.h"
#include "version.h"

static const struct operator_command commands[] = {
    {"init", "", "make configuration, keys, databases and folders", operator_init},
    {"moderator", "add|list|disable|enable|password [NAME]", "who may moderate; passwords are asked for", operator_moderator},
    {"close", "PAGE", "take no new replies on a page", operator_close},
    {"reopen", "PAGE", "take replies there again", operator_reopen},
    {"pages", "import FILE [--dry-run] [--site NAME]", "which pages there are, and their titles: CSV or sitemap", operator_pages},
    {"snippet", "nginx|html PAGE [--site NAME]", "what to paste into the web server's configuration, or an article", operator_snippet},
    {"publish", "[--all]", "write the files that lag, or all of them", operator_publish},
    {"check", "", "look at configuration, permissions, store and published files", operator_check},
    {"stats", "", "count replies by state", operator_stats},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void
print_usage(FILE *to)
{
	fputs("Usage: rejoinder [--config FILE] COMMAND ...\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s%-42s%s\n", commands[i].name, commands[i].arguments, commands[i].what);
	fputs("\n  -c, --config FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
	      "  -h, --help         print this, or with a command its options\n"
	      "      --version      print the version\n"
	      "\nExit status: 0 done, 1 failed, 2 wrong use, 3 something waits. See rejoinder(1).\n",
	    to);
}

static void
print_command(const struct operator_command *command)
{
	const char *space = command->arguments[0] == '\0' ? "" : " ";
	printf("Usage: rejoinder [--config FILE] %s%s%s\n\n%s: %s. See rejoinder(1).\n", command->name, space,
	    command->arguments, command->name, command->what);
}

static const struct operator_command *
find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};
	const char *config = CONFIG_DEFAULT_PATH;
	int option;
	log_door("rejoinder");
	/* '+': options behind the command are the command's. */
	while ((option = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		if (option == 'c')
			config = optarg;
		else if (option == 'h') {
			print_usage(stdout);
			return OPERATOR_DONE;
		} else if (option == 'v') {
			puts("Rejoinder " VERSION);
			return OPERATOR_DONE;
		} else
			return OPERATOR_USAGE;
	}
	const struct operator_command *command = optind < argc ? find(argv[optind]) : NULL;
	bool asks = command != NULL && optind + 1 < argc && strcmp(argv[optind + 1], "--help") == 0;
	if (asks && command->run != operator_init) {
		print_command(command);
		return OPERATOR_DONE;
	}
	if (command != NULL)
		return command->run(command, config, argc - optind, argv + optind);
	if (optind < argc)
		fprintf(stderr, "rejoinder: there is no command \"%s\"; these there are:\n\n", argv[optind]);
	print_usage(stderr);
	return OPERATOR_USAGE;
}
