/*
 * operator_work.c - `rejoinder work`: what waits in the background, for a timer or cron where no
 * moderators' door runs all the time.
 */
#include "operator.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "work.h"

/* Slices done so far, for the line on a terminal. */
static size_t slices;

static void
show(struct str kind, struct str site, enum status status)
{
	slices++;
	if (status != STATUS_OK)
		fprintf(stderr, "%srejoinder: %.*s%s%.*s: %s\n", isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "", STR_FMT(kind),
		    site.len > 0 ? " of " : "", STR_FMT(site), status_name(status));
	else if (isatty(STDERR_FILENO) != 0)
		fprintf(stderr, "\r\033[K%zu done, %.*s %.*s", slices, STR_FMT(kind), STR_FMT(site));
}

static bool
wait_for_next(struct work_bench *bench, int64_t deadline)
{
	int64_t due_at, now = bench->read_clock();
	if (now >= deadline || work_next(bench, &due_at) != STATUS_OK || due_at > deadline)
		return false;
	struct timespec left = {.tv_sec = due_at > now ? (time_t)(due_at - now) : 0};
	nanosleep(&left, NULL);
	return true;
}

/*
 * Until nothing is due, nor soon will be: what is done at most every few seconds is waited for, once,
 * since others may ask for it again and again.  What fails is tried once, and by a later call.
 */
static enum status
work_all(struct work_bench *bench)
{
	enum status worst = STATUS_OK;
	int64_t deadline = bench->read_clock() + WORK_SOON;
	size_t done;
	do {
		enum status status = work_round(bench, &done);
		worst = worst == STATUS_OK ? status : worst;
		bench->eager = bench->eager && status == STATUS_OK;
	} while (done > 0 || (worst == STATUS_OK && wait_for_next(bench, deadline)));
	return worst;
}

int
operator_work(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct door door;
	if (argc != 1)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	struct work_bench bench = door_bench(&door);
	bench.eager = true;
	bench.progress = show;
	enum status status = work_all(&bench);
	if (slices > 0 && isatty(STDERR_FILENO) != 0)
		fputs("\r\033[K", stderr);
	door_close(&door);
	if (status != STATUS_OK)
		return operator_fail("not all could be done; the reason stands above, and a later run tries again");
	puts("Nothing waits.");
	return OPERATOR_DONE;
}
