/*
 * operator_init.c - `rejoinder init`: makes what is not there yet, and changes nothing that is.
 */
#include "operator.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "door.h"
#include "file.h"
#include "journal.h"
#include "out.h"
#include "overview.h"
#include "page/rejoinder_conf_txt.h"
#include "publish.h"
#include "secret.h"
#include "sql/moderators/database.h"
#include "sql/rejoinder/database.h"

enum { ARENA_MOST = 64 * 1024 * 1024 };

static const char init_usage[] =
    "Usage: rejoinder [--config FILE] init [OPTION]...\n"
    "Makes what is not there yet: configuration, keys, databases, folders. Changes nothing that is.\n"
    "\n"
    "  --under DIR           put everything below DIR (for a trial, or a user of your own)\n"
    "  --base URL            the site's address, as https://example.org\n"
    "  --title TEXT          the site's name\n"
    "  --document-root DIR   where the articles' files are, for their titles\n"
    "  --moderator NAME      who may moderate; the password is asked for\n"
    "  --start               start both programs, as rejoinder start does\n";

struct init {
	const char *config, *under, *base, *title, *document_root;
	const char *moderator; /* or NULL */
	bool start;
	bool complete; /* nothing was missing */
};

/* Paths of a new installation: below one folder, or where Debian has such things. */
static struct page_rejoinder_conf_txt
layout(struct arena *arena, const struct init *init)
{
	const char *u = init->under;
	struct page_rejoinder_conf_txt page = {
	    .database = str_from("/var/lib/rejoinder/rejoinder.db"),
	    .public = str_from("/var/lib/rejoinder/public"),
	    .run = str_from("/run/rejoinder"),
	    .matching_key = str_from("/etc/rejoinder/matching.key"),
	    .receipt_key = str_from("/etc/rejoinder/receipt.key"),
	    .moderators_database = str_from("/var/lib/rejoinder-moderators/moderators.db"),
	    .secret_key = str_from("/var/lib/rejoinder-moderators/secret.key"),
	    .log_key = str_from("/var/lib/rejoinder-moderators/log.key"),
	};
	if (u != NULL) {
		page.database = str_format(arena, "%s/rejoinder.db", u);
		page.public = str_format(arena, "%s/public", u);
		page.run = str_format(arena, "%s/run", u);
		page.matching_key = str_format(arena, "%s/keys/matching.key", u);
		page.receipt_key = str_format(arena, "%s/keys/receipt.key", u);
		page.moderators_database = str_format(arena, "%s/moderators/moderators.db", u);
		page.secret_key = str_format(arena, "%s/moderators/secret.key", u);
		page.log_key = str_format(arena, "%s/moderators/log.key", u);
	}
	page.base = str_from(init->base == NULL ? "http://localhost" : init->base);
	page.title = str_from(init->title == NULL ? "" : init->title);
	page.document_root = str_from(init->document_root == NULL ? "" : init->document_root);
	return page;
}

/* The folder that a file is in, made with `mode` if it is not there. */
static enum status
make_folder_of(struct arena *arena, const char *path, mode_t mode)
{
	char *folder = str_c(arena, str_from(path));
	char *slash = folder == NULL ? NULL : strrchr(folder, '/');
	struct stat info;
	if (slash == NULL || slash == folder)
		return STATUS_OK;
	*slash = '\0';
	if (stat(folder, &info) == 0)
		return STATUS_OK;
	return file_folder(folder, mode);
}

static enum status
make_key(struct arena *arena, const char *path, mode_t folder, unsigned mode)
{
	enum status status = make_folder_of(arena, path, folder);
	if (status == STATUS_OK)
		status = secret_key_make(path, mode);
	return status == STATUS_CONFLICT ? STATUS_OK : status;
}

/* A secret key without a configuration: that was lost, and its sealing key is the other's public half. */
static enum status
make_pair(const char *path, struct secret_key *public)
{
	struct secret_key secret;
	enum status status = secret_pair_make(path, 0600, public);
	if (status != STATUS_CONFLICT)
		return status;
	status = secret_key_load(path, 0600, &secret);
	if (status == STATUS_OK)
		secret_public(&secret, public);
	secret_wipe(&secret, sizeof secret);
	return status;
}

