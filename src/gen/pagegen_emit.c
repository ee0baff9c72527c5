#include "pagegen.h"

enum {
	LITERAL_LIMIT = 3000 /* a longer one is written in several: C11 5.2.4.1 asks of a compiler no more than 4095 */
};

struct emit {
	struct pagegen *gen;
	const struct pagegen_template *template;
	struct out out;
	unsigned depth; /* of indentation */
};

/* --- the header ------------------------------------------------------------------------------- */

static void
put_field(struct out *out, const struct pagegen_field *field)
{
	static const char *const types[] = {
	    [PAGEGEN_NEW] = "bool",
	    [PAGEGEN_TESTED] = "bool",
	    [PAGEGEN_STRING] = "struct str",
	    [PAGEGEN_INTEGER] = "int64_t",
	    [PAGEGEN_READY] = "struct html",
	    [PAGEGEN_FLAG] = "bool",
	};
	struct str rows = STR_NONE;
	if (field->kind == PAGEGEN_SECTION)
		rows = field->rows->name;
	else if (field->kind == PAGEGEN_OTHER)
		rows = field->part->page->name;
	if (rows.at == NULL)
		out_format(out, "\t%s %.*s;\n", types[field->kind], STR_FMT(field->name));
	else
		out_format(out, "\tstruct %.*s *%.*s;\n\tsize_t %.*s_n;\n", STR_FMT(rows),
		    STR_FMT(field->name), STR_FMT(field->name));
}

static void
put_type(struct out *out, const struct pagegen_type *type)
{
	out_format(out, "struct %.*s {\n", STR_FMT(type->name));
	for (const struct pagegen_field *field = type->first; field != NULL; field = field->next)
		put_field(out, field);
	if (type->first == NULL)
		out_put(
		    out, STR("\tchar nothing; /* the template has no fields, and C no empty structs */\n"));
	out_put(out, STR("};\n\n"));
}

static void
put_signature(struct out *out, const struct pagegen_template *template)
{
	struct str name = template->page->name;
	out_format(out, "%.*s(struct out *out, const struct words *words, const struct %.*s *page)",
	    STR_FMT(name), STR_FMT(name));
}

static void
put_guard(struct out *out, struct str name)
{
	out_put(out, STR("PAGE_"));
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		out_byte(out, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
	}
	out_put(out, STR("_H\n"));
}

static void
put_made_by(struct out *out, const struct pagegen_template *template)
{
	out_format(out, "/* Made by pagegen from %.*s; change that. */\n", STR_FMT(template->path));
}

/* The template's first comment, each line of it behind ` * `. */
static void
put_comment(struct out *out, const struct pagegen_template *template)
{
	if (template->comment.at == NULL)
		return;
	struct str rest = template->comment;
	bool lines = str_has(rest, '\n');
	out_put(out, lines ? STR("/*\n") : STR("/* "));
	while (rest.at != NULL) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		out_format(
		    out, lines ? " *%s%.*s\n" : "%s%.*s", lines && line.len > 0 ? " " : "", STR_FMT(line));
	}
	out_put(out, STR(" */\n"));
}

static void
save(struct emit *emit, const char *outdir, const char *extension)
{
	struct str name =
	    str_format(&emit->gen->arena, "page/%.*s%s", STR_FMT(emit->template->name), extension);
	pagegen_save(emit->gen, outdir, name, &emit->out);
}

static void
save_header(struct emit *emit, const char *outdir)
{
	struct out *out = &emit->out;
	const struct pagegen_template *template = emit->template;
	out_init(out, &emit->gen->arena);
	put_made_by(out, template);
	out_put(out, STR("#ifndef "));
	put_guard(out, template->name);
	out_put(out, STR("#define "));
	put_guard(out, template->name);
	out_put(out,
	    STR("\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
		"#include \"html.h\"\n#include \"out.h\"\n#include \"str.h\"\n#include \"words.h\"\n"));
	for (size_t i = 0; i < template->parts_n; i++)
		if (template->parts[i] != template)
			out_format(out, "#include \"page/%.*s.h\"\n", STR_FMT(template->parts[i]->name));
	out_byte(out, '\n');
	for (const struct pagegen_type *type = template->types; type != NULL; type = type->next)
		put_type(out, type);
	put_type(out, template->page);
	put_comment(out, template);
	out_put(out, STR("void "));
	put_signature(out, template);
	out_put(out, STR(";\n\n#endif\n"));
	save(emit, outdir, ".h");
}

