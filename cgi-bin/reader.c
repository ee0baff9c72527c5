/*
 * reader.fcgi - the public door: whoever reads may reply.
 *
 * Every address of this program stands in the table below; its handler is in src/reader.c.
 */
#include <stdio.h>

#include "door.h"
#include "log.h"
#include "reader.h"

static const char usage[] =
    "Usage: reader.fcgi [--config FILE] [--socket PATH]\n"
    "Takes readers' replies from a web server over FastCGI; see reader.fcgi(8).\n"
    "\n"
    "  -c, --config FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
    "  -s, --socket PATH  listen on a new socket at PATH; without it, file descriptor 0\n"
    "                     or the socket that systemd passes is used\n"
    "  -h, --help         print this\n"
    "      --version      print the version\n";

static const struct fcgi_route routes[] = {
    {"GET", "/form", reader_form, 0},
    {"POST", "/reply", reader_reply, 0},
    {"GET", "/receipt/*/edit", reader_edit_form, 0},
    {"POST", "/receipt/*/edit", reader_edit, 0},
    {"POST", "/receipt/*/withdraw", reader_withdraw, 0},
    {"GET", "/receipt/*", reader_receipt, 0},
    {"GET", "/threads/*", reader_thread, 0},
    {"GET", "/health", reader_health, 0},
};

static void
handle(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	reader_dispatch(context, routes, sizeof routes / sizeof *routes, request, response);
}

static int
serve(const struct door_arguments *arguments)
{
	struct door door;
	int listener;
	enum status status = door_open(arguments->config, &door);
	if (status != STATUS_OK)
		return 1;
	status = fcgi_listen(arguments->socket, &listener);
	if (status == STATUS_OK) {
		struct fcgi_service service = {
		    .door = &door,
		    .handle = handle,
		    .tick = reader_tick,
		    .workers = (size_t)door.config->workers,
		    .body_most = config_body_most(door.config),
		    .arena_most = DOOR_ARENA_MOST,
		};
		status = fcgi_serve(&service, listener);
	}
	door_close(&door);
	return status == STATUS_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct door_arguments arguments;
	bool done;
	log_door("reader");
	if (door_arguments(argc, argv, usage, &arguments, &done) != STATUS_OK)
		return 2;
	return done ? 0 : serve(&arguments);
}
