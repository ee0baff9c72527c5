/*
 * operator_erase.c - `rejoinder erase`: whatever an address has left in the store is removed for good.
 *
 * Each part can be done twice: whoever is interrupted runs it again.
 */
#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "erase.h"
#include "journal.h"
#include "overview.h"
#include "sql/moderators/database.h"
#include "sql/rejoinder/erase.h"

enum { ARENA_MOST = 64 * 1024 * 1024, STEP = 200, PATIENCE = 30 /* seconds until «not yet» is a failure */ };

/* What came of it. */
struct tally {
	int64_t erased, kept, hidden;
};

struct erasure {
	struct door door;
	struct db *moderators;
	struct journal journal;
	struct arena arena; /* of a step */
	struct erase_author author;
	struct secret_key keys[ERASE_KEYS];
	struct erase_openers openers;
	struct erase_order order;
	bool keep_words, dry;
	int64_t before;           /* where a step begins */
	size_t rows_n;            /* that it looked at */
	int64_t found;            /* of them the author's */
	int64_t all, closed;      /* found so far; that no key opens */
	struct tally tally, step; /* so far; with this step */
};

/* --- what is needed ---------------------------------------------------------------------------------- */

/* A key that is lost opens nothing, and its absence is no fault; one that may not be read is. */
static enum status
add_opener(struct erasure *erasure, const char *path)
{
	struct stat info;
	struct secret_key *key = &erasure->keys[erasure->openers.n];
	if (lstat(path, &info) != 0 && errno == ENOENT)
		return STATUS_OK;
	enum status status = door_key(path, 0600, key);
	if (status == STATUS_OK)
		erasure->openers.each[erasure->openers.n++] = (struct secret_opener){.secret = key};
	return status;
}

static enum status
find_openers(struct erasure *erasure)
{
	struct secret_key *former = &erasure->keys[ERASE_KEYS - 1];
	bool has_former = false;
	enum status status = add_opener(erasure, erasure->door.config->secret_key);
	if (status == STATUS_OK && erasure->openers.n == 0)
		fputs("rejoinder: the secret key is not there: only what the matching key tells is found\n", stderr);
	if (status == STATUS_OK)
		status = door_former_key(erasure->door.config, former, &has_former);
	if (status == STATUS_OK && has_former)
		erasure->openers.each[erasure->openers.n++] = (struct secret_opener){.secret = former};
	return status;
}

