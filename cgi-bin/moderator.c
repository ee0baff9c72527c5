/*
 * moderator.fcgi - the moderators' door: sign in, look at what waits, decide.
 *
 * Every address of this program stands in the table below, with what is checked before its handler
 * in src/moderator.c is called.
 */
#include <stdio.h>

#include "log.h"
#include "moderator.h"

static const char usage[] =
    "Usage: moderator.fcgi [--config FILE] [--socket PATH]\n"
    "Lets moderators decide, through a web server over FastCGI; see moderator.fcgi(8).\n"
    "\n"
    "  -c, --config FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
    "  -s, --socket PATH  listen on a new socket at PATH; without it, file descriptor 0\n"
    "                     or the socket that systemd passes is used\n"
    "  -h, --help         print this\n"
    "      --version      print the version\n";

static const struct fcgi_route routes[] = {
    {"GET", "/moderate/", moderator_queue, 0},
    {"GET", "/moderate/sign-in", moderator_sign_in_form, MODERATOR_PUBLIC},
    {"POST", "/moderate/sign-in", moderator_sign_in, MODERATOR_PUBLIC | MODERATOR_ORIGIN},
    {"POST", "/moderate/sign-out", moderator_sign_out, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/decide", moderator_decide, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"GET", "/moderate/health", moderator_health, MODERATOR_PUBLIC},
};

static void
handle(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	moderator_dispatch(context, routes, sizeof routes / sizeof *routes, request, response);
}

static int
serve(const struct door_arguments *arguments)
{
	struct moderator_door moderator;
	int listener;
	enum status status = moderator_open(arguments->config, &moderator);
	if (status != STATUS_OK)
		return 1;
	status = fcgi_listen(arguments->socket, &listener);
	if (status == STATUS_OK) {
		struct fcgi_service service = {
		    .door = &moderator,
		    .handle = handle,
		    .tick = moderator_tick,
		    .workers = (size_t)moderator.door.config->workers,
		    .body_most = config_body_most(moderator.door.config),
		    .arena_most = DOOR_ARENA_MOST,
		};
		status = fcgi_serve(&service, listener);
	}
	moderator_close(&moderator);
	return status == STATUS_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct door_arguments arguments;
	bool done;
	log_door("moderator");
	if (door_arguments(argc, argv, usage, &arguments, &done) != STATUS_OK)
		return 2;
	return done ? 0 : serve(&arguments);
}
