#include "pagegen.h"

struct scan {
	struct pagegen *gen;
	const struct pagegen_template *template;
	struct str source;
	struct pagegen_piece *pieces;
	size_t pieces_n;
	size_t at;   /* how far pieces were made */
	size_t line; /* the line of `at` */
};

static bool
tag_at(const struct scan *scan, size_t at)
{
	return str_starts(str_sub(scan->source, at, 2), STR("{{"));
}

/* Where the tag that begins at `at` ends, behind its braces; the end of the source if it is not closed. */
static size_t
tag_end(const struct scan *scan, size_t at)
{
	struct str rest = str_sub(scan->source, at + 2, scan->source.len);
	size_t inside = str_search(rest, STR("}}"));
	return inside == rest.len ? scan->source.len : at + 2 + inside + 2;
}

/* In JSON an object may begin with a section: the first brace of three is text there. */
static bool
brace_at(const struct scan *scan, size_t at)
{
	return scan->template->language == PAGEGEN_JSON &&
	    str_starts(str_sub(scan->source, at, 3), STR("{{{"));
}

static enum pagegen_tag
tag_of(char sign)
{
	switch (sign) {
	case '#':
		return PAGEGEN_ROWS;
	case '?':
		return PAGEGEN_IF;
	case '^':
		return PAGEGEN_UNLESS;
	case '/':
		return PAGEGEN_CLOSE;
	case '>':
		return PAGEGEN_PART;
	case '"':
		return PAGEGEN_WORDS;
	case ',':
		return PAGEGEN_COMMA;
	case '!':
		return PAGEGEN_COMMENT;
	default:
		return PAGEGEN_HOLE;
	}
}

/* Tags that print nothing themselves, so that a line of nothing else is no line of the page. */
static bool
is_quiet(const struct scan *scan, size_t at)
{
	switch (tag_of(at + 2 < scan->source.len ? scan->source.at[at + 2] : ' ')) {
	case PAGEGEN_ROWS:
	case PAGEGEN_IF:
	case PAGEGEN_UNLESS:
	case PAGEGEN_CLOSE:
	case PAGEGEN_PART:
	case PAGEGEN_COMMENT:
		return true;
	default:
		return false;
	}
}

/*
 * The line (with the further lines that its tags reach into) that begins at `at`: its end, behind the
 * line feed, and whether it holds quiet tags and white space only.
 */
static size_t
line_end(const struct scan *scan, size_t at, bool *quiet)
{
	bool tags = false;
	bool others = false;
	while (at < scan->source.len && scan->source.at[at] != '\n') {
		if (tag_at(scan, at) && !brace_at(scan, at)) {
			tags = tags || is_quiet(scan, at);
			others = others || !is_quiet(scan, at);
			at = tag_end(scan, at);
		} else {
			others = others || !pagegen_is_space(scan->source.at[at]);
			at++;
		}
	}
	*quiet = tags && !others;
	return at < scan->source.len ? at + 1 : at;
}

static void
add_piece(struct scan *scan, enum pagegen_tag tag, struct str text, size_t line)
{
	scan->pieces = pagegen_grow(scan->gen, scan->pieces, scan->pieces_n, sizeof *scan->pieces);
	scan->pieces[scan->pieces_n++] = (struct pagegen_piece){tag, text, line};
}

/* Moves on to `end`, counting lines. */
static void
pass(struct scan *scan, size_t end)
{
	for (; scan->at < end; scan->at++)
		if (scan->source.at[scan->at] == '\n')
			scan->line++;
}

static void
add_tag(struct scan *scan)
{
	size_t end = tag_end(scan, scan->at);
	struct str written = str_sub(scan->source, scan->at, end - scan->at);
	if (str_ends(written, STR("}}")) && written.len >= 4) {
		struct str inside = str_sub(written, 2, written.len - 4);
		enum pagegen_tag tag = tag_of(inside.len > 0 ? inside.at[0] : ' ');
		size_t sign = tag == PAGEGEN_HOLE ? 0 : 1;
		add_piece(scan, tag, str_trim(str_sub(inside, sign, inside.len)), scan->line);
	} else {
		pagegen_complain(scan->gen, scan->template->path, scan->line, "{{ is not closed by }}");
	}
	pass(scan, end);
}

static void
add_line(struct scan *scan, size_t end, bool quiet)
{
	while (scan->at < end) {
		size_t at = scan->at;
		while (at < end && (!tag_at(scan, at) || brace_at(scan, at)))
			at++;
		if (!quiet && at > scan->at)
			add_piece(scan, PAGEGEN_LITERAL, str_sub(scan->source, scan->at, at - scan->at),
			    scan->line);
		pass(scan, at);
		if (at < end)
			add_tag(scan);
	}
}

struct pagegen_piece *
pagegen_scan(struct pagegen *gen, const struct pagegen_template *template, size_t *n)
{
	struct scan scan = {.gen = gen, .template = template, .source = template->source, .line = 1};
	while (scan.at < scan.source.len) {
		bool quiet;
		size_t end = line_end(&scan, scan.at, &quiet);
		add_line(&scan, end, quiet);
	}
	*n = scan.pieces_n;
	return scan.pieces;
}
