#include "operator.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "file.h"
#include "out.h"
#include "page.h"
#include "page/rejoinder_conf_txt.h"
#include "publish.h"
#include "reply.h"
#include "secret.h"
#include "session.h"
#include "sql/moderators/account.h"
#include "sql/moderators/database.h"
#include "sql/moderators/session.h"
#include "sql/rejoinder/database.h"
#include "sql/rejoinder/page.h"
#include "sql/rejoinder/publication.h"
#include "sql/rejoinder/reply.h"
#include "sql/rejoinder/site.h"
#include "sql/rejoinder/thread.h"
#include "title.h"

enum { ARENA_MOST = 64 * 1024 * 1024, STEP = 500 };

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

/* --- init ---------------------------------------------------------------------------------------- */

static const char init_usage[] =
    "Usage: rejoinder [--config FILE] init [OPTION]...\n"
    "Makes what is not there yet: configuration, keys, databases, folders. Changes nothing that is.\n"
    "\n"
    "  --under DIR           put everything below DIR (for a trial, or a user of your own)\n"
    "  --base URL            the site's address, as https://example.org\n"
    "  --title TEXT          the site's name\n"
    "  --document-root DIR   where the articles' files are, for their titles\n";

struct init {
	const char *config, *under, *base, *title, *document_root;
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
	};
	if (u != NULL) {
		page.database = str_format(arena, "%s/rejoinder.db", u);
		page.public = str_format(arena, "%s/public", u);
		page.run = str_format(arena, "%s/run", u);
		page.matching_key = str_format(arena, "%s/keys/matching.key", u);
		page.receipt_key = str_format(arena, "%s/keys/receipt.key", u);
		page.moderators_database = str_format(arena, "%s/moderators/moderators.db", u);
		page.secret_key = str_format(arena, "%s/moderators/secret.key", u);
	}
	page.base = str_from(init->base);
	page.title = str_from(init->title);
	page.document_root = str_from(init->document_root);
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
make_key(struct arena *arena, const char *path)
{
	enum status status = make_folder_of(arena, path, 02750);
	if (status == STATUS_OK)
		status = secret_key_make(path, 0640);
	return status == STATUS_CONFLICT ? STATUS_OK : status;
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
		status = secret_pair_make(page.secret_key.at, 0600, &public);
	if (status == STATUS_CONFLICT)
		fprintf(stderr, "rejoinder: %s is there already, but no configuration that knows its public half\n",
		    page.secret_key.at);
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

static enum status
publish_empties(const char *path)
{
	struct door door;
	enum status status = door_open(path, &door);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; status == STATUS_OK && i < door.config->sites_n; i++) {
		struct publish_press press = door_press(&door);
		status = publish_empty(&press, &door.arena, door.sites[i].config);
	}
	door_close(&door);
	return status;
}

