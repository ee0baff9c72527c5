/*
 * moderator_said.c - what a decision says afterwards: its address names its batch, and the log the rest.
 */
#include "moderator_queue.h"

#include <string.h>

#include "sql/rejoinder/log.h"

/* So that nobody else's link tells of what was not done. */
static struct str
mac_of(const struct moderator_visit *visit, const char *purpose, int64_t id, int64_t detail)
{
	struct secret_key key;
	uint8_t mac[SECRET_HASH];
	struct str text = str_format(visit->arena, "%lld %lld", (long long)id, (long long)detail);
	memcpy(key.bytes, visit->session.id, sizeof key.bytes);
	secret_hash(&key, purpose, &text, 1, mac);
	secret_wipe(&key, sizeof key);
	return str_base64url(visit->arena, mac, sizeof mac);
}

struct str
moderator_done_path(const struct moderator_visit *visit, struct str path, int64_t batch, int64_t with)
{
	struct str done = str_format(visit->arena, "%.*s%cdone=%lld", STR_FMT(path), str_has(path, '?') ? '&' : '?',
	    (long long)batch);
	if (batch == 0)
		return path;
	return with == 0 ? done
	                 : str_format(visit->arena, "%.*s&with=%lld&mac=%.*s", STR_FMT(done), (long long)with,
	                       STR_FMT(mac_of(visit, "decided", batch, with)));
}

/* Which of a batch are published and not shown all the same. */
static enum status
find_unseen(const struct moderator_visit *visit, struct db_conn *conn, struct moderator_batch *batch)
{
	struct log_unseen_row *rows = NULL;
	struct out out;
	size_t n = 0;
	enum status status = log_unseen(conn, visit->arena, &(struct log_unseen_in){.batch = batch->id}, &rows, &n);
	out_init(&out, visit->arena);
	for (size_t i = 0; status == STATUS_OK && i < n; i++)
		out_format(&out, "%s%lld", i == 0 ? "" : " ", (long long)rows[i].id);
	batch->unseen_n = (int64_t)n;
	batch->unseen = n > 0 ? out_str(&out) : STR_NONE;
	return status;
}

/* MISSING where this account has no such batch. */
static enum status
find_batch(const struct moderator_visit *visit, int64_t id, struct moderator_batch *batch)
{
	struct log_batch_row row;
	struct log_left_row left;
	struct db_conn *conn;
	struct log_batch_in in = {.id = id, .moderator = visit->session.name, .site_id = visit->site->id};
	enum status status = db_read(visit->moderator->door.db, &conn);
	if (status != STATUS_OK)
		return status;
	status = log_batch(conn, visit->arena, &in, &row);
	if (status == STATUS_OK)
		status = log_left(conn, visit->arena, &(struct log_left_in){.batch = id}, &left);
	if (status == STATUS_OK) {
		*batch = (struct moderator_batch){.id = id, .undone = str_eq(row.action, journal_action_names[JOURNAL_UNDO]),
		    .from_state = row.from_state, .to_state = row.to_state, .reply_id = row.reply_id.value,
		    .revision = row.revision.value, .n = left.n, .left = left.n_left};
		status = find_unseen(visit, conn, batch);
	}
	db_release(conn);
	return status;
}

/* The author of the one reply that was decided about; STR_NONE where there is none. */
static struct str
name_of(const struct moderator_visit *visit, int64_t id)
{
	struct queue_one_row row;
	struct db_conn *conn;
	if (db_read(visit->moderator->door.db, &conn) != STATUS_OK)
		return STR_NONE;
	enum status status = queue_one(conn, visit->arena, &(struct queue_one_in){.id = id, .site_id = visit->site->id}, &row);
	db_release(conn);
	/* FIRST STRONG ISOLATE and its end: a name from right to left turns nothing around it. */
	return status == STATUS_OK && row.name.len > 0
	           ? str_format(visit->arena, "\u2068%.*s\u2069", STR_FMT(row.name))
	           : STR_NONE;
}

