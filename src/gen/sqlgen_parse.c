#include "sqlgen.h"

#include <string.h>

struct reader {
	struct gen *gen;
	struct source *source;
	struct str rest; /* from the beginning of a line */
	size_t line;	 /* its number */
};

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Keywords of C that somebody might name a column by; the compiler would not say which line. */
static bool
is_keyword(struct str s)
{
	static const char *const keywords[] = {"auto", "break", "case", "char", "const", "continue",
	    "default", "do", "double", "else", "enum", "extern", "float", "for", "goto", "if", "inline",
	    "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
	    "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool", "true", "false"};
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		if (str_eq(s, str_from(keywords[i])))
			return true;
	}
	return false;
}

bool
is_identifier(struct str s)
{
	if (s.len == 0 || !is_letter(s.at[0]) || is_keyword(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_letter(s.at[i]) && !is_digit(s.at[i]))
			return false;
	}
	return true;
}

size_t
lines_before(struct str text, size_t offset)
{
	size_t n = 0;
	for (size_t i = 0; i < offset && i < text.len; i++)
		n += text.at[i] == '\n';
	return n;
}

/* --- tokens of SQL ---------------------------------------------------------------------------- */

static size_t
quoted_end(struct str s)
{
	char end = s.at[0] == '[' ? ']' : s.at[0];
	size_t i = 1;
	while (i < s.len && s.at[i] != end)
		i++;
	return i < s.len ? i + 1 : i;
}

/* Bytes of white space and comments at the beginning. */
static size_t
blank_end(struct str s)
{
	size_t i = 0;
	while (i < s.len) {
		struct str here = str_sub(s, i, s.len);
		if (str_has(STR(" \t\r\n"), here.at[0])) {
			i++;
		} else if (str_starts(here, STR("--"))) {
			i += str_find(here, '\n');
		} else if (str_starts(here, STR("/*"))) {
			size_t end = 2 + str_search(str_sub(here, 2, here.len), STR("*/"));
			i += end < here.len ? end + 2 : here.len;
		} else {
			break;
		}
	}
	return i;
}

struct str
sql_token(struct str *rest)
{
	struct str s = str_sub(*rest, blank_end(*rest), rest->len);
	if (s.len == 0) {
		*rest = STR_NONE;
		return STR_NONE;
	}
	size_t len = 1;
	if (str_has(STR("'\"`["), s.at[0])) {
		len = quoted_end(s);
	} else if (is_letter(s.at[0]) || is_digit(s.at[0])) {
		while (len < s.len && (is_letter(s.at[len]) || is_digit(s.at[len])))
			len++;
	}
	*rest = str_sub(s, len, s.len);
	return str_sub(s, 0, len);
}

/* Up to and with the first `;`, or 0 when there is none. */
static size_t
statement_end(struct str text)
{
	struct str rest = text;
	for (struct str token = sql_token(&rest); token.at != NULL; token = sql_token(&rest)) {
		if (str_eq(token, STR(";")))
			return (size_t)(token.at - text.at) + 1;
	}
	return 0;
}

/* --- heads ------------------------------------------------------------------------------------ */

static struct str
line_now(const struct reader *reader)
{
	return str_sub(reader->rest, 0, str_find(reader->rest, '\n'));
}

static void
line_next(struct reader *reader)
{
	reader->rest = str_sub(reader->rest, str_find(reader->rest, '\n') + 1, reader->rest.len);
	reader->line++;
}

static bool
is_comment(struct str line)
{
	return str_starts(line, STR("--"));
}

/* `-- name: sentence` */
static bool
is_title(struct str line)
{
	if (!str_starts(line, STR("-- ")))
		return false;
	struct str text = str_sub(line, 3, line.len);
	struct str name = str_sub(text, 0, str_find(text, ':'));
	return name.len < text.len && is_identifier(name) && !str_eq(name, STR("scan"));
}

static struct kind
kind_of(struct str word)
{
	struct kind kind = {TYPE_NONE, str_ends(word, STR("?"))};
	if (kind.optional)
		word.len--;
	if (str_eq(word, STR("integer")))
		kind.type = TYPE_INTEGER;
	else if (str_eq(word, STR("text")))
		kind.type = TYPE_TEXT;
	else if (str_eq(word, STR("blob")))
		kind.type = TYPE_BLOB;
	return kind;
}