static enum status
make_config(struct arena *arena, const struct init *init)
{
	struct page_rejoinder_conf_txt page = layout(arena, init);
	struct secret_key public;
	struct out text;
	struct stat info;
	out_init(&text, arena);
	if (stat(init->config, &info) == 0)
		return STATUS_OK;
	enum status status = make_folder_of(arena, page.secret_key.at, 0700);
	if (status == STATUS_OK)
		status = make_pair(page.secret_key.at, &public);
	if (status != STATUS_OK)
		return status;
	page.sealing_key = secret_key_hex(arena, &public);
	page_rejoinder_conf_txt(&text, words_default(), &page);
	status = make_folder_of(arena, init->config, 0755);
	if (status == STATUS_OK)
		status = out_status(&text);
	return status == STATUS_OK ? file_make(init->config, out_str(&text), 0640) : status;
}

static enum status
make_store(struct arena *arena, const struct config *config)
{
	enum status status = make_folder_of(arena, config->database, 02770);
	if (status == STATUS_OK)
		status = db_create(config->database, &sql_rejoinder, 0660);
	if (status == STATUS_OK || status == STATUS_CONFLICT)
		status = make_folder_of(arena, config->moderators_database, 0700);
	if (status == STATUS_OK)
		status = db_create(config->moderators_database, &sql_moderators, 0600);
	if (status == STATUS_OK || status == STATUS_CONFLICT)
		status = file_folder(config->public_dir, 02775);
	return status == STATUS_OK ? file_folder(config->run_dir, 02770) : status;
}

/* Signed from the first row on: whoever comes later finds nothing to take at its word. */
static enum status
begin_log(const struct config *config)
{
	struct db *db = NULL, *moderators = NULL;
	struct journal journal = {0};
	enum status status = db_open(config->database, &sql_rejoinder, true, &db);
	if (status == STATUS_OK)
		status = db_open(config->moderators_database, &sql_moderators, true, &moderators);
	if (status == STATUS_OK)
		status = journal_open(config->log_key, db, moderators, true, &journal);
	journal_close(&journal);
	db_close(moderators);
	db_close(db);
	return status;
}

static enum status
publish_empties(const char *path)
{
	struct door door;
	enum status status = operator_open(path, &door);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; status == STATUS_OK && i < door.config->sites_n; i++) {
		struct publish_press press = door_press(&door);
		status = publish_empty(&press, &door.arena, door.sites[i].config);
		if (status == STATUS_OK)
			status = overview_write(&press, &door.arena, door.sites[i].config, door.sites[i].id);
	}
	door_close(&door);
	return status;
}

/* What goes into the store and the published folder; once these are handed over, it is done by whose they are. */
struct filling {
	const char *path;
	const struct config *config;
};

static int
fill_in(void *context)
{
	const struct filling *filling = context;
	enum status status = begin_log(filling->config);
	if (status == STATUS_OK)
		status = publish_empties(filling->path);
	return status == STATUS_OK ? OPERATOR_DONE : OPERATOR_FAILED;
}

static bool
is_complete(const struct config *config)
{
	const char *const paths[] = {config->database, config->moderators_database, config->secret_key, config->matching_key,
	    config->receipt_key, config->log_key, config->public_dir, config->run_dir};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (access(paths[i], F_OK) != 0)
			return false;
	return true;
}

/* Whoever gives another address the second time must not think that it was taken. */
static void
note_unused(const struct init *init, const struct config *config)
{
	const struct config_site *site = &config->sites[0];
	bool base = init->base != NULL && !str_eq(site->base, str_from(init->base));
	bool title = init->title != NULL && !str_eq(site->title, str_from(init->title));
	bool root = init->document_root != NULL && !str_eq(site->document_root, str_from(init->document_root));
	if (base || title || root)
		printf("%s was there and stays as it is; not taken from this line:%s%s%s. Edit it to change that.\n", init->config,
		    base ? " --base" : "", title ? " --title" : "", root ? " --document-root" : "");
}

static enum status
init_all(struct arena *arena, struct init *init)
{
	bool configured = access(init->config, F_OK) == 0;
	struct config *config;
	enum status status = secret_init();
	umask(0007);
	if (status == STATUS_OK)
		status = make_config(arena, init);
	if (status == STATUS_OK)
		status = config_read(arena, init->config, &config);
	/* The same with the option mended would else find it there, and leave it alone. */
	if (status == STATUS_INVALID && !configured && unlink(init->config) == 0)
		fprintf(stderr, "rejoinder: so %s was not kept: mend what stands above and run it again\n", init->config);
	if (status == STATUS_OK && configured && config->sites_n > 0)
		note_unused(init, config);
	init->complete = status == STATUS_OK && configured && is_complete(config);
	if (status == STATUS_OK)
		status = make_key(arena, config->matching_key, 02750, 0640);
	if (status == STATUS_OK)
		status = make_key(arena, config->receipt_key, 02750, 0640);
	if (status == STATUS_OK)
		status = make_key(arena, config->log_key, 0700, 0600);
	if (status == STATUS_OK)
		status = make_store(arena, config);
	if (status == STATUS_OK && init->under == NULL)
		status = operator_hand_over(config);
	if (status != STATUS_OK)
		return status;
	struct filling filling = {init->config, config};
	return operator_apart(init->config, fill_in, &filling) == OPERATOR_DONE ? STATUS_OK : STATUS_BROKEN;
}

