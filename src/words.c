#include "words.h"

const struct words *
words_default(void)
{
	return &words_list;
}

/* --- overriding ------------------------------------------------------------------------------- */

struct override {
	struct arena *arena;
	struct words *words;
	struct words_text *texts;
	bool (*seen)[WORDS_FORMS]; /* what the file has set already */
	struct words_line line;
};

static bool
has_hole(enum word word, struct str name)
{
	struct str holes = words_list_keys[word].holes;
	while (holes.at != NULL)
		if (str_eq(str_cut(&holes, ' '), name))
			return true;
	return false;
}

static enum status
word_called(struct str key, enum word *word)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		if (str_eq(words_list_keys[i].key, key)) {
			*word = (enum word)i;
			return STATUS_OK;
		}
	}
	return STATUS_INVALID;
}

/* STR_NONE, or why this text does not fit `word`. */
static struct str
misfit(struct override *override, enum word word)
{
	const struct words_line *line = &override->line;
	if (line->plural && !has_hole(word, STR("n")))
		return str_format(
		    override->arena, "%.*s has no number {n} to choose a plural form by", STR_FMT(line->key));
	struct str text = line->text;
	struct str literal;
	struct str hole;
	while (words_file_piece(&text, &literal, &hole))
		if (hole.at != NULL && !has_hole(word, hole))
			return str_format(
			    override->arena, "%.*s has no hole {%.*s}", STR_FMT(line->key), STR_FMT(hole));
	return STR_NONE;
}

static enum status
put_text(struct override *override, enum word word)
{
	struct str copy = str_copy(override->arena, override->line.text);
	if (copy.at == NULL)
		return STATUS_BROKEN;
	struct words_text *text = &override->texts[word];
	for (size_t i = 0; i < WORDS_FORMS; i++) {
		if (i == override->line.form)
			text->form[i] = copy;
		else if (!override->line.plural)
			text->form[i] = STR_NONE;
	}
	return STATUS_OK;
}

/* A plain key sets all forms, so it must be the only one; a form may stand beside other forms. */
static bool
seen_before(struct override *override, enum word word)
{
	bool before = false;
	for (size_t i = 0; i < WORDS_FORMS; i++) {
		if (override->line.plural && i != override->line.form)
			continue;
		before = before || override->seen[word][i];
		override->seen[word][i] = true;
	}
	return before;
}

static enum status
take_rule(struct override *override, struct str *why)
{
	if (words_file_rule(override->line.text, &override->words->plural) == STATUS_OK)
		return STATUS_OK;
	*why = STR("plural is one-other, none, french, slavic, polish or czech");
	return STATUS_INVALID;
}

static enum status
take_line(struct override *override, struct str *why)
{
	const struct words_line *line = &override->line;
	if (str_eq(line->key, STR("plural")) && !line->plural)
		return take_rule(override, why);
	enum word word = WORD_COUNT;
	if (word_called(line->key, &word) != STATUS_OK) {
		*why = str_format(override->arena, "unknown key %.*s", STR_FMT(line->key));
		return STATUS_INVALID;
	}
	*why = misfit(override, word);
	if (why->at != NULL)
		return STATUS_INVALID;
	if (seen_before(override, word)) {
		*why = str_format(override->arena, "%.*s is set twice", STR_FMT(line->key));
		return STATUS_INVALID;
	}
	return put_text(override, word);
}

static enum status
take_file(struct override *override, struct str text, struct str *why)
{
	struct words_file file = {text, 0};
	const char *form = NULL;
	enum status status;
	while ((status = words_file_next(&file, &override->line, &form)) != STATUS_MISSING) {
		struct str reason = str_from(form);
		if (status == STATUS_OK)
			status = take_line(override, &reason);
		if (status == STATUS_INVALID)
			*why = str_format(override->arena, "line %zu: %.*s", file.line, STR_FMT(reason));
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

enum status
words_override(
    struct arena *arena, const struct words *base, struct str text, struct words **words, struct str *why)
{
	*why = STR_NONE;
	struct override override = {.arena = arena};
	override.words = arena_alloc(arena, sizeof *override.words);
	override.texts = arena_array(arena, WORD_COUNT, sizeof *override.texts);
	override.seen = arena_array(arena, WORD_COUNT, sizeof *override.seen);
	if (override.words == NULL || override.texts == NULL || override.seen == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < WORD_COUNT; i++)
		override.texts[i] = base->texts[i];
	*override.words = (struct words){base->plural, override.texts};
	enum status status = take_file(&override, text, why);
	if (status == STATUS_OK)
		*words = override.words;
	return status;
}

/* --- saying ----------------------------------------------------------------------------------- */

static const struct word_hole *
hole_called(struct str name, const struct word_hole *holes, size_t holes_n)
{
	for (size_t i = 0; i < holes_n; i++)
		if (str_eq(holes[i].name, name))
			return &holes[i];
	return NULL;
}

static struct str
choose(const struct words *words, enum word word, const struct word_hole *holes, size_t holes_n)
{
	const struct word_hole *n = hole_called(STR("n"), holes, holes_n);
	enum words_form form = n == NULL ? WORDS_OTHER : words_file_form(words->plural, n->n);
	const struct words_text *text = &words->texts[word];
	return text->form[form].at != NULL ? text->form[form] : text->form[WORDS_OTHER];
}

/* Room for `text` with each hole filled once; should one stand there twice, the buffer grows. */
static size_t
room_for(struct str text, const struct word_hole *holes, size_t holes_n)
{
	enum { DIGITS = 20 };
	size_t room = text.len + DIGITS;
	for (size_t i = 0; i < holes_n; i++)
		room += holes[i].text.len;
	return room;
}

/* Built in one piece, since an escape may quote or judge the whole; as small as can be, since a page says
 * much. */
static void
fill(struct out *out, struct str text, const struct word_hole *holes, size_t holes_n)
{
	out->room = room_for(text, holes, holes_n);
	out->at = arena_alloc(out->arena, out->room);
	out->failed = out->at == NULL;
	struct str literal;
	struct str name;
	while (words_file_piece(&text, &literal, &name)) {
		out_put(out, literal);
		const struct word_hole *hole = name.at == NULL ? NULL : hole_called(name, holes, holes_n);
		if (hole != NULL && str_eq(name, STR("n")))
			out_integer(out, hole->n);
		else if (hole != NULL)
			out_put(out, hole->text);
	}
}

void
words_write(struct out *out, const struct words *words, enum word word, const struct word_hole *holes,
    size_t holes_n, void (*escape)(struct out *, struct str))
{
	struct str text = choose(words, word, holes, holes_n);
	if (!str_has(text, '{')) {
		escape(out, text);
		return;
	}
	struct out filled;
	out_init(&filled, out->arena);
	fill(&filled, text, holes, holes_n);
	if (filled.failed)
		out->failed = true;
	else
		escape(out, out_str(&filled));
}

struct str
words_say(struct arena *arena, const struct words *words, enum word word, const struct word_hole *holes,
    size_t holes_n)
{
	struct str text = choose(words, word, holes, holes_n);
	if (!str_has(text, '{'))
		return text;
	struct out filled;
	out_init(&filled, arena);
	fill(&filled, text, holes, holes_n);
	return filled.failed ? STR_NONE : out_str(&filled);
}
