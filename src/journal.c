#include "journal.h"

#include <string.h>

#include "journal_own.h"
#include "log.h"
#include "sql/rejoinder/decision.h"
#include "text.h"

enum {
	SLIPS_AT_ONCE = 100,
	DIGESTS = 3 * JOURNAL_DIGEST
};

const struct str journal_action_names[JOURNAL_ACTIONS] = {
    [JOURNAL_DECIDE] = STR_INIT("decide"),
    [JOURNAL_UNDO] = STR_INIT("undo"),
    [JOURNAL_EDIT] = STR_INIT("edit"),
    [JOURNAL_ANSWER] = STR_INIT("answer"),
    [JOURNAL_CLOSE] = STR_INIT("close"),
    [JOURNAL_REOPEN] = STR_INIT("reopen"),
    [JOURNAL_PAUSE] = STR_INIT("pause"),
    [JOURNAL_RESUME] = STR_INIT("resume"),
    [JOURNAL_WITHDRAW] = STR_INIT("withdraw"),
    [JOURNAL_ERASE] = STR_INIT("erase"),
    [JOURNAL_IMPORT] = STR_INIT("import"),
    [JOURNAL_MOVE] = STR_INIT("move"),
    [JOURNAL_ACCEPT] = STR_INIT("accept"),
    [JOURNAL_RESTORE] = STR_INIT("restore"),
};

enum status
journal_action(struct str name, enum journal_action *action)
{
	for (int i = 0; i < JOURNAL_ACTIONS; i++) {
		if (str_eq(name, journal_action_names[i])) {
			*action = (enum journal_action)i;
			return STATUS_OK;
		}
	}
	return STATUS_INVALID;
}

enum status
journal_why(struct arena *arena, struct str typed, struct str *why)
{
	enum text_fault fault = TEXT_FAULT_NONE;
	*why = STR("");
	struct str text = text_lines(arena, str_trim(typed));
	if (text.len == 0)
		return STATUS_OK;
	if (!text_valid(text) || text_points(text) > JOURNAL_WHY_MOST)
		return STATUS_INVALID;
	*why = text;
	return text_comment_fault(text, &fault);
}

/* --- macs ------------------------------------------------------------------------------------------ */

struct seal {
	uint8_t digests[DIGESTS];
	uint8_t mac[SECRET_HASH];
};

/* Eight bytes, the least first; as a part of a hash, where a missing one is empty. */
struct number {
	uint8_t bytes[8];
};

static struct str
number_part(struct number *number, int64_t value)
{
	for (size_t i = 0; i < sizeof number->bytes; i++)
		number->bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
	return (struct str){(const char *)number->bytes, sizeof number->bytes};
}

static struct str
optional_part(struct number *number, struct db_integer value)
{
	return value.set ? number_part(number, value.value) : STR_NONE;
}

/* With the row's id, so that the same name in two rows has not the same digest. */
static void
digest(const struct secret_key *key, int64_t id, const char *column, struct str value, uint8_t *to)
{
	uint8_t hash[SECRET_HASH];
	struct number number;
	struct str parts[] = {number_part(&number, id), value};
	secret_hash(key, column, parts, 2, hash);
	memcpy(to, hash, JOURNAL_DIGEST);
}

static void
digest_all(const struct secret_key *key, const struct journal_row *row, uint8_t digests[DIGESTS])
{
	digest(key, row->id, "log-moderator", row->moderator, digests);
	digest(key, row->id, "log-network", row->network, digests + JOURNAL_DIGEST);
	digest(key, row->id, "log-why", row->why, digests + 2 * JOURNAL_DIGEST);
}

/* Over the digests as they stand in the row, not over what they are of: that may be forgotten. */
void
journal_mac(const struct secret_key *key, const struct journal_row *row, struct str digests, struct str before,
    uint8_t mac[SECRET_HASH])
{
	struct number numbers[8];
	struct str parts[] = {
	    before,
	    number_part(&numbers[0], row->id),
	    number_part(&numbers[1], row->batch),
	    row->action,
	    number_part(&numbers[2], row->site_id),
	    optional_part(&numbers[3], row->reply_id),
	    optional_part(&numbers[4], row->thread_id),
	    optional_part(&numbers[5], row->revision),
	    row->from_state,
	    row->to_state,
	    optional_part(&numbers[6], row->undoes),
	    number_part(&numbers[7], row->decided_at),
	    digests,
	};
	secret_hash(key, "log-row", parts, sizeof parts / sizeof *parts, mac);
}

