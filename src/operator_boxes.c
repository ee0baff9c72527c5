/*
 * operator_boxes.c - for `rejoinder check`: do the sealed addresses open, and is a change of keys finished?
 */
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "operator.h"
#include "operator_findings.h"

void
operator_boxes_begin(struct operator_boxes *boxes, const struct config *config)
{
	bool has_former = false;
	*boxes = (struct operator_boxes){.path = config->secret_key};
	/* What is wrong with the key was told among the files. */
	boxes->able = secret_key_load(config->secret_key, 0777, &boxes->secret) == STATUS_OK;
	bool former = door_former_key(config, &boxes->former, &has_former) == STATUS_OK && has_former;
	boxes->openers[0] = (struct secret_opener){.secret = &boxes->secret};
	boxes->openers[1] = (struct secret_opener){.secret = former ? &boxes->former : NULL};
}

static bool
opens(struct secret_opener *opener, struct arena *arena, char purpose, struct str sealed)
{
	struct str plain;
	return opener->secret != NULL && secret_open_next(opener, arena, purpose, sealed, &plain) == STATUS_OK;
}

void
operator_boxes_look(struct operator_boxes *boxes, struct arena *arena, char purpose, struct str sealed)
{
	if (!boxes->able || sealed.len == 0 || opens(&boxes->openers[0], arena, purpose, sealed))
		return;
	if (opens(&boxes->openers[1], arena, purpose, sealed))
		boxes->of_former++;
	else
		boxes->closed++;
}

/* "<secret_key>.new": the first step was interrupted; ".former": the second is to come. */
static bool
has_beside(const struct operator_boxes *boxes, const char *end)
{
	char path[PATH_MAX];
	struct stat info;
	return (size_t)snprintf(path, sizeof path, "%s%s", boxes->path, end) < sizeof path && lstat(path, &info) == 0;
}

void
operator_boxes_end(struct operator_boxes *boxes, struct findings *findings)
{
	if (has_beside(boxes, ".new"))
		operator_find(findings, false, "a new pair of keys was not made to its end: run rejoinder rekey again");
	else if (has_beside(boxes, DOOR_FORMER))
		operator_note(findings, "a new pair of keys is not in use to its end (%lld %s sealed to the former one): restart "
		                        "reader.fcgi and moderator.fcgi, then run rejoinder rekey --finish",
		    (long long)boxes->of_former, operator_noun(boxes->of_former, "address is", "addresses are"));
	if (boxes->closed > 0)
		operator_note(findings, "%lld %s not open with the secret key: if %s.retired does that, rename it to %s" DOOR_FORMER
		                        " and run rejoinder rekey --finish; else the key is lost",
		    (long long)boxes->closed, operator_noun(boxes->closed, "address does", "addresses do"), boxes->path, boxes->path);
	secret_wipe(boxes, sizeof *boxes);
}