/* --- expressions ------------------------------------------------------------------------------ */

static void
indent(struct emit *emit)
{
	for (unsigned i = 0; i < emit->depth; i++)
		out_byte(&emit->out, '\t');
}

/* Names of the loop around: row, i; row_2, i_2 for one inside it. */
static void
put_numbered(struct out *out, const char *name, unsigned depth)
{
	out_put(out, str_from(name));
	if (depth > 1)
		out_format(out, "_%u", depth);
}

static void
put_place(struct out *out, const struct pagegen_place *place)
{
	if (place->frame->depth == 0)
		out_put(out, STR("page"));
	else
		put_numbered(out, "row", place->frame->depth);
	out_format(out, "->%.*s", STR_FMT(place->field->name));
}

/* The field as a string. */
static void
put_string(struct out *out, const struct pagegen_place *place)
{
	put_place(out, place);
	if (place->field->kind == PAGEGEN_READY)
		out_put(out, STR(".markup"));
}

static void
put_condition(struct out *out, const struct pagegen_place *place, bool positive)
{
	const char *number = NULL; /* what counts how much there is */
	if (place->field->kind == PAGEGEN_STRING)
		number = ".len";
	else if (place->field->kind == PAGEGEN_READY)
		number = ".markup.len";
	else if (place->field->kind == PAGEGEN_SECTION || place->field->kind == PAGEGEN_OTHER)
		number = "_n";
	if (number == NULL && !positive)
		out_byte(out, '!');
	put_place(out, place);
	if (number != NULL)
		out_format(out, "%s %s 0", number, positive ? ">" : "==");
}

/* --- statements ------------------------------------------------------------------------------- */

static void
put_piece(struct emit *emit, struct str piece)
{
	struct str pad = STR_NONE;
	for (unsigned i = 0; i < emit->depth; i++)
		pad = str_join(&emit->gen->arena, pad, STR("\t"));
	pad = str_join(&emit->gen->arena, pad, STR("             ")); /* below the first quote */
	indent(emit);
	out_put(&emit->out, STR("out_put(out, STR("));
	pagegen_put_literal(&emit->out, piece, pad.at == NULL ? "" : pad.at);
	out_put(&emit->out, STR("));\n"));
}

/* Up to the limit, if need be, but rather to the end of a line, and never into a character. */
static size_t
piece_of(struct str text)
{
	if (text.len <= LITERAL_LIMIT)
		return text.len;
	for (size_t len = LITERAL_LIMIT; len > 0; len--)
		if (text.at[len - 1] == '\n')
			return len;
	size_t len = LITERAL_LIMIT;
	while (len > 1 && ((unsigned char)text.at[len] & 0xc0U) == 0x80U)
		len--;
	return len;
}

/* Consecutive literals as one; returns the last of them. */
static const struct pagegen_node *
emit_literal(struct emit *emit, const struct pagegen_node *node)
{
	struct str text = node->text;
	while (node->next != NULL && node->next->tag == PAGEGEN_LITERAL) {
		node = node->next;
		text = str_join(&emit->gen->arena, text, node->text);
	}
	while (text.len > 0) {
		size_t len = piece_of(text);
		put_piece(emit, str_sub(text, 0, len));
		text = str_sub(text, len, text.len);
	}
	return node;
}

