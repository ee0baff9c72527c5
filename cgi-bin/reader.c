/*
 * reader.fcgi - the public door: whoever reads may reply.
 *
 * Every address of this program stands in the table below; its handler is in the src/reader_*.c of its subject.
 */
#include <stdio.h>

#include "door.h"
#include "log.h"
#include "reader.h"

static const char usage[] =
    "Usage: reader.fcgi [--config FILE] [--socket PATH [--mode MODE]] [--keep]\n"
    "Takes readers' replies from a web server over FastCGI; see reader.fcgi(8).\n"
    "\n"
    "  -c, --config FILE  read FILE instead of " CONFIG_DEFAULT_PATH "\n"
    "  -s, --socket PATH  listen on a new socket at PATH; without it, file descriptor 0\n"
    "                     or the socket that systemd passes is used\n"
    "  -m, --mode MODE    give that socket the octal MODE (0660)\n"
    "  -k, --keep         hold the socket, start the door again when it dies, and on\n"
    "                     SIGHUP put one with the new configuration into its place\n"
    "  -t, --check        read the configuration, say what is wrong with it, and exit\n"
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
    {"GET", "/latest.html", reader_overview, 0},
    {"GET", "/latest.json", reader_overview, 0},
    {"GET", "/feed.xml", reader_overview, 0},
    {"GET", "/trending.html", reader_overview, 0},
    {"GET", "/trending.json", reader_overview, 0},
    {"GET", "/counts.json", reader_overview, 0},
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
	enum status status = door_open(arguments->config, &door);
	if (status != STATUS_OK)
		return 1;
	status = door_pace(&door);
	if (status == STATUS_OK) {
		struct fcgi_service service = {.door = &door, .handle = handle, .tick = reader_tick};
		status = door_serve(&door, NULL, arguments, &service);
	}
	door_close(&door);
	return status == STATUS_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct door_arguments arguments;
	bool done;
	int result;
	log_door("reader");
	if (door_arguments(argc, argv, usage, &arguments, &done) != STATUS_OK)
		return 2;
	if (done)
		return 0;
	if (arguments.check)
		return door_would_start(arguments.config) ? 0 : 1;
	return door_keeps(argv, &arguments, &result) ? result : serve(&arguments);
}
