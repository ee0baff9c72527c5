/*
 * journal_check.c - is the log as it was written?  And what its owner makes of it when not.
 */
#include "journal_own.h"

#include "sql/rejoinder/decision.h"

static bool
mac_fits(const struct secret_key *key, const struct journal_row *row, struct str before)
{
	uint8_t right[SECRET_HASH];
	journal_mac(key, row, row->digests, before, right);
	return journal_same(row->mac, right, SECRET_HASH);
}

enum status
journal_look(const struct secret_key *key, struct db_conn *conn, struct arena *arena, int64_t id,
    struct journal_row *row, bool *good)
{
	struct decision_from_row stored;
	struct decision_before_row before = {STR_NONE};
	bool forgotten = false;
	enum status status = decision_from(conn, arena, &(struct decision_from_in){.id = id}, &stored);
	if (status != STATUS_OK)
		return status;
	*row = journal_row_of(&stored);
	status = decision_before(conn, arena, &(struct decision_before_in){.id = row->id}, &before);
	*good = mac_fits(key, row, before.mac) && journal_digests_fit(key, row, &forgotten);
	return status == STATUS_MISSING ? STATUS_OK : status;
}

struct checking {
	const struct journal *journal;
	struct arena arena;
	struct journal_head head;
	struct journal_place stored; /* the row before, as it stands there */
	struct journal_place right;  /* and the mac that it should have: a wrong mac is not the next row's fault */
	int64_t next;        /* id from which on to look */
	journal_tell *tell;
	void *context;
	struct journal_findings *findings;
};

static void
tell_fault(struct checking *checking, enum journal_fault fault, int64_t from, int64_t id)
{
	bool accepted = id > 0 && id <= checking->head.row.accepted;
	checking->findings->faults += accepted ? 0 : 1;
	checking->tell(checking->context, fault, from, id, accepted);
}

static void
check_row(struct checking *checking, const struct journal_row *row)
{
	const struct journal *journal = checking->journal;
	uint8_t right[SECRET_HASH];
	bool forgotten = false;
	bool follows = mac_fits(&journal->key, row, journal_place_mac(&checking->stored)) ||
	               mac_fits(&journal->key, row, journal_place_mac(&checking->right));
	if (!follows && row->id > journal_id_most - JOURNAL_CROWD)
		tell_fault(checking, JOURNAL_BEYOND, row->id, row->id);
	else if (row->mac.len == 0)
		tell_fault(checking, JOURNAL_UNSIGNED, row->id, row->id);
	else if (!follows && row->id > checking->stored.id + 1)
		tell_fault(checking, JOURNAL_GAP, checking->stored.id + 1, row->id);
	else if (!follows || !journal_digests_fit(&journal->key, row, &forgotten))
		tell_fault(checking, JOURNAL_CHANGED, row->id, row->id);
	journal_mac(&journal->key, row, row->digests, journal_place_mac(&checking->stored), right);
	journal_stand_at(&checking->stored, row->id, row->mac);
	journal_stand_at(&checking->right, row->id, journal_bytes(right, SECRET_HASH));
	checking->findings->rows++;
	checking->findings->forgotten += forgotten ? 1 : 0;
}

/* A step in one snapshot; MISSING at the end. */
static enum status
check_some(struct checking *checking)
{
	struct db_conn *conn;
	enum status status = db_read(checking->journal->db, &conn);
	if (status != STATUS_OK)
		return status;
	for (int i = 0; status == STATUS_OK && i < JOURNAL_STEP; i++) {
		struct decision_from_row stored;
		arena_reset(&checking->arena);
		status = decision_from(conn, &checking->arena, &(struct decision_from_in){.id = checking->next}, &stored);
		if (status != STATUS_OK)
			break;
		struct journal_row row = journal_row_of(&stored);
		if (row.id > 0)
			check_row(checking, &row);
		else
			tell_fault(checking, JOURNAL_BEYOND, row.id, row.id);
		if (row.id == INT64_MAX)
			status = STATUS_MISSING;
		else
			checking->next = row.id + 1;
	}
	db_release(conn);
	return status;
}

static enum status
check_head(struct checking *checking)
{
	struct journal_head *head = &checking->head;
	bool fits;
	enum status status = journal_compare_head(checking->journal, &checking->arena, head, &fits);
	if (status != STATUS_OK || fits)
		return status;
	bool ends = head->last_id < head->row.last_id;
	tell_fault(checking, ends ? JOURNAL_SHORT : JOURNAL_OTHER, head->last_id, head->row.last_id);
	return STATUS_OK;
}

enum status
journal_check(const struct journal *journal, journal_tell *tell, void *context, struct journal_findings *findings)
{
	struct checking checking = {.journal = journal, .tell = tell, .context = context, .findings = findings, .next = INT64_MIN};
	struct arena arena; /* the head's mac outlives the steps */
	*findings = (struct journal_findings){0};
	arena_init(&arena, JOURNAL_ARENA);
	arena_init(&checking.arena, JOURNAL_ARENA);
	enum status status = journal_read_head(journal, &arena, &checking.head);
	while (status == STATUS_OK)
		status = check_some(&checking);
	if (status == STATUS_MISSING)
		status = check_head(&checking);
	arena_free(&checking.arena);
	arena_free(&arena);
	return status;
}

struct accepting {
	const struct journal *journal;
	struct arena arena;
	struct journal_entry entry;
};

static enum status
add_acceptance(struct db_conn *conn, void *context)
{
	struct accepting *accepting = context;
	accepting->entry.batch = 0;
	enum status status = decision_beyond(conn, &(struct decision_beyond_in){.id = journal_id_most - JOURNAL_CROWD}, NULL);
	return status != STATUS_OK ? status : journal_add(&accepting->journal->key, conn, &accepting->arena, &accepting->entry);
}

/* What the owner has accepted before stays accepted; but no row that is yet to come is. */
static int64_t
accepted_then(const struct journal_head *head, const struct journal_entry *entry)
{
	if (entry->action == JOURNAL_ACCEPT)
		return entry->batch;
	return head->row.accepted < entry->batch ? head->row.accepted : entry->batch - 1;
}

enum status
journal_accept(struct journal *journal, enum journal_action action, int64_t now)
{
	struct accepting accepting = {.journal = journal, .entry = {.action = action, .decided_at = now}};
	struct journal_head head = {0};
	bool fits;
	arena_init(&accepting.arena, JOURNAL_ARENA);
	enum status status = journal_read_head(journal, &accepting.arena, &head);
	if (status == STATUS_OK)
		status = db_write(journal->db, add_acceptance, &accepting);
	if (status == STATUS_OK)
		status = journal_compare_head(journal, &accepting.arena, &head, &fits);
	head.accepted = accepted_then(&head, &accepting.entry);
	if (status == STATUS_OK)
		status = db_write(journal->moderators, journal_write_head, &head);
	arena_free(&accepting.arena);
	return status;
}
