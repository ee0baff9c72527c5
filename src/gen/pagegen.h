/*
 * pagegen.h - what the files of pagegen share.
 *
 * pagegen runs at build time: it reads the words, then every template, and only when none of them
 * has a mistake does it write C.  A template goes through four rooms:
 *
 *     pagegen_scan     the source becomes pieces: literal text, and what stands in {{…}}
 *     pagegen_context  walks the literal text and knows where a hole would stand
 *     pagegen_parse    pieces become nodes, and the struct that the page is filled from
 *     pagegen_emit     nodes become readable C
 *
 * Everything lives in one arena until the program ends; memory failure ends it at once.
 */
#ifndef PAGEGEN_H
#define PAGEGEN_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "out.h"
#include "str.h"
#include "words_file.h"

/* --- words ------------------------------------------------------------------------------------ */

struct pagegen_word {
	struct str key;	  /* "form.title" */
	struct str name;  /* "WORD_FORM_TITLE" */
	struct str holes; /* "n name" */
	struct str form[WORDS_FORMS];
	size_t line;
};

struct pagegen_words {
	struct str path;
	enum words_plural plural;
	struct pagegen_word *list;
	size_t list_n;
};

/* --- templates -------------------------------------------------------------------------------- */

enum pagegen_language { PAGEGEN_HTML, PAGEGEN_JSON, PAGEGEN_XML, PAGEGEN_TXT, PAGEGEN_LANGUAGES };

enum pagegen_tag {
	PAGEGEN_LITERAL, /* text of the template itself */
	PAGEGEN_HOLE,	 /* {{name type}} */
	PAGEGEN_ROWS,	 /* {{#rows}} */
	PAGEGEN_IF,	 /* {{?flag}} */
	PAGEGEN_UNLESS,	 /* {{^flag}} */
	PAGEGEN_CLOSE,	 /* {{/name}} */
	PAGEGEN_PART,	 /* {{>part rows}} */
	PAGEGEN_WORDS,	 /* {{"key" hole hole=field}} */
	PAGEGEN_COMMA,	 /* {{,}} */
	PAGEGEN_COMMENT	 /* {{! text }} */
};

struct pagegen_piece {
	enum pagegen_tag tag;
	struct str text; /* the literal; or what stands in the braces, without the sign and trimmed */
	size_t line;
};

enum pagegen_kind {
	PAGEGEN_NEW,	/* nothing is said of it yet */
	PAGEGEN_TESTED, /* only {{?name}} so far; a flag, if nothing else is said of it */
	PAGEGEN_STRING,
	PAGEGEN_INTEGER,
	PAGEGEN_READY, /* ready HTML */
	PAGEGEN_FLAG,
	PAGEGEN_SECTION,
	PAGEGEN_OTHER /* rows of another template */
};

struct pagegen_template;

/* A struct in the generated header. */
struct pagegen_type {
	struct str name; /* "page_thread_rows" */
	struct pagegen_field *first;
	struct pagegen_field *last;
	struct pagegen_type *next; /* in the order in which C wants them: inner ones first */
};

struct pagegen_field {
	struct str name;
	enum pagegen_kind kind;
	struct pagegen_type *rows;	     /* of a SECTION */
	const struct pagegen_template *part; /* of OTHER */
	size_t line;			     /* where it was first named */
	struct pagegen_field *next;
};

/* What names belong to: the page, or one section of rows around the place. */
struct pagegen_frame {
	struct pagegen_type *type;
	struct pagegen_frame *around;
	unsigned depth; /* 0 is the page */
	bool used;	/* the generated code needs the row */
};

struct pagegen_place {
	struct pagegen_frame *frame;
	struct pagegen_field *field;
};

/* What fills one hole of a word. */
struct pagegen_filling {
	struct str hole;
	struct pagegen_place place;
	struct pagegen_filling *next;
};

struct pagegen_node {
	enum pagegen_tag tag;
	struct str text;	    /* LITERAL */
	struct pagegen_place place; /* HOLE, ROWS, IF, UNLESS, PART */
	const char *escape;	    /* HOLE, WORDS: the function of out.h */
	struct pagegen_frame *row;  /* ROWS: the frame inside; COMMA, PART: the one around */
	const struct pagegen_word *word;
	struct pagegen_filling *fillings;
	struct pagegen_node *next;
};

