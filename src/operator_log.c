/*
 * operator_log.c - the log, for `rejoinder check` and `restore`: is it as it was written?
 */
#include "operator.h"

#include <stdio.h>
#include <time.h>

#include "door.h"
#include "journal.h"
#include "operator_findings.h"
#include "sql/moderators/database.h"

enum { TOLD_MOST = 20 /* lines about rows; a log that was renumbered would fill the screen */ };

struct telling {
	int told, accepted;
};

static void
say(enum journal_fault fault, long long from, long long id)
{
	switch (fault) {
	case JOURNAL_CHANGED:
		printf("log: row %lld is not as it was written, or another hand wrote it\n", id);
		break;
	case JOURNAL_GAP:
		if (from == id - 1)
			printf("log: row %lld is missing\n", from);
		else
			printf("log: rows %lld to %lld are missing\n", from, id - 1);
		break;
	case JOURNAL_UNSIGNED:
		printf("log: row %lld is not signed: another hand wrote it\n", id);
		break;
	case JOURNAL_SHORT:
		printf("log: it ends at row %lld, %lld before the last that was written (%lld): rows were deleted, or an older "
		       "database was put back; if you did that, run rejoinder check --accept-log\n",
		    from, id - from, id);
		break;
	case JOURNAL_OTHER:
		printf("log: row %lld, once its last, is another one now: it was replaced, or an older database was put back "
		       "and went on; if you did that, run rejoinder check --accept-log\n",
		    id);
		break;
	case JOURNAL_BEYOND:
		printf("log: row %lld stands where no row of the log can: another hand wrote it; find out who can write there, then "
		       "rejoinder check --accept-log removes it\n",
		    id);
		break;
	}
}

static void
tell(void *context, enum journal_fault fault, int64_t from, int64_t id, bool accepted)
{
	struct telling *telling = context;
	telling->accepted += accepted ? 1 : 0;
	if (telling->told++ < TOLD_MOST) {
		fputs(accepted ? "note     " : "mend     ", stdout);
		say(fault, from, id);
	} else if (telling->told == TOLD_MOST + 1)
		puts("mend     log: and more rows");
}

/* The log is opened as it is: looking must not sign anything. */
static enum status
open_log(const struct door *door, struct db **moderators, struct journal *journal)
{
	const struct config *config = door->config;
	enum status status = door_database(config->moderators_database, &sql_moderators, moderators);
	if (status == STATUS_OK)
		status = journal_open(config->log_key, door->db, *moderators, false, journal);
	return status;
}

static void
look(struct findings *findings, const struct journal *journal)
{
	struct telling telling = {0};
	struct journal_findings found;
	if (journal_check(journal, tell, &telling, &found) != STATUS_OK) {
		operator_find(findings, false, "log: it cannot be read");
		return;
	}
	printf("%s%lld %s of the log compared with %s", found.faults == 0 ? "ok       " : "mend     ", (long long)found.rows,
	    operator_noun(found.rows, "row", "rows"), operator_noun(found.rows, "its mac", "their macs"));
	if (found.forgotten > 0)
		printf("; %lld %s forgotten who, from where or why", (long long)found.forgotten,
		    operator_noun(found.forgotten, "has", "have"));
	puts("");
	findings->complaints += found.faults > 0 ? 1 : 0;
	findings->notes += telling.accepted;
}

void
operator_check_log(struct findings *findings, const struct door *door)
{
	struct db *moderators = NULL;
	struct journal journal = {0};
	enum status status = open_log(door, &moderators, &journal);
	if (status == STATUS_OK)
		look(findings, &journal);
	else if (status == STATUS_MISSING)
		operator_note(findings, "log: not signed yet; moderator.fcgi does that at its first start");
	else
		operator_find(findings, false, "log: this user cannot check it; the reason stands above");
	journal_close(&journal);
	db_close(moderators);
}

/* A row that says what the owner did; the head follows. */
static enum status
note_owner(const struct door *door, enum journal_action action)
{
	struct db *moderators = NULL;
	struct journal journal = {0};
	enum status status = open_log(door, &moderators, &journal);
	if (status == STATUS_OK)
		status = journal_accept(&journal, action, (int64_t)time(NULL));
	journal_close(&journal);
	db_close(moderators);
	return status;
}

void
operator_log_restored(const struct door *door)
{
	enum status status = note_owner(door, JOURNAL_RESTORE);
	if (status != STATUS_OK && status != STATUS_MISSING)
		fputs("rejoinder: the log cannot be told of it by this user; rejoinder check --accept-log does that\n", stderr);
}

int
operator_log_accept(const char *config)
{
	struct door door;
	if (operator_open(config, &door) != STATUS_OK)
		return operator_fail("the configuration cannot be used; the reason stands above");
	enum status status = note_owner(&door, JOURNAL_ACCEPT);
	door_close(&door);
	if (status != STATUS_OK)
		return operator_fail("the log was not accepted; the reason stands above, or it is not signed yet");
	puts("The log counts as it is; a row of its own says so.");
	return OPERATOR_DONE;
}