static enum status
init_all(struct arena *arena, const struct init *init)
{
	struct config *config;
	enum status status = secret_init();
	umask(0007);
	if (status == STATUS_OK)
		status = make_config(arena, init);
	if (status == STATUS_OK)
		status = config_read(arena, init->config, &config);
	if (status == STATUS_OK)
		status = make_key(arena, config->matching_key);
	if (status == STATUS_OK)
		status = make_key(arena, config->receipt_key);
	if (status == STATUS_OK)
		status = make_store(arena, config);
	return status == STATUS_OK ? publish_empties(init->config) : status;
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

static int
read_init(int argc, char **argv, struct init *init)
{
	static const struct option options[] = {
	    {"under", required_argument, NULL, 'u'},
	    {"base", required_argument, NULL, 'b'},
	    {"title", required_argument, NULL, 't'},
	    {"document-root", required_argument, NULL, 'd'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;
	optind = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'u')
			init->under = optarg;
		else if (option == 'b')
			init->base = optarg;
		else if (option == 't')
			init->title = optarg;
		else if (option == 'd')
			init->document_root = optarg;
		else {
			fputs(init_usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? OPERATOR_DONE : OPERATOR_USAGE;
		}
		if (!is_plain(optarg)) {
			fprintf(stderr, "rejoinder: \"%s\" holds a quote, a backslash, a dollar sign or a control character\n",
			    optarg);
			return OPERATOR_USAGE;
		}
	}
	return optind == argc ? -1 : OPERATOR_USAGE;
}

int
operator_init(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct init init = {.config = config, .base = "http://localhost", .title = "", .document_root = ""};
	struct arena arena;
	char under[PATH_MAX];
	int result = read_init(argc, argv, &init);
	if (result >= 0)
		return result == OPERATOR_USAGE ? operator_misuse(command) : result;
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
		printf("Ready: %s\nNext: rejoinder --config %s moderator add NAME\n", init.config, init.config);
	arena_free(&arena);
	return status == STATUS_OK ? OPERATOR_DONE : operator_fail("init did not finish; what it made so far stays, so mend the "
	                                                  "reason above and run it again");
}

/* --- moderator ----------------------------------------------------------------------------------- */

/* One line without its end; false for none, for one that does not fit, and for one with a NUL in it. */
static bool
read_line(char *to, size_t room)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, stdin);
	size_t len = n <= 0 ? 0 : (size_t)n - (line[n - 1] == '\n' ? 1 : 0);
	bool fits = n > 0 && len < room && memchr(line, '\0', len) == NULL;
	if (fits) {
		memcpy(to, line, len);
		to[len] = '\0';
	}
	secret_wipe(line, size);
	free(line);
	return fits;
}

/* A password from the terminal, without echo, or one line of standard input. */
static bool
ask_password(const char *prompt, char *password, size_t room)
{
	struct termios normal, silent;
	bool terminal = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &normal) == 0;
	if (terminal) {
		silent = normal;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		fputs(prompt, stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	bool got = read_line(password, room);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &normal);
		fputs("\n", stderr);
	}
	return got;
}

struct account {
	struct db *db;
	struct arena *arena;
	struct str name;
	struct str password; /* hashed */
	int64_t now;
	int64_t changed;
	int64_t disabled;
};

static enum status
hash_new_password(struct account *account)
{
	char password[SESSION_PASSWORD_MOST + 2], again[SESSION_PASSWORD_MOST + 2];
	enum status status = STATUS_INVALID;
	if (!ask_password("Password (15 characters or more): ", password, sizeof password))
		operator_fail("there is no password on standard input, or it is too long, or holds a NUL");
	else if (session_password(str_from(password)) != STATUS_OK)
		operator_fail("a password takes 15 to 1024 bytes of valid text");
	else if (isatty(STDIN_FILENO) != 0 &&
	         (!ask_password("The same again: ", again, sizeof again) || strcmp(password, again) != 0))
		operator_fail("the two differ; nothing was changed");
	else
		status = secret_password_hash(account->arena, str_from(password), &account->password);
	secret_wipe(password, sizeof password);
	secret_wipe(again, sizeof again);
	return status;
}

static enum status
insert_account(struct db_conn *conn, void *context)
{
	const struct account *account = context;
	struct account_add_in in = {.name = account->name, .password = account->password, .created_at = account->now};
	return account_add(conn, &in, NULL);
}

static enum status
update_disabled(struct db_conn *conn, void *context)
{
	struct account *account = context;
	struct account_find_row row;
	struct account_disable_in in = {.name = account->name, .disabled = account->disabled};
	enum status status = account_find(conn, account->arena, &(struct account_find_in){.name = account->name}, &row);
	if (status == STATUS_OK)
		status = account_disable(conn, &in, &account->changed);
	/* Else they would come back to life with the account. */
	if (status == STATUS_OK)
		status = session_end_all(conn, &(struct session_end_all_in){.account_id = row.id}, NULL);
	return status;
}

static enum status
update_password(struct db_conn *conn, void *context)
{
	struct account *account = context;
	struct account_find_row row;
	enum status status = account_find(conn, account->arena, &(struct account_find_in){.name = account->name}, &row);
	if (status == STATUS_OK)
		status = account_password(conn,
		    &(struct account_password_in){.id = row.id, .password = account->password}, NULL);
	/* Whoever knew the old one is out. */
	if (status == STATUS_OK)
		status = session_end_all(conn, &(struct session_end_all_in){.account_id = row.id}, NULL);
	return status;
}

