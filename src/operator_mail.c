/*
 * operator_mail.c - `rejoinder mail`: tells moderators by mail what waits, and keeps who gets it.
 */
#include "operator.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "address.h"
#include "door.h"
#include "log.h"
#include "mail.h"
#include "notify.h"
#include "secret.h"
#include "sql/moderators/database.h"
#include "sql/moderators/mail.h"
#include "sql/rejoinder/outbox.h"
#include "when.h"

enum { ARENA_MOST = 64 * 1024 * 1024, PASSWORD_MOST = 1024, FEW = 3 };

struct post {
	struct door door;
	struct db *moderators;
	struct arena arena; /* of one mail */
	struct mail_route route;
	struct notify_desk desk;
	int64_t sent, failed;
};

/* --- the way out ----------------------------------------------------------------------------------- */

/* A server of this very machine needs no TLS; any other gets nothing without. */
static bool
is_here(struct str url)
{
	static const struct str hosts[] = {STR_INIT("127.0.0.1"), STR_INIT("localhost"), STR_INIT("[::1]")};
	if (!str_starts(url, STR("smtp://")))
		return false;
	struct str host = str_sub(url, 7, url.len);
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct str rest = str_sub(host, hosts[i].len, host.len);
		if (str_starts(host, hosts[i]) && (rest.len == 0 || rest.at[0] == ':' || rest.at[0] == '/'))
			return true;
	}
	return false;
}

/* The password's file, which nobody else may read; a line end at its end is not part of it. */
static enum status
read_password(struct arena *arena, const char *path, const char **password)
{
	struct stat info;
	struct str text;
	if (stat(path, &info) != 0 || (info.st_mode & 077) != 0) {
		log_event(LOG_LEVEL_ERROR, "mail password_file %s must be there and be nobody else's: chmod 0600 it", path);
		return STATUS_INVALID;
	}
	enum status status = file_slurp(arena, path, PASSWORD_MOST, &text);
	*password = status == STATUS_OK ? str_c(arena, str_trim(text)) : NULL;
	if (status == STATUS_OK && (*password == NULL || str_trim(text).len == 0 || str_has(str_trim(text), '\0')))
		status = STATUS_INVALID;
	if (status != STATUS_OK)
		log_event(LOG_LEVEL_ERROR, "mail password_file %s holds no password of one line", path);
	return status;
}

static enum status
find_route(struct post *post)
{
	const struct config_mail *mail = &post->door.config->mail;
	struct arena *arena = &post->door.arena;
	struct str from;
	if (address_email(arena, mail->from, &from) != STATUS_OK || !str_eq(from, mail->from)) {
		log_event(LOG_LEVEL_ERROR, "mail from: \"%.*s\" is no address that mail can come from", STR_FMT(mail->from));
		return STATUS_INVALID;
	}
	post->route.seconds = mail->timeout;
	if (str_eq(mail->via, STR("sendmail"))) {
		post->route.sendmail = mail->sendmail;
		return STATUS_OK;
	}
	post->route.url = mail->via.at;
	post->route.plain = is_here(mail->via);
	post->route.ca_file = mail->ca_file[0] == '\0' ? NULL : mail->ca_file;
	if (mail->user[0] == '\0')
		return STATUS_OK;
	post->route.user = mail->user;
	return read_password(arena, mail->password, &post->route.password);
}

static enum status
find_sites(struct post *post)
{
	const struct door *door = &post->door;
	struct notify_site *sites = arena_array(&post->door.arena, door->config->sites_n, sizeof *sites);
	if (sites == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < door->config->sites_n; i++)
		sites[i] = (struct notify_site){door->sites[i].config, door->sites[i].words, door->sites[i].id};
	post->desk = (struct notify_desk){.config = door->config, .sites = sites, .sites_n = door->config->sites_n,
	    .db = door->db, .moderators = post->moderators, .now = (int64_t)time(NULL)};
	return STATUS_OK;
}

/* --- sending --------------------------------------------------------------------------------------- */