static void
emit_hole(struct emit *emit, const struct pagegen_node *node)
{
	struct out *out = &emit->out;
	indent(emit);
	if (node->place.field->kind == PAGEGEN_INTEGER) {
		out_put(out, STR("out_integer(out, "));
		put_place(out, &node->place);
		out_put(out, STR(");\n"));
	} else if (node->place.field->kind == PAGEGEN_FLAG) {
		out_put(out, STR("out_put(out, "));
		put_place(out, &node->place);
		out_put(out, STR(" ? STR(\"true\") : STR(\"false\"));\n"));
	} else {
		bool json = emit->template->language == PAGEGEN_JSON;
		out_format(out, "%s(out, ", json ? "put_value" : node->escape);
		put_string(out, &node->place);
		out_put(out, STR(");\n"));
	}
}

static void
emit_filling(struct emit *emit, const struct pagegen_filling *filling)
{
	bool number = filling->place.field->kind == PAGEGEN_INTEGER;
	indent(emit);
	out_format(&emit->out, "\t\t{.name = STR_INIT(\"%.*s\"), .%s = ", STR_FMT(filling->hole),
	    number ? "n" : "text");
	put_place(&emit->out, &filling->place);
	out_put(&emit->out, STR("},\n"));
}

static void
emit_words(struct emit *emit, const struct pagegen_node *node)
{
	struct out *out = &emit->out;
	size_t n = 0;
	for (const struct pagegen_filling *f = node->fillings; f != NULL; f = f->next)
		n++;
	indent(emit);
	if (n == 0) {
		out_format(out, "words_write(out, words, %.*s, NULL, 0, %s);\n", STR_FMT(node->word->name),
		    node->escape);
		return;
	}
	out_put(out, STR("{\n"));
	indent(emit);
	out_put(out, STR("\tconst struct word_hole holes[] = {\n"));
	for (const struct pagegen_filling *f = node->fillings; f != NULL; f = f->next)
		emit_filling(emit, f);
	indent(emit);
	out_put(out, STR("\t};\n"));
	indent(emit);
	out_format(out, "\twords_write(out, words, %.*s, holes, %zu, %s);\n", STR_FMT(node->word->name), n,
	    node->escape);
	indent(emit);
	out_put(out, STR("}\n"));
}

static void
emit_loop(struct emit *emit, const struct pagegen_place *rows, unsigned depth)
{
	struct out *out = &emit->out;
	indent(emit);
	out_put(out, STR("for (size_t "));
	put_numbered(out, "i", depth);
	out_put(out, STR(" = 0; "));
	put_numbered(out, "i", depth);
	out_put(out, STR(" < "));
	put_place(out, rows);
	out_put(out, STR("_n; "));
	put_numbered(out, "i", depth);
	out_put(out, STR("++) {\n"));
	emit->depth++;
}

static void
emit_rows(struct emit *emit, const struct pagegen_node *node)
{
	struct out *out = &emit->out;
	emit_loop(emit, &node->place, node->row->depth);
	if (!node->row->used)
		return;
	indent(emit);
	out_format(out, "const struct %.*s *", STR_FMT(node->place.field->rows->name));
	put_numbered(out, "row", node->row->depth);
	out_put(out, STR(" = &"));
	put_place(out, &node->place);
	out_byte(out, '[');
	put_numbered(out, "i", node->row->depth);
	out_put(out, STR("];\n"));
}

static void
emit_if(struct emit *emit, const struct pagegen_node *node)
{
	indent(emit);
	out_put(&emit->out, STR("if ("));
	put_condition(&emit->out, &node->place, node->tag == PAGEGEN_IF);
	out_put(&emit->out, STR(") {\n"));
	emit->depth++;
}

static void
emit_close(struct emit *emit)
{
	emit->depth--;
	indent(emit);
	out_put(&emit->out, STR("}\n"));
}

static void
emit_comma(struct emit *emit, unsigned depth)
{
	indent(emit);
	out_put(&emit->out, STR("if ("));
	put_numbered(&emit->out, "i", depth);
	out_put(&emit->out, STR(" > 0)\n\t"));
	indent(emit);
	out_put(&emit->out, STR("out_byte(out, ',');\n"));
}