struct pagegen_template {
	struct str path; /* as given */
	struct str name; /* "thread_json": what the function is called behind page_ */
	enum pagegen_language language;
	struct str source;
	struct str comment; /* STR_NONE: none */
	struct pagegen_type *page;
	struct pagegen_type *types; /* the inner ones, innermost first */
	struct pagegen_node *first;
	struct pagegen_node *last;
	struct pagegen_frame *frame;
	const struct pagegen_template **parts; /* those it includes, each once */
	size_t parts_n;
	unsigned mark; /* for the search for circles */
};

struct pagegen {
	struct arena arena;
	size_t mistakes;
	struct pagegen_words words;
	struct pagegen_template *templates;
	size_t templates_n;
};

/* --- pagegen.c -------------------------------------------------------------------------------- */

/* Says `path:line: …` on standard error and counts a mistake. */
void pagegen_complain(struct pagegen *gen, struct str path, size_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Memory that is there, zeroed; or the end of the program. */
void *pagegen_alloc(struct pagegen *gen, size_t size);

/* A list of `n` things of `size` bytes, with room for one more behind them. */
void *pagegen_grow(struct pagegen *gen, void *list, size_t n, size_t size);

/* A letter followed by letters, digits and _, in lower case. */
bool pagegen_is_name(struct str s);

bool pagegen_is_space(char c);

/* Writes out->… to `OUTDIR/name`, or complains. */
void pagegen_save(struct pagegen *gen, const char *outdir, struct str name, const struct out *out);

/* A C string literal, broken behind line ends into several, each on a line of its own behind `indent`. */
void pagegen_put_literal(struct out *out, struct str s, const char *indent);

/* --- pagegen_words.c -------------------------------------------------------------------------- */

void pagegen_words_read(struct pagegen *gen, struct str path, struct str source);
const struct pagegen_word *pagegen_words_find(const struct pagegen *gen, struct str key);
bool pagegen_words_has_hole(const struct pagegen_word *word, struct str hole);
void pagegen_words_save(struct pagegen *gen, const char *outdir);

/* --- pagegen_scan.c --------------------------------------------------------------------------- */

/*
 * The pieces of a template in their order.  A line that holds nothing but section tags, comments and
 * parts has disappeared, with its line end.
 */
struct pagegen_piece *pagegen_scan(struct pagegen *gen, const struct pagegen_template *template, size_t *n);

/* --- pagegen_context.c ------------------------------------------------------------------------ */

enum { PAGEGEN_NAME_ROOM = 48 };

enum pagegen_where {
	PAGEGEN_IN_TEXT,
	PAGEGEN_IN_RCDATA, /* textarea, title: text in which markup means nothing */
	PAGEGEN_IN_TAG,	   /* between attributes */
	PAGEGEN_IN_VALUE,  /* a double-quoted attribute value */
	PAGEGEN_IN_URL	   /* one whose attribute's name says URL */
};

struct pagegen_context {
	enum pagegen_language language;
	int state;
	char tag[PAGEGEN_NAME_ROOM]; /* cut short when longer; no name that matters is */
	char attribute[PAGEGEN_NAME_ROOM];
	bool closing;	  /* in an end tag */
	bool begins;	  /* in a value: nothing stands before, on any path through the sections */
	bool needs_space; /* in a tag: an attribute may not begin right here */
	bool cut;	  /* the literal ended in the middle of what begins or ends markup */
	char last;	  /* JSON: what stands before, but for white space; 'v' for a value */
	unsigned tags;	  /* counted, to tell one from the next */
	unsigned attributes;
};

void pagegen_context_init(struct pagegen_context *context, enum pagegen_language language);

/*
 * Walks one step on in a literal: returns how many bytes were taken (at least 1), and in *wrong NULL
 * or what may not stand there.
 */
size_t pagegen_context_step(struct pagegen_context *context, struct str rest, const char **wrong);

/* Where a {{…}} would stand now: NULL, or why none may stand here.  Ends a tag's or attribute's name. */
const char *pagegen_context_where(struct pagegen_context *context, enum pagegen_where *where);

/* A hole, word or part was written here; in JSON: NULL, or why no value may stand here. */
const char *pagegen_context_filled(struct pagegen_context *context);

/* A section that opened in `open` closes here: NULL, or why it may not; then both paths are merged. */
const char *pagegen_context_merge(struct pagegen_context *context, const struct pagegen_context *open);

/* The template ends here: NULL, or why it may not. */
const char *pagegen_context_end(const struct pagegen_context *context);

/* --- pagegen_parse.c -------------------------------------------------------------------------- */

void pagegen_parse(struct pagegen *gen, struct pagegen_template *template);

/* --- pagegen_emit.c --------------------------------------------------------------------------- */

void pagegen_emit(struct pagegen *gen, const char *outdir, const struct pagegen_template *template);

#endif
