#include "retention.h"

#include "erase.h"
#include "reply.h"
#include "sql/rejoinder/retention.h"

enum { DAY = 86400 };

struct retaining {
	struct arena *arena;
	const struct secret_key *matching;
	int64_t now, before;
	int64_t n; /* rows that were changed */
};

static enum status
forget_refused(struct db_conn *conn, void *context)
{
	struct retaining *retaining = context;
	struct erase_order order = {.matching = retaining->matching, .unlogged = true, .erased_at = {true, retaining->now},
	    .now = retaining->now};
	struct retain_refused_in in = {.before = retaining->before, .most = RETENTION_AT_ONCE};
	struct retain_refused_row *rows;
	struct erase_result result;
	size_t n = 0;
	enum status status = retain_refused(conn, retaining->arena, &in, &rows, &n);
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		status = erase_reply(conn, retaining->arena, &order, rows[i].id, &result);
	retaining->n = (int64_t)n;
	return status;
}

/* What was not as it was stored keeps a hash that says so. */
struct sound_hash {
	uint8_t bytes[SECRET_HASH];
};

static struct str
hash_anew(const struct retaining *retaining, const struct reply_content *before, const struct reply_content *after,
    struct str stored, struct sound_hash *hash)
{
	reply_content_hash(retaining->matching, before, hash->bytes);
	if (stored.len != SECRET_HASH || !secret_same(hash->bytes, stored.at, SECRET_HASH))
		return stored;
	reply_content_hash(retaining->matching, after, hash->bytes);
	return (struct str){(const char *)hash->bytes, sizeof hash->bytes};
}

static enum status
forget_emails(struct db_conn *conn, void *context)
{
	struct retaining *retaining = context;
	struct retain_emails_in in = {.before = retaining->before, .most = RETENTION_AT_ONCE};
	struct retain_emails_row *rows;
	size_t n = 0;
	enum status status = retain_emails(conn, retaining->arena, &in, &rows, &n);
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		const struct retain_emails_row *row = &rows[i];
		struct reply_content content = {row->thread_id, row->parent_id, row->name, row->website, row->comment,
		    row->email_sealed, row->network_sealed}, after = content;
		struct sound_hash hash;
		after.email_sealed = STR_NONE;
		struct retain_no_email_in store = {.id = row->id,
		    .content_hash = hash_anew(retaining, &content, &after, row->content_hash, &hash)};
		status = retain_no_email(conn, &store, NULL);
	}
	retaining->n = (int64_t)n;
	return status;
}

static enum status
forget_networks(struct db_conn *conn, void *context)
{
	struct retaining *retaining = context;
	struct retain_networks_in in = {.before = retaining->before, .most = RETENTION_AT_ONCE};
	struct retain_networks_row *rows;
	size_t n = 0;
	enum status status = retain_networks(conn, retaining->arena, &in, &rows, &n);
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		const struct retain_networks_row *row = &rows[i];
		struct reply_content content = {row->thread_id, row->parent_id, row->name, row->website, row->comment,
		    row->email_sealed, row->network_sealed}, after = content;
		struct sound_hash hash;
		after.network_sealed = STR_NONE;
		struct retain_no_network_in store = {.id = row->id,
		    .content_hash = hash_anew(retaining, &content, &after, row->content_hash, &hash)};
		status = retain_no_network(conn, &store, NULL);
	}
	retaining->n = (int64_t)n;
	return status;
}

static enum status
forget_log(struct db_conn *conn, void *context)
{
	struct retaining *retaining = context;
	struct retain_log_in in = {.before = retaining->before, .most = RETENTION_AT_ONCE};
	return retain_log(conn, &in, &retaining->n);
}

enum status
retention_slice(const struct config_keep *keep, struct db *db, const struct secret_key *matching, struct arena *arena,
    int64_t now, bool *more)
{
	const struct {
		int64_t days;
		db_work *forget;
	} rules[] = {{keep->refused, forget_refused}, {keep->networks, forget_networks}, {keep->emails, forget_emails},
	    {keep->log_networks, forget_log}};
	enum status status = STATUS_OK;
	*more = false;
	for (size_t i = 0; status == STATUS_OK && i < sizeof rules / sizeof *rules; i++) {
		struct retaining retaining = {.arena = arena, .matching = matching, .now = now,
		    .before = now - rules[i].days * DAY};
		if (rules[i].days == 0)
			continue;
		arena_reset(arena);
		status = db_write(db, rules[i].forget, &retaining);
		*more = *more || retaining.n == RETENTION_AT_ONCE;
	}
	return status;
}