static bool
declared(const struct fields *fields, struct str name)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (str_eq(fields->at[i].name, name))
			return true;
	}
	return false;
}

/* `in NAME TYPE` or `out NAME TYPE`, of which `text` is what stands behind the first word. */
static void
parse_declaration(struct reader *reader, struct fields *fields, struct str text)
{
	const char *path = reader->source->path;
	struct str name = str_cut(&text, ' ');
	struct kind kind = kind_of(str_trim(text));
	if (fields->at == NULL)
		fields->at = arena_array(&reader->gen->arena, DECLARATIONS_MOST, sizeof *fields->at);
	if (!is_identifier(name) || kind.type == TYPE_NONE)
		mistake(reader->gen, path, reader->line,
		    "a declaration is a name and one of integer, text, blob, with ? when it may be NULL");
	else if (declared(fields, name))
		mistake(reader->gen, path, reader->line, "%.*s is declared twice", STR_FMT(name));
	else if (fields->at == NULL || fields->n == DECLARATIONS_MOST)
		mistake(reader->gen, path, reader->line, "more than %d declarations", DECLARATIONS_MOST);
	else
		fields->at[fields->n++] = (struct field){name, kind, reader->line, false};
}

static void
parse_rows(struct reader *reader, struct query *query, enum rows rows)
{
	if (query->rows != ROWS_NONE)
		mistake(
		    reader->gen, reader->source->path, reader->line, "a query has one line `one` or `many`");
	query->rows = rows;
}

static void
parse_scan(struct reader *reader, struct query *query, struct str why)
{
	if (query->scan_line != 0)
		mistake(reader->gen, reader->source->path, reader->line, "a query has one line `scan:`");
	else if (str_trim(why).len == 0)
		mistake(reader->gen, reader->source->path, reader->line, "`scan:` must say why");
	query->scan_line = reader->line;
}

/* One line behind the title. */
static void
parse_head_line(struct reader *reader, struct query *query)
{
	struct str line = str_trim(line_now(reader));
	struct str text = str_sub(line, 2, line.len);
	if (str_starts(text, STR(" in ")))
		parse_declaration(reader, &query->in_declared, str_sub(text, 4, text.len));
	else if (str_starts(text, STR(" out ")))
		parse_declaration(reader, &query->out_declared, str_sub(text, 5, text.len));
	else if (str_starts(text, STR(" scan:")))
		parse_scan(reader, query, str_sub(text, 6, text.len));
	else if (str_eq(text, STR(" one")))
		parse_rows(reader, query, ROWS_ONE);
	else if (str_eq(text, STR(" many")))
		parse_rows(reader, query, ROWS_MANY);
	else if (str_starts(text, STR("  ")))
		query->sentence = str_format(
		    &reader->gen->arena, "%.*s\n%.*s", STR_FMT(query->sentence), STR_FMT(str_trim(text)));
	else
		mistake(reader->gen, reader->source->path, reader->line,
		    "a head line is `one`, `many`, `in NAME TYPE`, `out NAME TYPE` or `scan: why`, not "
		    "`%.*s`",
		    STR_FMT(str_trim(text)));
}

