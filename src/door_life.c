#include "door.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "file.h"
#include "keep.h"
#include "log.h"
#include "version.h"

enum { PATHS_A_SITE = 4 };

/* --- the command line ---------------------------------------------------------------------------- */

/* INVALID unless it is what chmod(1) takes as an octal mode, and gives the door itself its socket. */
static enum status
read_mode(const char *program, const char *text, unsigned *mode)
{
	char *end;
	unsigned long n = strtoul(text, &end, 8);
	if (text[0] >= '0' && text[0] <= '7' && *end == '\0' && n <= 0777 && (n & 0600) == 0600) {
		*mode = (unsigned)n;
		return STATUS_OK;
	}
	fprintf(stderr, "%s: --mode \"%s\": give an octal mode from 0600 to 0777 in which the owner may read and write, as 0660\n",
	    program, text);
	return STATUS_INVALID;
}

enum status
door_arguments(int argc, char **argv, const char *usage, struct door_arguments *arguments, bool *done)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"socket", required_argument, NULL, 's'},
	    {"mode", required_argument, NULL, 'm'},
	    {"keep", no_argument, NULL, 'k'},
	    {"check", no_argument, NULL, 't'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};
	int option;
	bool moded = false;
	*arguments = (struct door_arguments){.config = CONFIG_DEFAULT_PATH, .mode = FCGI_SOCKET_MODE};
	*done = false;
	while ((option = getopt_long(argc, argv, "c:s:m:kth", options, NULL)) != -1) {
		if (option == 'c')
			arguments->config = optarg;
		else if (option == 's')
			arguments->socket = optarg;
		else if (option == 'k')
			arguments->keep = true;
		else if (option == 't')
			arguments->check = true;
		else if (option == 'm') {
			moded = true;
			if (read_mode(argv[0], optarg, &arguments->mode) != STATUS_OK)
				return STATUS_INVALID;
		} else if (option == 'h' || option == 'v') {
			fputs(option == 'h' ? usage : "Rejoinder " VERSION "\n", stdout);
			*done = true;
			return STATUS_OK;
		} else
			return STATUS_INVALID;
	}
	if (optind < argc)
		fprintf(stderr, "%s: unexpected argument \"%s\"; see --help\n", argv[0], argv[optind]);
	else if (moded && arguments->socket == NULL)
		fprintf(stderr, "%s: --mode is the mode of a new socket: give --socket PATH as well\n", argv[0]);
	else
		return STATUS_OK;
	return STATUS_INVALID;
}

/* --- the sandbox --------------------------------------------------------------------------------- */

/* The folder of a file that the configuration names; ignored by box_enter when memory fails. */
static struct box_path
folder_of(struct arena *arena, const char *path, enum box_access access)
{
	char *folder = str_c(arena, str_from(path));
	char *slash = folder == NULL ? NULL : strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	return (struct box_path){slash == NULL && folder != NULL ? "." : folder, access};
}

/* What door_renew reads again: an editor replaces a file, so it is the folder that is let in. */
static size_t
paths_of_site(struct arena *arena, const struct config_site *site, struct box_path *paths)
{
	const struct str files[] = {site->words, site->page_head, site->page_foot};
	size_t n = 0;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (files[i].len > 0)
			paths[n++] = folder_of(arena, files[i].at, BOX_READ);
	paths[n++] = (struct box_path){site->document_root.at, BOX_READ};
	return n;
}

void
door_lock_in(struct door *door, const char *own_database)
{
	const struct config *config = door->config;
	struct box box = {.paths = NULL};
	struct box_path *paths = arena_array(&door->arena, PATHS_A_SITE * config->sites_n + 5, sizeof *paths);
	if (paths != NULL) {
		paths[box.paths_n++] = folder_of(&door->arena, config->database, BOX_WRITE);
		paths[box.paths_n++] = (struct box_path){config->public_dir, own_database != NULL ? BOX_WRITE : BOX_READ};
		if (own_database != NULL)
			paths[box.paths_n++] = folder_of(&door->arena, own_database, BOX_WRITE);
		paths[box.paths_n++] = folder_of(&door->arena, config->path.at, BOX_READ);
		paths[box.paths_n++] = (struct box_path){ZONE_FOLDER, BOX_READ};
		for (size_t i = 0; i < config->sites_n; i++)
			box.paths_n += paths_of_site(&door->arena, &config->sites[i], paths + box.paths_n);
		box.paths = paths;
	}
	box_enter(&box);
}

/* --- serving ------------------------------------------------------------------------------------- */

bool
door_keeps(char **argv, const struct door_arguments *arguments, int *result)
{
	struct fcgi_socket listener;
	if (!arguments->keep || keep_is_child())
		return false;
	*result = 1;
	if (fcgi_listen(arguments->socket, arguments->mode, &listener) != STATUS_OK)
		return true;
	*result = keep_run(argv, listener.fd);
	/* Nobody would answer there. */
	if (*result != 0 && !listener.inherited)
		unlink(arguments->socket);
	return true;
}

enum status
door_attendance(struct arena *arena, const struct config *config, const uint8_t sealing_key[32], const char **path)
{
	enum { SHOWN = 16 }; /* digits of the key, which is public */
	struct secret_key key;
	memcpy(key.bytes, sealing_key, sizeof key.bytes);
	struct str hex = str_sub(secret_key_hex(arena, &key), 0, SHOWN);
	*path = str_format(arena, "%s/sealing-%.*s", config->run_dir, STR_FMT(hex)).at;
	return *path == NULL ? STATUS_BROKEN : STATUS_OK;
}

/* Until the end of the program, however that comes. */
static void
attend(struct door *door)
{
	const char *path;
	struct file_lock lock;
	enum status status = door_attendance(&door->arena, door->config, door->config->sealing_key, &path);
	if (status == STATUS_OK)
		status = file_attend(path, &lock);
	if (status != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "rejoinder rekey --finish will not know of this program; see to its restart yourself");
}

enum status
door_serve(struct door *door, const char *own_database, const struct door_arguments *arguments,
    struct fcgi_service *service)
{
	struct fcgi_socket listener;
	enum status status = fcgi_listen(arguments->socket, arguments->mode, &listener);
	service->ready = keep_ready;
	service->renew = door_renew;
	service->workers = (size_t)door->config->workers;
	service->body_most = config_body_most(door->config);
	service->arena_most = DOOR_ARENA_MOST;
	if (status != STATUS_OK)
		return status;
	attend(door);
	door_lock_in(door, own_database);
	return fcgi_serve(service, &listener);
}
