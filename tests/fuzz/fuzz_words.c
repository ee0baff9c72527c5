/* A site's own words file: refused with a reason, or a table whose every sentence can be said. */
#include "fuzz.h"

#include "words.h"

static void
check_lines(struct str text)
{
	struct words_file file = {.rest = text};
	struct words_line line;
	const char *why = NULL;
	size_t before = 0;
	enum status status;
	while ((status = words_file_next(&file, &line, &why)) != STATUS_MISSING) {
		MUST(file.line > before);
		before = file.line;
		MUST(status == STATUS_OK || (status == STATUS_INVALID && why != NULL && why[0] != '\0'));
		MUST(status != STATUS_OK || (line.key.len > 0 && line.form >= WORDS_ONE && line.form < WORDS_FORMS));
	}
}

static void
check_said(struct arena *arena, const struct words *words, size_t len)
{
	struct word_hole holes[] = {{.name = STR("n"), .n = (int64_t)len}, {.name = STR("name"), .text = STR("{n}")}};
	for (int i = 0; i < WORD_COUNT; i++) {
		struct str said = words_say(arena, words, (enum word)i, holes, 2);
		MUST(said.at != NULL);
	}
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct words *words = NULL, *again = NULL;
	struct str why = STR_NONE;
	check_lines(input);
	enum status status = words_override(arena, words_default(), input, &words, &why);
	MUST(status == STATUS_OK || (status == STATUS_INVALID && why.len > 0));
	if (status != STATUS_OK)
		return;
	check_said(arena, words, input.len);
	MUST(words_override(arena, words, input, &again, &why) == STATUS_OK && again->plural == words->plural);
	for (int i = 0; i < WORD_COUNT; i++)
		for (int form = 0; form < WORDS_FORMS; form++)
			MUST(str_eq(words->texts[i].form[form], again->texts[i].form[form]));
}
