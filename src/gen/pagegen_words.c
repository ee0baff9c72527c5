#include "pagegen.h"

const struct pagegen_word *
pagegen_words_find(const struct pagegen *gen, struct str key)
{
	for (size_t i = 0; i < gen->words.list_n; i++)
		if (str_eq(gen->words.list[i].key, key))
			return &gen->words.list[i];
	return NULL;
}

bool
pagegen_words_has_hole(const struct pagegen_word *word, struct str hole)
{
	struct str holes = word->holes;
	while (holes.at != NULL)
		if (str_eq(str_cut(&holes, ' '), hole))
			return true;
	return false;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* WORD_FORM_TITLE of form.title. */
static struct str
constant_of(struct pagegen *gen, struct str key)
{
	char *name = pagegen_alloc(gen, key.len + sizeof "WORD_");
	struct str prefix = STR("WORD_");
	for (size_t i = 0; i < prefix.len; i++)
		name[i] = prefix.at[i];
	for (size_t i = 0; i < key.len; i++) {
		char c = key.at[i];
		name[prefix.len + i] = c == '.' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	return (struct str){name, prefix.len + key.len};
}

static void
add_hole(struct pagegen *gen, struct pagegen_word *word, struct str hole)
{
	if (pagegen_words_has_hole(word, hole))
		return;
	if (word->holes.at == NULL)
		word->holes = hole;
	else
		word->holes = str_format(&gen->arena, "%.*s %.*s", STR_FMT(word->holes), STR_FMT(hole));
}

static struct pagegen_word *
word_of(struct pagegen *gen, struct str key, size_t line)
{
	struct pagegen_words *words = &gen->words;
	struct str name = constant_of(gen, key);
	for (size_t i = 0; i < words->list_n; i++) {
		struct pagegen_word *word = &words->list[i];
		if (str_eq(word->key, key))
			return word;
		if (str_eq(word->name, name))
			pagegen_complain(gen, words->path, line, "%.*s and %.*s would both be %.*s",
			    STR_FMT(word->key), STR_FMT(key), STR_FMT(name));
	}
	if (str_eq(name, STR("WORD_COUNT")))
		pagegen_complain(
		    gen, words->path, line, "the key count is taken: WORD_COUNT is how many there are");
	words->list = pagegen_grow(gen, words->list, words->list_n, sizeof *words->list);
	struct pagegen_word *word = &words->list[words->list_n++];
	*word = (struct pagegen_word){.key = key, .name = name, .line = line};
	return word;
}

static bool
has_forms(const struct pagegen_word *word)
{
	return word->form[WORDS_ONE].at != NULL || word->form[WORDS_FEW].at != NULL ||
	    word->form[WORDS_MANY].at != NULL;
}

static void
add_line(struct pagegen *gen, const struct words_line *line, size_t number)
{
	struct str path = gen->words.path;
	if (str_eq(line->key, STR("plural")) && !line->plural) {
		if (words_file_rule(line->text, &gen->words.plural) != STATUS_OK)
			pagegen_complain(gen, path, number, "plural names no rule that is known");
		return;
	}
	struct pagegen_word *word = word_of(gen, line->key, number);
	if (word->form[line->form].at != NULL || (!line->plural && has_forms(word)))
		pagegen_complain(gen, path, number, "%.*s is set twice", STR_FMT(line->key));
	if (line->text.len == 0)
		pagegen_complain(gen, path, number, "%.*s has no text", STR_FMT(line->key));
	word->form[line->form] = line->text;
	struct str text = line->text;
	struct str literal;
	struct str hole;
	while (words_file_piece(&text, &literal, &hole))
		if (hole.at != NULL)
			add_hole(gen, word, hole);
	if (line->plural)
		add_hole(gen, word, STR("n"));
}

void
pagegen_words_read(struct pagegen *gen, struct str path, struct str source)
{
	gen->words.path = path;
	struct words_file file = {source, 0};
	struct words_line line;
	const char *why;
	enum status status;
	while ((status = words_file_next(&file, &line, &why)) != STATUS_MISSING) {
		if (status == STATUS_OK)
			add_line(gen, &line, file.line);
		else
			pagegen_complain(gen, path, file.line, "%s", why);
	}
	for (size_t i = 0; i < gen->words.list_n; i++) {
		const struct pagegen_word *word = &gen->words.list[i];
		if (word->form[WORDS_OTHER].at == NULL)
			pagegen_complain(gen, path, word->line, "%.*s has no [other]", STR_FMT(word->key));
	}
	if (gen->words.list_n == 0)
		pagegen_complain(gen, path, 1, "no words at all");
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
put_head(struct pagegen *gen, struct out *out)
{
	out_init(out, &gen->arena);
	out_format(out, "/* Made by pagegen from %.*s; change that. */\n", STR_FMT(gen->words.path));
}

static void
save_header(struct pagegen *gen, const char *outdir)
{
	struct out out;
	put_head(gen, &out);
	out_put(&out, STR("#ifndef WORDS_LIST_H\n#define WORDS_LIST_H\n\nenum word {\n"));
	for (size_t i = 0; i < gen->words.list_n; i++)
		out_format(&out, "\t%.*s,\n", STR_FMT(gen->words.list[i].name));
	out_put(&out, STR("\tWORD_COUNT\n};\n\n#endif\n"));
	pagegen_save(gen, outdir, STR("words_list.h"), &out);
}

static void
put_texts(struct out *out, const struct pagegen_word *word)
{
	static const char *const forms[WORDS_FORMS] = {"WORDS_ONE", "WORDS_FEW", "WORDS_MANY", "WORDS_OTHER"};
	out_format(out, "\t[%.*s] = {{\n", STR_FMT(word->name));
	for (size_t i = 0; i < WORDS_FORMS; i++) {
		if (word->form[i].at == NULL)
			continue;
		out_format(out, "\t\t[%s] = STR_INIT(", forms[i]);
		pagegen_put_literal(out, word->form[i], "");
		out_put(out, STR("),\n"));
	}
	out_put(out, STR("\t}},\n"));
}

static void
put_key(struct out *out, const struct pagegen_word *word)
{
	out_format(out, "\t[%.*s] = {STR_INIT(\"%.*s\"), ", STR_FMT(word->name), STR_FMT(word->key));
	if (word->holes.at == NULL)
		out_put(out, STR("{0, 0}"));
	else
		out_format(out, "STR_INIT(\"%.*s\")", STR_FMT(word->holes));
	out_put(out, STR("},\n"));
}

static void
save_list(struct pagegen *gen, const char *outdir)
{
	static const char *const rules[WORDS_PLURAL_COUNT] = {
	    [WORDS_PLURAL_ONE_OTHER] = "WORDS_PLURAL_ONE_OTHER",
	    [WORDS_PLURAL_NONE] = "WORDS_PLURAL_NONE",
	    [WORDS_PLURAL_FRENCH] = "WORDS_PLURAL_FRENCH",
	    [WORDS_PLURAL_SLAVIC] = "WORDS_PLURAL_SLAVIC",
	    [WORDS_PLURAL_POLISH] = "WORDS_PLURAL_POLISH",
	    [WORDS_PLURAL_CZECH] = "WORDS_PLURAL_CZECH",
	};
	struct out out;
	put_head(gen, &out);
	out_put(&out, STR("#include \"words.h\"\n\nstatic const struct words_text texts[WORD_COUNT] = {\n"));
	for (size_t i = 0; i < gen->words.list_n; i++)
		put_texts(&out, &gen->words.list[i]);
	out_format(&out, "};\n\nconst struct words words_list = {%s, texts};\n\n", rules[gen->words.plural]);
	out_put(&out, STR("const struct words_key words_list_keys[WORD_COUNT] = {\n"));
	for (size_t i = 0; i < gen->words.list_n; i++)
		put_key(&out, &gen->words.list[i]);
	out_put(&out, STR("};\n"));
	pagegen_save(gen, outdir, STR("words_list.c"), &out);
}

void
pagegen_words_save(struct pagegen *gen, const char *outdir)
{
	save_header(gen, outdir);
	save_list(gen, outdir);
}
