/*
 * moderator_decide.c - a moderator's decision, from the form to the way back into the queue.
 */
#include "journal.h"
#include "log.h"
#include "markdown.h"
#include "moderator_queue.h"
#include "publish.h"

enum {
	SELECTION_MOST = 1000 /* replies decided about at once */
};

/* The queue that the moderator came from, out of the form's `return`. */
static struct moderator_view
read_return(const struct moderator_visit *visit)
{
	struct str path;
	return moderator_view_of(visit, form_one(&visit->form, "return", &path) == STATUS_OK ? path : STR_NONE);
}

/* A selection and a reply's own form may name it both: the second is no later decision of somebody else. */
static bool
is_named(const struct verdict_target *targets, size_t n, const struct verdict_target *target)
{
	for (size_t i = 0; i < n; i++)
		if (targets[i].id == target->id && targets[i].revision == target->revision)
			return true;
	return false;
}

enum status
moderator_read_targets(const struct moderator_visit *visit, struct verdict_order *order)
{
	struct verdict_target *targets = arena_array(visit->arena, SELECTION_MOST, sizeof *targets);
	if (targets == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < visit->form.n; i++) {
		if (!str_eq(visit->form.fields[i].name, STR("reply")))
			continue;
		if (order->targets_n == SELECTION_MOST ||
		    verdict_target(visit->form.fields[i].value, &targets[order->targets_n]) != STATUS_OK)
			return STATUS_INVALID;
		order->targets_n += is_named(targets, order->targets_n, &targets[order->targets_n]) ? 0 : 1;
	}
	order->targets = targets;
	return STATUS_OK;
}

/* INVALID for what cannot be read; TOO_LARGE where only the reason is wrong.  `why` is it as typed. */
static enum status
read_order(const struct moderator_visit *visit, int64_t now, struct verdict_order *order, struct str *why)
{
	struct str state;
	*order = (struct verdict_order){.key = &visit->moderator->journal.key, .site_id = visit->site->id, .moderator = visit->session.name,
	    .network = visit->network, .why = STR(""), .now = now};
	if (form_one(&visit->form, "state", &state) != STATUS_OK || verdict_state(state, &order->state) != STATUS_OK ||
	    form_one(&visit->form, "why", why) != STATUS_OK)
		return STATUS_INVALID;
	enum status status = moderator_read_targets(visit, order);
	if (status == STATUS_OK && why->len > 0 && journal_why(visit->arena, *why, &order->why) != STATUS_OK)
		return STATUS_TOO_LARGE;
	return status;
}

/* A reason comes from the page of one reply, and goes back there.  False: there is none to be kept. */
static bool
show_again(const struct moderator_visit *visit, const struct verdict_order *order, struct str why, enum status status,
    struct fcgi_response *response)
{
	struct moderator_again again = {.back = read_return(visit), .why = why, .code = 422};
	if (order->targets_n != 1 || why.len == 0)
		return false;
	again.target = order->targets[0];
	if (status == STATUS_TOO_LARGE) {
		again.notice = moderator_say(visit, WORD_REFUSED_FIELDS);
		again.why_error = moderator_say(visit, WORD_AMEND_WHY_LONG);
	} else {
		again.code = moderator_say_failure(visit, status, &again.notice, response);
	}
	moderator_show_again(visit, &again, order->now, response);
	return true;
}

/* Each thread once; what cannot be published now is shown as lagging and tried again. */
void
moderator_publish_changed(const struct moderator_visit *visit, const struct verdict_result *results, size_t n)
{
	struct publish_press press = door_press(&visit->moderator->door);
	struct arena arena;
	arena_init(&arena, DOOR_ARENA_MOST);
	for (size_t i = 0; i < n; i++) {
		bool seen = !results[i].changes_files;
		for (size_t j = 0; j < i && !seen; j++)
			seen = results[j].changes_files && results[j].thread_id == results[i].thread_id;
		if (seen)
			continue;
		if (publish_thread(&press, &arena, results[i].thread_id) != STATUS_OK)
			log_event(LOG_LEVEL_WARNING, "thread %lld lags behind the store", (long long)results[i].thread_id);
		arena_reset(&arena);
	}
	arena_free(&arena);
}

enum word
moderator_conflict_word(const struct verdict_result *result)
{
	static const enum word words[VERDICT_STATES] = {
	    [VERDICT_HELD] = WORD_CONFLICT_HELD,
	    [VERDICT_PUBLISHED] = WORD_CONFLICT_PUBLISHED,
	    [VERDICT_SPAM] = WORD_CONFLICT_SPAM,
	    [VERDICT_TRASH] = WORD_CONFLICT_TRASH,
	};
	enum verdict_state state;
	if (result->status == STATUS_MISSING)
		return WORD_CONFLICT_MISSING;
	if (verdict_state(result->now_state, &state) != STATUS_OK)
		return WORD_CONFLICT_WITHDRAWN;
	if (result->edited)
		return WORD_CONFLICT_EDITED_BY;
	return result->moderator.len > 0 ? words[state] : WORD_CONFLICT_EDITED;
}

struct str
moderator_conflict_who(const struct verdict_result *result)
{
	enum verdict_state state;
	bool there = result->status == STATUS_CONFLICT && verdict_state(result->now_state, &state) == STATUS_OK;
	return there ? result->moderator : STR_NONE;
}

