#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* The file descriptor on which a child says that it is ready. */
#define VARIABLE "REJOINDER_KEPT"

enum { YOUNG = 2 /* seconds */, FAILED_EXEC = 127 };

struct child {
	pid_t pid; /* 0: none */
	int64_t born;
};

struct keeper {
	char **argv;
	int listener, signals;
	int starter;           /* who waits for the first to be ready; -1: nobody */
	sigset_t before;       /* the signal mask that children get */
	struct child serving;  /* is ready */
	struct child starting; /* is not yet; beside `serving` after SIGHUP */
	int news;              /* what `starting` says; -1: nothing to expect */
	int leaving;           /* children that were told to finish */
	int pause;             /* seconds before the next start; 0: none */
	int64_t start_at;      /* when it is over */
	bool again, stopping, was_ready;
	int result;
};

static int64_t
monotonic(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

bool
keep_is_child(void)
{
	return getenv(VARIABLE) != NULL;
}

void
keep_ready(void)
{
	const char *number = getenv(VARIABLE);
	if (number == NULL)
		return;
	int fd = (int)strtol(number, NULL, 10);
	/* A parent that is gone has no use for it. */
	ssize_t n = write(fd, "", 1);
	(void)n;
	close(fd);
}

/* What KEEP_STARTER names, out of the children's reach; -1: nobody waits. */
static int
find_starter(void)
{
	const char *number = getenv(KEEP_STARTER);
	int fd = number == NULL ? -1 : (int)strtol(number, NULL, 10);
	unsetenv(KEEP_STARTER);
	return fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

static void
tell_starter(struct keeper *keeper)
{
	if (keeper->starter < 0)
		return;
	ssize_t n = write(keeper->starter, "", 1);
	(void)n;
	close(keeper->starter);
	keeper->starter = -1;
}

/* In the child: never returns. */
static void
become(const struct keeper *keeper, pid_t parent, int news)
{
	char number[16];
	snprintf(number, sizeof number, "%d", news);
	bool set = prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
	           sigprocmask(SIG_SETMASK, &keeper->before, NULL) == 0 &&
	           (keeper->listener == STDIN_FILENO || dup2(keeper->listener, STDIN_FILENO) == STDIN_FILENO) &&
	           fcntl(STDIN_FILENO, F_SETFD, 0) == 0 && fcntl(news, F_SETFD, 0) == 0 &&
	           setenv(VARIABLE, number, 1) == 0;
	if (set)
		execvp(keeper->argv[0], keeper->argv);
	log_event(LOG_LEVEL_ERROR, "cannot run %s: %s", keeper->argv[0], strerror(errno));
	_exit(FAILED_EXEC);
}

static void
pause_longer(struct keeper *keeper)
{
	keeper->pause = keeper->pause == 0 ? 1 : keeper->pause * 2;
	if (keeper->pause > KEEP_PAUSE_MOST)
		keeper->pause = KEEP_PAUSE_MOST;
	keeper->start_at = monotonic() + keeper->pause;
}

static void
start(struct keeper *keeper)
{
	int ends[2];
	pid_t parent = getpid(), pid = -1;
	if (pipe2(ends, O_CLOEXEC) == 0) {
		pid = fork();
		if (pid == 0)
			become(keeper, parent, ends[1]);
		close(ends[1]);
		if (pid < 0)
			close(ends[0]);
	}
	if (pid < 0) {
		log_event(LOG_LEVEL_ERROR, "cannot start another process: %s", strerror(errno));
		pause_longer(keeper);
		return;
	}
	keeper->starting = (struct child){pid, monotonic()};
	keeper->news = ends[0];
}

/* The new one serves; the former may go. */
static void
hand_over(struct keeper *keeper)
{
	if (keeper->serving.pid > 0) {
		kill(keeper->serving.pid, SIGTERM);
		keeper->leaving++;
	}
	keeper->serving = keeper->starting;
	keeper->starting = (struct child){0};
	keeper->was_ready = true;
	tell_starter(keeper);
}

static void
hear_news(struct keeper *keeper)
{
	char byte;
	bool ready = read(keeper->news, &byte, 1) == 1;
	close(keeper->news);
	keeper->news = -1;
	/* Without a word it is about to end, and is reaped as such. */
	if (ready)
		hand_over(keeper);
}

static void
starting_ended(struct keeper *keeper, int how)
{
	keeper->starting = (struct child){0};
	if (keeper->serving.pid > 0) {
		log_event(LOG_LEVEL_ERROR, "the new door did not start; the former one goes on");
		return;
	}
	if (keeper->stopping)
		return;
	if (!keeper->was_ready) {
		keeper->stopping = true;
		keeper->result = WIFEXITED(how) && WEXITSTATUS(how) != 0 ? WEXITSTATUS(how) : 1;
		return;
	}
	pause_longer(keeper);
	log_event(LOG_LEVEL_ERROR, "the door did not start; it is tried again in %d s", keeper->pause);
}

static void
serving_ended(struct keeper *keeper, int how)
{
	bool young = monotonic() - keeper->serving.born < YOUNG;
	keeper->serving = (struct child){0};
	const char *next = keeper->stopping ? "" : "; another is started";
	if (WIFSIGNALED(how))
		log_event(LOG_LEVEL_ERROR, "the door was ended by signal %d%s", WTERMSIG(how), next);
	else if (keeper->stopping && WEXITSTATUS(how) == 0)
		log_event(LOG_LEVEL_INFO, "the door has ended, as it was told to");
	else
		log_event(LOG_LEVEL_WARNING, "the door ended with %d%s", WEXITSTATUS(how), next);
	keeper->start_at = 0;
	if (young)
		pause_longer(keeper);
	else
		keeper->pause = 0;
}

static void
reap(struct keeper *keeper)
{
	int how;
	pid_t pid;
	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		/* It may have become ready and ended between two looks. */
		if (pid == keeper->starting.pid && keeper->news >= 0)
			hear_news(keeper);
		if (pid == keeper->starting.pid)
			starting_ended(keeper, how);
		else if (pid == keeper->serving.pid)
			serving_ended(keeper, how);
		else if (keeper->leaving > 0)
			keeper->leaving--;
	}
}

static void
stop(struct keeper *keeper)
{
	keeper->stopping = true;
	if (keeper->serving.pid > 0)
		kill(keeper->serving.pid, SIGTERM);
	if (keeper->starting.pid > 0)
		kill(keeper->starting.pid, SIGTERM);
}

static void
hear_signal(struct keeper *keeper)
{
	struct signalfd_siginfo info;
	if (read(keeper->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	if (info.ssi_signo == SIGHUP)
		keeper->again = true;
	else if (info.ssi_signo != SIGCHLD)
		stop(keeper);
	reap(keeper);
}

/* Starts what is missing, or what SIGHUP asked for: one at a time. */
static void
start_what_is_due(struct keeper *keeper)
{
	if (keeper->stopping || keeper->starting.pid > 0)
		return;
	bool lacks = keeper->serving.pid == 0 && monotonic() >= keeper->start_at;
	if (lacks || keeper->again) {
		keeper->again = false;
		start(keeper);
	}
}

static bool
is_over(const struct keeper *keeper)
{
	return keeper->stopping && keeper->serving.pid == 0 && keeper->starting.pid == 0 && keeper->leaving == 0;
}

static void
keep(struct keeper *keeper)
{
	while (!is_over(keeper)) {
		start_what_is_due(keeper);
		struct pollfd events[] = {{keeper->signals, POLLIN, 0}, {keeper->news, POLLIN, 0}};
		if (poll(events, 2, 1000) < 0)
			continue;
		if (events[1].revents != 0)
			hear_news(keeper);
		if (events[0].revents != 0)
			hear_signal(keeper);
	}
}

int
keep_run(char **argv, int listener)
{
	struct keeper keeper = {.argv = argv, .listener = listener, .starter = find_starter(), .news = -1};
	sigset_t heard;
	sigemptyset(&heard);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGINT);
	sigaddset(&heard, SIGHUP);
	sigaddset(&heard, SIGCHLD);
	/* Children get the socket as their descriptor 0 only. */
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	keeper.signals = -1;
	if (sigprocmask(SIG_BLOCK, &heard, &keeper.before) == 0)
		keeper.signals = signalfd(-1, &heard, SFD_CLOEXEC);
	if (keeper.signals < 0) {
		log_event(LOG_LEVEL_ERROR, "cannot keep a door: %s", strerror(errno));
		return 1;
	}
	keep(&keeper);
	close(keeper.signals);
	return keeper.result;
}