static enum status
send_one(struct post *post, const struct notify_mail *mail)
{
	struct out message;
	char why[MAIL_WHY + 1] = "";
	out_init(&message, &post->arena);
	enum status status = letter_write(&message, &mail->letter);
	if (status == STATUS_INVALID)
		return notify_done(&post->desk, mail, STATUS_DENIED, STR("the address cannot stand in a mail"));
	if (status != STATUS_OK)
		return status;
	char *from = str_c(&post->arena, mail->letter.from), *to = str_c(&post->arena, mail->letter.to);
	if (from == NULL || to == NULL)
		return STATUS_BROKEN;
	enum status sent = mail_send(&post->route, from, to, out_str(&message), why);
	if (sent == STATUS_OK)
		post->sent++;
	else
		post->failed++; /* list_stuck tells it */
	post->desk.now = (int64_t)time(NULL);
	return notify_done(&post->desk, mail, sent, str_from(why));
}

static enum status
send_due(struct post *post)
{
	struct notify_mail mail = {0};
	enum status status;
	do {
		arena_reset(&post->arena);
		status = notify_next(&post->desk, &post->arena, mail.id, &mail);
		if (status == STATUS_OK)
			status = send_one(post, &mail);
		/* A server that takes nothing is not asked for each of many. */
	} while (status == STATUS_OK && post->failed < FEW);
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
send_all(struct post *post)
{
	uint8_t random[16];
	secret_random(random, sizeof random);
	enum status status = find_route(post);
	if (status == STATUS_OK)
		status = mail_init();
	if (status != STATUS_OK)
		return status;
	status = notify_gather(&post->desk, &post->door.arena, random);
	if (status == STATUS_OK)
		status = send_due(post);
	mail_end();
	return status;
}

/* One at a time: a second one would send what the first has not noted yet as sent. */
static enum status
send_alone(struct post *post)
{
	struct str beside = str_format(&post->door.arena, "%s.mail", post->door.config->moderators_database);
	struct file_lock lock;
	enum status status = beside.at == NULL ? STATUS_BROKEN : file_lock(beside.at, 0, &lock);
	if (status != STATUS_OK)
		return status;
	status = send_all(post);
	file_unlock(&lock);
	return status;
}

/* --- what is told on the terminal ------------------------------------------------------------------ */

static enum status
list_stuck(struct post *post, size_t *n)
{
	struct mail_stuck_row *rows;
	struct db_conn *conn;
	struct arena *arena = &post->door.arena;
	enum status status = db_read(post->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = mail_stuck(conn, arena, &rows, n);
	db_release(conn);
	for (size_t i = 0; status == STATUS_OK && i < *n; i++) {
		printf("to %.*s about %.*s: ", STR_FMT(rows[i].name), STR_FMT(rows[i].site));
		if (str_eq(rows[i].state, STR("parked")))
			printf("refused for good: %.*s; mend the address (rejoinder mail to), then rejoinder mail --retry\n",
			    STR_FMT(rows[i].failure));
		else if (rows[i].tries == 0)
			puts("not tried yet");
		else
			printf("not sent after %lld %s: %.*s; is tried again at %.*s\n", (long long)rows[i].tries,
			    rows[i].tries == 1 ? "try" : "tries", STR_FMT(rows[i].failure), STR_FMT(when_rfc3339(arena, rows[i].next_try_at)));
	}
	return status;
}

static enum status
list_recipients(struct post *post)
{
	struct recipient_list_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(post->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = recipient_list(conn, &post->door.arena, &rows, &n);
	db_release(conn);
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		printf("%.*s <%.*s>\n", STR_FMT(rows[i].name), STR_FMT(rows[i].email));
	if (status == STATUS_OK && n == 0)
		puts("Nobody is told: rejoinder mail to NAME EMAIL");
	return status;
}

/* Nothing was sent, and nothing is stuck. */
static enum status
say_why_none(struct post *post)
{
	struct recipient_list_row *rows;
	struct outbox_any_row any;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(post->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = recipient_list(conn, &post->door.arena, &rows, &n);
	db_release(conn);
	if (status == STATUS_OK)
		status = db_read(post->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = outbox_any(conn, &post->door.arena, &any);
	db_release(conn);
	if (n == 0)
		puts("Nobody is told: rejoinder mail to NAME EMAIL");
	else if (status == STATUS_MISSING)
		puts("Nothing new waits.");
	else if (status == STATUS_OK)
		printf("What is new is told with the next mail: there is one in %lld %s at most (every, in rejoinder.conf).\n",
		    (long long)(post->door.config->mail.every + 59) / 60,
		    operator_noun((post->door.config->mail.every + 59) / 60, "minute", "minutes"));
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* --- the commands ---------------------------------------------------------------------------------- */

static bool
note_no_mail(const struct post *post)
{
	if (post->door.config->mail.from.len > 0)
		return false;
	puts("No mail is sent yet: the configuration has no mail { from = ... }, see rejoinder.conf(5).");
	return true;
}

static int
run_send(struct post *post)
{
	size_t stuck = 0;
	if (note_no_mail(post))
		return OPERATOR_DONE;
	enum status status = send_alone(post);
	if (status != STATUS_OK)
		return operator_fail("mail could not be sent; the reason stands above");
	printf("%lld sent\n", (long long)post->sent);
	status = list_stuck(post, &stuck);
	if (status == STATUS_OK && post->sent == 0 && stuck == 0)
		status = say_why_none(post);
	return status == STATUS_OK && stuck == 0 && post->failed == 0 ? OPERATOR_DONE : OPERATOR_FAILED;
}

static int
run_retry(struct post *post)
{
	if (notify_retry(&post->desk) != STATUS_OK)
		return operator_fail("the moderators' database could not be written");
	return run_send(post);
}

static int
run_list(struct post *post)
{
	size_t stuck = 0;
	enum status status = list_recipients(post);
	if (status == STATUS_OK)
		status = list_stuck(post, &stuck);
	if (status == STATUS_OK)
		(void)note_no_mail(post);
	return status == STATUS_OK ? OPERATOR_DONE : operator_fail("the moderators' database cannot be read");
}

struct recipient {
	struct str name, email;
};

static enum status
store_recipient(struct db_conn *conn, void *context)
{
	const struct recipient *recipient = context;
	int64_t changes = 0;
	struct recipient_set_in in = {.name = recipient->name, .email = recipient->email};
	enum status status = recipient_set(conn, &in, &changes);
	return status == STATUS_OK && changes == 0 ? STATUS_MISSING : status;
}

static int
run_to(struct post *post, const char *name, const char *typed)
{
	struct recipient recipient = {.name = str_from(name), .email = STR("")};
	bool nobody = strcmp(typed, "none") == 0;
	if (!nobody && address_email(&post->door.arena, str_from(typed), &recipient.email) != STATUS_OK)
		return operator_fail("that is no e-mail address; give one as ann@example.org, or none");
	enum status status = db_write(post->moderators, store_recipient, &recipient);
	if (status == STATUS_MISSING)
		return operator_fail("there is no moderator of that name: rejoinder moderator list");
	if (status != STATUS_OK)
		return operator_fail("the moderators' database could not be written");
	if (nobody)
		printf("%s gets no mail\n", name);
	else
		printf("%s is told at %.*s what waits\n", name, STR_FMT(recipient.email));
	if (!nobody)
		(void)note_no_mail(post);
	return OPERATOR_DONE;
}

static int
run_mail(struct post *post, int argc, char **argv)
{
	if (argc == 1)
		return run_send(post);
	if (strcmp(argv[1], "--retry") == 0)
		return run_retry(post);
	return argc == 4 ? run_to(post, argv[2], argv[3]) : run_list(post);
}

static bool
is_known(int argc, char **argv)
{
	if (argc == 2)
		return strcmp(argv[1], "--retry") == 0 || strcmp(argv[1], "list") == 0;
	return argc == 1 || (argc == 4 && strcmp(argv[1], "to") == 0);
}

int
operator_mail(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct post post = {0};
	int result = OPERATOR_FAILED;
	if (!is_known(argc, argv))
		return operator_misread(command, argc, argv);
	if (operator_drop_to_mail(config) != STATUS_OK || operator_open(config, &post.door) != STATUS_OK)
		return OPERATOR_FAILED;
	arena_init(&post.arena, ARENA_MOST);
	if (door_database(post.door.config->moderators_database, &sql_moderators, &post.moderators) == STATUS_OK &&
	    find_sites(&post) == STATUS_OK)
		result = run_mail(&post, argc, argv);
	db_close(post.moderators);
	arena_free(&post.arena);
	door_close(&post.door);
	return result;
}
