#include "fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fcgi_gather.h"
#include "log.h"

enum {
	POOL_RING = 1024, /* requests that wait for a worker */
	STOP_SECONDS = 5, /* that a stopping door gives to half-sent requests */
	POOL_FULL = 256,  /* from so many on none is accepted; what gathers still finds room */
	DRAIN_MOST = 4 * 1024 * 1024, /* read and dropped of a body that is too large */
	SYSTEMD_FIRST_FD = 3
};

/* --- routes ---------------------------------------------------------------------------------- */

static bool
path_fits(const char *pattern, struct str path, struct str *rest)
{
	struct str tail = str_from(pattern);
	struct str head = str_cut(&tail, '*');
	*rest = STR_NONE;
	if (tail.at == NULL)
		return str_eq(head, path);
	if (path.len < head.len + tail.len || !str_starts(path, head) || !str_ends(path, tail))
		return false;
	*rest = str_sub(path, head.len, path.len - head.len - tail.len);
	return tail.len == 0 || !str_has(*rest, '/');
}

static bool
method_fits(const char *method, struct str asked)
{
	return str_eq(str_from(method), asked) || (str_eq(asked, STR("HEAD")) && strcmp(method, "GET") == 0);
}

const struct fcgi_route *
fcgi_route(const struct fcgi_route *routes, size_t routes_n, struct fcgi_request *request, struct str path,
    struct str *allow)
{
	const char *first = NULL;
	struct out methods;
	out_init(&methods, request->arena);
	for (size_t i = 0; i < routes_n; i++) {
		struct str rest;
		if (!path_fits(routes[i].path, path, &rest))
			continue;
		/* A wider path behind it is another address, with methods of its own. */
		first = first == NULL ? routes[i].path : first;
		if (strcmp(first, routes[i].path) != 0)
			continue;
		if (method_fits(routes[i].method, request->method)) {
			request->rest = rest;
			return &routes[i];
		}
		bool get = strcmp(routes[i].method, "GET") == 0;
		out_format(&methods, "%s%s", methods.len > 0 ? ", " : "", get ? "GET, HEAD" : routes[i].method);
	}
	*allow = out_str(&methods);
	return NULL;
}

/* --- requests and answers -------------------------------------------------------------------- */

