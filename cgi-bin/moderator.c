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
    "Usage: moderator.fcgi [--config FILE] [--socket PATH [--mode MODE]] [--keep]\n"
    "Lets moderators decide, through a web server over FastCGI; see moderator.fcgi(8).\n"
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
    {"GET", "/moderate/", moderator_queue, 0},
    {"GET", "/moderate/sign-in", moderator_sign_in_form, MODERATOR_PUBLIC},
    {"POST", "/moderate/sign-in", moderator_sign_in, MODERATOR_PUBLIC | MODERATOR_ORIGIN},
    {"POST", "/moderate/sign-out", moderator_sign_out, MODERATOR_ORIGIN | MODERATOR_TOKEN | MODERATOR_SECRET},
    {"GET", "/moderate/settings", moderator_settings, 0},
    {"POST", "/moderate/settings/password", moderator_settings_password, MODERATOR_ORIGIN | MODERATOR_TOKEN | MODERATOR_SECRET},
    {"POST", "/moderate/settings/end", moderator_settings_end, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/settings/end-all", moderator_settings_end_all, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"GET", "/moderate/reply/*/answer", moderator_answer_form, 0},
    {"GET", "/moderate/reply/*/edit", moderator_edit_form, 0},
    {"GET", "/moderate/reply/*", moderator_reply, 0},
    {"POST", "/moderate/answer", moderator_answer, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/edit", moderator_edit, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/decide", moderator_decide, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"GET", "/moderate/pages", moderator_pages, 0},
    {"POST", "/moderate/close", moderator_close_page, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/reopen", moderator_reopen_page, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/pause", moderator_pause, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"POST", "/moderate/resume", moderator_resume, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"GET", "/moderate/news", moderator_news, MODERATOR_UNSEEN},
    {"GET", "/moderate/undo", moderator_undo_list, 0},
    {"POST", "/moderate/undo", moderator_undo, MODERATOR_ORIGIN | MODERATOR_TOKEN},
    {"GET", "/moderate/log", moderator_log, 0},
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
	enum status status = moderator_open(arguments->config, &moderator);
	if (status != STATUS_OK)
		return 1;
	struct fcgi_service service = {.door = &moderator, .handle = handle, .tick = moderator_tick};
	status = door_serve(&moderator.door, moderator.door.config->moderators_database, arguments, &service);
	moderator_close(&moderator);
	return status == STATUS_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct door_arguments arguments;
	bool done;
	int result;
	log_door("moderator");
	if (door_arguments(argc, argv, usage, &arguments, &done) != STATUS_OK)
		return 2;
	if (done)
		return 0;
	if (arguments.check)
		return door_would_start(arguments.config) ? 0 : 1;
	return door_keeps(argv, &arguments, &result) ? result : serve(&arguments);
}
