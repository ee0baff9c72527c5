/*
 * words.h - every sentence for users, by key.
 *
 * www/words/en.words is compiled in (build/gen/words_list.h, .c, by pagegen): a key `form.title` is
 * WORD_FORM_TITLE here.  A site overrides any of them with a file of the same form (words_file.h),
 * read once at start.  A table never changes after it was made, so any thread may read it.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "out.h"
#include "status.h"
#include "str.h"
#include "words_file.h"
#include "words_list.h"

/* A text in each plural form; one that is not there is said as [WORDS_OTHER], which always is. */
struct words_text {
	struct str form[WORDS_FORMS];
};

struct words {
	enum words_plural plural;
	const struct words_text *texts; /* WORD_COUNT of them */
};

/* What pagegen knows of a word; generated code holds these. */
struct words_key {
	struct str key;	  /* "form.title" */
	struct str holes; /* the names of its holes, a space between two; "n" is the number */
};

extern const struct words words_list;
extern const struct words_key words_list_keys[WORD_COUNT];

/* The words that were compiled in. */
const struct words *words_default(void);

/*
 * A copy of `base` in `arena`, with the keys of `text` replaced.  `key = …` replaces all forms of a
 * word, `key[form] = …` that form alone.  INVALID tells line and reason in *why: a line of another form,
 * an unknown key, a hole or plural form that the word does not have, a key set twice, an unknown
 * `plural`.  BROKEN (and *why is STR_NONE) when memory fails.  The texts are copied; `text` may go.
 */
MUST_USE enum status words_override(
    struct arena *arena, const struct words *base, struct str text, struct words **words, struct str *why);

/* What fills a hole: text, or n where the hole is called n. */
struct word_hole {
	struct str name;
	struct str text;
	int64_t n;
};

/*
 * The text with its holes filled, written through `escape` (out_html, out_json, out_put …), which
 * gets it whole: so what fills a hole is escaped as the text is.  The hole `n` chooses the plural
 * form, which is [other] where it is not given.  Memory failure shows in out_status().
 */
void words_write(struct out *out, const struct words *words, enum word word, const struct word_hole *holes,
    size_t holes_n, void (*escape)(struct out *, struct str));

/* The same unescaped, as a string in `arena`; STR_NONE when memory fails. */
struct str words_say(struct arena *arena, const struct words *words, enum word word,
    const struct word_hole *holes, size_t holes_n);

#endif
