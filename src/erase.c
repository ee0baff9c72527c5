#include "erase.h"

#include "address.h"
#include "journal.h"
#include "publish.h"
#include "reply.h"
#include "sql/rejoinder/erase.h"
#include "sql/rejoinder/site.h"
#include "verdict.h"

enum { ARENA_MOST = 64 * 1024 * 1024, STEP = 200 };

/* --- whose ----------------------------------------------------------------------------------------- */

enum status
erase_author(const struct secret_key *matching, struct arena *arena, struct str email, struct erase_author *author)
{
	struct str address;
	enum status status = address_email(arena, email, &address);
	if (status == STATUS_OK)
		status = reply_author(arena, address, &author->folded);
	if (status == STATUS_OK)
		reply_author_hash(matching, author->folded, author->hash);
	return status == STATUS_TOO_LARGE ? STATUS_INVALID : status;
}

/* INVALID when no key opens it. */
static enum status
open_box(struct erase_openers *openers, struct arena *arena, struct str sealed, struct str *email)
{
	enum status status = STATUS_INVALID;
	for (size_t i = 0; i < openers->n && status == STATUS_INVALID; i++)
		status = secret_open_next(&openers->each[i], arena, SECRET_EMAIL, sealed, email);
	return status;
}

enum status
erase_is_by(struct erase_openers *openers, struct arena *arena, const struct erase_author *author, struct str author_hash,
    struct str email_sealed, bool *is, bool *closed)
{
	struct str email, folded;
	*is = author_hash.len == SECRET_HASH && secret_same(author_hash.at, author->hash, SECRET_HASH);
	*closed = false;
	if (*is || email_sealed.len == 0)
		return STATUS_OK;
	enum status status = open_box(openers, arena, email_sealed, &email);
	*closed = status == STATUS_INVALID;
	if (status != STATUS_OK)
		return *closed ? STATUS_OK : status;
	status = reply_author(arena, email, &folded);
	*is = status == STATUS_OK && str_eq(folded, author->folded);
	/* A stranger's box may hold anything; it is not this author's. */
	return status == STATUS_INVALID ? STATUS_OK : status;
}

/* --- one reply --------------------------------------------------------------------------------------- */

struct erasing {
	const struct erase_order *order;
	struct arena *arena;
	int64_t id;
	struct erase_find_row row;
	struct erase_result *result;
};

static void
hash_content(const struct erasing *erasing, const struct erase_find_row *row, uint8_t hash[SECRET_HASH])
{
	struct reply_content content = {row->thread_id, row->parent_id, row->name, row->website, row->comment,
	    row->email_sealed, row->network_sealed};
	reply_content_hash(erasing->order->matching, &content, hash);
}

/* What was not as it was stored keeps a hash that says so. */
static enum status
keep_words(struct erasing *erasing, struct db_conn *conn)
{
	struct erase_find_row row = erasing->row;
	uint8_t hash[SECRET_HASH];
	hash_content(erasing, &row, hash);
	bool sound = row.content_hash.len == SECRET_HASH && secret_same(hash, row.content_hash.at, SECRET_HASH);
	row.name = erasing->order->name;
	row.website = row.email_sealed = row.network_sealed = STR_NONE;
	hash_content(erasing, &row, hash);
	struct erase_author_store_in in = {.id = erasing->id, .name = row.name, .erased_at = erasing->order->erased_at,
	    .content_hash = sound ? (struct str){(const char *)hash, sizeof hash} : row.content_hash};
	enum status status = erase_author_store(conn, &in, NULL);
	erasing->result->kept = true;
	/* The name stands on its page, in feeds, and beside what answers it. */
	return status == STATUS_OK ? publish_ask(conn, erasing->arena, row.thread_id, erasing->order->now, true) : status;
}

static enum status
empty(struct erasing *erasing, struct db_conn *conn)
{
	const struct erase_find_row *row = &erasing->row;
	const struct erase_order *order = erasing->order;
	struct tally_take_in less = {.site_id = row->site_id, .state = row->state};
	struct tally_add_in more = {.site_id = row->site_id, .state = STR("withdrawn")};
	int64_t shown = 0;
	enum status status = STATUS_OK;
	if (str_eq(row->state, STR("published")))
		status = verdict_hide(conn, erasing->arena, row->site_id, erasing->id, order->now, &shown);
	erasing->result->hidden = shown > 0 ? shown - 1 : 0;
	if (status == STATUS_OK)
		status = erase_all(conn,
		    &(struct erase_all_in){.id = erasing->id, .decided_at = {true, order->now}, .erased_at = order->erased_at},
		    NULL);
	if (status == STATUS_OK)
		status = tally_take(conn, &less, NULL);
	return status == STATUS_OK ? tally_add(conn, &more, NULL) : status;
}

