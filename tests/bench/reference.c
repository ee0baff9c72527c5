#include "reference.h"

#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { BACKLOG = 4096, WORKERS_MOST = 256 };

static int listener;
static reference_work *work_of_all;

static void
answer(FCGX_Request *request, bool done)
{
	/* As long as the product's own answer to a reply that was taken, give or take a few bytes. */
	FCGX_PutS(done ? "Status: 303\r\nContent-Length: 0\r\nCache-Control: no-store\r\n"
	                 "X-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\n"
	                 "Location: /reference/receipt/00000000000000000000000000000000\r\n\r\n"
	               : "Status: 500\r\nContent-Length: 0\r\n\r\n",
	    request->out);
}

static void *
serve(void *context)
{
	FCGX_Request request;
	char *body = malloc(REFERENCE_BODY);
	if (body == NULL || FCGX_InitRequest(&request, listener, 0) != 0)
		abort();
	while (FCGX_Accept_r(&request) == 0) {
		int len = FCGX_GetStr(body, REFERENCE_BODY, request.in);
		answer(&request, work_of_all(body, len > 0 ? (size_t)len : 0));
		FCGX_Finish_r(&request);
	}
	free(body);
	return context;
}

static bool
start_workers(int n)
{
	pthread_t thread;
	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return false;
	return true;
}

bool
reference_serve(int argc, char **argv, reference_work *work)
{
	int workers = argc > 2 ? atoi(argv[2]) : 0, signal;
	sigset_t end;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	if (workers < 1 || workers > WORKERS_MOST) {
		fprintf(stderr, "Usage: %s SOCKET THREADS ...\n", argv[0]);
		return false;
	}
	/* Blocked here, and so in every worker: it waits for sigwait. */
	pthread_sigmask(SIG_BLOCK, &end, NULL);
	work_of_all = work;
	listener = FCGX_Init() == 0 ? FCGX_OpenSocket(argv[1], BACKLOG) : -1;
	if (listener < 0 || !start_workers(workers)) {
		fprintf(stderr, "%s: cannot serve on %s\n", argv[0], argv[1]);
		return false;
	}
	fputs("ready\n", stderr);
	return sigwait(&end, &signal) == 0;
}
