#include "pagegen.h"

enum { SECTIONS_LIMIT = 32 };

struct section {
	enum pagegen_tag tag;
	struct str name; /* as written, "../flag" */
	size_t line;
	struct pagegen_context open; /* where it opened */
	struct pagegen_frame *row;   /* of ROWS */
};

struct parse {
	struct pagegen *gen;
	struct pagegen_template *template;
	struct pagegen_frame *frame;
	struct pagegen_context context;
	struct section sections[SECTIONS_LIMIT];
	size_t sections_n;
	struct section
	    closed; /* {{^x}} right behind {{/x}} begins where {{?x}} did; the tag is COMMENT if none */
	size_t line;
};

#define COMPLAIN(parse, ...) \
	pagegen_complain((parse)->gen, (parse)->template->path, (parse)->line, __VA_ARGS__)

static const char *const kind_names[] = {
    [PAGEGEN_NEW] = "nothing",
    [PAGEGEN_TESTED] = "a flag",
    [PAGEGEN_STRING] = "a string",
    [PAGEGEN_INTEGER] = "an integer",
    [PAGEGEN_READY] = "ready HTML",
    [PAGEGEN_FLAG] = "a flag",
    [PAGEGEN_SECTION] = "rows",
    [PAGEGEN_OTHER] = "rows of a part",
};

/* --- nodes and fields ------------------------------------------------------------------------- */

static struct pagegen_node *
add_node(struct parse *parse, enum pagegen_tag tag)
{
	struct pagegen_node *node = pagegen_alloc(parse->gen, sizeof *node);
	node->tag = tag;
	if (parse->template->last == NULL)
		parse->template->first = node;
	else
		parse->template->last->next = node;
	parse->template->last = node;
	return node;
}

static struct pagegen_field *
field_of(struct parse *parse, struct pagegen_type *type, struct str name)
{
	for (struct pagegen_field *field = type->first; field != NULL; field = field->next)
		if (str_eq(field->name, name))
			return field;
	struct pagegen_field *field = pagegen_alloc(parse->gen, sizeof *field);
	*field = (struct pagegen_field){.name = name, .kind = PAGEGEN_NEW, .line = parse->line};
	if (type->last == NULL)
		type->first = field;
	else
		type->last->next = field;
	type->last = field;
	return field;
}

/* Can `{{?name}}` ask whether there is one? */
static bool
is_testable(enum pagegen_kind kind)
{
	return kind != PAGEGEN_INTEGER;
}

/* The field has this kind from now on, if it can. */
static bool
take_kind(struct parse *parse, struct pagegen_field *field, enum pagegen_kind kind)
{
	bool testing = kind == PAGEGEN_TESTED;
	bool tested = field->kind == PAGEGEN_TESTED;
	if (field->kind == PAGEGEN_NEW || (tested && is_testable(kind)))
		field->kind = kind;
	if (field->kind == kind || (testing && is_testable(field->kind)))
		return true;
	COMPLAIN(parse, "%.*s is %s here and %s in line %zu", STR_FMT(field->name), kind_names[kind],
	    kind_names[field->kind], field->line);
	return false;
}

static bool
is_word_of_c(struct str s)
{
	static const char words[] = "auto break case char const continue default do double else enum extern "
				    "float for goto if inline int long register restrict return short signed "
				    "sizeof static struct switch typedef union unsigned void volatile while "
				    "bool true false asm typeof linux unix";
	struct str rest = str_from(words);
	while (rest.at != NULL)
		if (str_eq(str_cut(&rest, ' '), s))
			return true;
	return false;
}

/* The field that `../name` means here; false, with a complaint, when it cannot be of this kind. */
static bool
place_of(struct parse *parse, struct str written, enum pagegen_kind kind, struct pagegen_place *place)
{
	struct pagegen_frame *frame = parse->frame;
	struct str name = written;
	while (str_starts(name, STR("../"))) {
		name = str_sub(name, 3, name.len);
		frame = frame == NULL ? NULL : frame->around;
	}
	if (!pagegen_is_name(name) || is_word_of_c(name)) {
		COMPLAIN(parse, "`%.*s` is no name: lower-case letters, digits and _, and no word of C",
		    STR_FMT(written));
		return false;
	}
	if (frame == NULL) {
		COMPLAIN(parse, "%.*s leads out of the page: so many sections are not around it",
		    STR_FMT(written));
		return false;
	}
	struct pagegen_field *field = field_of(parse, frame->type, name);
	frame->used = true;
	*place = (struct pagegen_place){frame, field};
	return take_kind(parse, field, kind);
}

