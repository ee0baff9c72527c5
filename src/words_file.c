#include "words_file.h"

static const struct str form_names[WORDS_FORMS] = {
    [WORDS_ONE] = STR_INIT("one"),
    [WORDS_FEW] = STR_INIT("few"),
    [WORDS_MANY] = STR_INIT("many"),
    [WORDS_OTHER] = STR_INIT("other"),
};

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* A lower-case name of letters, digits and _, that begins with a letter. */
static bool
is_name(struct str s)
{
	if (s.len == 0 || !is_lower(s.at[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_lower(s.at[i]) && !(s.at[i] >= '0' && s.at[i] <= '9') && s.at[i] != '_')
			return false;
	return true;
}

static bool
is_key(struct str key)
{
	if (key.len == 0 || str_ends(key, STR(".")))
		return false;
	while (key.at != NULL)
		if (!is_name(str_cut(&key, '.')))
			return false;
	return true;
}

static bool
is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0U) == 0x80U;
}

/* How many bytes the UTF-8 character at `s` takes; 0 for a control character or no UTF-8 (RFC 3629). */
static size_t
character(struct str s)
{
	unsigned char first = (unsigned char)s.at[0];
	if (first < 0x80)
		return first >= 0x20 && first != 0x7f ? 1 : 0;
	size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || s.len < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (!is_continuation(s.at[i]))
			return 0;
	unsigned char second = (unsigned char)s.at[1];
	bool refused = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
	return refused ? 0 : len;
}

static bool
is_text(struct str s)
{
	while (s.len > 0) {
		size_t len = character(s);
		if (len == 0)
			return false;
		s = str_sub(s, len, s.len - len);
	}
	return true;
}

/* NULL, or what is wrong with a text. */
static const char *
complaint(struct str text)
{
	if (!is_text(text))
		return "the text is no UTF-8, or has control characters";
	struct str literal;
	struct str hole;
	while (words_file_piece(&text, &literal, &hole))
		if (hole.at != NULL && !is_name(hole))
			return "a hole is {name}, in lower-case letters; a literal brace is written {{";
	return NULL;
}

static enum status
form_named(struct str name, enum words_form *form)
{
	for (size_t i = 0; i < WORDS_FORMS; i++) {
		if (str_eq(form_names[i], name)) {
			*form = (enum words_form)i;
			return STATUS_OK;
		}
	}
	return STATUS_INVALID;
}

/* Splits `key[form]`; NULL, or what is wrong. */
static const char *
take_key(struct str written, struct words_line *line)
{
	size_t bracket = str_find(written, '[');
	line->key = str_sub(written, 0, bracket);
	line->plural = bracket < written.len;
	line->form = WORDS_OTHER;
	if (!is_key(line->key))
		return "a key is lower-case words of letters, digits and _, joined by dots";
	if (!line->plural)
		return NULL;
	struct str name = str_sub(written, bracket + 1, written.len - bracket - 1);
	if (!str_ends(name, STR("]")) || form_named(str_sub(name, 0, name.len - 1), &line->form) != STATUS_OK)
		return "a plural form is [one], [few], [many] or [other]";
	return NULL;
}

static const char *
take_line(struct str written, struct words_line *line)
{
	size_t equals = str_find(written, '=');
	if (equals == written.len)
		return "a line is `key = text`";
	line->text = str_trim(str_sub(written, equals + 1, written.len - equals - 1));
	const char *wrong = take_key(str_trim(str_sub(written, 0, equals)), line);
	return wrong != NULL ? wrong : complaint(line->text);
}

enum status
words_file_next(struct words_file *file, struct words_line *line, const char **why)
{
	while (file->rest.at != NULL) {
		struct str written = str_trim(str_cut(&file->rest, '\n'));
		file->line++;
		if (written.len == 0 || written.at[0] == '#')
			continue;
		*why = take_line(written, line);
		return *why == NULL ? STATUS_OK : STATUS_INVALID;
	}
	return STATUS_MISSING;
}

bool
words_file_piece(struct str *rest, struct str *literal, struct str *hole)
{
	if (rest->len == 0)
		return false;
	size_t brace = str_find(*rest, '{');
	*hole = STR_NONE;
	*literal = str_sub(*rest, 0, brace);
	if (brace == rest->len) {
		*rest = STR_NONE;
		return true;
	}
	*rest = str_sub(*rest, brace + 1, rest->len - brace - 1);
	if (str_starts(*rest, STR("{"))) {
		literal->len++;
		*rest = str_sub(*rest, 1, rest->len - 1);
		return true;
	}
	/* An unclosed hole takes the rest of the text with it, which is no name; so it is noticed. */
	size_t end = str_find(*rest, '}');
	bool closed = end < rest->len;
	*hole = str_sub(*rest, 0, closed ? end : 0);
	*rest = closed ? str_sub(*rest, end + 1, rest->len - end - 1) : STR_NONE;
	return true;
}

static enum words_form
form_one_other(uint64_t n)
{
	return n == 1 ? WORDS_ONE : WORDS_OTHER;
}

static enum words_form
form_none(uint64_t n)
{
	(void)n;
	return WORDS_OTHER;
}

static enum words_form
form_french(uint64_t n)
{
	return n <= 1 ? WORDS_ONE : WORDS_OTHER;
}

/* 2 to 4, 22 to 24, … but not 12 to 14. */
static bool
is_few(uint64_t n)
{
	return n % 10 >= 2 && n % 10 <= 4 && !(n % 100 >= 12 && n % 100 <= 14);
}

static enum words_form
form_slavic(uint64_t n)
{
	if (n % 10 == 1 && n % 100 != 11)
		return WORDS_ONE;
	return is_few(n) ? WORDS_FEW : WORDS_MANY;
}

static enum words_form
form_polish(uint64_t n)
{
	if (n == 1)
		return WORDS_ONE;
	return is_few(n) ? WORDS_FEW : WORDS_MANY;
}

static enum words_form
form_czech(uint64_t n)
{
	if (n == 1)
		return WORDS_ONE;
	return n >= 2 && n <= 4 ? WORDS_FEW : WORDS_OTHER;
}

static const struct {
	struct str name;
	enum words_form (*form)(uint64_t n);
} rules[WORDS_PLURAL_COUNT] = {
    [WORDS_PLURAL_ONE_OTHER] = {STR_INIT("one-other"), form_one_other},
    [WORDS_PLURAL_NONE] = {STR_INIT("none"), form_none},
    [WORDS_PLURAL_FRENCH] = {STR_INIT("french"), form_french},
    [WORDS_PLURAL_SLAVIC] = {STR_INIT("slavic"), form_slavic},
    [WORDS_PLURAL_POLISH] = {STR_INIT("polish"), form_polish},
    [WORDS_PLURAL_CZECH] = {STR_INIT("czech"), form_czech},
};

enum status
words_file_rule(struct str name, enum words_plural *plural)
{
	for (size_t i = 0; i < WORDS_PLURAL_COUNT; i++) {
		if (str_eq(rules[i].name, name)) {
			*plural = (enum words_plural)i;
			return STATUS_OK;
		}
	}
	return STATUS_INVALID;
}

enum words_form
words_file_form(enum words_plural plural, int64_t n)
{
	uint64_t size = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;
	return plural < WORDS_PLURAL_COUNT ? rules[plural].form(size) : WORDS_OTHER;
}
