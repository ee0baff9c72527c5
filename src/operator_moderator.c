/* The command `moderator`: who may sign in. */
#include "operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "password.h"
#include "secret.h"
#include "session.h"
#include "sql/moderators/account.h"
#include "sql/moderators/database.h"
#include "text.h"
#include "when.h"

enum { ARENA_MOST = 64 * 1024 * 1024, NAME_MOST = 64 /* bytes */ };

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
	const struct config *config;
	struct db *db;
	struct arena *arena;
	struct str name;
	struct str password; /* hashed */
	int64_t now;
	int64_t changed;
	int64_t disabled;
};

static const char *const faults[] = {
    [PASSWORD_SHORT] = "a password takes 15 characters or more; a few words that do not belong together are easy to remember",
    [PASSWORD_LONG] = "a password takes 1024 bytes at most",
    [PASSWORD_TEXT] = "a password is text in UTF-8, without NUL",
    [PASSWORD_REPEATED] = "that repeats one short piece, or follows a row of keys: such passwords are tried first",
    [PASSWORD_COMMON] = "that is one of the passwords that are tried first; take words of your own",
    [PASSWORD_NAMED] = "a password must not hold the moderator's name or the site's title: they are tried first",
};

static enum status
look_at_password(const struct account *account, const char *password)
{
	enum password_fault fault;
	enum status status = password_fault(account->arena, account->config, account->name, str_from(password), &fault);
	if (status == STATUS_OK && fault != PASSWORD_FINE) {
		operator_fail(faults[fault]);
		return STATUS_INVALID;
	}
	return status;
}

static enum status
hash_new_password(struct account *account)
{
	char password[PASSWORD_MOST + 2], again[PASSWORD_MOST + 2];
	enum status status = STATUS_INVALID;
	if (!ask_password("Password (15 characters or more): ", password, sizeof password))
		operator_fail("there is no password on standard input, or it is too long, or holds a NUL");
	else
		status = look_at_password(account, password);
	if (status == STATUS_OK && isatty(STDIN_FILENO) != 0 &&
	    (!ask_password("The same again: ", again, sizeof again) || strcmp(password, again) != 0)) {
		operator_fail("the two differ; nothing was changed");
		status = STATUS_INVALID;
	}
	if (status == STATUS_OK)
		status = secret_password_hash(account->arena, str_from(password), &account->password);
	secret_wipe(password, sizeof password);
	secret_wipe(again, sizeof again);
	return status;
}

