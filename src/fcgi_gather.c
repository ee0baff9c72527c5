#include "fcgi_gather.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum { LISTENER = -1, WAKE = -2, AT_ONCE = 16 * 1024 /* bytes that are taken in one step */ };

struct waiting {
	int fd; /* -1: free */
	int64_t until;
	bool watched;  /* by epoll */
	bool collects; /* its bytes are taken, since they were not a whole request at first sight */
	struct fcgi_collect collect;
};

struct fcgi_gather {
	int epoll, listener, wake, seconds;
	bool listens; /* the listener is watched */
	size_t n, body_most, memory;
	struct waiting waiting[FCGI_GATHER_MOST];
	uint8_t bytes[AT_ONCE];
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

/* Another program may hold the same socket, and be first to take who came: accept(2) must not wait for the next one then. */
static bool
never_wait(int listener)
{
	int flags = fcntl(listener, F_GETFL);
	return flags >= 0 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) == 0;
}

enum status
fcgi_gather_open(int listener, int wake, int seconds, size_t body_most, struct fcgi_gather **gather)
{
	struct fcgi_gather *mine = calloc(1, sizeof *mine);
	if (mine == NULL)
		return STATUS_BROKEN;
	*mine = (struct fcgi_gather){.listener = listener, .wake = wake, .seconds = seconds,
	    .body_most = body_most, .listens = true};
	for (size_t i = 0; i < FCGI_GATHER_MOST; i++)
		mine->waiting[i].fd = -1;
	mine->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (mine->epoll >= 0 && never_wait(listener) && watch(mine, EPOLL_CTL_ADD, listener, EPOLLIN, LISTENER) &&
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
	for (size_t i = 0; i < FCGI_GATHER_MOST; i++) {
		if (gather->waiting[i].fd >= 0)
			close(gather->waiting[i].fd);
		fcgi_collect_free(&gather->waiting[i].collect);
	}
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
	struct fcgi_collect collect;
	fcgi_collect_begin(&collect, 0);
	enum fcgi_gather_state state = fcgi_collect_feed(&collect, bytes, len < FCGI_GATHER_PEEK ? len : FCGI_GATHER_PEEK);
	/* Parameters that come to nothing are told before they are all here. */
	if (state == FCGI_GATHER_PART && !fcgi_params_fit(collect.params.at, collect.params.len, false))
		state = FCGI_GATHER_BROKEN;
	fcgi_collect_free(&collect);
	return state;
}

/* A connection leaves: the place is free, and closing or handing over is the caller's. */
static int
take(struct fcgi_gather *gather, size_t i)
{
	int fd = gather->waiting[i].fd;
	if (gather->waiting[i].watched)
		epoll_ctl(gather->epoll, EPOLL_CTL_DEL, fd, NULL);
	gather->memory -= fcgi_collect_size(&gather->waiting[i].collect);
	fcgi_collect_free(&gather->waiting[i].collect);
	gather->waiting[i].fd = -1;
	gather->n--;
	return fd;
}

/* Takes all bytes that are here. */
static enum fcgi_gather_state
collect(struct fcgi_gather *gather, struct waiting *waiting)
{
	enum fcgi_gather_state state = FCGI_GATHER_PART;
	while (state == FCGI_GATHER_PART) {
		ssize_t n = recv(waiting->fd, gather->bytes, AT_ONCE, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return FCGI_GATHER_PART;
		/* Whoever has said the last word in the middle of a request is gone. */
		if (n <= 0)
			return FCGI_GATHER_BROKEN;
		gather->memory -= fcgi_collect_size(&waiting->collect);
		state = fcgi_collect_feed(&waiting->collect, gather->bytes, (size_t)n);
		gather->memory += fcgi_collect_size(&waiting->collect);
		if (gather->memory > FCGI_GATHER_MEMORY) {
			log_event(LOG_LEVEL_WARNING, "a connection was cut: half-sent requests take %d MiB", FCGI_GATHER_MEMORY >> 20);
			return FCGI_GATHER_BROKEN;
		}
	}
	return state;
}

/* At first sight, without taking anything. */
static enum fcgi_gather_state
peek(struct fcgi_gather *gather, struct waiting *waiting)
{
	ssize_t n = recv(waiting->fd, gather->bytes, FCGI_GATHER_PEEK, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FCGI_GATHER_PART;
	enum fcgi_gather_state state = n <= 0 ? FCGI_GATHER_BROKEN : fcgi_gather_state(gather->bytes, (size_t)n);
	waiting->collects = state == FCGI_GATHER_PART;
	return state;
}

/* Does this one go to a worker now?  A peer that is gone, or speaks something else, is closed here. */
static bool
look(struct fcgi_gather *gather, size_t i, struct fcgi_gathered *whole)
{
	struct waiting *waiting = &gather->waiting[i];
	enum fcgi_gather_state state = waiting->collects ? FCGI_GATHER_PART : peek(gather, waiting);
	if (waiting->collects)
		state = collect(gather, waiting);
	if (state == FCGI_GATHER_PART)
		return false;
	whole->request = -1;
	if (state == FCGI_GATHER_WHOLE && waiting->collects) {
		whole->request = fcgi_collect_file(&waiting->collect);
		state = whole->request < 0 ? FCGI_GATHER_BROKEN : state;
	}
	whole->fd = take(gather, i);
	if (state == FCGI_GATHER_BROKEN)
		close(whole->fd);
	return state == FCGI_GATHER_WHOLE;
}

static bool
keep(struct fcgi_gather *gather, int fd, size_t *place)
{
	size_t i = 0;
	while (i < FCGI_GATHER_MOST && gather->waiting[i].fd >= 0)
		i++;
	if (i == FCGI_GATHER_MOST)
		return false;
	gather->waiting[i] = (struct waiting){.fd = fd, .until = monotonic() + gather->seconds};
	fcgi_collect_begin(&gather->waiting[i].collect, gather->body_most);
	gather->n++;
	*place = i;
	return true;
}

/* Edge-triggered: an event each time more has come, one for what came before, none while nothing has. */
static void
watch_peer(struct fcgi_gather *gather, size_t i)
{
	struct waiting *waiting = &gather->waiting[i];
	waiting->watched = watch(gather, EPOLL_CTL_ADD, waiting->fd, EPOLLIN | EPOLLRDHUP | EPOLLET, (int32_t)i);
	if (!waiting->watched)
		close(take(gather, i));
}

/* Accepts one; as a rule its request is there already, and it goes on at once, without being watched. */
static bool
accept_one(struct fcgi_gather *gather, struct fcgi_gathered *whole)
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
	bool goes_on = look(gather, i, whole);
	if (gather->waiting[i].fd >= 0)
		watch_peer(gather, i);
	return goes_on;
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
fcgi_gather_wait(struct fcgi_gather *gather, bool full, int ms, struct fcgi_gathered whole[FCGI_GATHER_EVENTS])
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
		else if (gather->waiting[what].fd >= 0)
			found += look(gather, (size_t)what, &whole[found]) ? 1 : 0;
	}
	drop_late(gather);
	return found;
}
