/*
 * operator_stats.c - `rejoinder stats`: how many replies there are, by state.
 */
#include "operator.h"

#include <stdio.h>

#include "door.h"
#include "sql/rejoinder/site.h"

enum { COLUMN = 19 };

static enum status
print_stats(struct door *door, const struct door_site *site)
{
	struct db_conn *conn;
	struct tally_list_row *rows;
	size_t n = 0;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = tally_list(conn, &door->arena, &(struct tally_list_in){.site_id = site->id}, &rows, &n);
	db_release(conn);
	if (status != STATUS_OK)
		return status;
	printf("%.*s\n", STR_FMT(site->config->name));
	for (size_t i = 0; i < n; i++) {
		struct str state = str_eq(rows[i].state, STR("withdrawn")) ? STR("withdrawn or erased") : rows[i].state;
		fputs("  ", stdout);
		operator_put(stdout, state);
		printf("%*s %lld\n", state.len < COLUMN ? (int)(COLUMN - state.len) : 0, "", (long long)rows[i].n);
	}
	if (n == 0)
		puts("  no replies yet");
	return STATUS_OK;
}

int
operator_stats(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	const char *name;
	if (!operator_take_site(&argc, argv, &name) || argc != 1)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	const struct door_site *only = operator_site(&door, name);
	enum status status = only == NULL ? STATUS_MISSING : STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < door.config->sites_n; i++)
		if (name == NULL || only == &door.sites[i])
			status = print_stats(&door, &door.sites[i]);
	door_close(&door);
	if (only == NULL)
		return OPERATOR_FAILED;
	return status == STATUS_OK ? OPERATOR_DONE : operator_fail("the database cannot be read");
}