void
fcgi_header(struct fcgi_response *response, const char *name, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.at[i] < 0x20 || value.at[i] == 0x7f) {
			log_event(LOG_LEVEL_ERROR, "header %s dropped: it holds a control byte", name);
			return;
		}
	}
	out_format(&response->head, "%s: ", name);
	out_put(&response->head, value);
	out_put(&response->head, STR("\r\n"));
}

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
	if (uri.at == NULL) {
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

/* A web server that still sends when we close may answer 502 in our place. */
static void
drain(FCGX_Request *fcgx)
{
	char waste[4096];
	for (size_t n = 0; n < DRAIN_MOST; n += sizeof waste)
		if (read_bytes(fcgx, waste, sizeof waste) < sizeof waste)
			return;
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
	if (request->body.len > most) {
		request->body.len = most;
		request->body_state = FCGI_BODY_TOO_LARGE;
		drain(fcgx);
	} else if (!known || (uint64_t)announced == request->body.len)
		request->body_state = FCGI_BODY_WHOLE;
}

static void
begin(struct arena *arena, struct fcgi_request *request, struct fcgi_response *response)
{
	*request = (struct fcgi_request){.arena = arena, .now = (int64_t)time(NULL)};
	uint8_t id[FCGI_ID_SIZE / 2];
	/* getrandom(2) never gives less than asked for up to 256 bytes once the system is up. */
	if (getrandom(request->random, sizeof request->random, 0) != (ssize_t)sizeof request->random ||
	    getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
		abort();
	for (size_t i = 0; i < sizeof id; i++)
		snprintf(request->id + 2 * i, 3, "%02x", id[i]);
	log_request(request->id);
	*response = (struct fcgi_response){.code = 200};
	out_init(&response->head, arena);
	out_init(&response->body, arena);
}

/* What goes out when even the error page found no memory. */
static void
send_bare_error(FCGX_Request *fcgx)
{
	FCGX_PutS("Status: 500\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\r\n"
	          "Something went wrong here. Nothing was stored; please try again.\n",
	    fcgx->out);
}

static void
send_response(FCGX_Request *fcgx, const struct fcgi_request *request, struct fcgi_response *response)
{
	struct out head;
	out_init(&head, request->arena);
	out_format(&head, "Status: %d\r\n", response->code);
	if (response->type.len > 0)
		out_format(&head, "Content-Type: %.*s\r\n", STR_FMT(response->type));
	out_format(&head, "Content-Length: %zu\r\n", response->body.len);
	out_put(&head, out_str(&response->head));
	out_put(&head, STR("\r\n"));
	if (out_status(&head) != STATUS_OK || out_status(&response->body) != STATUS_OK || response->head.failed) {
		log_event(LOG_LEVEL_ERROR, "the answer found no memory");
		send_bare_error(fcgx);
		return;
	}
	FCGX_PutStr(head.at, (int)head.len, fcgx->out);
	if (!str_eq(request->method, STR("HEAD")) && response->body.len > 0)
		FCGX_PutStr(response->body.at, (int)response->body.len, fcgx->out);
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
	int fds[POOL_RING];     /* ring of connections whose request is there */
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
pool_put(struct pool *pool, int fd)
{
	pthread_mutex_lock(&pool->lock);
	pool->fds[(pool->first + pool->n++) % POOL_RING] = fd;
	pthread_cond_signal(&pool->waiting);
	pthread_mutex_unlock(&pool->lock);
}

/* The next connection, or -1 when there will be none. */
static int
pool_take(struct worker *worker)
{
	struct pool *pool = worker->pool;
	int fd = -1;
	pthread_mutex_lock(&pool->lock);
	while (pool->n == 0 && !pool->ending)
		pthread_cond_wait(&pool->waiting, &pool->lock);
	if (pool->n > 0) {
		fd = pool->fds[pool->first];
		pool->first = (pool->first + 1) % POOL_RING;
		if (pool->n-- == POOL_FULL + 1)
			wake_acceptor();
		worker->peer = dup(fd);
		worker->deadline = monotonic() + FCGI_DEADLINE;
	}
	pthread_mutex_unlock(&pool->lock);
	return fd;
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
serve_one(struct worker *worker, struct arena *arena, int fd)
{
	const struct fcgi_service *service = worker->pool->service;
	struct fcgi_request request;
	struct fcgi_response response;
	FCGX_Request fcgx;
	/* With no listening socket FCGX_Accept_r cannot accept: it reads the connection that it is
	 * given, and a broken record makes it return.  keepConnection keeps its first FCGX_Finish_r
	 * from closing that connection; the web server's own flag replaces it. */
	if (FCGX_InitRequest(&fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		close(fd);
		return;
	}
	fcgx.ipcFd = fd;
	fcgx.keepConnection = 1;
	if (FCGX_Accept_r(&fcgx) != 0) {
		FCGX_Free(&fcgx, 1);
		return;
	}
	begin(arena, &request, &response);
	read_parameters(&fcgx, arena, &request);
	read_body(&fcgx, arena, service->body_most, &request);
	if (arena->failed)
		send_bare_error(&fcgx);
	else {
		service->handle(service->door, &request, &response);
		send_response(&fcgx, &request, &response);
	}
	/* Kept connections are not offered: a silent one would hold a worker. */
	fcgx.keepConnection = 0;
	FCGX_Finish_r(&fcgx);
	log_request(NULL);
}

static void *
work(void *context)
{
	struct worker *worker = context;
	struct arena arena;
	int fd;
	arena_init(&arena, worker->pool->service->arena_most);
	while ((fd = pool_take(worker)) >= 0) {
		serve_one(worker, &arena, fd);
		release_peer(worker);
		arena_reset(&arena);
	}
	arena_free(&arena);
	return NULL;
}

/* --- the door's life ------------------------------------------------------------------------- */

static volatile sig_atomic_t stopping;

static void
on_stop(int signal)
{
	(void)signal;
	int reason = errno;
	stopping = 1;
	wake_acceptor();
	errno = reason;
}

static bool
catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};
	return pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGTERM, &stop, NULL) == 0 && sigaction(SIGINT, &stop, NULL) == 0 &&
	       sigaction(SIGPIPE, &ignore, NULL) == 0;
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
		clock_gettime(CLOCK_REALTIME, &until);
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
	int whole[FCGI_GATHER_EVENTS];
	size_t n = fcgi_gather_wait(gather, full, ms, whole);
	enforce_deadlines(pool);
	for (size_t i = 0; i < n; i++)
		pool_put(pool, whole[i]);
}

/*
 * While the pool is full connections wait, and the deadlines are still enforced.  When the door stops
 * none is accepted any more, but who has begun to speak may finish, for a while.
 */
static void
accept_until_stopped(struct pool *pool, struct fcgi_gather *gather)
{
	while (!stopping)
		gather_once(pool, gather, pool_full(pool), 1000);
	log_event(LOG_LEVEL_INFO, "stopping");
	int64_t until = monotonic() + STOP_SECONDS;
	while (fcgi_gather_count(gather) > 0 && monotonic() < until)
		gather_once(pool, gather, true, 100);
}

static size_t
start_workers(struct pool *pool)
{
	size_t started = 0;
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
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		enforce_deadlines(pool);
	} while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
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
fcgi_serve(const struct fcgi_service *service, int listener)
{
	struct pool pool = {.service = service, .workers_n = service->workers};
	pthread_t ticker;
	struct fcgi_gather *gather = NULL;
	enum status status = STATUS_BROKEN;
	pool.workers = calloc(service->workers, sizeof *pool.workers);
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.waiting, NULL);
	pthread_cond_init(&pool.end, NULL);
	if (pool.workers == NULL || !catch_signals() || FCGX_Init() != 0 ||
	    fcgi_gather_open(listener, wake_pipe[0], FCGI_DEADLINE, &gather) != STATUS_OK)
		goto out;
	size_t started = start_workers(&pool);
	bool ticks = service->tick != NULL && pthread_create(&ticker, NULL, tick_on, &pool) == 0;
	if (started == service->workers) {
		log_event(LOG_LEVEL_INFO, "ready");
		accept_until_stopped(&pool, gather);
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

/* --- the socket ------------------------------------------------------------------------------ */

static bool
is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0;
}

static int
inherited(void)
{
	const char *pid = getenv("LISTEN_PID");
	if (is_listening(STDIN_FILENO))
		return STDIN_FILENO;
	if (pid != NULL && strtol(pid, NULL, 10) == (long)getpid() && is_listening(SYSTEMD_FIRST_FD))
		return SYSTEMD_FIRST_FD;
	return -1;
}

/* A socket file that nobody listens on is left over from a program that was killed. */
static bool
is_taken(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	if (fd >= 0)
		close(fd);
	return taken;
}

static enum status
cannot_listen(const char *path)
{
	log_event(LOG_LEVEL_ERROR, "cannot listen on %s: %s", path, strerror(errno));
	return STATUS_BROKEN;
}

static enum status
bind_new(const char *path, int *listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return cannot_listen(path);
	}
	if (is_taken(&address)) {
		log_event(LOG_LEVEL_ERROR, "%s: another program listens there already", path);
		return STATUS_CONFLICT;
	}
	/* A slip of the pen may name the database. */
	struct stat info;
	if (lstat(path, &info) == 0 && !S_ISSOCK(info.st_mode)) {
		log_event(LOG_LEVEL_ERROR, "%s: there is a file of that name, and it is no socket", path);
		return STATUS_CONFLICT;
	}
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0117);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	int reason = errno;
	umask(mask);
	errno = reason;
	if (!bound || listen(fd, FCGI_BACKLOG) != 0) {
		enum status status = cannot_listen(path);
		if (fd >= 0)
			close(fd);
		return status;
	}
	*listener = fd;
	return STATUS_OK;
}

enum status
fcgi_listen(const char *path, int *listener)
{
	*listener = inherited();
	if (*listener >= 0)
		return STATUS_OK;
	if (path != NULL)
		return bind_new(path, listener);
	log_event(LOG_LEVEL_ERROR, "no socket: start with one as file descriptor 0, from a systemd socket unit, "
	                           "or with --socket PATH");
	return STATUS_INVALID;
}