struct str
journal_bytes(const uint8_t *at, size_t len)
{
	return (struct str){(const char *)at, len};
}

static void
seal(const struct secret_key *key, const struct journal_row *row, struct str before, struct seal *seal)
{
	digest_all(key, row, seal->digests);
	journal_mac(key, row, journal_bytes(seal->digests, DIGESTS), before, seal->mac);
}

bool
journal_same(struct str stored, const uint8_t *right, size_t len)
{
	return stored.len == len && secret_same(stored.at, right, len);
}

/* A value that is there must be the one that the digest is of; one that was emptied is forgotten. */
static bool
digest_fits(const uint8_t *stored, const uint8_t *right, struct str value, bool *forgotten)
{
	bool fits = secret_same(stored, right, JOURNAL_DIGEST);
	*forgotten = *forgotten || (!fits && value.len == 0);
	return fits || value.len == 0;
}

bool
journal_digests_fit(const struct secret_key *key, const struct journal_row *row, bool *forgotten)
{
	uint8_t right[DIGESTS];
	const struct str values[] = {row->moderator, row->network, row->why};
	bool fit = row->digests.len == DIGESTS;
	digest_all(key, row, right);
	for (size_t i = 0; fit && i < 3; i++)
		fit = digest_fits((const uint8_t *)row->digests.at + i * JOURNAL_DIGEST, right + i * JOURNAL_DIGEST, values[i],
		    forgotten);
	return fit;
}

/* --- writing ------------------------------------------------------------------------------------------ */

static struct db_integer
optional(int64_t value)
{
	return (struct db_integer){value != 0, value};
}

static enum status
leave_slip(struct db_conn *conn, const struct journal_entry *entry)
{
	struct slip_add_in in = {.action = journal_action_names[entry->action], .site_id = entry->site_id,
	    .reply_id = optional(entry->reply_id), .thread_id = optional(entry->thread_id),
	    .revision = optional(entry->revision), .from_state = entry->from_state, .to_state = entry->to_state,
	    .decided_at = entry->decided_at};
	return slip_add(conn, &in, NULL);
}

/* The last row up to an id; id 0 and no mac where there is none. */
static enum status
find_tail(struct db_conn *conn, struct arena *arena, int64_t most, struct decision_tail_row *tail)
{
	enum status status = decision_tail(conn, arena, &(struct decision_tail_in){.most = most}, tail);
	if (status != STATUS_MISSING)
		return status;
	*tail = (struct decision_tail_row){.mac = STR_NONE};
	return STATUS_OK;
}

/*
 * The row that the next one follows.  Whoever can write into the store must not stop the log by a row at the end of all
 * numbers: it goes on in the first gap below, and a check names that row.
 */
static enum status
find_end(struct db_conn *conn, struct arena *arena, struct decision_tail_row *end)
{
	int64_t most = journal_id_most;
	enum status status = find_tail(conn, arena, most, end);
	while (status == STATUS_OK && end->id == most && most > journal_id_most - JOURNAL_CROWD)
		status = find_tail(conn, arena, --most, end);
	if (status != STATUS_OK || end->id != most)
		return status;
	log_event(LOG_LEVEL_ERROR, "rows that another hand wrote fill the end of the log, so nothing can be decided: rejoinder "
	                           "check names them, rejoinder check --accept-log removes them");
	return STATUS_BROKEN;
}

static enum status
insert(struct db_conn *conn, const struct journal_row *row, const struct seal *seal)
{
	struct decision_add_in in = {.id = row->id, .batch = row->batch, .action = row->action, .site_id = row->site_id,
	    .reply_id = row->reply_id, .thread_id = row->thread_id, .revision = row->revision,
	    .from_state = row->from_state, .to_state = row->to_state, .undoes = row->undoes, .moderator = row->moderator,
	    .network = row->network, .why = row->why, .decided_at = row->decided_at,
	    .digests = journal_bytes(seal->digests, DIGESTS), .mac = journal_bytes(seal->mac, SECRET_HASH)};
	return decision_add(conn, &in, NULL);
}