static int
report(enum status status, const struct account *account, const char *done)
{
	if (status == STATUS_OK) {
		printf("%.*s %s\n", STR_FMT(account->name), done);
		return OPERATOR_DONE;
	}
	if (status == STATUS_CONFLICT)
		return operator_fail("there is a moderator of that name already");
	if (status == STATUS_MISSING)
		return operator_fail("there is no moderator of that name; see rejoinder moderator list");
	return status == STATUS_INVALID ? OPERATOR_FAILED : operator_fail("the moderators' database could not be written");
}

static int
moderator_add(struct account *account)
{
	enum status status = hash_new_password(account);
	if (status == STATUS_OK)
		status = db_write(account->db, insert_account, account);
	return report(status, account, "may sign in now");
}

static int
moderator_password(struct account *account)
{
	enum status status = hash_new_password(account);
	if (status == STATUS_OK)
		status = db_write(account->db, update_password, account);
	return report(status, account, "has a new password, and is signed out everywhere");
}

static int
moderator_able(struct account *account, bool disabled)
{
	account->disabled = disabled ? 1 : 0;
	enum status status = db_write(account->db, update_disabled, account);
	if (status == STATUS_OK && account->changed == 0)
		status = STATUS_MISSING;
	return report(status, account, disabled ? "cannot sign in any more" : "may sign in again");
}

static int
moderator_disable(struct account *account)
{
	return moderator_able(account, true);
}

static int
moderator_enable(struct account *account)
{
	return moderator_able(account, false);
}

static int
moderator_list(struct account *account)
{
	struct account_list_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(account->db, &conn);
	if (status == STATUS_OK) {
		status = account_list(conn, account->arena, &rows, &n);
		db_release(conn);
	}
	if (status != STATUS_OK)
		return operator_fail("the moderators' database cannot be read");
	for (size_t i = 0; i < n; i++)
		printf("%.*s%s\n", STR_FMT(rows[i].name), rows[i].disabled != 0 ? "  (disabled)" : "");
	if (n == 0)
		puts("Nobody yet: rejoinder moderator add NAME");
	return OPERATOR_DONE;
}

static const struct {
	const char *name;
	bool named; /* wants a NAME */
	int (*run)(struct account *account);
} moderator_actions[] = {
    {"add", true, moderator_add},
    {"list", false, moderator_list},
    {"disable", true, moderator_disable},
    {"enable", true, moderator_enable},
    {"password", true, moderator_password},
};

static int
run_moderator(const char *path, size_t action, const char *name)
{
	struct arena arena;
	struct config *config;
	int result = OPERATOR_FAILED;
	struct account account = {.arena = &arena, .name = str_from(name), .now = (int64_t)time(NULL)};
	arena_init(&arena, ARENA_MOST);
	umask(0077);
	if (secret_init() == STATUS_OK && config_read(&arena, path, &config) == STATUS_OK &&
	    door_database(config->moderators_database, &sql_moderators, &account.db) == STATUS_OK) {
		result = moderator_actions[action].run(&account);
		db_close(account.db);
	}
	arena_free(&arena);
	return result;
}

int
operator_moderator(const struct operator_command *command, const char *config, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof moderator_actions / sizeof *moderator_actions; i++) {
		if (strcmp(argv[1], moderator_actions[i].name) != 0)
			continue;
		if (argc != (moderator_actions[i].named ? 3 : 2))
			break;
		struct str name = str_from(argc == 3 ? argv[2] : "");
		if (moderator_actions[i].named && (name.len == 0 || name.len > 64 || str_trim(name).len != name.len))
			return operator_fail("a moderator's name takes 1 to 64 bytes, without spaces at its ends");
		return run_moderator(config, i, argc == 3 ? argv[2] : NULL);
	}
	return operator_misuse(command);
}

/* --- close and reopen ------------------------------------------------------------------------------ */

