#include "mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum status
mail_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? STATUS_OK : STATUS_BROKEN;
}

void
mail_end(void)
{
	curl_global_cleanup();
}

static void
say_why(char why[MAIL_WHY + 1], const char *what, long code)
{
	if (code != 0)
		snprintf(why, MAIL_WHY + 1, "%s (%ld)", what, code);
	else
		snprintf(why, MAIL_WHY + 1, "%s", what);
	for (char *c = why; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* --- SMTP ------------------------------------------------------------------------------------------ */

static size_t
hand_over(char *to, size_t size, size_t n, void *context)
{
	struct str *rest = context;
	size_t len = rest->len < size * n ? rest->len : size * n;
	memcpy(to, rest->at, len);
	*rest = str_sub(*rest, len, rest->len);
	return len;
}

static CURLcode
set_up(CURL *curl, const struct mail_route *route, const char *from, struct curl_slist *to, struct str *rest)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, route->url);
	/* ALL: a server that offers no STARTTLS gets nothing. */
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(route->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	if (code == CURLE_OK && route->ca_file != NULL)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, route->ca_file);
	if (code == CURLE_OK && route->user != NULL)
		code = curl_easy_setopt(curl, CURLOPT_USERNAME, route->user);
	if (code == CURLE_OK && route->user != NULL)
		code = curl_easy_setopt(curl, CURLOPT_PASSWORD, route->password);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_READFUNCTION, hand_over);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_READDATA, rest);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)route->seconds);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* What a proxy of the environment would see is none of its business. */
	return code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_PROXY, "") : code;
}

/* A refused sign-in has a code of 5xx, too, but is not about the message. */
static enum status
judge(CURLcode code, long answer)
{
	if (code == CURLE_OK)
		return STATUS_OK;
	bool about_us = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION;
	return !about_us && answer >= 500 && answer < 600 ? STATUS_DENIED : STATUS_BUSY;
}

static enum status
send_smtp(const struct mail_route *route, const char *from, const char *to, struct str message, char why[MAIL_WHY + 1])
{
	CURL *curl = curl_easy_init();
	struct curl_slist *list = curl_slist_append(NULL, to);
	long answer = 0;
	enum status status = STATUS_BUSY;
	say_why(why, "no memory", 0);
	if (curl != NULL && list != NULL) {
		CURLcode code = set_up(curl, route, from, list, &message);
		if (code == CURLE_OK)
			code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
		status = judge(code, answer);
		say_why(why, curl_easy_strerror(code), answer);
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	return status;
}

/* --- sendmail -------------------------------------------------------------------------------------- */

/*
 * A group of its own, so that what it starts can be ended with it: within the walls of a unit the program of
 * Postfix waits for ever for one that may not write its queue.
 */
static int
spawn_apart(const char *path, const posix_spawn_file_actions_t *actions, char **words, pid_t *pid)
{
	posix_spawnattr_t attributes;
	int code = posix_spawnattr_init(&attributes);
	if (code != 0)
		return code;
	code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	if (code == 0)
		code = posix_spawnattr_setpgroup(&attributes, 0);
	if (code == 0)
		code = posix_spawn(pid, path, actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	return code;
}

/* ETIMEDOUT when it goes on. */
static int
wait_within(pid_t pid, int64_t seconds, int *how)
{
	static const struct timespec a_moment = {.tv_nsec = 20 * 1000 * 1000};
	struct timespec began, now;
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		pid_t over = waitpid(pid, how, WNOHANG);
		if (over != 0)
			return over < 0 ? errno : 0;
		nanosleep(&a_moment, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - began.tv_sec <= seconds);
	return ETIMEDOUT;
}

/* ETIMEDOUT when it had to be ended; one that became another user meanwhile cannot be, and is left alone. */
static int
wait_for(pid_t pid, int64_t seconds, int *how)
{
	enum { TO_END = 5 };
	int code = wait_within(pid, seconds, how);
	if (code != ETIMEDOUT)
		return code;
	kill(-pid, SIGKILL);
	(void)wait_within(pid, TO_END, how);
	return ETIMEDOUT;
}

/* The program, reading from `in`.  "-i": a line of one dot is not the end. */
static int
start(const struct mail_route *route, const char *from, const char *to, int in, int other, pid_t *pid)
{
	const char *const words[] = {route->sendmail, "-i", "-f", from, "--", to, NULL};
	char *copies[sizeof words / sizeof *words] = {NULL};
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);
	for (size_t i = 0; code == 0 && words[i] != NULL; i++)
		code = (copies[i] = strdup(words[i])) == NULL ? ENOMEM : 0;
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_addclose(&actions, other);
	if (code == 0)
		code = spawn_apart(route->sendmail, &actions, copies, pid);
	for (size_t i = 0; copies[i] != NULL; i++)
		free(copies[i]);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* As this machine's own mail programs have it: lines end in LF alone. */
static bool
write_lines(int fd, struct str message)
{
	while (message.at != NULL && message.len > 0) {
		size_t end = str_search(message, STR("\r\n"));
		struct str line = str_sub(message, 0, end);
		char text[1100];
		int len = snprintf(text, sizeof text, "%.*s\n", STR_FMT(line));
		if (len < 0 || (size_t)len >= sizeof text || write(fd, text, (size_t)len) != len)
			return false;
		message = str_sub(message, end + 2 > message.len ? message.len : end + 2, message.len);
	}
	return true;
}

/* EX_TEMPFAIL and the like may go better later; what it says of the address does not (sysexits.h). */
static enum status
judge_exit(int how, char why[MAIL_WHY + 1])
{
	enum { EX_USAGE_ = 64, EX_DATAERR_ = 65, EX_NOUSER_ = 67, EX_NOHOST_ = 68 };
	int code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
	if (code == 0)
		return STATUS_OK;
	say_why(why, code < 0 ? "sendmail was killed" : "sendmail's exit status tells of a failure", code < 0 ? 0 : code);
	return code == EX_USAGE_ || code == EX_DATAERR_ || code == EX_NOUSER_ || code == EX_NOHOST_ ? STATUS_DENIED : STATUS_BUSY;
}

static enum status
send_sendmail(const struct mail_route *route, const char *from, const char *to, struct str message, char why[MAIL_WHY + 1])
{
	int ends[2], how = 0;
	pid_t pid;
	if (pipe(ends) != 0) {
		say_why(why, strerror(errno), 0);
		return STATUS_BUSY;
	}
	void (*former)(int) = signal(SIGPIPE, SIG_IGN); /* it may end before it has read all */
	int code = start(route, from, to, ends[0], ends[1], &pid);
	close(ends[0]);
	bool written = code == 0 && write_lines(ends[1], message);
	close(ends[1]);
	if (code == 0)
		code = wait_for(pid, route->seconds, &how);
	signal(SIGPIPE, former);
	if (code != 0) {
		char text[MAIL_WHY + 1];
		snprintf(text, sizeof text, "%s: %s", route->sendmail,
		    code == ETIMEDOUT ? "took too long (timeout), and was ended" : strerror(code));
		say_why(why, text, 0);
		return STATUS_BUSY;
	}
	enum status status = judge_exit(how, why);
	if (status == STATUS_OK && !written) {
		say_why(why, "sendmail did not read all of it", 0);
		return STATUS_BUSY;
	}
	return status;
}

enum status
mail_send(const struct mail_route *route, const char *from, const char *to, struct str message, char why[MAIL_WHY + 1])
{
	why[0] = '\0';
	return route->sendmail != NULL ? send_sendmail(route, from, to, message, why)
	                               : send_smtp(route, from, to, message, why);
}