static void
fill_conflict(const struct moderator_visit *visit, const struct verdict_result *result,
    struct str return_to, struct str why, struct page_queue_conflicts *conflict)
{
	struct markdown markdown = {0};
	enum verdict_state state;
	enum word word = moderator_conflict_word(result);
	*conflict = (struct page_queue_conflicts){
	    .id = result->id,
	    .name = result->name,
	    .page_title = result->title,
	    .moderator = moderator_conflict_who(result),
	    .message = moderator_say(visit, word),
	    .fresh = word == WORD_CONFLICT_EDITED || word == WORD_CONFLICT_EDITED_BY,
	    .there = result->status == STATUS_CONFLICT && verdict_state(result->now_state, &state) == STATUS_OK,
	};
	if (!conflict->there || markdown_html(visit->arena, result->comment, &markdown) != STATUS_OK)
		return;
	conflict->comment = markdown.html;
	conflict->decide = arena_alloc(visit->arena, sizeof *conflict->decide);
	if (conflict->decide == NULL)
		return;
	conflict->decide_n = 1;
	moderator_fill_decide(visit, result->now_state, return_to, conflict->decide);
	conflict->decide->id = result->id;
	conflict->decide->revision = result->revision;
	conflict->decide->conflict = true;
	conflict->decide->why = why.len > 0;
	conflict->decide->typed = why;
}

/* How a selection went. */
struct tally {
	size_t changed, conflicts;
	int64_t batch;           /* of those that changed, in the log */
	int64_t with;            /* verdict_with() */
};

static void
count(const struct verdict_result *results, size_t n, struct tally *tally)
{
	*tally = (struct tally){.with = verdict_with(results, n)};
	for (size_t i = 0; i < n; i++) {
		const struct verdict_result *result = &results[i];
		if (result->status != STATUS_OK) {
			tally->conflicts++;
			continue;
		}
		tally->changed++;
		if (result->batch != 0)
			tally->batch = result->batch;
	}
}

static void
go_back(const struct moderator_visit *visit, const struct verdict_order *order, const struct tally *tally,
    const struct moderator_view *view, struct fcgi_response *response)
{
	int64_t least = INT64_MAX, highest = 0;
	for (size_t i = 0; i < order->targets_n; i++) {
		least = order->targets[i].id < least ? order->targets[i].id : least;
		highest = order->targets[i].id > highest ? order->targets[i].id : highest;
	}
	int64_t next = moderator_next(visit, view, least, highest);
	struct str path = moderator_place(visit, view, next);
	if (tally->batch > 0)
		path = moderator_done_path(visit, path, tally->batch, tally->with);
	else if (order->targets_n == 1)
		path = moderator_wrote_path(visit, path, MODERATOR_ALREADY, least);
	else
		path = moderator_wrote_path(visit, path, MODERATOR_ALREADY_ALL, (int64_t)order->targets_n);
	moderator_go_back(visit, path, next, response);
}

static void
show_conflicts(const struct moderator_visit *visit, const struct verdict_order *order,
    const struct verdict_result *results, const struct tally *tally, const struct moderator_view *view, int64_t now,
    struct fcgi_response *response)
{
	struct moderator_said said = {.conflicts = arena_array(visit->arena, tally->conflicts, sizeof *said.conflicts)};
	struct str return_to = moderator_queue_path(visit, view);
	/* A reason is typed for one reply; several forms would have one id. */
	struct str why = order->targets_n == 1 ? order->why : STR_NONE;
	for (size_t i = 0; said.conflicts != NULL && i < order->targets_n; i++)
		if (results[i].status != STATUS_OK)
			fill_conflict(visit, &results[i], return_to, why, &said.conflicts[said.conflicts_n++]);
	said.notice = moderator_say_n(visit, WORD_CONFLICT_NOTICE, (int64_t)tally->conflicts);
	if (tally->batch > 0)
		moderator_say_batch(visit, tally->batch, tally->with, &said);
	moderator_show_queue(visit, view, &said, 409, now, response);
}

void
moderator_decide(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct verdict_order order;
	struct moderator_view view = read_return(visit);
	struct tally tally;
	struct str why;
	enum status status = read_order(visit, request->now, &order, &why);
	if (status == STATUS_TOO_LARGE && show_again(visit, &order, why, status, response))
		return;
	if (status == STATUS_TOO_LARGE) {
		moderator_notice(visit, response, 422, WORD_TITLE_MALFORMED, WORD_DECIDE_WHY_LONG);
		return;
	}
	if (status != STATUS_OK) {
		moderator_give_back(visit, response, 400, WORD_TITLE_MALFORMED, WORD_CARRY_MALFORMED, WORD_DECIDE_MALFORMED);
		return;
	}
	if (order.targets_n == 0) {
		struct moderator_said said = {.notice = moderator_say(visit, WORD_DECIDE_NOTHING)};
		moderator_show_queue(visit, &view, &said, 422, request->now, response);
		return;
	}
	struct verdict_result *results = arena_array(visit->arena, order.targets_n, sizeof *results);
	status = results == NULL ? STATUS_BROKEN
	                         : verdict_decide(visit->moderator->door.db, visit->arena, &order, results);
	if (status != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "a decision was not stored: %s", status_name(status));
		if (!show_again(visit, &order, why, status, response))
			moderator_failure(visit, response, status);
		return;
	}
	moderator_publish_changed(visit, results, order.targets_n);
	count(results, order.targets_n, &tally);
	log_event(LOG_LEVEL_INFO, "account %lld: %zu to %s, %zu refused", (long long)visit->session.account_id,
	    tally.changed, verdict_state_names[order.state].at, tally.conflicts);
	if (tally.conflicts > 0)
		show_conflicts(visit, &order, results, &tally, &view, request->now, response);
	else
		go_back(visit, &order, &tally, &view, response);
}
