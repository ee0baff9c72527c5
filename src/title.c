#include "title.h"

#include "file.h"
#include "out.h"
#include "text.h"

static size_t
find_nocase(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if (str_eq_nocase(str_sub(s, i, needle.len), needle))
			return i;
	return s.len;
}

/* The references that titles are written with; others are shown as typed. */
static const struct {
	struct str name, text;
} references[] = {
    {STR_INIT("&amp;"), STR_INIT("&")},
    {STR_INIT("&lt;"), STR_INIT("<")},
    {STR_INIT("&gt;"), STR_INIT(">")},
    {STR_INIT("&quot;"), STR_INIT("\"")},
    {STR_INIT("&#39;"), STR_INIT("'")},
    {STR_INIT("&apos;"), STR_INIT("'")},
    {STR_INIT("&nbsp;"), STR_INIT(" ")},
    {STR_INIT("&mdash;"), STR_INIT("\xe2\x80\x94")},
    {STR_INIT("&ndash;"), STR_INIT("\xe2\x80\x93")},
    {STR_INIT("&lsquo;"), STR_INIT("\xe2\x80\x98")},
    {STR_INIT("&rsquo;"), STR_INIT("\xe2\x80\x99")},
    {STR_INIT("&ldquo;"), STR_INIT("\xe2\x80\x9c")},
    {STR_INIT("&rdquo;"), STR_INIT("\xe2\x80\x9d")},
    {STR_INIT("&hellip;"), STR_INIT("\xe2\x80\xa6")},
};

/* Writes the character or reference at the beginning of `s`; returns how many bytes it took. */
static size_t
write_one(struct out *out, struct str s)
{
	for (size_t i = 0; s.at[0] == '&' && i < sizeof references / sizeof *references; i++) {
		if (str_starts(s, references[i].name)) {
			out_put(out, references[i].text);
			return references[i].name.len;
		}
	}
	out_byte(out, s.at[0]);
	return 1;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct str
title_in(struct arena *arena, struct str document)
{
	struct out out;
	out_init(&out, arena);
	struct str rest = str_sub(document, find_nocase(document, STR("<title")), document.len);
	str_cut(&rest, '>');
	rest.len = find_nocase(rest, STR("</title"));
	rest = str_trim(rest);
	while (rest.len > 0) {
		bool space = is_space(rest.at[0]);
		if (space && out.len > 0 && out.at[out.len - 1] != ' ')
			out_byte(&out, ' ');
		rest = str_sub(rest, space ? 1 : write_one(&out, rest), rest.len);
	}
	return out_str(&out);
}

/* «Headline — The Meridian» is «Headline» on The Meridian. */
static struct str
without_site(struct str title, struct str site)
{
	static const struct str separators[] = {STR_INIT(" \xe2\x80\x94 "), STR_INIT(" \xe2\x80\x93 "),
	    STR_INIT(" \xc2\xb7 "), STR_INIT(" | "), STR_INIT(" - ")};
	if (site.len == 0 || !str_ends(title, site))
		return title;
	struct str head = str_sub(title, 0, title.len - site.len);
	for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
		if (str_ends(head, separators[i]) && head.len > separators[i].len)
			return str_sub(head, 0, head.len - separators[i].len);
	return title;
}

static struct str
shorten(struct arena *arena, struct str title)
{
	if (title.len <= TITLE_MOST)
		return title;
	size_t len = TITLE_MOST - 3;
	/* Not within a character. */
	while (len > 0 && ((unsigned char)title.at[len] & 0xc0) == 0x80)
		len--;
	return str_join(arena, str_sub(title, 0, len), STR("\xe2\x80\xa6"));
}

enum status
title_listed(struct arena *arena, struct str typed, struct str *title)
{
	enum text_fault fault;
	struct out out;
	out_init(&out, arena);
	for (struct str rest = str_trim(typed); rest.len > 0; rest = str_sub(rest, 1, rest.len)) {
		bool space = is_space(rest.at[0]);
		if (!space)
			out_byte(&out, rest.at[0]);
		else if (out.at[out.len - 1] != ' ')
			out_byte(&out, ' ');
	}
	*title = out.len == 0 ? STR("") : shorten(arena, out_str(&out));
	if (out_status(&out) != STATUS_OK)
		return STATUS_BROKEN;
	return out.len == 0 ? STATUS_OK : text_comment_fault(*title, &fault);
}

struct str
title_find(struct arena *arena, const struct config_site *site, struct str page)
{
	static const char *const endings[] = {"/index.html", ".html", ""};
	struct str folder = str_eq(page, STR("/")) ? STR("") : page, document;
	for (size_t i = 0; site->document_root.len > 0 && i < sizeof endings / sizeof *endings; i++) {
		struct str path = str_format(arena, "%.*s%.*s%s", STR_FMT(site->document_root), STR_FMT(folder), endings[i]);
		if (path.at == NULL || file_slurp(arena, path.at, TITLE_FILE_MOST, &document) != STATUS_OK)
			continue;
		struct str title = without_site(title_in(arena, document), site->title);
		if (title.len > 0 && text_valid(title))
			return shorten(arena, title);
	}
	return shorten(arena, page);
}