/* A JSON part is one value, and its rows are an array's; so commas stand between them. */
static void
emit_part(struct emit *emit, const struct pagegen_node *node)
{
	struct out *out = &emit->out;
	unsigned depth = node->row->depth + 1;
	emit_loop(emit, &node->place, depth);
	if (emit->template->language == PAGEGEN_JSON)
		emit_comma(emit, depth);
	indent(emit);
	out_format(out, "%.*s(out, words, &", STR_FMT(node->place.field->part->page->name));
	put_place(out, &node->place);
	out_byte(out, '[');
	put_numbered(out, "i", depth);
	out_put(out, STR("]);\n"));
	emit_close(emit);
}

/* Returns the last node that was written. */
static const struct pagegen_node *
emit_node(struct emit *emit, const struct pagegen_node *node)
{
	switch (node->tag) {
	case PAGEGEN_LITERAL:
		return emit_literal(emit, node);
	case PAGEGEN_HOLE:
		emit_hole(emit, node);
		break;
	case PAGEGEN_WORDS:
		emit_words(emit, node);
		break;
	case PAGEGEN_ROWS:
		emit_rows(emit, node);
		break;
	case PAGEGEN_IF:
	case PAGEGEN_UNLESS:
		emit_if(emit, node);
		break;
	case PAGEGEN_CLOSE:
		emit_close(emit);
		break;
	case PAGEGEN_PART:
		emit_part(emit, node);
		break;
	case PAGEGEN_COMMA:
		emit_comma(emit, node->row->depth);
		break;
	case PAGEGEN_COMMENT:
		break;
	}
	return node;
}

/* --- the source ------------------------------------------------------------------------------- */

static bool
has_output(const struct pagegen_template *template)
{
	for (const struct pagegen_node *node = template->first; node != NULL; node = node->next)
		if (node->tag == PAGEGEN_LITERAL || node->tag == PAGEGEN_HOLE || node->tag == PAGEGEN_WORDS ||
		    node->tag == PAGEGEN_PART || node->tag == PAGEGEN_COMMA)
			return true;
	return false;
}

static bool
has_strings(const struct pagegen_template *template)
{
	for (const struct pagegen_node *node = template->first; node != NULL; node = node->next)
		if (node->tag == PAGEGEN_HOLE &&
		    (node->place.field->kind == PAGEGEN_STRING || node->place.field->kind == PAGEGEN_READY))
			return true;
	return false;
}

static bool
has_words(const struct pagegen_template *template)
{
	for (const struct pagegen_node *node = template->first; node != NULL; node = node->next)
		if (node->tag == PAGEGEN_WORDS || node->tag == PAGEGEN_PART)
			return true;
	return false;
}

static void
put_start(struct emit *emit)
{
	struct out *out = &emit->out;
	const struct pagegen_template *template = emit->template;
	put_made_by(out, template);
	out_format(out, "#include \"page/%.*s.h\"\n\n", STR_FMT(template->name));
	if (template->language == PAGEGEN_JSON && has_strings(template))
		out_put(out,
		    STR("/* A string, or null when it is not there. */\n"
			"static void\nput_value(struct out *out, struct str s)\n{\n"
			"\tif (s.at == NULL)\n\t\tout_put(out, STR(\"null\"));\n"
			"\telse\n\t\tout_json(out, s);\n}\n\n"));
	out_put(out, STR("void\n"));
	put_signature(out, template);
	out_put(out, STR("\n{\n"));
	if (!has_output(template))
		out_put(out, STR("\t(void)out;\n"));
	if (!has_words(template))
		out_put(out, STR("\t(void)words;\n"));
	if (!template->frame->used)
		out_put(out, STR("\t(void)page;\n"));
}

void
pagegen_emit(struct pagegen *gen, const char *outdir, const struct pagegen_template *template)
{
	struct emit emit = {.gen = gen, .template = template, .depth = 1};
	save_header(&emit, outdir);
	out_init(&emit.out, &gen->arena);
	put_start(&emit);
	for (const struct pagegen_node *node = template->first; node != NULL; node = node->next)
		node = emit_node(&emit, node);
	out_put(&emit.out, STR("}\n"));
	save(&emit, outdir, ".c");
}