/* Units that wait for the configuration are not started by its being there. */
static void
say_next(const struct init *init)
{
	bool usual = strcmp(init->config, CONFIG_DEFAULT_PATH) == 0;
	const char *option = usual ? "" : "--config ", *config = usual ? "" : init->config, *space = usual ? "" : " ";
	const char *head = "Next: ";
	printf("Ready: %s\n", init->config);
	if (init->complete) {
		puts("Nothing was missing.");
		return;
	}
	if (init->moderator == NULL) {
		printf("%srejoinder %s%s%smoderator add NAME\n", head, option, config, space);
		head = "      ";
	}
	if (!init->start)
		printf("%srejoinder %s%s%sstart\n", head, option, config, space);
	fflush(stdout);
}

/* What --moderator and --start ask for, once the rest is there. */
static int
finish_init(const struct init *init)
{
	int result = OPERATOR_DONE;
	if (init->moderator != NULL)
		result = operator_moderator_make(init->config, init->moderator);
	if (result != OPERATOR_DONE)
		fprintf(stderr, "rejoinder: all else is made: run the same again for %s%s\n", init->moderator,
		    init->start ? ", and to start the programs" : "");
	return result == OPERATOR_DONE && init->start ? operator_start_doors(init->config, NULL) : result;
}

/* Quotes and backslashes would end the string in the configuration that it is written into. */
static bool
is_plain(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c == '"' || *c == '\\' || *c == '$' || (unsigned char)*c < ' ')
			return false;
	return true;
}

static bool
take_init(struct init *init, int option)
{
	const char **const text = option == 'u'   ? &init->under
	                          : option == 'b' ? &init->base
	                          : option == 't' ? &init->title
	                          : option == 'd' ? &init->document_root
	                                          : NULL;
	if (option == 's')
		init->start = true;
	else if (option == 'm')
		init->moderator = optarg;
	else if (text != NULL && is_plain(optarg))
		*text = optarg;
	else {
		fprintf(stderr, "rejoinder: \"%s\" holds a quote, a backslash, a dollar sign or a control character\n", optarg);
		return false;
	}
	return option != 'm' || operator_moderator_named(optarg);
}

static int
read_init(int argc, char **argv, struct init *init)
{
	static const struct option options[] = {
	    {"under", required_argument, NULL, 'u'},
	    {"base", required_argument, NULL, 'b'},
	    {"title", required_argument, NULL, 't'},
	    {"document-root", required_argument, NULL, 'd'},
	    {"moderator", required_argument, NULL, 'm'},
	    {"start", no_argument, NULL, 's'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;
	optind = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h' || option == '?') {
			fputs(init_usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? OPERATOR_DONE : OPERATOR_USAGE;
		}
		if (!take_init(init, option))
			return OPERATOR_USAGE;
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "rejoinder: init does not know \"%s\"\n%s", argv[optind], init_usage);
	return OPERATOR_USAGE;
}

int
operator_init(const struct operator_command *command, const char *config, int argc, char **argv)
{
	(void)command;
	struct init init = {.config = config, .base = NULL};
	struct arena arena;
	char under[PATH_MAX];
	int result = read_init(argc, argv, &init);
	if (result >= 0)
		return result;
	if (init.under != NULL) {
		/* A relative path in a configuration would depend on where the doors are started. */
		if (file_folder(init.under, 0755) != STATUS_OK || realpath(init.under, under) == NULL)
			return operator_fail("the folder that --under names cannot be made");
		init.under = under;
	}
	arena_init(&arena, ARENA_MOST);
	if (init.under != NULL && strcmp(config, CONFIG_DEFAULT_PATH) == 0)
		init.config = str_format(&arena, "%s/rejoinder.conf", under).at;
	enum status status = init.config == NULL ? STATUS_BROKEN : init_all(&arena, &init);
	if (status == STATUS_OK)
		say_next(&init);
	result = status == STATUS_OK ? finish_init(&init)
	                             : operator_fail("init did not finish; what it made so far stays, so mend the reason above and run it again");
	arena_free(&arena);
	return result;
}
