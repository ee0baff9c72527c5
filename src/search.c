#include "search.h"

#include "sql/rejoinder/search.h"

/* What the residual filters look at. */
struct row {
	int64_t id;
	struct str reasons;
	bool address;
};

struct slice {
	struct row *rows;
	size_t n;
};

/* Four queries give the same columns in types of their own: each is copied into ours. */
#define COPY(arena, rows, rows_n, slice)                                                                   \
	do {                                                                                                   \
		(slice)->rows = arena_array((arena), (rows_n), sizeof *(slice)->rows);                             \
		for (size_t i = 0; (slice)->rows != NULL && i < (rows_n); i++)                                     \
			(slice)->rows[i] = (struct row){(rows)[i].id, (rows)[i].reasons, (rows)[i].address != 0};      \
		(slice)->n = (rows_n);                                                                             \
	} while (0)

static enum status
read_state(struct db_conn *conn, struct arena *arena, const struct search *search, int64_t from, int64_t most,
    struct slice *slice)
{
	enum status status;
	size_t n = 0;
	if (search->up) {
		struct search_state_up_row *rows = NULL;
		struct search_state_up_in in = {.site_id = search->site_id, .state = search->state, .after = from, .most = most};
		status = search_state_up(conn, arena, &in, &rows, &n);
		COPY(arena, rows, n, slice);
	} else {
		struct search_state_down_row *rows = NULL;
		struct search_state_down_in in = {.site_id = search->site_id, .state = search->state, .before = from, .most = most};
		status = search_state_down(conn, arena, &in, &rows, &n);
		COPY(arena, rows, n, slice);
	}
	return status;
}

static enum status
read_thread(struct db_conn *conn, struct arena *arena, const struct search *search, int64_t from, int64_t most,
    struct slice *slice)
{
	enum status status;
	size_t n = 0;
	if (search->up) {
		struct search_thread_up_row *rows = NULL;
		struct search_thread_up_in in = {.site_id = search->site_id, .thread_id = search->thread_id, .state = search->state, .after = from, .most = most};
		status = search_thread_up(conn, arena, &in, &rows, &n);
		COPY(arena, rows, n, slice);
	} else {
		struct search_thread_down_row *rows = NULL;
		struct search_thread_down_in in = {.site_id = search->site_id, .thread_id = search->thread_id, .state = search->state, .before = from,
		    .most = most};
		status = search_thread_down(conn, arena, &in, &rows, &n);
		COPY(arena, rows, n, slice);
	}
	return status;
}

static enum status
read_slice(struct db_conn *conn, struct arena *arena, const struct search *search, int64_t from, size_t most,
    struct slice *slice)
{
	*slice = (struct slice){0};
	enum status status = search->thread_id != 0 ? read_thread(conn, arena, search, from, (int64_t)most, slice)
	                                            : read_state(conn, arena, search, from, (int64_t)most, slice);
	return status == STATUS_OK && slice->rows == NULL ? STATUS_BROKEN : status;
}

static bool
fits(const struct search *search, const struct row *row)
{
	struct str stored = row->reasons;
	struct spam_reason reason;
	unsigned has = 0;
	if (search->links && !row->address)
		return false;
	while (search->reasons != 0 && spam_next(&stored, &reason))
		has |= 1u << reason.kind;
	return (has & search->reasons) == search->reasons;
}

/* Looks at a slice; true when as many fit as are wanted, and one more. */
static bool
look(const struct search *search, const struct slice *slice, struct search_found *found)
{
	for (size_t i = 0; i < slice->n; i++) {
		bool fit = fits(search, &slice->rows[i]);
		if (fit && found->n == search->most) {
			found->more = true;
			return true;
		}
		found->last = slice->rows[i].id;
		found->looked++;
		if (fit)
			found->ids[found->n++] = slice->rows[i].id;
	}
	return false;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum status
search_find(struct db_conn *conn, struct arena *arena, const struct search *search, struct search_found *found)
{
	bool residual = search->links || search->reasons != 0;
	size_t at_once = residual ? SEARCH_SLICE : search->most + 1;
	struct slice slice;
	*found = (struct search_found){.last = search->from, .ids = arena_array(arena, search->most, sizeof *found->ids)};
	if (found->ids == NULL)
		return STATUS_BROKEN;
	while (!residual || found->looked < search->looks) {
		size_t most = residual ? least(at_once, search->looks - found->looked) : at_once;
		enum status status = read_slice(conn, arena, search, found->last, most, &slice);
		if (status != STATUS_OK)
			return status;
		if (look(search, &slice, found) || slice.n < most)
			return STATUS_OK;
	}
	found->cut = true;
	return STATUS_OK;
}