struct closing {
	const struct door *door;
	struct arena *arena;
	struct str page;
	struct str title; /* for a thread that begins closed */
	int64_t closed;
	int64_t now;
	int64_t thread_id;
};

/* A page that nobody has replied to yet can be closed as well: then its thread begins closed. */
static enum status
set_closed(struct db_conn *conn, void *context)
{
	struct closing *closing = context;
	const struct door_site *site = &closing->door->sites[0];
	struct thread_find_row thread;
	enum status status = thread_find(conn, closing->arena,
	    &(struct thread_find_in){.site_id = site->id, .page = closing->page}, &thread);
	closing->thread_id = thread.id;
	if (status == STATUS_MISSING) {
		struct thread_add_row added;
		struct thread_add_in add = {.site_id = site->id, .page = closing->page, .title = closing->title};
		status = thread_add(conn, closing->arena, &add, &added);
		closing->thread_id = added.id;
	}
	if (status != STATUS_OK)
		return status;
	struct thread_close_in in = {.id = closing->thread_id, .closed = closing->closed, .updated_at = closing->now};
	status = thread_close(conn, &in, NULL);
	return status == STATUS_OK ? publish_ask(conn, closing->arena, closing->thread_id, closing->now) : status;
}

/* By the page list, else by the article's file; MISSING when the page had to be in the list and is not. */
static enum status
find_title(const struct door *door, struct arena *arena, struct str page, struct str *title)
{
	const struct door_site *site = &door->sites[0];
	struct page_listed_row row = {0};
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = page_listed(conn, arena, &(struct page_listed_in){.site_id = site->id, .page = page}, &row);
	db_release(conn);
	if (status != STATUS_OK && (status != STATUS_MISSING || site->config->page_list))
		return status;
	*title = row.title.len > 0 ? row.title : title_find(arena, site->config, page);
	return STATUS_OK;
}

static int
close_page(const struct door *door, struct arena *arena, const char *typed, bool closed)
{
	const struct door_site *site = &door->sites[0];
	struct closing closing = {.door = door, .arena = arena, .closed = closed ? 1 : 0, .now = (int64_t)time(NULL)};
	if (page_canonical(arena, site->config, str_from(typed), &closing.page) != STATUS_OK ||
	    !page_allowed(site->config, closing.page))
		return operator_fail("that is no page that may have replies: give its path on the site, as /world/astana-summit; `pages` and page_list in the configuration say which there are");
	enum status status = find_title(door, arena, closing.page, &closing.title);
	if (status == STATUS_MISSING)
		return operator_fail("the page is not in the page list: rejoinder pages import adds it");
	if (status == STATUS_OK)
		status = db_write(door->db, set_closed, &closing);
	if (status == STATUS_OK) {
		struct publish_press press = door_press(door);
		status = publish_thread(&press, arena, closing.thread_id);
	}
	if (status != STATUS_OK)
		return operator_fail("the page could not be changed; the reason stands above");
	printf("%.*s %s\n", STR_FMT(closing.page), closed ? "takes no new replies" : "takes replies again");
	return OPERATOR_DONE;
}

static int
with_page(const struct operator_command *command, const char *config, int argc, char **argv, bool closed)
{
	struct door door;
	if (argc != 2)
		return operator_misuse(command);
	if (door_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	int result = close_page(&door, &door.arena, argv[1], closed);
	door_close(&door);
	return result;
}

int
operator_close(const struct operator_command *command, const char *config, int argc, char **argv)
{
	return with_page(command, config, argc, argv, true);
}

int
operator_reopen(const struct operator_command *command, const char *config, int argc, char **argv)
{
	return with_page(command, config, argc, argv, false);
}

/* --- publish --------------------------------------------------------------------------------------- */

struct asking {
	struct arena *arena;
	const struct thread_list_row *threads;
	size_t n;
	int64_t now;
};

static enum status
ask_for_threads(struct db_conn *conn, void *context)
{
	struct asking *asking = context;
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < asking->n; i++)
		status = publish_ask(conn, asking->arena, asking->threads[i].id, asking->now);
	return status;
}