/* A log that was never signed gets slips, which moderator.fcgi signs with all else. */
static enum status
find_log(struct erasure *erasure)
{
	const struct config *config = erasure->door.config;
	enum status status = door_database(config->moderators_database, &sql_moderators, &erasure->moderators);
	if (status == STATUS_OK)
		status = journal_open(config->log_key, erasure->door.db, erasure->moderators, false, &erasure->journal);
	if (status == STATUS_OK)
		erasure->order.log = &erasure->journal.key;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

/* --- the store --------------------------------------------------------------------------------------- */

/* Published words stay under a name in the site's own words. */
static struct str
name_of_nobody(struct erasure *erasure, int64_t site_id)
{
	const struct words *words = words_default();
	for (size_t i = 0; i < erasure->door.config->sites_n; i++)
		if (erasure->door.sites[i].id == site_id)
			words = erasure->door.sites[i].words;
	return words_say(&erasure->arena, words, WORD_ERASED_NAME, NULL, 0);
}

static enum status
list_step(struct erasure *erasure, struct db_conn *conn, struct erase_list_row **rows)
{
	struct erase_list_in in = {.id = erasure->before, .most = STEP};
	arena_reset(&erasure->arena);
	return erase_list(conn, &erasure->arena, &in, rows, &erasure->rows_n);
}

static enum status
is_of_author(struct erasure *erasure, const struct erase_list_row *row, bool *is, bool *closed)
{
	return erase_is_by(&erasure->openers, &erasure->arena, &erasure->author, row->author_hash, row->email_sealed, is,
	    closed);
}

static enum status
erase_row(struct erasure *erasure, struct db_conn *conn, const struct erase_list_row *row, struct tally *tally)
{
	struct erase_result result = {0};
	bool is, closed;
	enum status status = is_of_author(erasure, row, &is, &closed);
	if (status != STATUS_OK || !is)
		return status;
	erasure->order.name = erasure->keep_words ? name_of_nobody(erasure, row->site_id) : STR_NONE;
	status = erase_reply(conn, &erasure->arena, &erasure->order, row->id, &result);
	tally->erased += result.erased ? 1 : 0;
	tally->kept += result.kept ? 1 : 0;
	tally->hidden += result.hidden;
	return status;
}

/* Read once more within the transaction: an author may change a reply meanwhile.  It may be called twice. */
static enum status
erase_step(struct db_conn *conn, void *context)
{
	struct erasure *erasure = context;
	struct tally tally = erasure->tally;
	struct erase_list_row *rows;
	enum status status = list_step(erasure, conn, &rows);
	for (size_t i = 0; status == STATUS_OK && i < erasure->rows_n; i++)
		status = erase_row(erasure, conn, &rows[i], &tally);
	erasure->step = tally;
	return status;
}

static void
print_row(const struct erase_list_row *row)
{
	printf("reply %lld, ", (long long)row->id);
	operator_put(stdout, row->state);
	putchar('\n');
}

/* Looks without the write lock; *next is where the next step begins. */
static enum status
look_step(struct erasure *erasure, int64_t *next)
{
	struct erase_list_row *rows;
	struct db_conn *conn;
	enum status status = db_read(erasure->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = list_step(erasure, conn, &rows);
	db_release(conn);
	erasure->found = 0;
	for (size_t i = 0; status == STATUS_OK && i < erasure->rows_n; i++) {
		bool is = false, closed = false;
		status = is_of_author(erasure, &rows[i], &is, &closed);
		erasure->found += is ? 1 : 0;
		erasure->closed += closed ? 1 : 0;
		*next = rows[i].id;
		if (is && erasure->dry)
			print_row(&rows[i]);
	}
	return status;
}

/* From the newest to the oldest, so that what hangs on a reply was looked at before it. */
static enum status
erase_from_store(struct erasure *erasure)
{
	int64_t next = INT64_MAX, newest = 0;
	enum status status;
	do {
		erasure->before = next;
		status = look_step(erasure, &next);
		bool last = erasure->rows_n < STEP;
		if (status == STATUS_OK && erasure->found > 0 && !erasure->dry) {
			status = db_write(erasure->door.db, erase_step, erasure);
			erasure->tally = status == STATUS_OK ? erasure->step : erasure->tally;
		}
		erasure->all += erasure->found;
		newest = newest == 0 ? next : newest;
		operator_progress(&(struct operator_work){"Looked at"}, last ? newest : newest - next, newest);
		if (last)
			break;
	} while (status == STATUS_OK);
	return status;
}

/* --- what is made from it ---------------------------------------------------------------------------- */

static enum status
publish(struct erasure *erasure)
{
	struct publish_press press = door_press(&erasure->door);
	enum status status = publish_whatever_lags(&press);
	for (size_t i = 0; status == STATUS_OK && i < erasure->door.config->sites_n; i++) {
		const struct door_site *site = &erasure->door.sites[i];
		arena_reset(&erasure->arena);
		status = overview_write(&press, &erasure->arena, site->config, site->id);
	}
	return status;
}

/* While somebody reads, what was erased still stands in the WAL. */
static enum status
empty_wal(struct erasure *erasure)
{
	static const struct timespec while_longer = {.tv_nsec = 250 * 1000 * 1000};
	time_t end = time(NULL) + PATIENCE;
	bool told = false;
	enum status status = db_truncate(erasure->door.db);
	while (status == STATUS_BUSY && time(NULL) < end) {
		if (!told)
			fputs("rejoinder: not yet: somebody reads the store, and what was erased is still in its WAL; waiting\n", stderr);
		told = true;
		nanosleep(&while_longer, NULL);
		status = db_truncate(erasure->door.db);
	}
	return status;
}

/* --- the command ------------------------------------------------------------------------------------- */

static const char *
replies(int64_t n)
{
	return operator_noun(n, "reply", "replies");
}

static void
tell(const struct erasure *erasure)
{
	const struct tally *tally = &erasure->tally;
	if (erasure->all == 0)
		puts("Nothing of this address is stored.");
	else if (erasure->dry)
		printf("%lld %s would be erased; nothing was changed.\n", (long long)erasure->all, replies(erasure->all));
	else
		printf("Erased: %lld %s.\n", (long long)tally->erased, replies(tally->erased));
	if (tally->kept > 0)
		printf("The words of %lld of them stay published, under nobody's name.\n", (long long)tally->kept);
	if (tally->hidden > 0)
		printf("%lld %s of others, which hung on them, %s not shown any more.\n", (long long)tally->hidden,
		    replies(tally->hidden), operator_noun(tally->hidden, "is", "are"));
	if (erasure->closed > 0)
		printf("%lld %s with no key that is here: whose %s, nobody can tell.\n", (long long)erasure->closed,
		    operator_noun(erasure->closed, "address opens", "addresses open"), operator_noun(erasure->closed, "it is", "they are"));
}

static int
finish(struct erasure *erasure, struct operator_copies *copies)
{
	/* Also where nothing was found: a run that was interrupted is brought to its end. */
	if (erasure->order.log != NULL && journal_keep_up(&erasure->journal) != STATUS_OK)
		return operator_fail("it is erased from the store, but the log could not follow; the reason stands above: run it again");
	if (publish(erasure) != STATUS_OK)
		return operator_fail("it is erased from the store, but not all files could be written; the reason stands above: run it again");
	if (empty_wal(erasure) != STATUS_OK)
		return operator_fail("not yet: it is erased from the store, but still stands in its WAL, since somebody reads; run it again");
	operator_look_for_copies(erasure->door.config->database, copies);
	if (copies->left > 0)
		return operator_fail("the store is done, but such a copy may hold what was erased: run it again with --purge-copies");
	puts("Backups hold what they held; restore leaves out what this store knows as erased.");
	return OPERATOR_DONE;
}

static int
run(struct erasure *erasure, struct operator_copies *copies)
{
	enum status status = find_openers(erasure);
	if (status == STATUS_OK)
		status = find_log(erasure);
	if (status != STATUS_OK)
		return operator_fail("nothing was erased: this takes the secret key and the log's; run it as the moderators' user");
	status = erase_from_store(erasure);
	if (status != STATUS_OK)
		return operator_fail("not all could be erased; the reason stands above: run it again");
	tell(erasure);
	return erasure->dry ? OPERATOR_DONE : finish(erasure, copies);
}

static int
erase(struct erasure *erasure, const char *email, struct operator_copies *copies)
{
	struct door *door = &erasure->door;
	int64_t now = (int64_t)time(NULL);
	if (erase_author(&door->matching, &door->arena, str_from(email), &erasure->author) != STATUS_OK) {
		fputs("rejoinder: that is no e-mail address: give it as it was typed, as asel@example.org\n", stderr);
		return OPERATOR_USAGE;
	}
	arena_init(&erasure->arena, ARENA_MOST);
	erasure->order = (struct erase_order){.matching = &door->matching, .erased_at = {true, now}, .now = now};
	int result = run(erasure, copies);
	arena_free(&erasure->arena);
	journal_close(&erasure->journal);
	db_close(erasure->moderators);
	secret_wipe(erasure->keys, sizeof erasure->keys);
	secret_wipe(&erasure->openers, sizeof erasure->openers);
	return result;
}

/* False for what is no option. */
static bool
take_option(struct erasure *erasure, struct operator_copies *copies, const char *option)
{
	if (strcmp(option, "--keep-words") == 0)
		erasure->keep_words = true;
	else if (strcmp(option, "--dry-run") == 0)
		erasure->dry = true;
	else if (strcmp(option, "--purge-copies") == 0)
		copies->purge = true;
	else
		return false;
	return true;
}

int
operator_erase(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct erasure erasure = {0};
	struct operator_copies copies = {0};
	const char *email = NULL;
	for (int i = 1; i < argc; i++) {
		if (take_option(&erasure, &copies, argv[i]))
			continue;
		if (argv[i][0] == '-' || email != NULL)
			return operator_misread(command, argc, argv);
		email = argv[i];
	}
	if (email == NULL)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &erasure.door) != STATUS_OK)
		return OPERATOR_FAILED;
	int result = erase(&erasure, email, &copies);
	door_close(&erasure.door);
	return result;
}
