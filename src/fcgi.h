/*
 * fcgi.h - the FastCGI side of a door (libfcgi): requests in, whole answers out.
 *
 * fcgi_serve accepts connections in one thread, keeps them until their request is there
 * (fcgi_gather.h), and hands them to a pool of workers.  A worker reads
 * parameters and body into its arena, calls the door, and sends what the door put into the
 * response, whole.  A peer that is silent or slow is cut off at its deadline by shutting down a
 * copy of its descriptor: SO_RCVTIMEO would bound one read, not one byte a second.
 */
#ifndef FCGI_H
#define FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "out.h"
#include "status.h"
#include "str.h"

enum {
	FCGI_BACKLOG = 4096, /* 128 answered 400 clients with 502 through nginx */
	FCGI_DEADLINE = 30,  /* seconds from accept to the last byte of the answer */
	FCGI_ID_SIZE = 16    /* hexadecimal digits of a request's id */
};

/* How reading the body went. */
enum fcgi_body {
	FCGI_BODY_WHOLE,
	FCGI_BODY_TOO_LARGE, /* `body` holds the first bytes, up to the limit */
	FCGI_BODY_SHORT      /* the peer announced more than it sent, or nonsense */
};

/* All strings live until the answer is sent; parameters that were not passed are STR_NONE. */
struct fcgi_request {
	struct arena *arena;
	char id[FCGI_ID_SIZE + 1];
	int64_t now;         /* seconds since 1970 UTC, read once */
	uint8_t random[64];  /* fresh, for keys, nonces and session ids */
	struct str method;
	struct str path;     /* of REQUEST_URI, still percent-encoded, without the query */
	struct str query;    /* behind the '?', or STR_NONE */
	struct str rest;     /* what a route's '*' stood for */
	struct str content_type;
	struct str accept;
	struct str cookie;
	struct str origin;
	struct str fetch_site; /* Sec-Fetch-Site */
	struct str user_agent;
	struct str remote_addr;
	struct str remote_user; /* whom the web server signed in, or STR_NONE */
	struct str site;       /* REJOINDER_SITE */
	struct str body;
	enum fcgi_body body_state;
	bool no_uri;    /* REQUEST_URI was not passed; `path` is of SCRIPT_NAME and PATH_INFO, which are decoded */
	bool no_length; /* a body came without CONTENT_LENGTH */
};

struct fcgi_response {
	int code;
	struct str type; /* Content-Type; STR_NONE for none */
	struct out head; /* further header lines, by fcgi_header */
	struct out body;
};

/* Adds a header line.  A value with a control byte is dropped and logged: it would split the answer. */
void fcgi_header(struct fcgi_response *response, const char *name, struct str value);

typedef void fcgi_handler(void *door, struct fcgi_request *request, struct fcgi_response *response);

/*
 * A row of a door's table of addresses.  `path` stands below the mount point and may hold one '*': at
 * its end it stands for any rest, elsewhere for one segment.  The first path that fits counts, with all
 * its rows.  `flags` are the door's own.
 */
struct fcgi_route {
	const char *method;
	const char *path;
	fcgi_handler *handle;
	unsigned flags;
};

/*
 * Finds the row for the request's method and `path`, and sets request->rest.  HEAD takes the row of
 * GET.  NULL when there is none; *allow then lists the methods that this path has (",": none, 404).
 */
const struct fcgi_route *fcgi_route(const struct fcgi_route *routes, size_t routes_n, struct fcgi_request *request,
    struct str path, struct str *allow);

struct fcgi_service {
	void *door;
	fcgi_handler *handle;       /* called by many threads at once */
	void (*tick)(void *door);   /* or NULL: called every FCGI_TICK seconds by a thread of its own */
	void (*ready)(void);        /* called once, when requests can be answered */
	bool (*renew)(void *door);  /* on SIGHUP: is the configuration right that the next start would read? */
	size_t workers;
	size_t body_most;           /* bytes of a body; a larger one is cut and marked */
	size_t arena_most;          /* bytes that one request may take */
};
enum { FCGI_TICK = 2 };

enum { FCGI_SOCKET_MODE = 0660 };

struct fcgi_socket {
	int fd;
	bool inherited; /* somebody else made it, and hands it to the next door as well */
};

/*
 * The listening socket: file descriptor 0 when it is one (spawn-fcgi, mod_fcgid), else the first
 * that systemd passes (LISTEN_FDS), else a new one at `path` with `mode`.  Its backlog is raised to
 * FCGI_BACKLOG, of which the system grants net.core.somaxconn.  A stale socket file is replaced; one
 * that somebody answers on is CONFLICT.  Logs the reason of a failure.
 */
MUST_USE enum status fcgi_listen(const char *path, unsigned mode, struct fcgi_socket *listener);

/* Does somebody listen on the Unix socket at `path`? False also when that may not be asked. */
bool fcgi_answers(const char *path);

/*
 * Serves until SIGTERM or SIGINT, then accepts no more, finishes what was accepted, and returns; what
 * is not accepted waits in the backlog for whoever inherits the socket next.  SIGHUP asks `renew`: if
 * that says yes and the socket is inherited, it is as SIGTERM; else the door goes on as it is.
 */
MUST_USE enum status fcgi_serve(const struct fcgi_service *service, const struct fcgi_socket *listener);

#endif