static enum status
list_threads(const struct door *door, struct arena *arena, int64_t site_id, int64_t after,
    struct thread_list_row **rows, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = thread_list(conn, arena, &(struct thread_list_in){.site_id = site_id, .id = after, .most = STEP}, rows, n);
	db_release(conn);
	return status;
}

/* In steps, so that readers and moderators get their turn in between. */
static enum status
ask_for_site(const struct door *door, const struct door_site *site)
{
	struct arena arena;
	struct thread_list_row *rows;
	struct asking asking = {.arena = &arena, .now = (int64_t)time(NULL)};
	int64_t after = 0;
	enum status status;
	arena_init(&arena, ARENA_MOST);
	do {
		arena_reset(&arena);
		status = list_threads(door, &arena, site->id, after, &rows, &asking.n);
		if (status != STATUS_OK || asking.n == 0)
			break;
		asking.threads = rows;
		after = rows[asking.n - 1].id;
		status = db_write(door->db, ask_for_threads, &asking);
	} while (status == STATUS_OK && asking.n == STEP);
	arena_free(&arena);
	return status;
}

static enum status
publish_sites(struct door *door, bool all)
{
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < door->config->sites_n; i++) {
		struct publish_press press = door_press(door);
		if (all)
			status = ask_for_site(door, &door->sites[i]);
		if (status == STATUS_OK && all)
			status = publish_empty(&press, &door->arena, door->sites[i].config);
	}
	struct publish_press press = door_press(door);
	return status == STATUS_OK ? publish_lagging(&press) : status;
}

