/*
 * words_file.h - the form of a words file, line by line.
 *
 *     # a comment                 blank lines and lines that begin with # say nothing
 *     key = text                  white space around key and text is not part of them
 *     key[one] = text             a plural form: one, few, many or other
 *     plural = french             the rule that chooses the form, see words_plural()
 *
 * A key is lower-case words of letters, digits and _, joined by dots.  In a text `{name}` is a hole,
 * `{n}` the number, and `{{` a literal brace.  Both pagegen, at build time, and words.c, at start,
 * read with these functions, so that an override has the same form as the file it overrides.
 */
#ifndef WORDS_FILE_H
#define WORDS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"
#include "str.h"

enum words_form { WORDS_ONE, WORDS_FEW, WORDS_MANY, WORDS_OTHER, WORDS_FORMS };

/*
 * Families of languages that choose the plural form of a whole number alike (Unicode CLDR, language
 * plural rules, cardinals).  A new one is a name and a function in words_file.c.
 */
enum words_plural {
	WORDS_PLURAL_ONE_OTHER, /* English, German, Spanish: one for 1 */
	WORDS_PLURAL_NONE,	/* Japanese, Chinese, Vietnamese: always other */
	WORDS_PLURAL_FRENCH,	/* French, Brazilian Portuguese: one for 0 and 1 */
	WORDS_PLURAL_SLAVIC,	/* Russian, Ukrainian: one 1 21 31, few 2-4 22-24, many the rest */
	WORDS_PLURAL_POLISH,	/* one for 1 alone, few 2-4 22-24, many the rest */
	WORDS_PLURAL_CZECH,	/* Czech, Slovak: one for 1, few 2-4, other the rest */
	WORDS_PLURAL_COUNT
};

struct words_file {
	struct str rest; /* what is still to be read; set it to the whole text */
	size_t line;	 /* the line last read, from 1; set it to 0 */
};

struct words_line {
	struct str key;
	struct str text;
	bool plural;	      /* written with [form] */
	enum words_form form; /* WORDS_OTHER where none is written */
};

/*
 * The next entry.  MISSING at the end; INVALID, with a reason in *why that is valid for ever, at a line
 * that has not this form (file->line tells which; one may go on reading behind it).
 */
MUST_USE enum status words_file_next(struct words_file *file, struct words_line *line, const char **why);

/*
 * Walks a text: cuts off what stands before the next hole into *literal and the hole's name into
 * *hole (STR_NONE behind the last).  A literal brace ends a piece, too, without a hole.  False when
 * `rest` is used up.  On a text that words_file_next has let pass every hole is closed and well named.
 */
bool words_file_piece(struct str *rest, struct str *literal, struct str *hole);

/* The rule called `name`; INVALID when there is none. */
MUST_USE enum status words_file_rule(struct str name, enum words_plural *plural);

/* The form that `plural` chooses for `n`; a negative n counts as its absolute value. */
enum words_form words_file_form(enum words_plural plural, int64_t n);

#endif