/* Whose reply it was, where it was one. */
static struct str
say_about(const struct moderator_visit *visit, const struct moderator_batch *batch)
{
	struct word_hole name = {.name = STR("name")};
	if (batch->n == 1 && !batch->undone)
		name.text = name_of(visit, batch->reply_id);
	return name.text.len > 0 ? words_say(visit->arena, visit->site->words, WORD_DECIDED_ABOUT, &name, 1) : STR_NONE;
}

struct str
moderator_say_with(const struct moderator_visit *visit, int64_t n, int64_t with)
{
	if (with == 0)
		return STR_NONE;
	enum word shown = n == 1 ? WORD_DECIDED_SHOWN_WITH : WORD_DECIDED_SHOWN_WITH_THEM;
	enum word hidden = n == 1 ? WORD_DECIDED_HIDDEN_WITH : WORD_DECIDED_HIDDEN_WITH_THEM;
	return moderator_say_n(visit, with > 0 ? shown : hidden, with > 0 ? with : -with);
}

struct str
moderator_batch_say(const struct moderator_visit *visit, const struct moderator_batch *batch)
{
	static const enum word words[VERDICT_STATES] = {
	    [VERDICT_HELD] = WORD_DECIDED_HELD,
	    [VERDICT_PUBLISHED] = WORD_DECIDED_PUBLISHED,
	    [VERDICT_SPAM] = WORD_DECIDED_SPAM,
	    [VERDICT_TRASH] = WORD_DECIDED_TRASH,
	};
	enum verdict_state state;
	bool known = verdict_state(batch->to_state, &state) == STATUS_OK && !batch->undone;
	return moderator_say_n(visit, known ? words[state] : WORD_DECIDED_UNDONE, batch->n);
}

/* What was done, and whether readers see as much of it as one would think. */
static struct str
say_status(const struct moderator_visit *visit, const struct moderator_batch *batch)
{
	struct str what = moderator_batch_say(visit, batch);
	if (batch->unseen_n == 0)
		return what;
	struct str unseen = batch->n == 1 ? moderator_say(visit, WORD_DECIDED_UNSEEN)
	                                  : moderator_say_n(visit, WORD_DECIDED_UNSEEN_OF, batch->unseen_n);
	return str_format(visit->arena, "%.*s %.*s", STR_FMT(what), STR_FMT(unseen));
}

void
moderator_say_batch(const struct moderator_visit *visit, int64_t id, int64_t with, struct moderator_said *said)
{
	struct moderator_batch batch;
	if (find_batch(visit, id, &batch) != STATUS_OK)
		return;
	said->status = say_status(visit, &batch);
	said->unseen = batch.unseen;
	said->about = say_about(visit, &batch);
	said->with = moderator_say_with(visit, batch.n, with);
	said->undo = batch.left > 0 ? batch.id : 0;
	if (batch.n != 1 || batch.left != 1)
		return;
	said->undo_reply = str_format(visit->arena, "%lld:%lld", (long long)batch.reply_id, (long long)batch.revision);
	said->undo_state = batch.from_state;
}

/* --- what was written --------------------------------------------------------------------------------- */

struct str
moderator_wrote_path(const struct moderator_visit *visit, struct str path, enum moderator_wrote wrote, int64_t about)
{
	return str_format(visit->arena, "%.*s&wrote=%d&about=%lld&mac=%.*s", STR_FMT(path), (int)wrote, (long long)about,
	    STR_FMT(mac_of(visit, "wrote", wrote, about)));
}

