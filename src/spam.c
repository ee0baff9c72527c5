#include "spam.h"

#include "out.h"
#include "text.h"

const struct str spam_kind_names[SPAM_KINDS] = {
    [SPAM_LINKS] = STR_INIT("links"),
    [SPAM_FIRST] = STR_INIT("first"),
    [SPAM_HONEYPOT] = STR_INIT("honeypot"),
    [SPAM_TOO_QUICK] = STR_INIT("quick"),
    [SPAM_WORD] = STR_INIT("word"),
};

static void
add(struct out *out, enum spam_kind kind, struct str detail)
{
	if (out->len > 0)
		out_byte(out, '\n');
	out_put(out, spam_kind_names[kind]);
	if (detail.len > 0) {
		out_byte(out, ' ');
		out_put(out, detail);
	}
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* A whole word: «sex» is not in «Essex». Both are folded already. */
static bool
has_word(struct str text, struct str word)
{
	for (size_t from = 0; from < text.len && word.len > 0;) {
		size_t at = from + str_search(str_sub(text, from, text.len), word);
		if (at >= text.len)
			return false;
		bool begins = at == 0 || !is_letter(text.at[at - 1]);
		bool ends = at + word.len == text.len || !is_letter(text.at[at + word.len]);
		if (begins && ends)
			return true;
		from = at + 1;
	}
	return false;
}

static void
add_listed_words(struct arena *arena, const struct config_site *site, const struct spam_signs *signs, struct out *out)
{
	struct str folded, word;
	size_t found = 0;
	if (site->listed_words.n == 0)
		return;
	struct str all = str_format(arena, "%.*s %.*s %.*s", STR_FMT(signs->name), STR_FMT(signs->website),
	    STR_FMT(signs->comment));
	if (text_fold(arena, all, &folded) != STATUS_OK)
		return;
	for (size_t i = 0; i < site->listed_words.n && found < SPAM_REASONS_MOST; i++) {
		if (text_fold(arena, site->listed_words.items[i], &word) != STATUS_OK || !has_word(folded, word))
			continue;
		add(out, SPAM_WORD, site->listed_words.items[i]);
		found++;
	}
}

struct str
spam_reasons(struct arena *arena, const struct config_site *site, const struct spam_signs *signs)
{
	struct out out;
	out_init(&out, arena);
	if (signs->links > SPAM_LINKS_MOST)
		add(&out, SPAM_LINKS, str_format(arena, "%zu", signs->links));
	if (!signs->known_author)
		add(&out, SPAM_FIRST, STR_NONE);
	if (signs->honeypot)
		add(&out, SPAM_HONEYPOT, STR_NONE);
	/* A clock that was set back gives a negative age, which says nothing about the reader. */
	if (signs->timed && signs->age >= 0 && signs->age < SPAM_QUICK)
		add(&out, SPAM_TOO_QUICK, str_format(arena, "%lld", (long long)signs->age));
	add_listed_words(arena, site, signs, &out);
	return out_str(&out);
}

bool
spam_next(struct str *stored, struct spam_reason *reason)
{
	while (stored->len > 0) {
		struct str detail = str_cut(stored, '\n');
		struct str name = str_cut(&detail, ' ');
		for (int kind = 0; kind < SPAM_KINDS; kind++) {
			if (!str_eq(name, spam_kind_names[kind]))
				continue;
			*reason = (struct spam_reason){.kind = (enum spam_kind)kind, .word = detail};
			/* The store is a stranger's to us: a number that is none counts as 0. */
			if (str_integer(detail, &reason->n) != STATUS_OK)
				reason->n = 0;
			return true;
		}
	}
	return false;
}
