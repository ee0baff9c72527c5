#include "fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fcgi_answer.h"
#include "fcgi_gather.h"
#include "log.h"

enum {
	POOL_RING = 1024, /* requests that wait for a worker */
	STOP_SECONDS = 5, /* that a stopping door gives to half-sent requests */
	HEAPS = 2,        /* of malloc's, for all workers */
	POOL_FULL = 256,  /* from so many on none is accepted; what gathers still finds room */
};

/* --- requests -------------------------------------------------------------------------------- */

static struct str
parameter(FCGX_Request *fcgx, struct arena *arena, const char *name)
{
	return str_copy(arena, str_from(FCGX_GetParam(name, fcgx->envp)));
}

/*
 * REQUEST_URI is what the client sent, on every web server; PATH_INFO is empty behind nginx when
 * the path holds an encoded newline.  Only a plain CGI bridge may come without it.
 */
static void
read_target(FCGX_Request *fcgx, struct arena *arena, struct fcgi_request *request)
{
	struct str uri = parameter(fcgx, arena, "REQUEST_URI");
	request->no_uri = uri.at == NULL;
	if (request->no_uri) {
		request->path = str_join(arena, parameter(fcgx, arena, "SCRIPT_NAME"), parameter(fcgx, arena, "PATH_INFO"));
		request->query = parameter(fcgx, arena, "QUERY_STRING");
		return;
	}
	request->path = str_cut(&uri, '?');
	request->query = uri;
}

static void
read_parameters(FCGX_Request *fcgx, struct arena *arena, struct fcgi_request *request)
{
	read_target(fcgx, arena, request);
	request->method = parameter(fcgx, arena, "REQUEST_METHOD");
	request->content_type = parameter(fcgx, arena, "CONTENT_TYPE");
	request->accept = parameter(fcgx, arena, "HTTP_ACCEPT");
	request->cookie = parameter(fcgx, arena, "HTTP_COOKIE");
	request->origin = parameter(fcgx, arena, "HTTP_ORIGIN");
	request->fetch_site = parameter(fcgx, arena, "HTTP_SEC_FETCH_SITE");
	request->user_agent = parameter(fcgx, arena, "HTTP_USER_AGENT");
	request->remote_addr = parameter(fcgx, arena, "REMOTE_ADDR");
	request->remote_user = parameter(fcgx, arena, "REMOTE_USER");
	request->site = parameter(fcgx, arena, "REJOINDER_SITE");
}