int
operator_publish(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	bool all = argc == 2 && strcmp(argv[1], "--all") == 0;
	if (argc > 2 || (argc == 2 && !all))
		return operator_misuse(command);
	if (door_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	enum status status = publish_sites(&door, all);
	door_close(&door);
	if (status != STATUS_OK)
		return operator_fail("not all files could be written; the reason stands above, and what lags is tried again");
	puts(all ? "All threads are published." : "Nothing lags.");
	return OPERATOR_DONE;
}

/* --- stats ----------------------------------------------------------------------------------------- */

int
operator_stats(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	struct db_conn *conn;
	struct tally_list_row *rows;
	size_t n = 0;
	(void)argv;
	if (argc != 1)
		return operator_misuse(command);
	if (door_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	enum status status = db_read(door.db, &conn);
	for (size_t i = 0; status == STATUS_OK && i < door.config->sites_n; i++) {
		status = tally_list(conn, &door.arena, &(struct tally_list_in){.site_id = door.sites[i].id}, &rows, &n);
		printf("%.*s\n", STR_FMT(door.sites[i].config->name));
		for (size_t j = 0; status == STATUS_OK && j < n; j++)
			printf("  %-10.*s %lld\n", STR_FMT(rows[j].state), (long long)rows[j].n);
		if (status == STATUS_OK && n == 0)
			puts("  no replies yet");
	}
	if (status == STATUS_OK)
		db_release(conn);
	door_close(&door);
	return status == STATUS_OK ? OPERATOR_DONE : operator_fail("the database cannot be read");
}

/* --- check ----------------------------------------------------------------------------------------- */

/* One line a finding; `complaints` decides the exit status. */
struct findings {
	int complaints;
};

static void __attribute__((format(printf, 3, 4)))
find_out(struct findings *findings, bool good, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs(good ? "ok       " : "mend     ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	findings->complaints += good ? 0 : 1;
}

static void
check_mode(struct findings *findings, const char *path, unsigned permitted, const char *why)
{
	struct stat info;
	if (stat(path, &info) != 0)
		find_out(findings, false, "%s: %s", path, strerror(errno));
	else if ((info.st_mode & 0777 & ~permitted) != 0)
		find_out(findings, false, "%s has mode %04o; chmod %04o it: %s", path, info.st_mode & 0777, permitted, why);
	else
		find_out(findings, true, "%s", path);
}

static void
note_users(const struct config *config)
{
	struct stat database, secret;
	if (stat(config->database, &database) != 0 || stat(config->secret_key, &secret) != 0)
		return;
	if (database.st_uid == secret.st_uid)
		printf("note     both doors run as one user: sealing protects backups, but not against a taken-over "
		       "reader.fcgi\n");
}

static void
check_store(struct findings *findings, struct door *door)
{
	struct str complaint = STR_NONE;
	enum status status = db_check(door->db, &door->arena, &complaint);
	if (status != STATUS_OK)
		find_out(findings, false, "the database cannot be checked");
	else
		find_out(findings, complaint.at == NULL, "database: %.*s",
		    complaint.at == NULL ? 17 : (int)complaint.len, complaint.at == NULL ? "sound in its form" : complaint.at);
}

static bool
content_fits(const struct door *door, const struct reply_contents_row *row)
{
	uint8_t hash[SECRET_HASH];
	struct reply_content content = {row->thread_id, row->parent_id, row->name, row->website, row->comment,
	    row->email_sealed, row->network_sealed};
	reply_content_hash(&door->matching, &content, hash);
	return row->content_hash.len == SECRET_HASH && secret_same(hash, row->content_hash.at, SECRET_HASH);
}

static enum status
read_contents(const struct door *door, struct arena *arena, int64_t after, struct reply_contents_row **rows, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = reply_contents(conn, arena, &(struct reply_contents_in){.id = after, .most = STEP}, rows, n);
	db_release(conn);
	return status;
}

/* Notices what a flipped byte or another hand has changed, which SQLite's own check does not. */
static void
check_contents(struct findings *findings, const struct door *door)
{
	struct arena arena;
	struct reply_contents_row *rows;
	size_t n = 0, all = 0;
	int64_t after = 0;
	enum status status;
	arena_init(&arena, ARENA_MOST);
	do {
		arena_reset(&arena);
		status = read_contents(door, &arena, after, &rows, &n);
		for (size_t i = 0; status == STATUS_OK && i < n; i++) {
			after = rows[i].id;
			if (!content_fits(door, &rows[i]))
				find_out(findings, false, "reply %lld is not as it was stored", (long long)rows[i].id);
		}
		all += n;
	} while (status == STATUS_OK && n == STEP);
	arena_free(&arena);
	find_out(findings, status == STATUS_OK, "%zu replies compared with their hashes", all);
}

static void
check_lag(struct findings *findings, struct door *door)
{
	struct publication_lag_row lag;
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status == STATUS_OK) {
		status = publication_lag(conn, &door->arena, &lag);
		db_release(conn);
	}
	if (status == STATUS_OK)
		find_out(findings, lag.n == 0, "%lld pages lag behind the store%s", (long long)lag.n,
		    lag.n == 0 ? "" : ": run rejoinder publish and look at what it says");
}

static int
check_all(struct door *door)
{
	const struct config *config = door->config;
	struct findings findings = {0};
	find_out(&findings, true, "%s", config->path.at);
	check_mode(&findings, config->secret_key, 0600, "it opens every sealed address");
	check_mode(&findings, config->moderators_database, 0600, "whoever can write there can sign in");
	check_mode(&findings, config->matching_key, 0640, "with it addresses can be guessed at");
	check_mode(&findings, config->receipt_key, 0640, "with it receipts can be made");
	check_mode(&findings, config->database, 0660, "it holds what readers wrote");
	check_mode(&findings, config->public_dir, 0775, "only our programs may write there");
	note_users(config);
	check_store(&findings, door);
	check_contents(&findings, door);
	check_lag(&findings, door);
	if (findings.complaints == 0)
		puts("\nAll is well.");
	else
		printf("\n%d to mend.\n", findings.complaints);
	return findings.complaints == 0 ? OPERATOR_DONE : OPERATOR_FAILED;
}

int
operator_check(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	(void)argv;
	if (argc != 1)
		return operator_misuse(command);
	if (door_open(config, &door) != STATUS_OK)
		return operator_fail("the configuration cannot be used; the reason stands above");
	int result = check_all(&door);
	door_close(&door);
	return result;
}
