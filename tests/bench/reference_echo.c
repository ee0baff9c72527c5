/*
 * reference_echo SOCKET THREADS - answers whatever comes: what a request through the web server and
 * libfcgi costs when nothing is done.
 */
#include <stdio.h>
#include <unistd.h>

#include "reference.h"

static bool
nothing(const char *body, size_t len)
{
	(void)body;
	return len > 0;
}

int
main(int argc, char **argv)
{
	bool served = reference_serve(argc, argv, nothing);
	fflush(stdout);
	_exit(served ? 0 : 1);
}