static struct query *
parse_title(struct reader *reader)
{
	struct query *query = arena_alloc(&reader->gen->arena, sizeof *query);
	if (query == NULL)
		return NULL;
	struct str text = str_trim(str_sub(line_now(reader), 3, reader->rest.len));
	query->name = str_cut(&text, ':');
	query->sentence = str_trim(text);
	query->line = reader->line;
	if (query->sentence.len == 0)
		mistake(reader->gen, reader->source->path, reader->line, "%.*s has no sentence",
		    STR_FMT(query->name));
	line_next(reader);
	return query;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Behind the statement's `;` only a comment may stand on its line, and then the next head. */
static void
parse_behind(struct reader *reader, const struct query *query)
{
	struct str line = str_trim(line_now(reader));
	bool second = line.len > 0 && !is_comment(line);
	line_next(reader);
	while (!second && reader->rest.len > 0 && str_trim(line_now(reader)).len == 0)
		line_next(reader);
	if (second || (reader->rest.len > 0 && !is_comment(line_now(reader))))
		mistake(reader->gen, reader->source->path, reader->line - second,
		    "a second statement behind %.*s: a block has one", STR_FMT(query->name));
}

/* To the next line that looks like a head, after a mistake that leaves the structure unclear. */
static void
skip_to_title(struct reader *reader)
{
	while (reader->rest.len > 0 && !is_title(line_now(reader)))
		line_next(reader);
}

/* Up to the next head, which SQL would take for a comment. */
static struct str
block_text(const struct reader *reader)
{
	struct reader ahead = *reader;
	skip_to_title(&ahead);
	return str_sub(reader->rest, 0, reader->rest.len - ahead.rest.len);
}

static bool
parse_statement(struct reader *reader, struct query *query)
{
	struct str text = block_text(reader);
	size_t blank = blank_end(text);
	size_t end = statement_end(text);
	query->sql_line = reader->line + lines_before(text, blank);
	query->sql = str_trim(str_sub(text, blank, end == 0 ? 0 : end - 1 - blank));
	if (end == 0 || query->sql.len == 0) {
		mistake(reader->gen, reader->source->path, query->line,
		    "%.*s has no statement that ends in `;`", STR_FMT(query->name));
		return false;
	}
	if (end >= LITERAL_MOST - 256)
		mistake(
		    reader->gen, reader->source->path, query->line, "%.*s is too long", STR_FMT(query->name));
	reader->line += lines_before(reader->rest, end);
	reader->rest = str_sub(reader->rest, end, reader->rest.len);
	parse_behind(reader, query);
	skip_to_title(reader);
	return true;
}

static bool
parse_block(struct reader *reader, struct query *query)
{
	while (reader->rest.len > 0 && is_comment(line_now(reader)) && !is_title(line_now(reader))) {
		parse_head_line(reader, query);
		line_next(reader);
	}
	if (reader->rest.len > 0 && !is_title(line_now(reader)) && parse_statement(reader, query))
		return true;
	if (query->sql.len == 0 && query->sql_line == 0)
		mistake(reader->gen, reader->source->path, query->line, "%.*s has no statement",
		    STR_FMT(query->name));
	skip_to_title(reader);
	return false;
}

/* Comments before the first head speak of the file as a whole. */
static void
skip_preface(struct reader *reader)
{
	bool complained = false;
	while (reader->rest.len > 0 && !is_title(line_now(reader))) {
		struct str line = str_trim(line_now(reader));
		if (line.len > 0 && !is_comment(line) && !complained) {
			mistake(reader->gen, reader->source->path, reader->line,
			    "a statement without a head `-- name: what it does`");
			complained = true;
		}
		line_next(reader);
	}
}

void
parse_queries(struct gen *gen, struct source *source)
{
	struct reader reader = {gen, source, source->text, 1};
	struct query **end = &source->queries;
	skip_preface(&reader);
	while (reader.rest.len > 0) {
		struct query *query = parse_title(&reader);
		if (query == NULL)
			return;
		if (!parse_block(&reader, query))
			continue;
		*end = query;
		end = &query->next;
	}
}

/* --- scripts ---------------------------------------------------------------------------------- */

/* A trigger has `;` inside: SQLite knows where it ends. */
static size_t
script_statement_end(struct gen *gen, struct str text)
{
	size_t end = 0;
	for (;;) {
		size_t more = statement_end(str_sub(text, end, text.len));
		if (more == 0)
			return 0;
		end += more;
		char *piece = str_c(&gen->arena, str_sub(text, 0, end));
		if (piece == NULL || sqlite3_complete(piece))
			return end;
	}
}

void
parse_script(struct gen *gen, const char *path, struct str text, struct script *script)
{
	size_t room = lines_before(text, text.len) + 1 + text.len / 8;
	script->statements = arena_array(&gen->arena, room, sizeof *script->statements);
	script->lines = arena_array(&gen->arena, room, sizeof *script->lines);
	struct str rest = str_sub(text, blank_end(text), text.len);
	while (rest.len > 0 && script->statements != NULL && script->lines != NULL) {
		size_t line = 1 + lines_before(text, (size_t)(rest.at - text.at));
		size_t end = script_statement_end(gen, rest);
		if (end == 0) {
			mistake(gen, path, line, "a statement must end in `;`");
			return;
		}
		if (end >= LITERAL_MOST - 256)
			mistake(gen, path, line, "a statement of more than %d bytes", LITERAL_MOST - 256);
		script->statements[script->n] = str_sub(rest, 0, end);
		script->lines[script->n++] = line;
		rest = str_sub(rest, end, rest.len);
		rest = str_sub(rest, blank_end(rest), rest.len);
	}
}
