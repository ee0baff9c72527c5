#include "session_throttle.h"

#include "session_parts.h"
#include "sql/moderators/failure.h"
#include "when.h"

enum {
	DOUBLINGS = 4,                                                      /* from the least wait to the most */
	FORGOTTEN = SESSION_WAIT_MOST + 7 * SESSION_FAILURES_WITHIN /* seconds until no count is left */
};

static void
count_for(struct session_throttle *throttle, const char *kind, struct str who, int64_t most)
{
	struct session_counted *counted = &throttle->counted[throttle->n++];
	*counted = (struct session_counted){.kind = str_from(kind), .most = most};
	session_hash(who.at, who.len, kind, counted->who);
}

void
session_throttle_stranger(struct session_throttle *throttle, struct arena *arena, struct str network, struct str name)
{
	/* A name means the same account in any ASCII case. */
	char *lower = str_c(arena, name);
	for (size_t i = 0; lower != NULL && i < name.len; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	throttle->n = 0;
	count_for(throttle, "network", network, SESSION_FAILURES_NETWORK);
	count_for(throttle, "name", lower == NULL ? name : (struct str){lower, name.len}, SESSION_FAILURES_NAME);
}

void
session_throttle_browser(struct session_throttle *throttle, struct str hash, int64_t account_id)
{
	throttle->n = 0;
	count_for(throttle, "browser", hash, SESSION_FAILURES_NETWORK);
	/* One of an account's several browsers, or of a browser's several accounts. */
	for (size_t i = 0; i < sizeof account_id; i++)
		throttle->counted[0].who[i] ^= (uint8_t)((uint64_t)account_id >> (8 * i));
}

static int64_t
wait_of(int64_t n, int64_t most)
{
	return n < most ? 0 : when_again(n - most, SESSION_WAIT_LEAST, SESSION_WAIT_MOST);
}

/* How many of them still count: each quiet while halves them. */
static int64_t
left_of(const struct failure_find_row *row, int64_t most, int64_t now)
{
	int64_t n = row->n, quiet = now - row->last - wait_of(row->n, most);
	for (; quiet >= SESSION_FAILURES_WITHIN && n > 0; quiet -= SESSION_FAILURES_WITHIN)
		n /= 2;
	return n;
}

/* The row, {0} where there is none. */
static enum status
find(const struct session_counted *counted, struct db_conn *conn, struct arena *arena, struct failure_find_row *row)
{
	struct failure_find_in in = {.kind = counted->kind, .who = {(const char *)counted->who, SESSION_THROTTLE_WHO}};
	enum status status = failure_find(conn, arena, &in, row);
	if (status == STATUS_MISSING)
		*row = (struct failure_find_row){0};
	return status == STATUS_MISSING ? STATUS_OK : status;
}

enum status
session_throttle_wait(const struct session_throttle *throttle, struct db_conn *conn, struct arena *arena, int64_t now,
    int64_t *wait)
{
	enum status status = STATUS_OK;
	*wait = 0;
	for (size_t i = 0; status == STATUS_OK && i < throttle->n; i++) {
		const struct session_counted *counted = &throttle->counted[i];
		struct failure_find_row row;
		status = find(counted, conn, arena, &row);
		int64_t left = status == STATUS_OK ? row.last + wait_of(row.n, counted->most) - now : 0;
		/* A clock that was set back must not make anybody wait for it to come round again. */
		if (left > *wait && row.last - now <= SESSION_BACK)
			*wait = left;
	}
	return status;
}

enum status
session_throttle_add(const struct session_throttle *throttle, struct db_conn *conn, struct arena *arena, int64_t now)
{
	enum status status = failure_forget(conn, &(struct failure_forget_in){.before = now - FORGOTTEN}, NULL);
	for (size_t i = 0; status == STATUS_OK && i < throttle->n; i++) {
		const struct session_counted *counted = &throttle->counted[i];
		struct failure_find_row row;
		status = find(counted, conn, arena, &row);
		if (status != STATUS_OK)
			break;
		int64_t n = left_of(&row, counted->most, now) + 1, most = counted->most + DOUBLINGS;
		struct failure_set_in set = {.kind = counted->kind, .who = {(const char *)counted->who, SESSION_THROTTLE_WHO},
		    .n = n < most ? n : most, .last = now};
		status = failure_set(conn, &set, NULL);
	}
	return status == STATUS_OK ? failure_trim(conn, &(struct failure_trim_in){.most = SESSION_FAILURES_KEPT}, NULL) : status;
}

enum status
session_unlock(struct db_conn *conn, struct arena *arena, struct str name)
{
	struct session_throttle throttle;
	session_throttle_stranger(&throttle, arena, STR(""), name);
	const struct session_counted *counted = &throttle.counted[1];
	enum status status = failure_clear(conn,
	    &(struct failure_clear_in){.kind = counted->kind, .who = {(const char *)counted->who, SESSION_THROTTLE_WHO}}, NULL);
	if (status == STATUS_OK)
		status = failure_clear_kind(conn, &(struct failure_clear_kind_in){.kind = STR("network")}, NULL);
	return status == STATUS_OK ? failure_clear_kind(conn, &(struct failure_clear_kind_in){.kind = STR("browser")}, NULL) : status;
}