/* `rows` and `rows_n` are two members of one struct; so may not be a field that is called rows_n. */
static void
refuse_counts(struct parse *parse, const struct pagegen_type *type)
{
	for (const struct pagegen_field *rows = type->first; rows != NULL; rows = rows->next) {
		if (rows->kind != PAGEGEN_SECTION && rows->kind != PAGEGEN_OTHER)
			continue;
		for (const struct pagegen_field *field = type->first; field != NULL; field = field->next) {
			parse->line = field->line;
			if (str_starts(field->name, rows->name) && field->name.len == rows->name.len + 2 &&
			    str_ends(field->name, STR("_n")))
				COMPLAIN(parse, "%.*s is already the number of %.*s", STR_FMT(field->name),
				    STR_FMT(rows->name));
		}
	}
}

static bool
find_where(struct parse *parse, enum pagegen_where *where)
{
	const char *wrong = pagegen_context_where(&parse->context, where);
	if (wrong != NULL)
		COMPLAIN(parse, "%s", wrong);
	return wrong == NULL;
}

static void
note_filled(struct parse *parse)
{
	const char *wrong = pagegen_context_filled(&parse->context);
	if (wrong != NULL)
		COMPLAIN(parse, "%s", wrong);
	parse->closed.tag = PAGEGEN_COMMENT;
}

/* --- holes ------------------------------------------------------------------------------------ */

/* The function of out.h that escapes a string for here. */
static const char *
escape_for(const struct parse *parse, enum pagegen_where where)
{
	if (where == PAGEGEN_IN_URL)
		return parse->context.begins ? "out_url" : "out_url_part";
	static const char *const escapes[PAGEGEN_LANGUAGES] = {
	    [PAGEGEN_HTML] = "out_html",
	    [PAGEGEN_JSON] = "out_json",
	    [PAGEGEN_XML] = "out_xml",
	    [PAGEGEN_TXT] = "out_put",
	};
	return escapes[parse->template->language];
}

/* Ready HTML: as it is in HTML, as a string elsewhere; mail is no HTML. */
static const char *
escape_ready(struct parse *parse, enum pagegen_where where)
{
	if (where != PAGEGEN_IN_TEXT || parse->template->language == PAGEGEN_TXT)
		COMPLAIN(parse, "ready HTML stands in the text of HTML, JSON or XML only");
	return parse->template->language == PAGEGEN_HTML ? "out_put" : escape_for(parse, where);
}

static const char *
escape_path(struct parse *parse, enum pagegen_where where)
{
	if (where != PAGEGEN_IN_URL || parse->context.begins)
		COMPLAIN(parse, "a path stands in a URL attribute, behind its beginning");
	return "out_url_path";
}

/* What `{{name type}}` asks for, and how it is written here. */
static enum pagegen_kind
kind_of(struct parse *parse, struct str type, enum pagegen_where where, const char **escape)
{
	*escape = escape_for(parse, where);
	if (type.at == NULL)
		return PAGEGEN_STRING;
	if (str_eq(type, STR("integer")))
		return PAGEGEN_INTEGER;
	if (str_eq(type, STR("html"))) {
		*escape = escape_ready(parse, where);
		return PAGEGEN_READY;
	}
	if (str_eq(type, STR("path"))) {
		*escape = escape_path(parse, where);
		return PAGEGEN_STRING;
	}
	if (str_eq(type, STR("bool")) && parse->template->language == PAGEGEN_JSON)
		return PAGEGEN_FLAG;
	COMPLAIN(parse, "unknown type `%.*s`: it is integer, html, path, or in JSON bool", STR_FMT(type));
	return PAGEGEN_STRING;
}

/* The next word of `rest`, or STR_NONE. */
static struct str
next_word(struct str *rest)
{
	*rest = str_trim(*rest);
	if (rest->len == 0)
		return STR_NONE;
	size_t len = 0;
	while (len < rest->len && !pagegen_is_space(rest->at[len]))
		len++;
	struct str word = str_sub(*rest, 0, len);
	*rest = str_sub(*rest, len, rest->len);
	return word;
}

static void
parse_hole(struct parse *parse, struct str text)
{
	enum pagegen_where where;
	if (!find_where(parse, &where))
		return;
	if (where == PAGEGEN_IN_TAG) {
		COMPLAIN(parse, "a hole stands in text or in a double-quoted attribute value, not in a tag");
		return;
	}
	struct str name = next_word(&text);
	struct str type = next_word(&text);
	if (str_trim(text).len > 0)
		COMPLAIN(parse, "a hole is {{name}} or {{name type}}");
	const char *escape;
	enum pagegen_kind kind = kind_of(parse, type, where, &escape);
	struct pagegen_node *node = add_node(parse, PAGEGEN_HOLE);
	node->escape = escape;
	place_of(parse, name, kind, &node->place);
	note_filled(parse);
}

