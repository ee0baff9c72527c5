/* Every escape: what comes out is safe where it stands, and decoded it is what went in. */
#include "fuzz.h"

#include "json.h"
#include "out.h"
#include "title.h"

static struct str
escaped(struct arena *arena, void (*escape)(struct out *, struct str), struct str s)
{
	struct out out;
	out_init(&out, arena);
	escape(&out, s);
	MUST(out_status(&out) == STATUS_OK);
	return out_str(&out).at == NULL ? STR("") : out_str(&out);
}

/* The five references and no other; STR_NONE for a byte that may not stand there. */
static struct str
unescaped(struct arena *arena, struct str s)
{
	static const struct {
		struct str reference;
		char byte;
	} all[] = {{STR_INIT("&amp;"), '&'}, {STR_INIT("&lt;"), '<'}, {STR_INIT("&gt;"), '>'},
	    {STR_INIT("&quot;"), '"'}, {STR_INIT("&#39;"), '\''}};
	char *to = arena_alloc(arena, s.len + 1);
	size_t n = 0;
	while (s.len > 0) {
		size_t i = 0, taken = 1;
		char byte = s.at[0];
		while (byte == '&' && i < 5 && !str_starts(s, all[i].reference))
			i++;
		if (i == 5 || (byte != '\0' && strchr("<>\"'", byte) != NULL))
			return STR_NONE;
		if (byte == '&') {
			taken = all[i].reference.len;
			byte = all[i].byte;
		}
		to[n++] = byte;
		s = str_sub(s, taken, s.len);
	}
	return (struct str){to, n};
}

static void
check_html(struct arena *arena, struct str s)
{
	struct str back = unescaped(arena, escaped(arena, out_html, s));
	MUST(back.at != NULL && str_eq(back, s));
}

static void
check_url(struct arena *arena, struct str s)
{
	struct str url = unescaped(arena, escaped(arena, out_url, s));
	MUST(url.at != NULL);
	if (!str_eq(url, s)) {
		MUST(str_eq(url, STR("#")));
		return;
	}
	bool absolute = str_eq_nocase(str_sub(s, 0, 7), STR("http://")) || str_eq_nocase(str_sub(s, 0, 8), STR("https://")) ||
	                str_eq_nocase(str_sub(s, 0, 5), STR("http:")) || str_eq_nocase(str_sub(s, 0, 6), STR("https:"));
	bool relative = s.len == 0 || s.at[0] == '#' || s.at[0] == '?' ||
	                (s.at[0] == '/' && !(s.len > 1 && (s.at[1] == '/' || s.at[1] == '\\')));
	MUST(absolute || relative);
	/* A browser drops these from an address before it looks where it leads. */
	MUST(absolute || !(s.len > 2 && s.at[0] == '/' && strchr("\t\r\n", s.at[1]) != NULL && s.at[1] != '\0'));
}

static void
check_parts(struct arena *arena, struct str s)
{
	struct str part = escaped(arena, out_url_part, s), path = escaped(arena, out_url_path, s);
	MUST(str_eq(str_percent_decode(arena, part, true), s) && str_eq(str_percent_decode(arena, path, false), s));
	MUST(fuzz_is_ascii(part) && !fuzz_has_control(part) && !str_has(part, '/'));
	for (const char *c = " \"'<>&?#\\+;="; *c != '\0'; c++)
		MUST(!str_has(part, *c) && !str_has(path, *c));
	MUST(str_percent_decode(arena, s, true).len <= s.len);
}

static void
check_json(struct arena *arena, struct str s)
{
	struct json *json;
	struct str value, quoted = escaped(arena, out_json, s);
	for (const char *c = "<>&"; *c != '\0'; c++)
		MUST(!str_has(quoted, *c));
	MUST(str_search(quoted, STR("\xe2\x80\xa8")) == quoted.len && str_search(quoted, STR("\xe2\x80\xa9")) == quoted.len);
	if (!text_valid(s))
		return;
	struct str body = str_format(arena, "{\"a\":%.*s}", STR_FMT(quoted));
	MUST(json_read(arena, body, &json) == STATUS_OK && json_text(json, "a", &value) == STATUS_OK && str_eq(value, s));
}

static void
check_xml(struct arena *arena, struct str s)
{
	struct str xml = escaped(arena, out_xml, s);
	MUST(!str_has(xml, '<') && !str_has(xml, '>') && !str_has(xml, '"') && !str_has(xml, '\0'));
	for (size_t i = 0; i < xml.len; i++)
		MUST((unsigned char)xml.at[i] >= 0x20 || strchr("\t\n\r", xml.at[i]) != NULL);
	MUST(str_search(xml, STR("\xef\xbf\xbe")) == xml.len && str_search(xml, STR("\xef\xbf\xbf")) == xml.len);
	MUST(!text_valid(s) || text_valid(xml));
}

static void
check_title(struct arena *arena, struct str s)
{
	struct str title = title_in(arena, s);
	/* References are longer than what they stand for, so nothing grows. */
	MUST(title.len <= s.len);
	for (size_t i = 0; i < title.len; i++)
		MUST(title.at[i] == '\0' || strchr("\t\n\r\f", title.at[i]) == NULL);
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	check_html(arena, input);
	check_url(arena, input);
	check_parts(arena, input);
	check_json(arena, input);
	check_xml(arena, input);
	check_title(arena, input);
}
