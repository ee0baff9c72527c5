/*
 * rejoinder - the command line of whoever runs the site.
 *
 * Every command stands in the table below; its function is in one of src/operator*.c.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "operator.h"
#include "version.h"

static const struct operator_command commands[] = {
    {"init", "", "make configuration, keys, databases and folders", operator_init},
    {"moderator", "add|list|disable|enable|password|unlock [NAME]", "who may moderate; passwords are asked for", operator_moderator},
    {"start", "[--group NAME]", "start both programs, by systemd or without", operator_start},
    {"stop", "", "end both programs", operator_stop},
    {"close", "PAGE [--site NAME]", "take no new replies on a page", operator_close},
    {"reopen", "PAGE [--site NAME]", "take replies there again", operator_reopen},
    {"pages", "import FILE [--dry-run] [--site NAME]", "which pages there are, and their titles: CSV or sitemap", operator_pages},
    {"snippet", "nginx|apache|include|html PAGE [--site NAME]", "what to paste into the web server's configuration, or an article", operator_snippet},
    {"publish", "[--all [--site NAME]]", "write the files that lag, or all of them", operator_publish},
    {"work", "", "do what waits in the background; for a timer, or cron", operator_work},
    {"check", "[--accept-log]", "look at configuration, permissions, store and published files", operator_check},
    {"waiting", "[--site NAME]", "how many replies wait, and since when; exit status 3 if any do", operator_waiting},
    {"mail", "[--retry | list | to NAME EMAIL]", "send moderators mail about what waits; say who gets it, and where", operator_mail},
    {"backup", "FILE", "copy the store into FILE, while it is used", operator_backup},
    {"restore", "FILE", "put a backup in the store's place, and publish it", operator_restore},
    {"rekey", "[--lost] [--finish]", "make a new pair of keys, and seal addresses to it", operator_rekey},
    {"export", "[--addresses]", "print all that is stored, as lines of JSON", operator_export},
    {"erase", "EMAIL [--keep-words] [--dry-run] [--purge-copies]", "remove for good what somebody has left", operator_erase},
    {"stats", "[--site NAME]", "count replies by state", operator_stats},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void
print_usage(FILE *to)
{
	fputs("Usage: rejoinder [--config FILE] COMMAND ...\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s%s%s\n      %s\n", commands[i].name, commands[i].arguments[0] == '\0' ? "" : " ",
		    commands[i].arguments, commands[i].what);
	fputs("\n  -c, --config FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
	      "  -h, --help         print this, or with a command its options\n"
	      "      --version      print the version\n"
	      "\nExit status: 0 done, 1 failed, 2 wrong use, 3 something waits. See rejoinder(1).\n",
	    to);
}

static const struct operator_command *
find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
print_version(void)
{
	puts("Rejoinder " VERSION);
	return OPERATOR_DONE;
}

/* What people also write behind the command. */
struct common {
	const char *config;
	bool help, wrong;
};

/* An argument of `--config FILE`, `--config=FILE` or `-c FILE` is taken; how many words it has, 0 for another one. */
static int
take_config(char **argv, struct common *common)
{
	static const char longest[] = "--config=";
	if (strncmp(argv[0], longest, sizeof longest - 1) == 0) {
		common->config = argv[0] + sizeof longest - 1;
		return 1;
	}
	if (strcmp(argv[0], "--config") != 0 && strcmp(argv[0], "-c") != 0)
		return 0;
	common->config = argv[1];
	common->wrong = argv[1] == NULL;
	return argv[1] == NULL ? 1 : 2;
}

/* Takes what is common to all commands out of the arguments of one; argv ends with NULL. */
static struct common
take_common(const char *config, int *argc, char **argv)
{
	struct common common = {.config = config};
	int kept = 1;
	bool plain = false;
	for (int i = 1; i < *argc; i++) {
		int words = plain ? 0 : take_config(argv + i, &common);
		plain = plain || strcmp(argv[i], "--") == 0;
		bool help = !plain && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0);
		common.help = common.help || help;
		if (words > 0)
			i += words - 1;
		else if (!help)
			argv[kept++] = argv[i];
	}
	argv[*argc = kept] = NULL;
	return common;
}

/* All that these open is the group's as well. */
static bool
is_for_group(const struct operator_command *command)
{
	static operator_run *const runs[] = {
	    operator_waiting, operator_stats, operator_snippet, operator_check, operator_pages, operator_backup, operator_restore};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
		if (command->run == runs[i])
			return true;
	return false;
}

static int
run_as_asked(const struct operator_command *command, const char *config, int argc, char **argv)
{
	int result = command->run(command, config, argc, argv);
	if (result == OPERATOR_FAILED)
		operator_tell_denied(config, !is_for_group(command));
	/* What a script reads must not look whole where the disk was full. */
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && result == OPERATOR_DONE)
		return operator_fail("it is done, but not all that there is to say could be written to standard output");
	return result;
}

static int
run(const struct operator_command *command, const char *config, int argc, char **argv)
{
	static char help[] = "--help";
	char *asked[] = {argv[0], help, NULL};
	struct common common = take_common(config, &argc, argv);
	if (common.wrong) {
		fputs("rejoinder: --config wants the file to read\n", stderr);
		return operator_misuse(command);
	}
	if (!common.help && command->run != operator_init && operator_strange(command, argc, argv) != NULL)
		return operator_misread(command, argc, argv);
	if (!common.help)
		return run_as_asked(command, common.config, argc, argv);
	/* init has options of its own, and tells them. */
	if (command->run == operator_init)
		return command->run(command, common.config, 2, asked);
	operator_help(command);
	return OPERATOR_DONE;
}

/* Where one of the three is closed, a database or a socket would get its number, and be written to as such. */
static bool
has_standard_files(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
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
	if (!has_standard_files())
		return OPERATOR_FAILED;
	log_door("rejoinder");
	log_plain();
	/* '+': options behind the command are the command's. */
	while ((option = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		if (option == 'c')
			config = optarg;
		else if (option == 'h') {
			print_usage(stdout);
			return OPERATOR_DONE;
		} else if (option == 'v') {
			return print_version();
		} else {
			fputs("rejoinder --help lists commands and options.\n", stderr);
			return OPERATOR_USAGE;
		}
	}
	const struct operator_command *command = optind < argc ? find(argv[optind]) : NULL;
	if (command == NULL && optind < argc && strcmp(argv[optind], "help") == 0) {
		print_usage(stdout);
		return OPERATOR_DONE;
	}
	if (command == NULL && optind < argc && strcmp(argv[optind], "version") == 0)
		return print_version();
	if (command != NULL)
		return run(command, config, argc - optind, argv + optind);
	if (optind < argc)
		fprintf(stderr, "rejoinder: there is no command \"%s\"; rejoinder --help lists them\n", argv[optind]);
	else
		print_usage(stderr);
	return OPERATOR_USAGE;
}