/* --- words ------------------------------------------------------------------------------------ */

static struct str
last_segment(struct str path)
{
	struct str segment = STR_NONE;
	while (path.at != NULL)
		segment = str_cut(&path, '/');
	return segment;
}

/* `hole` or `hole=field`. */
static void
fill_hole(struct parse *parse, struct pagegen_node *node, struct str written)
{
	size_t equals = str_find(written, '=');
	struct str field = equals < written.len ? str_sub(written, equals + 1, written.len) : written;
	struct str hole = equals < written.len ? str_sub(written, 0, equals) : last_segment(written);
	if (!pagegen_words_has_hole(node->word, hole)) {
		COMPLAIN(parse, "\"%.*s\" has no hole {%.*s}", STR_FMT(node->word->key), STR_FMT(hole));
		return;
	}
	for (const struct pagegen_filling *f = node->fillings; f != NULL; f = f->next)
		if (str_eq(f->hole, hole))
			COMPLAIN(parse, "the hole {%.*s} is filled twice", STR_FMT(hole));
	struct pagegen_filling *filling = pagegen_alloc(parse->gen, sizeof *filling);
	filling->hole = hole;
	enum pagegen_kind kind = str_eq(hole, STR("n")) ? PAGEGEN_INTEGER : PAGEGEN_STRING;
	place_of(parse, field, kind, &filling->place);
	struct pagegen_filling **end = &node->fillings;
	while (*end != NULL)
		end = &(*end)->next;
	*end = filling;
}

static void
refuse_unfilled(struct parse *parse, const struct pagegen_node *node)
{
	struct str holes = node->word->holes;
	while (holes.at != NULL) {
		struct str hole = str_cut(&holes, ' ');
		const struct pagegen_filling *f = node->fillings;
		while (f != NULL && !str_eq(f->hole, hole))
			f = f->next;
		if (f == NULL)
			COMPLAIN(parse, "\"%.*s\" has a hole {%.*s}, which nothing fills",
			    STR_FMT(node->word->key), STR_FMT(hole));
	}
}

static void
parse_words(struct parse *parse, struct str text)
{
	enum pagegen_where where;
	if (!find_where(parse, &where))
		return;
	if (where == PAGEGEN_IN_TAG) {
		COMPLAIN(parse, "words stand in text or in a double-quoted attribute value, not in a tag");
		return;
	}
	size_t quote = str_find(text, '"');
	struct str key = str_sub(text, 0, quote);
	const struct pagegen_word *word = pagegen_words_find(parse->gen, key);
	if (word == NULL || quote == text.len) {
		COMPLAIN(parse, "unknown words \"%.*s\"", STR_FMT(key));
		return;
	}
	struct pagegen_node *node = add_node(parse, PAGEGEN_WORDS);
	node->word = word;
	node->escape = escape_for(parse, where);
	struct str rest = str_sub(text, quote + 1, text.len);
	for (struct str hole = next_word(&rest); hole.at != NULL; hole = next_word(&rest))
		fill_hole(parse, node, hole);
	refuse_unfilled(parse, node);
	note_filled(parse);
}

/* --- sections --------------------------------------------------------------------------------- */

static struct pagegen_type *
add_type(struct parse *parse, struct str owner, struct str name)
{
	struct pagegen_type *type = pagegen_alloc(parse->gen, sizeof *type);
	type->name = str_format(&parse->gen->arena, "%.*s_%.*s", STR_FMT(owner), STR_FMT(name));
	for (const struct pagegen_type *t = parse->template->types; t != NULL; t = t->next)
		if (str_eq(t->name, type->name))
			COMPLAIN(parse, "two sections would both make struct %.*s; rename one",
			    STR_FMT(type->name));
	type->next = parse->template->types;
	parse->template->types = type;
	return type;
}

static void
enter_rows(struct parse *parse, struct section *section, struct pagegen_node *node)
{
	struct pagegen_frame *row = pagegen_alloc(parse->gen, sizeof *row);
	struct pagegen_field *field = node->place.field;
	if (field->rows == NULL)
		field->rows = add_type(parse, node->place.frame->type->name, field->name);
	*row = (struct pagegen_frame){field->rows, parse->frame, parse->frame->depth + 1, false};
	node->row = row;
	section->row = row;
	parse->frame = row;
	parse->context.begins = false; /* the second row does not begin a URL */
}

