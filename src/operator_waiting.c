/*
 * operator_waiting.c - `rejoinder waiting`: how many replies wait for a moderator, for scripts and monitoring.
 */
#include "operator.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "door.h"
#include "sql/rejoinder/queue.h"
#include "sql/rejoinder/site.h"
#include "when.h"

static enum status
count_held(struct db_conn *conn, struct arena *arena, int64_t site_id, int64_t *held)
{
	struct tally_list_row *rows;
	size_t n = 0;
	enum status status = tally_list(conn, arena, &(struct tally_list_in){.site_id = site_id}, &rows, &n);
	*held = 0;
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		if (str_eq(rows[i].state, STR("held")))
			*held = rows[i].n;
	return status;
}

static enum status
tell_site(struct db_conn *conn, struct arena *arena, const struct door_site *site, int64_t *held)
{
	struct queue_oldest_row oldest;
	enum status status = count_held(conn, arena, site->id, held);
	if (status != STATUS_OK)
		return status;
	status = queue_oldest(conn, arena, &(struct queue_oldest_in){.site_id = site->id}, &oldest);
	if (status == STATUS_MISSING || *held == 0) {
		printf("%.*s: nothing waits\n", STR_FMT(site->config->name));
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		printf("%.*s: %lld %s, the oldest since %.*s\n", STR_FMT(site->config->name), (long long)*held,
		    operator_noun(*held, "reply waits", "replies wait"), STR_FMT(when_rfc3339(arena, oldest.created_at)));
	return status;
}

static enum status
tell_sites(const struct door *door, struct arena *arena, const char *name, int64_t *all)
{
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; status == STATUS_OK && i < door->config->sites_n; i++) {
		int64_t held = 0;
		if (name == NULL || str_eq(door->sites[i].config->name, str_from(name)))
			status = tell_site(conn, arena, &door->sites[i], &held);
		*all += held;
	}
	db_release(conn);
	return status;
}

int
operator_waiting(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	int64_t all = 0;
	const char *name = argc == 3 && strcmp(argv[1], "--site") == 0 ? argv[2] : NULL;
	if (argc != 1 && name == NULL)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	bool known = operator_site(&door, name) != NULL;
	enum status status = known ? tell_sites(&door, &door.arena, name, &all) : STATUS_MISSING;
	door_close(&door);
	if (!known)
		return OPERATOR_FAILED;
	if (status != STATUS_OK)
		return operator_fail("the database cannot be read");
	return all > 0 ? OPERATOR_WAITS : OPERATOR_DONE;
}
