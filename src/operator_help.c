/*
 * operator_help.c - what `rejoinder COMMAND --help` tells of the words and options behind a command.
 *
 * A line an argument, in the order of the usage; rejoinder(1) tells more, and a test compares both.
 */
#include <stdio.h>
#include <string.h>

#include "operator.h"

#define SITE "  --site NAME       the site of that name; without it "

static const struct {
	const char *command, *lines;
} helps[] = {
    {"moderator",
     "  add NAME          may sign in from now on; the password is asked for, or read from standard input\n"
     "  list              print who may sign in, and who has lately\n"
     "  disable NAME      signs in no more, and is signed out\n"
     "  enable NAME       may sign in again\n"
     "  password NAME     gets a new password, asked for as by add, and is signed out everywhere\n"
     "  unlock NAME       may try again at once after too many wrong passwords\n"},
    {"start", "  --group NAME      the web server's group, which may connect to the sockets; www-data if there is one\n"},
    {"close",
     "  PAGE              the article's path, as /world/astana\n" SITE "the first one\n"},
    {"reopen",
     "  PAGE              the article's path, as /world/astana\n" SITE "the first one\n"},
    {"pages",
     "  import FILE       take the list in FILE: CSV of path, title, published; or a sitemap\n"
     "  --dry-run         write nothing; tell what would be\n" SITE "the first one\n"},
    {"snippet",
     "  nginx PAGE        lines for nginx, and the include for the article\n"
     "  apache PAGE       the same for Apache\n"
     "  include PAGE      for the article, where the server includes threads: style, include, form, script\n"
     "  html PAGE         for the article, where it does not: form and script\n"
     "  PAGE              the article's path, as /world/astana\n" SITE "the first one\n"},
    {"publish",
     "  --all             write all files anew, not only those that lag\n" SITE "all of them\n"},
    {"check", "  --accept-log      take the log as it is: a row of it says so\n"},
    {"waiting", SITE "all of them\n"},
    {"mail",
     "  --retry           try at once what waits, and what was refused for good\n"
     "  list              print who is told, and what was not sent\n"
     "  to NAME EMAIL     tell moderator NAME at this address; with none for it, not at all\n"},
    {"backup", "  FILE              the new file; none of that name may be there\n"},
    {"restore", "  FILE              the backup\n"},
    {"rekey",
     "  --lost            where the secret key is lost: what was sealed to it stays so for ever\n"
     "  --finish          the second step: seal old addresses to the new key\n"},
    {"export", "  --addresses       also e-mail and network address of each reply\n"},
    {"erase",
     "  EMAIL             the address, as it was typed; case does not matter\n"
     "  --keep-words      published words stay, under nobody's name\n"
     "  --dry-run         change nothing; print which replies these are\n"
     "  --purge-copies    remove also the copies that the programs have left beside the store\n"},
    {"stats", SITE "all of them\n"},
};

void
operator_help(const struct operator_command *command)
{
	const char *space = command->arguments[0] == '\0' ? "" : " ", *lines = "";
	for (size_t i = 0; i < sizeof helps / sizeof *helps; i++)
		lines = strcmp(helps[i].command, command->name) == 0 ? helps[i].lines : lines;
	printf("Usage: rejoinder [--config FILE] %s%s%s\n\n%s: %s.\n", command->name, space, command->arguments, command->name,
	    command->what);
	printf("%s%s\nSee rejoinder(1).\n", lines[0] == '\0' ? "" : "\n", lines);
}