/* Reads until `want` bytes are there or the stream ends; returns how many. */
static size_t
read_bytes(FCGX_Request *fcgx, char *to, size_t want)
{
	size_t len = 0;
	while (len < want) {
		size_t more = want - len > 65536 ? 65536 : want - len;
		int n = FCGX_GetStr(to + len, (int)more, fcgx->in);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static void
read_body(FCGX_Request *fcgx, struct arena *arena, size_t most, struct fcgi_request *request)
{
	struct str length = parameter(fcgx, arena, "CONTENT_LENGTH");
	int64_t announced = 0;
	bool known = length.len > 0;
	request->body_state = FCGI_BODY_SHORT;
	request->body = STR("");
	if (known && (str_integer(length, &announced) != STATUS_OK || announced < 0))
		return;
	size_t want = !known || (uint64_t)announced > most ? most + 1 : (size_t)announced;
	/* Methods without a body have no length; do not take memory for them. */
	if (want == 0 || (!known && !str_eq(request->method, STR("POST")))) {
		request->body_state = FCGI_BODY_WHOLE;
		return;
	}
	char *at = arena_alloc(arena, want + 1);
	if (at == NULL)
		return;
	request->body = (struct str){at, read_bytes(fcgx, at, want)};
	request->no_length = !known && request->body.len > 0;
	if (request->body.len > most) {
		request->body.len = most;
		request->body_state = FCGI_BODY_TOO_LARGE;
	} else if (!known || (uint64_t)announced == request->body.len)
		request->body_state = FCGI_BODY_WHOLE;
}

static void
begin(struct arena *arena, struct fcgi_request *request, struct fcgi_response *response)
{
	*request = (struct fcgi_request){.arena = arena, .now = (int64_t)time(NULL)};
	static const char digits[] = "0123456789abcdef";
	uint8_t id[FCGI_ID_SIZE / 2];
	/* getrandom(2) never gives less than asked for up to 256 bytes once the system is up. */
	if (getrandom(request->random, sizeof request->random, 0) != (ssize_t)sizeof request->random ||
	    getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
		abort();
	for (size_t i = 0; i < sizeof id; i++) {
		request->id[2 * i] = digits[id[i] >> 4];
		request->id[2 * i + 1] = digits[id[i] & 15];
	}
	log_request(request->id);
	*response = (struct fcgi_response){.code = 200};
	out_init(&response->head, arena);
	out_init(&response->body, arena);
}

/* --- workers --------------------------------------------------------------------------------- */

_Static_assert(POOL_FULL + FCGI_GATHER_EVENTS + FCGI_GATHER_MOST < POOL_RING, "pool_put always finds room");

struct pool;

struct worker {
	struct pool *pool;
	pthread_t thread;
	int peer;         /* copy of the connection that is being served, or -1; under pool->lock */
	int64_t deadline; /* seconds of the monotonic clock; under pool->lock */
};

struct pool {
	const struct fcgi_service *service;
	pthread_mutex_t lock;
	pthread_cond_t waiting; /* something to take, or the end */
	pthread_cond_t end;     /* only the end */
	struct fcgi_gathered ring[POOL_RING]; /* connections whose request is there */
	size_t first, n;
	bool ending;
	struct worker *workers;
	size_t workers_n;
};

/* What the acceptor polls beside its socket: a byte for a stop, or for room in a full pool. */
static int wake_pipe[2] = {-1, -1};

static void
wake_acceptor(void)
{
	/* A full pipe will wake it all the same. */
	ssize_t n = write(wake_pipe[1], "", 1);
	(void)n;
}

static int64_t
monotonic(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool
pool_full(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	bool full = pool->n > POOL_FULL;
	pthread_mutex_unlock(&pool->lock);
	return full;
}

/* There is room: POOL_FULL, one round of events and all that gathers stay below POOL_RING. */
static void
pool_put(struct pool *pool, struct fcgi_gathered one)
{
	pthread_mutex_lock(&pool->lock);
	pool->ring[(pool->first + pool->n++) % POOL_RING] = one;
	pthread_cond_signal(&pool->waiting);
	pthread_mutex_unlock(&pool->lock);
}

/* The next connection; its fd is -1 when there will be none. */
static struct fcgi_gathered
pool_take(struct worker *worker)
{
	struct pool *pool = worker->pool;
	struct fcgi_gathered one = {-1, -1};
	pthread_mutex_lock(&pool->lock);
	while (pool->n == 0 && !pool->ending)
		pthread_cond_wait(&pool->waiting, &pool->lock);
	if (pool->n > 0) {
		one = pool->ring[pool->first];
		pool->first = (pool->first + 1) % POOL_RING;
		if (pool->n-- == POOL_FULL + 1)
			wake_acceptor();
		worker->peer = dup(one.fd);
		worker->deadline = monotonic() + FCGI_DEADLINE;
	}
	pthread_mutex_unlock(&pool->lock);
	return one;
}

static void
release_peer(struct worker *worker)
{
	pthread_mutex_lock(&worker->pool->lock);
	if (worker->peer >= 0)
		close(worker->peer);
	worker->peer = -1;
	pthread_mutex_unlock(&worker->pool->lock);
}

/* Wakes whoever reads from or writes to a peer whose time is over. */
static void
enforce_deadlines(struct pool *pool)
{
	int64_t now = monotonic();
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < pool->workers_n; i++) {
		struct worker *worker = &pool->workers[i];
		if (worker->peer < 0 || now < worker->deadline)
			continue;
		log_event(LOG_LEVEL_WARNING, "a connection was cut after %d s", FCGI_DEADLINE);
		shutdown(worker->peer, SHUT_RDWR);
		close(worker->peer);
		worker->peer = -1;
	}
	pthread_mutex_unlock(&pool->lock);
}

static void
close_both(struct fcgi_gathered one)
{
	close(one.fd);
	if (one.request >= 0)
		close(one.request);
}

static void
serve_one(struct worker *worker, struct arena *arena, struct fcgi_gathered one)
{
	const struct fcgi_service *service = worker->pool->service;
	struct fcgi_request request;
	struct fcgi_response response;
	FCGX_Request fcgx;
	/* With no listening socket FCGX_Accept_r cannot accept: it reads the connection that it is
	 * given, and a broken record makes it return.  keepConnection keeps its first FCGX_Finish_r
	 * from closing that connection; the web server's own flag replaces it. */
	if (FCGX_InitRequest(&fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		close_both(one);
		return;
	}
	fcgx.ipcFd = one.request >= 0 ? one.request : one.fd;
	fcgx.keepConnection = 1;
	if (FCGX_Accept_r(&fcgx) != 0) {
		/* What it read from is closed by it. */
		FCGX_Free(&fcgx, 1);
		if (one.request >= 0)
			close(one.fd);
		return;
	}
	begin(arena, &request, &response);
	read_parameters(&fcgx, arena, &request);
	read_body(&fcgx, arena, service->body_most, &request);
	/* All was read, and the streams look the descriptor up each time: the answer goes to the peer. */
	if (one.request >= 0)
		close(one.request);
	fcgx.ipcFd = one.fd;
	if (arena->failed)
		fcgi_answer_bare(fcgx.ipcFd, fcgx.requestId);
	else {
		service->handle(service->door, &request, &response);
		fcgi_answer_send(fcgx.ipcFd, fcgx.requestId, &request, &response);
	}
	/* Kept connections are not offered: a silent one would hold a worker.  libfcgi's own way of closing waits
	 * for the peer to close first; that is for one who may still be sending, and all of `one` was here. */
	FCGX_Free(&fcgx, one.request >= 0);
	if (one.request < 0)
		close(one.fd);
	log_request(NULL);
}

static void *
work(void *context)
{
	struct worker *worker = context;
	struct arena arena;
	struct fcgi_gathered one;
	arena_init(&arena, worker->pool->service->arena_most);
	while ((one = pool_take(worker)).fd >= 0) {
		serve_one(worker, &arena, one);
		release_peer(worker);
		arena_reset(&arena);
	}
	arena_free(&arena);
	return NULL;
}

/* --- the door's life ------------------------------------------------------------------------- */

static volatile sig_atomic_t stopping, renewing;

static void
on_signal(int signal)
{
	int reason = errno;
	if (signal == SIGHUP)
		renewing = 1;
	else
		stopping = 1;
	wake_acceptor();
	errno = reason;
}

static bool
catch_signals(void)
{
	struct sigaction wake = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	return pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGTERM, &wake, NULL) == 0 &&
	       sigaction(SIGINT, &wake, NULL) == 0 && sigaction(SIGHUP, &wake, NULL) == 0 &&
	       sigaction(SIGPIPE, &ignore, NULL) == 0;
}

/* By the clock that nobody sets: one that is set back by a day would end all background work for that long. */
static void
make_conditions(struct pool *pool)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->waiting, &monotonic);
	pthread_cond_init(&pool->end, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void *
tick_on(void *context)
{
	struct pool *pool = context;
	struct timespec until;
	pthread_mutex_lock(&pool->lock);
	while (!pool->ending) {
		pthread_mutex_unlock(&pool->lock);
		pool->service->tick(pool->service->door);
		pthread_mutex_lock(&pool->lock);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += FCGI_TICK;
		if (!pool->ending)
			pthread_cond_timedwait(&pool->end, &pool->lock, &until);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void
gather_once(struct pool *pool, struct fcgi_gather *gather, bool full, int ms)
{
	struct fcgi_gathered whole[FCGI_GATHER_EVENTS];
	size_t n = fcgi_gather_wait(gather, full, ms, whole);
	enforce_deadlines(pool);
	for (size_t i = 0; i < n; i++)
		pool_put(pool, whole[i]);
}

/* After SIGHUP: does this door make room for one with the new configuration? */
static bool
makes_room(const struct fcgi_service *service, bool inherited)
{
	if (!service->renew(service->door)) {
		log_event(LOG_LEVEL_ERROR, "SIGHUP: the configuration is refused, for the reason above; the former one stays");
		return false;
	}
	if (inherited) {
		log_event(LOG_LEVEL_INFO, "SIGHUP: the configuration is right; whoever holds the socket starts the next door");
		return true;
	}
	log_event(LOG_LEVEL_WARNING, "SIGHUP: the configuration is right, and is taken when this door is started again: the "
	                             "socket is its own, so it does not end by itself; --keep would have taken it now");
	return false;
}

/*
 * While the pool is full connections wait, and the deadlines are still enforced.  When the door stops
 * none is accepted any more, but who has begun to speak may finish, for a while.
 */
static void
accept_until_stopped(struct pool *pool, struct fcgi_gather *gather, bool inherited)
{
	while (!stopping) {
		gather_once(pool, gather, pool_full(pool), 1000);
		if (!renewing)
			continue;
		renewing = 0;
		if (makes_room(pool->service, inherited))
			break;
	}
	log_event(LOG_LEVEL_INFO, "stopping");
	int64_t until = monotonic() + STOP_SECONDS;
	while (fcgi_gather_count(gather) > 0 && monotonic() < until)
		gather_once(pool, gather, true, 100);
}

static size_t
start_workers(struct pool *pool)
{
	size_t started = 0;
	/* glibc gives each thread a heap of its own, and each grows as large as one worker has ever needed. */
	mallopt(M_ARENA_MAX, HEAPS);
	for (; started < pool->service->workers; started++) {
		struct worker *worker = &pool->workers[started];
		*worker = (struct worker){.pool = pool, .peer = -1};
		if (pthread_create(&worker->thread, NULL, work, worker) != 0)
			break;
	}
	return started;
}

/* Waits for a worker, and still cuts off those who keep it. */
static void
join(struct pool *pool, pthread_t thread)
{
	struct timespec until;
	do {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		enforce_deadlines(pool);
	} while (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
}

static void
pool_end(struct pool *pool, size_t started)
{
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->waiting);
	pthread_cond_broadcast(&pool->end);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < started; i++)
		join(pool, pool->workers[i].thread);
}

enum status
fcgi_serve(const struct fcgi_service *service, const struct fcgi_socket *listener)
{
	struct pool pool = {.service = service, .workers_n = service->workers};
	pthread_t ticker;
	struct fcgi_gather *gather = NULL;
	enum status status = STATUS_BROKEN;
	pool.workers = calloc(service->workers, sizeof *pool.workers);
	pthread_mutex_init(&pool.lock, NULL);
	make_conditions(&pool);
	if (pool.workers == NULL || !catch_signals() || FCGX_Init() != 0 ||
	    fcgi_gather_open(listener->fd, wake_pipe[0], FCGI_DEADLINE, service->body_most, &gather) != STATUS_OK)
		goto out;
	size_t started = start_workers(&pool);
	bool ticks = service->tick != NULL && pthread_create(&ticker, NULL, tick_on, &pool) == 0;
	if (started == service->workers) {
		log_event(LOG_LEVEL_INFO, "ready");
		service->ready();
		accept_until_stopped(&pool, gather, listener->inherited);
		status = STATUS_OK;
	}
	pool_end(&pool, started);
	if (ticks)
		pthread_join(ticker, NULL);
out:
	if (gather != NULL)
		fcgi_gather_close(gather);
	pthread_cond_destroy(&pool.waiting);
	pthread_cond_destroy(&pool.end);
	pthread_mutex_destroy(&pool.lock);
	free(pool.workers);
	return status;
}