static void
say_wrote(const struct moderator_visit *visit, const struct form *query, struct str mac, struct moderator_said *said)
{
	static const enum word words[MODERATOR_WROTE] = {
	    [MODERATOR_ANSWERED] = WORD_DECIDED_ANSWERED_OF,
	    [MODERATOR_ANSWERED_UNSEEN] = WORD_DECIDED_ANSWERED_UNSEEN_OF,
	    [MODERATOR_APPROVED] = WORD_DECIDED_APPROVED_OF,
	    [MODERATOR_APPROVED_UNSEEN] = WORD_DECIDED_APPROVED_UNSEEN_OF,
	    [MODERATOR_EDITED] = WORD_DECIDED_EDITED_OF,
	    [MODERATOR_SAME] = WORD_DECIDED_SAME_OF,
	    [MODERATOR_ALREADY] = WORD_DECIDED_ALREADY_OF,
	};
	struct str typed, about;
	int64_t wrote, id;
	if (form_one(query, "wrote", &typed) != STATUS_OK || form_one(query, "about", &about) != STATUS_OK ||
	    str_integer(typed, &wrote) != STATUS_OK || str_integer(about, &id) != STATUS_OK || wrote < 0 ||
	    wrote >= MODERATOR_WROTE)
		return;
	struct str right = mac_of(visit, "wrote", wrote, id);
	if (mac.len != right.len || !secret_same(mac.at, right.at, mac.len))
		return;
	said->about = STR_NONE;
	if (wrote == MODERATOR_ALREADY_ALL) {
		said->status = moderator_say_n(visit, WORD_DECIDED_ALREADY_ALL, id);
		return;
	}
	struct word_hole name = {.name = STR("name"), .text = name_of(visit, id)};
	said->status = words_say(visit->arena, visit->site->words, words[wrote], &name, 1);
	said->undo_approval = wrote == MODERATOR_APPROVED || wrote == MODERATOR_APPROVED_UNSEEN;
}

static void
say_decided(const struct moderator_visit *visit, const struct form *query, struct moderator_said *said)
{
	struct str done, more, mac;
	int64_t id, with = 0;
	if (form_one(query, "done", &done) != STATUS_OK || form_one(query, "with", &more) != STATUS_OK ||
	    form_one(query, "mac", &mac) != STATUS_OK || str_integer(done, &id) != STATUS_OK)
		return;
	if (str_integer(more, &with) == STATUS_OK) {
		struct str right = mac_of(visit, "decided", id, with);
		with = mac.len == right.len && secret_same(mac.at, right.at, mac.len) ? with : 0;
	}
	moderator_say_batch(visit, id, with, said);
}

/* Where both are there the decision came with the words, which say it all; the undo is the decision's. */
void
moderator_say_done(const struct moderator_visit *visit, const struct form *query, struct moderator_said *said)
{
	struct str mac;
	say_decided(visit, query, said);
	if (form_one(query, "mac", &mac) == STATUS_OK && mac.len > 0)
		say_wrote(visit, query, mac, said);
}

/* --- the way back --------------------------------------------------------------------------------------- */

int64_t
moderator_next(const struct moderator_visit *visit, const struct moderator_view *view, int64_t least, int64_t highest)
{
	struct moderator_view next = *view;
	struct search_found found;
	struct db_conn *conn;
	next.most = 1;
	next.before = view->oldest ? 0 : least;
	next.after = view->oldest ? highest : 0;
	if (db_read(visit->moderator->door.db, &conn) != STATUS_OK)
		return 0;
	enum status status = moderator_view_find(visit, conn, &next, &found);
	db_release(conn);
	return status == STATUS_OK && found.n == 1 ? found.ids[0] : 0;
}

/*
 * A page that was come to from the other side moves as replies leave it: then it begins at `next`.  Where
 * nothing follows, the queue begins anew.
 */
struct str
moderator_place(const struct moderator_visit *visit, const struct moderator_view *view, int64_t next)
{
	struct moderator_view back = *view;
	bool came_back = view->oldest ? view->before > 0 : view->after > 0;
	if (next == 0 || came_back) {
		back.before = next > 0 && !view->oldest ? next + 1 : 0;
		back.after = next > 0 && view->oldest ? next - 1 : 0;
	}
	return moderator_queue_path(visit, &back);
}

void
moderator_go_back(const struct moderator_visit *visit, struct str path, int64_t next, struct fcgi_response *response)
{
	door_redirect(response,
	    next > 0 ? str_format(visit->arena, "%.*s#reply-%lld", STR_FMT(path), (long long)next) : path);
}
