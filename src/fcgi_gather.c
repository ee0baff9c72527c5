#include "fcgi_gather.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum { VERSION = 1, RECORD_HEAD = 8, RECORD_STDIN = 5, RECORD_LAST = 11, LISTENER = -1, WAKE = -2 };

struct waiting {
	int fd; /* -1: free */
	int64_t until;
};

struct fcgi_gather {
	int epoll, listener, wake, seconds;
	bool listens; /* the listener is watched */
	size_t n;
	struct waiting waiting[FCGI_GATHER_MOST];
	uint8_t bytes[FCGI_GATHER_PEEK];
};

static int64_t
monotonic(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool
watch(struct fcgi_gather *gather, int operation, int fd, uint32_t events, int32_t what)
{
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(int64_t)what};
	return epoll_ctl(gather->epoll, operation, fd, &event) == 0;
}

enum status
fcgi_gather_open(int listener, int wake, int seconds, struct fcgi_gather **gather)
{
	struct fcgi_gather *mine = calloc(1, sizeof *mine);
	if (mine == NULL)
		return STATUS_BROKEN;
	*mine = (struct fcgi_gather){.listener = listener, .wake = wake, .seconds = seconds, .listens = true};
	for (size_t i = 0; i < FCGI_GATHER_MOST; i++)
		mine->waiting[i].fd = -1;
	mine->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (mine->epoll >= 0 && watch(mine, EPOLL_CTL_ADD, listener, EPOLLIN, LISTENER) &&
	    watch(mine, EPOLL_CTL_ADD, wake, EPOLLIN, WAKE)) {
		*gather = mine;
		return STATUS_OK;
	}
	log_event(LOG_LEVEL_ERROR, "cannot watch the socket: %s", strerror(errno));
	if (mine->epoll >= 0)
		close(mine->epoll);
	free(mine);
	return STATUS_BROKEN;
}

void
fcgi_gather_close(struct fcgi_gather *gather)
{
	for (size_t i = 0; i < FCGI_GATHER_MOST; i++)
		if (gather->waiting[i].fd >= 0)
			close(gather->waiting[i].fd);
	close(gather->epoll);
	free(gather);
}

size_t
fcgi_gather_count(const struct fcgi_gather *gather)
{
	return gather->n;
}

enum fcgi_gather_state
fcgi_gather_state(const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; len - at >= RECORD_HEAD;) {
		if (bytes[at] != VERSION || bytes[at + 1] == 0 || bytes[at + 1] > RECORD_LAST)
			return FCGI_GATHER_BROKEN;
		size_t content = (size_t)(bytes[at + 4] << 8 | bytes[at + 5]);
		/* The empty record of the body's stream is the last of a request. */
		if (bytes[at + 1] == RECORD_STDIN && content == 0)
			return FCGI_GATHER_WHOLE;
		size_t record = RECORD_HEAD + content + bytes[at + 6];
		if (record > len - at)
			return FCGI_GATHER_PART;
		at += record;
	}
	return FCGI_GATHER_PART;
}

/* A connection leaves: the place is free, and closing or handing over is the caller's. */
static int
take(struct fcgi_gather *gather, size_t i)
{
	int fd = gather->waiting[i].fd;
	epoll_ctl(gather->epoll, EPOLL_CTL_DEL, fd, NULL);
	gather->waiting[i].fd = -1;
	gather->n--;
	return fd;
}

/*
 * Does this one go to a worker now?  A peer that is gone, has said its last word (`ended`) in the
 * middle of a request, or speaks something else is closed here.
 */
static bool
look(struct fcgi_gather *gather, size_t i, bool ended)
{
	ssize_t n = recv(gather->waiting[i].fd, gather->bytes, sizeof gather->bytes, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	enum fcgi_gather_state state = n <= 0 ? FCGI_GATHER_BROKEN : fcgi_gather_state(gather->bytes, (size_t)n);
	if (state == FCGI_GATHER_WHOLE || (state == FCGI_GATHER_PART && (size_t)n == sizeof gather->bytes))
		return true;
	if (state == FCGI_GATHER_BROKEN || ended)
		close(take(gather, i));
	return false;
}

/* Edge-triggered: an event each time more has come, none while nothing has. */
static bool
keep(struct fcgi_gather *gather, int fd, size_t *place)
{
	size_t i = 0;
	while (i < FCGI_GATHER_MOST && gather->waiting[i].fd >= 0)
		i++;
	if (i == FCGI_GATHER_MOST || !watch(gather, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, (int32_t)i))
		return false;
	gather->waiting[i] = (struct waiting){fd, monotonic() + gather->seconds};
	gather->n++;
	*place = i;
	return true;
}

/* Accepts one; as a rule its request is there already, and it goes on at once. */
static bool
accept_one(struct fcgi_gather *gather, int *whole)
{
	size_t i;
	int fd = accept4(gather->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			log_event(LOG_LEVEL_ERROR, "cannot accept: %s", strerror(errno));
			poll(NULL, 0, 100);
		}
		return false;
	}
	if (!keep(gather, fd, &i)) {
		close(fd);
		return false;
	}
	if (!look(gather, i, false))
		return false;
	*whole = take(gather, i);
	return true;
}

static void
drop_late(struct fcgi_gather *gather)
{
	int64_t now = monotonic();
	for (size_t i = 0; gather->n > 0 && i < FCGI_GATHER_MOST; i++) {
		if (gather->waiting[i].fd < 0 || now < gather->waiting[i].until)
			continue;
		log_event(LOG_LEVEL_WARNING, "a connection was cut after %d s", gather->seconds);
		close(take(gather, i));
	}
}

static void
listen_or_not(struct fcgi_gather *gather, bool full)
{
	bool listens = !full && gather->n < FCGI_GATHER_MOST;
	if (listens == gather->listens)
		return;
	if (watch(gather, EPOLL_CTL_MOD, gather->listener, listens ? EPOLLIN : 0, LISTENER))
		gather->listens = listens;
}

size_t
fcgi_gather_wait(struct fcgi_gather *gather, bool full, int ms, int whole[FCGI_GATHER_EVENTS])
{
	struct epoll_event events[FCGI_GATHER_EVENTS];
	char waste[64];
	size_t found = 0;
	listen_or_not(gather, full);
	int n = epoll_wait(gather->epoll, events, FCGI_GATHER_EVENTS, ms);
	for (int i = 0; i < n; i++) {
		int32_t what = (int32_t)(int64_t)events[i].data.u64;
		if (what == WAKE) {
			while (read(gather->wake, waste, sizeof waste) > 0)
				;
		} else if (what == LISTENER)
			found += accept_one(gather, &whole[found]) ? 1 : 0;
		else if (gather->waiting[what].fd >= 0 &&
		         look(gather, (size_t)what, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0))
			whole[found++] = take(gather, (size_t)what);
	}
	drop_late(gather);
	return found;
}