/* STR_NONE would be NULL in the database, which these columns may not be. */
static struct str
there(struct str value)
{
	return value.at == NULL ? STR("") : value;
}

enum status
journal_add(const struct secret_key *key, struct db_conn *conn, struct arena *arena, struct journal_entry *entry)
{
	struct decision_tail_row tail;
	struct seal sealed;
	entry->from_state = there(entry->from_state);
	entry->to_state = there(entry->to_state);
	if (key == NULL)
		return leave_slip(conn, entry);
	enum status status = find_end(conn, arena, &tail);
	if (status != STATUS_OK)
		return status;
	/* Ids grow by one, so that a gap tells. */
	struct journal_row row = {.id = tail.id + 1, .batch = entry->batch == 0 ? tail.id + 1 : entry->batch,
	    .action = journal_action_names[entry->action], .site_id = entry->site_id, .reply_id = optional(entry->reply_id),
	    .thread_id = optional(entry->thread_id), .revision = optional(entry->revision), .from_state = entry->from_state,
	    .to_state = entry->to_state, .undoes = optional(entry->undoes), .moderator = there(entry->moderator),
	    .network = there(entry->network), .why = there(entry->why), .decided_at = entry->decided_at};
	seal(key, &row, tail.mac, &sealed);
	status = insert(conn, &row, &sealed);
	if (status == STATUS_OK)
		entry->batch = row.batch;
	return status;
}

/* --- slips ---------------------------------------------------------------------------------------------- */

struct copying {
	const struct secret_key *key;
	struct arena arena;
	bool more;
};

/*
 * What an author or the command line does.  Moderators decide and write behind moderator.fcgi, which has the key:
 * a slip of such a thing would make a signed row of what nobody did.
 */
static bool
may_leave_slip(enum journal_action action)
{
	return action > JOURNAL_ANSWER && action != JOURNAL_ACCEPT && action != JOURNAL_RESTORE;
}

/* A slip of something that no program without the key does is nobody's: it is dropped, and that is told. */
static enum status
copy_slip(struct copying *copying, struct db_conn *conn, const struct slip_next_row *slip)
{
	struct journal_entry entry = {.site_id = slip->site_id, .reply_id = slip->reply_id.value,
	    .thread_id = slip->thread_id.value, .revision = slip->revision.value, .from_state = slip->from_state,
	    .to_state = slip->to_state, .decided_at = slip->decided_at};
	enum status status = STATUS_OK;
	if (journal_action(slip->action, &entry.action) == STATUS_OK && may_leave_slip(entry.action))
		status = journal_add(copying->key, conn, &copying->arena, &entry);
	else
		log_event(LOG_LEVEL_WARNING, "slip %lld tells of nothing that a program without the key does; it was dropped", (long long)slip->id);
	return status == STATUS_OK ? slip_done(conn, &(struct slip_done_in){.id = slip->id}, NULL) : status;
}

static enum status
copy_slips(struct db_conn *conn, void *context)
{
	struct copying *copying = context;
	struct slip_next_row slip;
	enum status status = STATUS_OK;
	copying->more = true;
	for (int i = 0; status == STATUS_OK && i < SLIPS_AT_ONCE && copying->more; i++) {
		arena_reset(&copying->arena);
		status = slip_next(conn, &copying->arena, &slip);
		if (status == STATUS_MISSING) {
			copying->more = false;
			return STATUS_OK;
		}
		if (status == STATUS_OK)
			status = copy_slip(copying, conn, &slip);
	}
	return status;
}