/* {{?x}}…{{/x}}{{^x}}: both stand in the same place, as only one of them is written. */
static bool
is_otherwise(const struct parse *parse, enum pagegen_tag tag, struct str name)
{
	return parse->closed.tag != PAGEGEN_COMMENT && parse->closed.tag != PAGEGEN_ROWS &&
	    parse->closed.tag != tag && str_eq(parse->closed.name, name);
}

static void
parse_section(struct parse *parse, enum pagegen_tag tag, struct str name)
{
	enum pagegen_where where;
	if (parse->sections_n == SECTIONS_LIMIT) {
		COMPLAIN(parse, "sections are nested too deep");
		return;
	}
	if (!find_where(parse, &where))
		where = PAGEGEN_IN_TEXT;
	if (where == PAGEGEN_IN_TAG && tag == PAGEGEN_ROWS)
		COMPLAIN(parse, "inside a tag only flags may open sections");
	struct section *section = &parse->sections[parse->sections_n++];
	*section = (struct section){.tag = tag, .name = name, .line = parse->line};
	if (is_otherwise(parse, tag, name))
		parse->context.begins = parse->closed.open.begins;
	section->open = parse->context;
	struct pagegen_node *node = add_node(parse, tag);
	enum pagegen_kind kind = tag == PAGEGEN_ROWS ? PAGEGEN_SECTION : PAGEGEN_TESTED;
	if (place_of(parse, name, kind, &node->place) && tag == PAGEGEN_ROWS)
		enter_rows(parse, section, node);
	parse->closed.tag = PAGEGEN_COMMENT;
}

static void
parse_close(struct parse *parse, struct str name)
{
	struct section *section = parse->sections_n == 0 ? NULL : &parse->sections[parse->sections_n - 1];
	if (section == NULL || !str_eq(section->name, name)) {
		if (section == NULL)
			COMPLAIN(parse, "{{/%.*s}} closes nothing", STR_FMT(name));
		else
			COMPLAIN(parse, "{{/%.*s}} stands where the section %.*s of line %zu should close",
			    STR_FMT(name), STR_FMT(section->name), section->line);
		return;
	}
	enum pagegen_where where;
	if (find_where(parse, &where)) {
		const char *wrong = pagegen_context_merge(&parse->context, &section->open);
		if (wrong != NULL)
			COMPLAIN(
			    parse, "the section %.*s of line %zu %s", STR_FMT(name), section->line, wrong);
	}
	add_node(parse, PAGEGEN_CLOSE);
	if (section->row != NULL)
		parse->frame = section->row->around;
	parse->closed = *section;
	parse->sections_n--;
}

/* --- parts, commas ---------------------------------------------------------------------------- */

static const struct pagegen_template *
part_called(const struct parse *parse, struct str name)
{
	static const char *const behind[PAGEGEN_LANGUAGES] = {"", "_json", "_xml", "_txt"};
	enum pagegen_language language = parse->template->language;
	struct str full = str_format(&parse->gen->arena, "%.*s%s", STR_FMT(name), behind[language]);
	for (size_t i = 0; i < parse->gen->templates_n; i++) {
		const struct pagegen_template *t = &parse->gen->templates[i];
		if (t->language == language && str_eq(t->name, full))
			return t;
	}
	return NULL;
}

static void
note_part(struct parse *parse, const struct pagegen_template *part)
{
	struct pagegen_template *template = parse->template;
	for (size_t i = 0; i < template->parts_n; i++)
		if (template->parts[i] == part)
			return;
	const struct pagegen_template **parts =
	    pagegen_alloc(parse->gen, (template->parts_n + 1) * sizeof *parts);
	for (size_t i = 0; i < template->parts_n; i++)
		parts[i] = template->parts[i];
	parts[template->parts_n++] = part;
	template->parts = parts;
}

static void
parse_part(struct parse *parse, struct str text)
{
	enum pagegen_where where;
	if (!find_where(parse, &where))
		return;
	if (where != PAGEGEN_IN_TEXT)
		COMPLAIN(parse, "a part stands in text only");
	struct str name = next_word(&text);
	struct str rows = next_word(&text);
	if (rows.at == NULL || str_trim(text).len > 0) {
		COMPLAIN(parse, "a part is written {{>part rows}}");
		return;
	}
	const struct pagegen_template *part = part_called(parse, name);
	if (part == NULL) {
		COMPLAIN(parse, "unknown part `%.*s`", STR_FMT(name));
		return;
	}
	note_part(parse, part);
	struct pagegen_node *node = add_node(parse, PAGEGEN_PART);
	node->row = parse->frame;
	if (place_of(parse, rows, PAGEGEN_OTHER, &node->place)) {
		struct pagegen_field *field = node->place.field;
		if (field->part != NULL && field->part != part)
			COMPLAIN(
			    parse, "%.*s are rows of another part in line %zu", STR_FMT(rows), field->line);
		field->part = part;
	}
	note_filled(parse);
}

