/* A comment: as the form takes it, then as HTML and as words. */
#include "fuzz.h"

#include "html_oracle.h"
#include "markdown.h"

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct markdown made, again;
	struct str plain;
	if (!text_valid(input))
		return;
	struct str text = text_lines(arena, input);
	MUST(markdown_html(arena, text, &made) == STATUS_OK);
	struct str markup = made.html.markup;
	const char *wrong = oracle_complaint(markup);
	if (wrong != NULL)
		fprintf(stderr, "%s\n--- made\n%.*s\n", wrong, STR_FMT(markup));
	MUST(wrong == NULL);
	/* As markdown.h has it, and a kilobyte for what is shown as typed: escaping makes it longer. */
	MUST(markup.len <= text.len * MARKDOWN_GROWTH + 1024);
	MUST(markdown_html(arena, text, &again) == STATUS_OK && str_eq(markup, again.html.markup));
	MUST(made.links == again.links && made.typed == again.typed);
	MUST(markdown_text(arena, text, &plain) == STATUS_OK && text_valid(plain));
	MUST(plain.len <= text.len * MARKDOWN_GROWTH + 1024);
}