/* Takes no write lock where there is nothing to do, which is nearly always. */
static enum status
adopt_slips(struct journal *journal)
{
	struct copying copying = {.key = &journal->key};
	struct slip_next_row slip;
	struct db_conn *conn;
	enum status status = db_read(journal->db, &conn);
	if (status != STATUS_OK)
		return status;
	arena_init(&copying.arena, JOURNAL_ARENA);
	status = slip_next(conn, &copying.arena, &slip);
	db_release(conn);
	copying.more = status == STATUS_OK;
	status = status == STATUS_MISSING ? STATUS_OK : status;
	while (status == STATUS_OK && copying.more)
		status = db_write(journal->db, copy_slips, &copying);
	arena_free(&copying.arena);
	return status;
}

/* --- the head ------------------------------------------------------------------------------------------- */

enum status
journal_write_head(struct db_conn *conn, void *context)
{
	const struct journal_head *head = context;
	struct head_set_in in = {.last_id = head->last_id, .mac = there(head->mac), .accepted = head->accepted};
	return head_set(conn, &in, NULL);
}

static enum status
move_head(struct db_conn *conn, void *context)
{
	const struct journal_head *head = context;
	return head_follow(conn, &(struct head_follow_in){.last_id = head->last_id, .mac = there(head->mac)}, NULL);
}

