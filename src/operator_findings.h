/*
 * operator_findings.h - what `rejoinder check` says, a line a finding; only the files of `operator` include this.
 *
 * docs/troubleshooting.md tells them all, in the order in which they come and with the same words; a
 * test compares.
 */
#ifndef OPERATOR_FINDINGS_H
#define OPERATOR_FINDINGS_H

#include <stdbool.h>

#include "config.h"
#include "door.h"
#include "secret.h"

/* `complaints` decides the exit status; programs that nobody heard of are named at the end. */
enum { FINDINGS_DOORS = 2 };
struct findings {
	int complaints, notes;
	const char *silent[FINDINGS_DOORS];
	int silent_n;
};

/* "ok" or "mend"; a finding to mend also says what to do. */
void operator_find(struct findings *findings, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "note": for the owner to judge. */
void operator_note(struct findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * src/operator_files.c: are the files there, and may those come to them who must, and nobody else?  What the
 * first looks at, modes and owners, takes root where they are wrong; it opens nothing.
 */
void operator_check_modes(struct findings *findings, const struct config *config);
void operator_check_files(struct findings *findings, const struct config *config);

/* src/operator_doors.c: do both programs answer?  Root may ask all of them. */
void operator_check_doors(struct findings *findings, const struct config *config);

/* src/operator_store.c: what the store tells about the web server, the clock and the page lists. */
void operator_check_store(struct findings *findings, struct door *door);

/*
 * src/operator_boxes.c: which key opens the sealed addresses?  Shown each box of the store in between; it
 * knows nothing, and says nothing of boxes, where the secret key cannot be read.
 */
struct operator_boxes {
	const char *path; /* of the secret key */
	struct secret_key secret, former;
	struct secret_opener openers[2];
	bool able;
	int64_t of_former, closed;
};
void operator_boxes_begin(struct operator_boxes *boxes, const struct config *config);
void operator_boxes_look(struct operator_boxes *boxes, struct arena *arena, char purpose, struct str sealed);
void operator_boxes_end(struct operator_boxes *boxes, struct findings *findings);

/* src/operator_published.c: do the published files hold the replies that the store shows? */
void operator_check_published(struct findings *findings, const struct door *door);

/* src/operator_log.c: is the log as it was written? */
void operator_check_log(struct findings *findings, const struct door *door);

#endif
