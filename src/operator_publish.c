/*
 * operator_publish.c - `rejoinder publish`: writes the files that lag behind the store, or all of them.
 */
#include "operator.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "door.h"
#include "overview.h"
#include "publish.h"
#include "sql/rejoinder/thread.h"

enum { ARENA_MOST = 64 * 1024 * 1024, STEP = 500 };

struct asking {
	struct arena *arena;
	const struct thread_list_row *threads;
	size_t n;
	int64_t now;
};

static enum status
ask_for_threads(struct db_conn *conn, void *context)
{
	struct asking *asking = context;
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < asking->n; i++)
		status = publish_ask(conn, asking->arena, asking->threads[i].id, asking->now, false);
	return status;
}

static enum status
list_threads(const struct door *door, struct arena *arena, int64_t site_id, int64_t after,
    struct thread_list_row **rows, size_t *n)
{
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = thread_list(conn, arena, &(struct thread_list_in){.site_id = site_id, .id = after, .most = STEP}, rows, n);
	db_release(conn);
	return status;
}

/* In steps, so that readers and moderators get their turn in between. */
static enum status
ask_for_site(const struct door *door, const struct door_site *site)
{
	struct arena arena;
	struct thread_list_row *rows;
	struct asking asking = {.arena = &arena, .now = (int64_t)time(NULL)};
	int64_t after = 0;
	enum status status;
	arena_init(&arena, ARENA_MOST);
	do {
		arena_reset(&arena);
		status = list_threads(door, &arena, site->id, after, &rows, &asking.n);
		if (status != STATUS_OK || asking.n == 0)
			break;
		asking.threads = rows;
		after = rows[asking.n - 1].id;
		status = db_write(door->db, ask_for_threads, &asking);
	} while (status == STATUS_OK && asking.n == STEP);
	arena_free(&arena);
	return status;
}

/* `only` is one site, or NULL for all. */
static enum status
publish_sites(struct door *door, bool all, const struct door_site *only)
{
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < door->config->sites_n; i++) {
		struct publish_press press = door_press(door);
		if (only != NULL && only != &door->sites[i])
			continue;
		if (all)
			status = ask_for_site(door, &door->sites[i]);
		if (status == STATUS_OK && all)
			status = publish_empty(&press, &door->arena, door->sites[i].config);
		if (status == STATUS_OK && all)
			status = overview_write(&press, &door->arena, door->sites[i].config, door->sites[i].id);
	}
	struct publish_press press = door_press(door);
	return status == STATUS_OK ? publish_whatever_lags(&press) : status;
}

enum status
operator_publish_all(struct door *door)
{
	return publish_sites(door, true, NULL);
}

int
operator_publish(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	const char *name;
	bool taken = operator_take_site(&argc, argv, &name), all = argc == 2 && strcmp(argv[1], "--all") == 0;
	if (taken && argc == 1 && name != NULL) {
		fputs("rejoinder: --site goes with --all; what lags is written for all sites\n", stderr);
		return operator_misuse(command);
	}
	if (!taken || argc > 2 || (argc == 2 && !all) || (name != NULL && !all))
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	const struct door_site *only = operator_site(&door, name);
	enum status status = only == NULL ? STATUS_MISSING : publish_sites(&door, all, name == NULL ? NULL : only);
	door_close(&door);
	if (only == NULL)
		return OPERATOR_FAILED;
	if (status != STATUS_OK)
		return operator_fail("not all files could be written; the reason stands above, and what lags is tried again");
	puts(all ? "All threads are published." : "Nothing lags.");
	return OPERATOR_DONE;
}
