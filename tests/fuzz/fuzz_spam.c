/*
 * Reasons: as they stand in the store, whatever stands there, and as they are made.  Two lines name
 * listed words, the rest is the comment and, taken once more, the stored text.
 */
#include "fuzz.h"

#include "spam.h"

static size_t
count(struct str stored)
{
	struct spam_reason reason;
	size_t n = 0, left = stored.len;
	for (; spam_next(&stored, &reason); n++) {
		MUST(reason.kind >= SPAM_LINKS && reason.kind < SPAM_KINDS);
		MUST(stored.len < left || stored.at == NULL);
		left = stored.len;
	}
	return n;
}

static void
check_made(struct arena *arena, struct str *listed, struct str comment)
{
	struct config_site site = {.listed_words = {listed, 2}};
	struct spam_signs signs = {.name = comment, .website = STR(""), .comment = comment, .links = comment.len,
	    .honeypot = comment.len % 2 == 1, .timed = true, .age = (int64_t)comment.len - 2};
	size_t least = 1 + (comment.len > SPAM_LINKS_MOST) + signs.honeypot + (signs.age >= 0 && signs.age < SPAM_QUICK);
	struct str reasons = spam_reasons(arena, &site, &signs);
	size_t n = count(reasons);
	MUST(n >= least && n <= least + 2);
	struct spam_reason reason = {0};
	while (spam_next(&reasons, &reason))
		if (reason.kind == SPAM_WORD)
			MUST(str_eq(reason.word, listed[0]) || str_eq(reason.word, listed[1]));
	MUST(count(reasons) == 0);
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct str rest = input, lines = input;
	size_t lines_n = 1;
	for (size_t i = 0; i < lines.len; i++)
		lines_n += lines.at[i] == '\n';
	MUST(count(input) <= lines_n);
	struct str listed[2];
	listed[0] = str_cut(&rest, '\n');
	listed[1] = str_cut(&rest, '\n');
	if (text_valid(input) && rest.at != NULL)
		check_made(arena, listed, rest);
}