/* Before anybody types a password in vain: OK when there is such an account, else MISSING. */
static enum status
look_up(struct account *account)
{
	struct account_find_row row;
	struct db_conn *conn;
	enum status status = db_read(account->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = account_find(conn, account->arena, &(struct account_find_in){.name = account->name}, &row);
	db_release(conn);
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
	return status == STATUS_OK ? session_end_of_account(conn, row.id) : status;
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
	/* Whoever knew the old one is out; and who sets a new one here need not wait for what others tried. */
	if (status == STATUS_OK)
		status = session_end_of_account(conn, row.id);
	return status == STATUS_OK ? session_unlock(conn, account->arena, account->name) : status;
}

static enum status
clear_failures(struct db_conn *conn, void *context)
{
	struct account *account = context;
	return session_unlock(conn, account->arena, account->name);
}

static int
report(enum status status, const struct account *account, const char *done)
{
	if (status == STATUS_OK) {
		printf("%.*s %s\n", STR_FMT(account->name), done);
		return OPERATOR_DONE;
	}
	if (status == STATUS_CONFLICT)
		return operator_fail("there is a moderator of that name already; `rejoinder moderator password` sets a new password");
	if (status == STATUS_MISSING)
		return operator_fail("there is no moderator of that name; see rejoinder moderator list");
	return status == STATUS_INVALID ? OPERATOR_FAILED : operator_fail("the moderators' database could not be written");
}

static int
moderator_add(struct account *account)
{
	enum status status = look_up(account);
	status = status == STATUS_OK ? STATUS_CONFLICT : status == STATUS_MISSING ? STATUS_OK : status;
	if (status == STATUS_OK)
		status = hash_new_password(account);
	if (status == STATUS_OK)
		status = db_write(account->db, insert_account, account);
	return report(status, account, "may sign in now");
}

/* Where there is one of that name, nothing is asked. */
static int
moderator_make(struct account *account)
{
	return look_up(account) == STATUS_OK ? report(STATUS_OK, account, "may sign in already") : moderator_add(account);
}

static int
moderator_password(struct account *account)
{
	enum status status = look_up(account);
	if (status == STATUS_OK)
		status = hash_new_password(account);
	if (status == STATUS_OK)
		status = db_write(account->db, update_password, account);
	return report(status, account, "has a new password, and is signed out everywhere");
}

static int
moderator_unlock(struct account *account)
{
	enum status status = look_up(account);
	if (status == STATUS_OK)
		status = db_write(account->db, clear_failures, account);
	return report(status, account, "need not wait any more");
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

static void
print_account(struct arena *arena, const struct account_list_row *row)
{
	printf("%.*s%s: %lld open session%s, ", STR_FMT(row->name), row->disabled != 0 ? " (disabled)" : "",
	    (long long)row->sessions, row->sessions == 1 ? "" : "s");
	if (row->signed_in_at.set)
		printf("last signed in %.*s\n", STR_FMT(when_rfc3339(arena, row->signed_in_at.value)));
	else
		puts("has not signed in yet");
}

static int
moderator_list(struct account *account)
{
	struct account_list_in in = {.seen_after = account->now - SESSION_IDLE, .begun_after = account->now - SESSION_MOST};
	struct account_list_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(account->db, &conn);
	if (status == STATUS_OK) {
		status = account_list(conn, account->arena, &in, &rows, &n);
		db_release(conn);
	}
	if (status != STATUS_OK)
		return operator_fail("the moderators' database cannot be read");
	for (size_t i = 0; i < n; i++)
		print_account(account->arena, &rows[i]);
	if (n == 0)
		puts("Nobody yet: rejoinder moderator add NAME");
	return OPERATOR_DONE;
}

static const struct {
	const char *name;
	bool named; /* wants a NAME */
	int (*run)(struct account *account);
} actions[] = {
    {"add", true, moderator_add},
    {"list", false, moderator_list},
    {"disable", true, moderator_disable},
    {"enable", true, moderator_enable},
    {"password", true, moderator_password},
    {"unlock", true, moderator_unlock},
    {NULL, true, moderator_make}, /* init's, and no word of the command line */
};
enum { ACTIONS = sizeof actions / sizeof *actions - 1, ACTION_MAKE = ACTIONS };

static int
run_moderator(const char *path, size_t action, const char *name)
{
	struct arena arena;
	struct config *config;
	int result = OPERATOR_FAILED;
	struct account account = {.arena = &arena, .name = str_from(name), .now = (int64_t)time(NULL)};
	arena_init(&arena, ARENA_MOST);
	umask(0077);
	if (operator_drop(path) == STATUS_OK && secret_init() == STATUS_OK && config_read(&arena, path, &config) == STATUS_OK &&
	    door_database(config->moderators_database, &sql_moderators, &account.db) == STATUS_OK) {
		account.config = config;
		result = actions[action].run(&account);
		db_close(account.db);
	}
	arena_free(&arena);
	return result;
}

static bool
is_name(struct str name)
{
	enum text_fault fault;
	return name.len > 0 && name.len <= NAME_MOST && str_trim(name).len == name.len &&
	       text_name_fault(name, &fault) == STATUS_OK;
}

bool
operator_moderator_named(const char *name)
{
	if (is_name(str_from(name)))
		return true;
	fputs("rejoinder: a moderator's name takes 1 to 64 bytes of text that can be seen, without spaces at its ends\n", stderr);
	return false;
}

struct making {
	const char *config, *name;
};

static int
make_apart(void *context)
{
	const struct making *making = context;
	return run_moderator(making->config, ACTION_MAKE, making->name);
}

int
operator_moderator_make(const char *config, const char *name)
{
	/* init goes on as root behind it. */
	return operator_apart(config, make_apart, &(struct making){config, name});
}

int
operator_moderator(const struct operator_command *command, const char *config, int argc, char **argv)
{
	size_t action = 0;
	while (argc > 1 && action < ACTIONS && strcmp(argv[1], actions[action].name) != 0)
		action++;
	if (argc < 2)
		fputs("rejoinder: say what to do with moderators\n", stderr);
	else if (action == ACTIONS)
		fprintf(stderr, "rejoinder: moderator does not know \"%s\"\n", argv[1]);
	else if (actions[action].named && argc < 3)
		fprintf(stderr, "rejoinder: moderator %s wants the moderator's name\n", argv[1]);
	else if (argc > (actions[action].named ? 3 : 2))
		fprintf(stderr, "rejoinder: moderator %s takes no further word; a name with spaces goes into quotes, a password is asked for\n",
		    argv[1]);
	else if (!actions[action].named || operator_moderator_named(argv[2]))
		return run_moderator(config, action, argc == 3 ? argv[2] : NULL);
	return operator_misuse(command);
}