static void
parse_comma(struct parse *parse, struct str text)
{
	enum pagegen_where where;
	if (!find_where(parse, &where))
		return;
	if (parse->template->language != PAGEGEN_JSON || parse->frame->around == NULL || text.len > 0)
		COMPLAIN(parse, "{{,}} stands in a section of rows of a JSON template");
	add_node(parse, PAGEGEN_COMMA)->row = parse->frame;
	parse->context.last = ',';
	parse->closed.tag = PAGEGEN_COMMENT;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void
parse_literal(struct parse *parse, struct str text)
{
	add_node(parse, PAGEGEN_LITERAL)->text = text;
	parse->closed.tag = PAGEGEN_COMMENT;
	while (text.len > 0) {
		const char *wrong;
		size_t taken = pagegen_context_step(&parse->context, text, &wrong);
		if (wrong != NULL)
			COMPLAIN(parse, "%s", wrong);
		for (size_t i = 0; i < taken; i++)
			parse->line += text.at[i] == '\n';
		text = str_sub(text, taken, text.len);
	}
}

static void
parse_comment(struct parse *parse, struct str text)
{
	if (parse->context.cut)
		COMPLAIN(parse, "a comment stands in the middle of markup, such as a tag's name");
	if (parse->template->comment.at != NULL)
		return;
	if (str_search(text, STR("*/")) < text.len || str_search(text, STR("/*")) < text.len)
		COMPLAIN(parse, "the first comment becomes one in C, so it cannot hold the signs of one");
	parse->template->comment = text;
}

static void
parse_piece(struct parse *parse, const struct pagegen_piece *piece)
{
	parse->line = piece->line;
	switch (piece->tag) {
	case PAGEGEN_LITERAL:
		parse_literal(parse, piece->text);
		break;
	case PAGEGEN_HOLE:
		parse_hole(parse, piece->text);
		break;
	case PAGEGEN_ROWS:
	case PAGEGEN_IF:
	case PAGEGEN_UNLESS:
		parse_section(parse, piece->tag, piece->text);
		break;
	case PAGEGEN_CLOSE:
		parse_close(parse, piece->text);
		break;
	case PAGEGEN_PART:
		parse_part(parse, piece->text);
		break;
	case PAGEGEN_WORDS:
		parse_words(parse, piece->text);
		break;
	case PAGEGEN_COMMA:
		parse_comma(parse, piece->text);
		break;
	case PAGEGEN_COMMENT:
		parse_comment(parse, piece->text);
		break;
	}
}

static void
parse_end(struct parse *parse)
{
	for (size_t i = 0; i < parse->sections_n; i++) {
		parse->line = parse->sections[i].line;
		COMPLAIN(parse, "the section %.*s is not closed", STR_FMT(parse->sections[i].name));
	}
	const char *wrong = pagegen_context_end(&parse->context);
	parse->line = 1;
	for (size_t i = 0; i + 1 < parse->template->source.len; i++)
		parse->line += parse->template->source.at[i] == '\n';
	if (wrong != NULL)
		COMPLAIN(parse, "%s", wrong);
	refuse_counts(parse, parse->template->page);
	for (const struct pagegen_type *type = parse->template->types; type != NULL; type = type->next)
		refuse_counts(parse, type);
}

void
pagegen_parse(struct pagegen *gen, struct pagegen_template *template)
{
	template->page = pagegen_alloc(gen, sizeof *template->page);
	template->page->name = str_format(&gen->arena, "page_%.*s", STR_FMT(template->name));
	template->frame = pagegen_alloc(gen, sizeof *template->frame);
	template->frame->type = template->page;
	struct parse parse = {.gen = gen, .template = template, .frame = template->frame, .line = 1};
	parse.closed.tag = PAGEGEN_COMMENT;
	pagegen_context_init(&parse.context, template->language);
	size_t n;
	const struct pagegen_piece *pieces = pagegen_scan(gen, template, &n);
	for (size_t i = 0; i < n; i++)
		parse_piece(&parse, &pieces[i]);
	parse_end(&parse);
}
