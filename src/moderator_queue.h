/*
 * moderator_queue.h - the queue as a page, and what is said above it after a decision.
 *
 * Only src/moderator*.c include this.
 */
#ifndef MODERATOR_QUEUE_H
#define MODERATOR_QUEUE_H

#include "moderator_visit.h"
#include "page/queue.h"
#include "search.h"
#include "sql/rejoinder/queue.h"
#include "verdict.h"

enum {
	MODERATOR_MOST = 50        /* replies on a page of the queue, unless another number is asked for */
};

/* The name of a state, "Held", for people. */
struct str moderator_state_word(const struct moderator_visit *visit, struct str state);

/* What of the queue is shown. */
struct moderator_view {
	enum verdict_state state;
	struct str page;        /* only of this one: canonical, or as typed where it is none; STR_NONE: of all */
	bool no_page;           /* it is none */
	bool elsewhere;         /* it is an address of another site */
	bool links, first;      /* only with a link; only first replies of their authors */
	struct str reason;      /* only with this one, a name of spam.h; STR_NONE: any */
	bool oldest;            /* oldest first */
	int64_t most;           /* replies on a page */
	int64_t before, after;  /* ids below, or above, this one; 0: from the beginning */
	bool all;               /* every box is ticked */
};

/* Reads a view from the fields of an address; INVALID for what no page of ours would ask. */
MUST_USE enum status moderator_view(const struct moderator_visit *visit, const struct form *query,
    struct moderator_view *view);

/* The view of which `path` is the address; the queue of what is held where it is none. */
struct moderator_view moderator_view_of(const struct moderator_visit *visit, struct str path);

/* Its page so that it is read as the same again. */
struct str moderator_view_page(const struct moderator_visit *visit, const struct moderator_view *view);

/* Its address. */
struct str moderator_queue_path(const struct moderator_visit *visit, const struct moderator_view *view);

/* The same, or STR_NONE where it is simply the queue of a state: for links that come back to it. */
struct str moderator_queue_from(const struct moderator_visit *visit, const struct moderator_view *view);

/* Where the page of one reply leads back to: `return` of its address, else the queue of its state. */
struct moderator_view moderator_view_back(const struct moderator_visit *visit, const struct fcgi_request *request,
    struct str state);

/* Finds the ids of a view; `most` of them. Those of a page that has no replies are none. */
MUST_USE enum status moderator_view_find(const struct moderator_visit *visit, struct db_conn *conn,
    const struct moderator_view *view, struct search_found *found);

/* What is said above a queue. */
struct moderator_said {
	struct str status, about, with, notice;
	struct str unseen;                 /* ids of published ones that are not shown, a blank between them */
	int64_t undo;                      /* the batch that can be taken back; 0: none */
	struct str undo_reply, undo_state; /* of a batch of one: the reply as it is now, and what it was */
	bool undo_approval;                /* it is only a part of what is said */
	struct page_queue_conflicts *conflicts;
	size_t conflicts_n;
};

/* Answers with that part of the queue. */
void moderator_show_queue(const struct moderator_visit *visit, const struct moderator_view *view,
    const struct moderator_said *said, int code, int64_t now, struct fcgi_response *response);

/* One reply as the pages show it; `from` is where its links come back to. */
MUST_USE enum status moderator_fill_reply(const struct moderator_visit *visit, const struct queue_one_row *row,
    int64_t now, struct page_queue_reply *reply);

/* The buttons for a reply as it was shown. */
void moderator_fill_decide(const struct moderator_visit *visit, struct str state, struct str return_to,
    struct page_decide_form *decide);

/* A decision about one reply that was not done, with what came along. */
struct moderator_again {
	struct moderator_view back;    /* where it came from */
	struct verdict_target target;  /* as it was seen: words that came meanwhile are not decided about unseen */
	struct str why, why_error;     /* the reason as typed, and what is wrong with it */
	struct str notice;
	int code;
};

/* Answers with the page of that reply, the reason in its field. */
void moderator_show_again(const struct moderator_visit *visit, const struct moderator_again *again, int64_t now,
    struct fcgi_response *response);

/* A batch of decisions of this account, as the log has it. */
struct moderator_batch {
	int64_t id;
	bool undone;                      /* it took another one back */
	struct str from_state, to_state;  /* of its first reply */
	int64_t reply_id, revision;       /* of that, afterwards */
	int64_t n;                        /* replies */
	int64_t left;                     /* that are still as it left them */
	struct str unseen;                /* published, yet not shown, as in moderator_said */
	int64_t unseen_n;
};

/* "Approved.", "12 replies approved.", "Undone." */
struct str moderator_batch_say(const struct moderator_visit *visit, const struct moderator_batch *batch);

/*
 * After a decision the browser is sent back, and the address names the batch: done=ID.  What is said of
 * it, and whether it can be undone, is the log's; so a link of somebody else's can make us say nothing
 * untrue.  with=COUNT, verdict_with(), has a mac of the session.
 */
struct str moderator_done_path(const struct moderator_visit *visit, struct str path, int64_t batch, int64_t with);

/* "Hidden with them: 2 replies that hang on them.": of a batch of `n`; STR_NONE where none came or went with it. */
struct str moderator_say_with(const struct moderator_visit *visit, int64_t n, int64_t with);

/* What is said of such a batch, or of the one that an address names. */
void moderator_say_batch(const struct moderator_visit *visit, int64_t id, int64_t with, struct moderator_said *said);

/*
 * The same for words that were written, and for a decision that changed nothing: wrote=KIND, about=ID,
 * with such a mac.  `about` is the reply; of ALREADY_ALL the number of replies.
 */
enum moderator_wrote {
	MODERATOR_ANSWERED,
	MODERATOR_ANSWERED_UNSEEN,
	MODERATOR_APPROVED,        /* and answered: done=ID names the approval */
	MODERATOR_APPROVED_UNSEEN,
	MODERATOR_EDITED,
	MODERATOR_SAME,
	MODERATOR_ALREADY,
	MODERATOR_ALREADY_ALL,
	MODERATOR_WROTE
};
struct str moderator_wrote_path(const struct moderator_visit *visit, struct str path, enum moderator_wrote wrote,
    int64_t about);

/* The reply that follows those from `least` to `highest` in a queue; 0 if none does. */
int64_t moderator_next(const struct moderator_visit *visit, const struct moderator_view *view, int64_t least,
    int64_t highest);

/* The address of a queue from which a reply was decided about, at its place still, with `next` on it. */
struct str moderator_place(const struct moderator_visit *visit, const struct moderator_view *view, int64_t next);

/* 303 there, at the reply `next` if there is one. */
void moderator_go_back(const struct moderator_visit *visit, struct str path, int64_t next, struct fcgi_response *response);

/* What the address of a queue says was done. */
void moderator_say_done(const struct moderator_visit *visit, const struct form *query, struct moderator_said *said);

/* The selection of a form, its `reply` fields; INVALID when it cannot be read or is too large. */
MUST_USE enum status moderator_read_targets(const struct moderator_visit *visit, struct verdict_order *order);

/* Publishes the threads that changed, each once; what cannot be published now is tried again. */
void moderator_publish_changed(const struct moderator_visit *visit, const struct verdict_result *results, size_t n);

/* The store does not answer, but what was typed is shown again: the code, and what to say. */
int moderator_say_failure(const struct moderator_visit *visit, enum status status, struct str *notice,
    struct fcgi_response *response);

/* Who was first, or STR_NONE; and, behind that name, why a reply was left as it is. */
struct str moderator_conflict_who(const struct verdict_result *result);
enum word moderator_conflict_word(const struct verdict_result *result);

#endif