enum status
journal_read_head(const struct journal *journal, struct arena *arena, struct journal_head *head)
{
	struct db_conn *conn;
	enum status status = db_read(journal->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = head_find(conn, arena, &head->row);
	db_release(conn);
	return status;
}

/* The log's end, and whether the row that the head knows is there as the head knows it. */
enum status
journal_compare_head(const struct journal *journal, struct arena *arena, struct journal_head *head, bool *fits)
{
	struct decision_tail_row tail;
	struct decision_before_row known;
	struct db_conn *conn;
	enum status status = db_read(journal->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = find_end(conn, arena, &tail);
	head->last_id = tail.id;
	head->mac = tail.mac;
	*fits = tail.id >= head->row.last_id;
	if (status == STATUS_OK && *fits && head->row.last_id > 0) {
		status = decision_before(conn, arena, &(struct decision_before_in){.id = head->row.last_id + 1}, &known);
		*fits = status == STATUS_OK && journal_same(known.mac, (const uint8_t *)head->row.mac.at, head->row.mac.len);
		status = status == STATUS_MISSING ? STATUS_OK : status;
	}
	db_release(conn);
	return status;
}

static enum status
follow(struct journal *journal, struct arena *arena)
{
	struct journal_head head = {0};
	bool fits;
	enum status status = journal_read_head(journal, arena, &head);
	if (status == STATUS_OK)
		status = journal_compare_head(journal, arena, &head, &fits);
	if (status != STATUS_OK)
		return status;
	if (!fits) {
		if (!journal->cried)
			log_event(LOG_LEVEL_ERROR, "the log does not hold row %lld, which it ended with: run rejoinder check",
			    (long long)head.row.last_id);
		journal->cried = true;
		return STATUS_CONFLICT;
	}
	journal->cried = false;
	return head.last_id == head.row.last_id ? STATUS_OK : db_write(journal->moderators, move_head, &head);
}

enum status
journal_keep_up(struct journal *journal)
{
	struct arena arena;
	enum status status = adopt_slips(journal);
	arena_init(&arena, JOURNAL_ARENA);
	if (status == STATUS_OK)
		status = follow(journal, &arena);
	arena_free(&arena);
	return status;
}

/* --- at start ------------------------------------------------------------------------------------------- */

struct signing {
	const struct secret_key *key;
	struct arena arena;
	struct journal_place from, to; /* what one transaction signs: behind `from`, up to `to` */
	bool more;
};

struct journal_row
journal_row_of(const struct decision_from_row *row)
{
	return (struct journal_row){.id = row->id, .batch = row->batch, .action = row->action, .site_id = row->site_id,
	    .reply_id = row->reply_id, .thread_id = row->thread_id, .revision = row->revision,
	    .from_state = row->from_state, .to_state = row->to_state, .undoes = row->undoes, .moderator = row->moderator,
	    .network = row->network, .why = row->why, .decided_at = row->decided_at, .digests = row->digests,
	    .mac = row->mac};
}

void
journal_stand_at(struct journal_place *place, int64_t id, struct str mac)
{
	place->id = id;
	place->mac_len = mac.len == SECRET_HASH ? SECRET_HASH : 0;
	if (place->mac_len > 0)
		memcpy(place->mac, mac.at, SECRET_HASH);
}

struct str
journal_place_mac(const struct journal_place *place)
{
	return place->mac_len == 0 ? STR_NONE : journal_bytes(place->mac, place->mac_len);
}

static enum status
sign_row(struct signing *signing, struct db_conn *conn, const struct journal_row *row)
{
	struct seal sealed;
	if (row->mac.len > 0) {
		journal_stand_at(&signing->to, row->id, row->mac);
		return STATUS_OK;
	}
	seal(signing->key, row, journal_place_mac(&signing->to), &sealed);
	journal_stand_at(&signing->to, row->id, journal_bytes(sealed.mac, SECRET_HASH));
	struct decision_sign_in in = {.id = row->id, .digests = journal_bytes(sealed.digests, DIGESTS),
	    .mac = journal_bytes(sealed.mac, SECRET_HASH)};
	return decision_sign(conn, &in, NULL);
}

static enum status
sign_some(struct db_conn *conn, void *context)
{
	struct signing *signing = context;
	enum status status = STATUS_OK;
	signing->to = signing->from;
	signing->more = true;
	for (int i = 0; status == STATUS_OK && i < JOURNAL_STEP; i++) {
		struct decision_from_row stored;
		arena_reset(&signing->arena);
		status = decision_from(conn, &signing->arena, &(struct decision_from_in){.id = signing->to.id + 1}, &stored);
		if (status == STATUS_MISSING) {
			signing->more = false;
			return STATUS_OK;
		}
		struct journal_row row = journal_row_of(&stored);
		if (status == STATUS_OK && row.id > journal_id_most - JOURNAL_CROWD) {
			signing->more = false;
			return STATUS_OK;
		}
		if (status == STATUS_OK)
			status = sign_row(signing, conn, &row);
	}
	return status;
}

/* Rows of before version 3 are taken at their word, once: then the head is there, and says so. */
static enum status
sign_all(struct journal *journal)
{
	struct signing signing = {.key = &journal->key, .more = true};
	struct journal_head head = {0};
	enum status status = STATUS_OK;
	arena_init(&signing.arena, JOURNAL_ARENA);
	while (status == STATUS_OK && signing.more) {
		status = db_write(journal->db, sign_some, &signing);
		signing.from = signing.to;
	}
	head.last_id = signing.to.id;
	head.mac = journal_place_mac(&signing.to);
	if (status == STATUS_OK)
		status = db_write(journal->moderators, journal_write_head, &head);
	if (status == STATUS_OK && head.last_id > 0)
		log_event(LOG_LEVEL_INFO, "signed the log of an older version, up to row %lld", (long long)head.last_id);
	arena_free(&signing.arena);
	return status;
}

static enum status
open_key(const char *path, bool first, struct secret_key *key)
{
	enum status status = secret_key_load(path, 0600, key);
	if (status != STATUS_MISSING)
		return status;
	if (!first) {
		log_event(LOG_LEVEL_ERROR,
		    "there is no key at %s, which the log was signed with: put it back from a backup, or let rejoinder init make "
		    "another and rejoinder check --accept-log take the rows of the old one as they are",
		    path);
		return STATUS_INVALID;
	}
	status = secret_key_make(path, 0600);
	if (status == STATUS_OK || status == STATUS_CONFLICT)
		status = secret_key_load(path, 0600, key);
	return status;
}

enum status
journal_open(const char *key_path, struct db *db, struct db *moderators, bool begin, struct journal *journal)
{
	struct journal_head head;
	struct arena arena;
	*journal = (struct journal){.db = db, .moderators = moderators};
	arena_init(&arena, JOURNAL_ARENA);
	enum status status = journal_read_head(journal, &arena, &head);
	bool first = status == STATUS_MISSING;
	if ((first && begin) || status == STATUS_OK)
		status = open_key(key_path, first, &journal->key);
	if (status == STATUS_OK && first)
		status = sign_all(journal);
	arena_free(&arena);
	return status;
}

void
journal_close(struct journal *journal)
{
	secret_wipe(&journal->key, sizeof journal->key);
}