static enum status
note(struct erasing *erasing, struct db_conn *conn)
{
	const struct erase_find_row *row = &erasing->row;
	struct journal_entry entry = {.action = JOURNAL_ERASE, .site_id = row->site_id, .reply_id = erasing->id,
	    .thread_id = row->thread_id, .revision = row->revision + 1, .from_state = row->state,
	    .to_state = erasing->result->kept ? row->state : STR("withdrawn"), .decided_at = erasing->order->now};
	enum status status = erase_why(conn, &(struct erase_why_in){.reply_id = erasing->id}, NULL);
	if (status != STATUS_OK || erasing->order->unlogged)
		return status;
	return journal_add(erasing->order->log, conn, erasing->arena, &entry);
}

enum status
erase_reply(struct db_conn *conn, struct arena *arena, const struct erase_order *order, int64_t id,
    struct erase_result *result)
{
	struct erasing erasing = {.order = order, .arena = arena, .id = id, .result = result};
	*result = (struct erase_result){0};
	enum status status = erase_find(conn, arena, &(struct erase_find_in){.id = id}, &erasing.row);
	if (status == STATUS_MISSING || (status == STATUS_OK && str_eq(erasing.row.state, STR("withdrawn"))))
		return STATUS_OK;
	if (status != STATUS_OK)
		return status;
	bool keeps = order->name.len > 0 && (order->any_words || str_eq(erasing.row.state, STR("published")));
	status = keeps ? keep_words(&erasing, conn) : empty(&erasing, conn);
	result->erased = status == STATUS_OK;
	return status == STATUS_OK ? note(&erasing, conn) : status;
}

/* --- what must not come back ---------------------------------------------------------------------------- */

struct repeating {
	struct db *from, *to;
	struct arena arena, arena_to; /* what was read of the one; what is read of the other meanwhile */
	const struct secret_key *matching;
	int64_t now, after;
	struct erase_known_row *rows;
	size_t n;
	int64_t erased, step; /* so far; with this step */
};

static enum status
read_known(struct repeating *repeating)
{
	struct db_conn *conn;
	struct erase_known_in in = {.id = repeating->after, .most = STEP};
	arena_reset(&repeating->arena);
	enum status status = db_read(repeating->from, &conn);
	if (status != STATUS_OK)
		return status;
	status = erase_known(conn, &repeating->arena, &in, &repeating->rows, &repeating->n);
	db_release(conn);
	return status;
}

/* Nothing where the copy has another reply of that number, or knows of the erasure itself. */
static enum status
repeat_one(struct repeating *repeating, struct db_conn *conn, const struct erase_known_row *known)
{
	bool kept = !str_eq(known->state, STR("withdrawn"));
	struct erase_order order = {.matching = repeating->matching, .name = kept ? known->name : STR_NONE, .any_words = kept,
	    .erased_at = known->erased_at, .now = repeating->now};
	struct erase_result result;
	struct erase_find_row row;
	enum status status = erase_find(conn, &repeating->arena_to, &(struct erase_find_in){.id = known->id}, &row);
	if (status == STATUS_MISSING ||
	    (status == STATUS_OK && (row.created_at != known->created_at || (kept && row.erased_at.set))))
		return STATUS_OK;
	if (status == STATUS_OK)
		status = erase_reply(conn, &repeating->arena_to, &order, known->id, &result);
	repeating->step += status == STATUS_OK && result.erased ? 1 : 0;
	return status;
}

static enum status
repeat_step(struct db_conn *conn, void *context)
{
	struct repeating *repeating = context;
	enum status status = STATUS_OK;
	repeating->step = 0;
	arena_reset(&repeating->arena_to);
	for (size_t i = 0; status == STATUS_OK && i < repeating->n; i++)
		status = repeat_one(repeating, conn, &repeating->rows[i]);
	return status;
}

enum status
erase_again(struct db *from, struct db *to, const struct secret_key *matching, int64_t now, int64_t *n)
{
	struct repeating repeating = {.from = from, .to = to, .matching = matching, .now = now};
	enum status status;
	arena_init(&repeating.arena, ARENA_MOST);
	arena_init(&repeating.arena_to, ARENA_MOST);
	do {
		status = read_known(&repeating);
		if (status != STATUS_OK || repeating.n == 0)
			break;
		repeating.after = repeating.rows[repeating.n - 1].id;
		status = db_write(to, repeat_step, &repeating);
		repeating.erased += repeating.step;
	} while (status == STATUS_OK && repeating.n == STEP);
	arena_free(&repeating.arena);
	arena_free(&repeating.arena_to);
	*n = repeating.erased;
	return status;
}
