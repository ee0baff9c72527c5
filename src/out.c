#include "out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_ROOM = 128 };

void
out_init(struct out *out, struct arena *arena)
{
	*out = (struct out){.arena = arena};
}

struct str
out_str(const struct out *out)
{
	return (struct str){out->at == NULL ? "" : out->at, out->len};
}

enum status
out_status(const struct out *out)
{
	return out->failed ? STATUS_BROKEN : STATUS_OK;
}

static bool
make_room(struct out *out, size_t more)
{
	if (out->failed)
		return false;
	if (out->room - out->len >= more)
		return true;
	size_t room = out->room < FIRST_ROOM ? FIRST_ROOM : out->room * 2;
	if (room < out->len + more)
		room = out->len + more;
	if (out->at != NULL && arena_grow(out->arena, out->at, out->room, room)) {
		out->room = room;
		return true;
	}
	char *at = arena_alloc(out->arena, room);
	if (at == NULL) {
		out->failed = true;
		return false;
	}
	if (out->len > 0)
		memcpy(at, out->at, out->len);
	out->at = at;
	out->room = room;
	return true;
}

void
out_put(struct out *out, struct str s)
{
	if (s.len == 0 || !make_room(out, s.len))
		return;
	memcpy(out->at + out->len, s.at, s.len);
	out->len += s.len;
}

void
out_byte(struct out *out, char byte)
{
	if (make_room(out, 1))
		out->at[out->len++] = byte;
}

void
out_integer(struct out *out, int64_t n)
{
	enum { DIGITS = 20 }; /* of -9223372036854775808 with its sign */
	char text[DIGITS];
	size_t from = DIGITS;
	uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	do {
		text[--from] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (n < 0)
		text[--from] = '-';
	out_put(out, (struct str){text + from, DIGITS - from});
}

void
out_format(struct out *out, const char *format, ...)
{
	char small[256];
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (len < 0)
		out->failed = true;
	else if ((size_t)len < sizeof small)
		out_put(out, (struct str){small, (size_t)len});
	else if (make_room(out, (size_t)len + 1)) {
		vsnprintf(out->at + out->len, (size_t)len + 1, format, again);
		out->len += (size_t)len;
	}
	va_end(again);
}

/* What stands for `byte` in an escaped text, or STR_NONE when it stands for itself. */
typedef struct str escape_of(unsigned char byte);

/* Copies runs of harmless bytes in one piece: most of a comment is such a run. */
static void
escape_bytes(struct out *out, struct str s, escape_of *escape)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		struct str instead = escape((unsigned char)s.at[i]);
		if (instead.at == NULL)
			continue;
		out_put(out, str_sub(s, from, i - from));
		out_put(out, instead);
		from = i + 1;
	}
	out_put(out, str_sub(s, from, s.len));
}

static struct str
html_escape(unsigned char byte)
{
	switch (byte) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	case '"':
		return STR("&quot;");
	case '\'':
		return STR("&#39;");
	default:
		return STR_NONE;
	}
}

/* Most of what pages say has none of these: looked up, since each page asks a hundred thousand times. */
static const bool html_special[256] = {['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true, ['\''] = true};

void
out_html(struct out *out, struct str s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (!html_special[(unsigned char)s.at[i]])
			continue;
		out_put(out, str_sub(s, from, i - from));
		out_put(out, html_escape((unsigned char)s.at[i]));
		from = i + 1;
	}
	out_put(out, str_sub(s, from, s.len));
}

/* Browsers drop TAB, CR and LF inside a URL and C0 and space around it; no address of ours has them. */
static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f)
			return true;
	return false;
}

static bool
is_safe_url(struct str s)
{
	if (has_control(s))
		return false;
	if (s.len == 0 || s.at[0] == '#' || s.at[0] == '?')
		return true;
	if (s.at[0] == '/')
		return s.len == 1 || (s.at[1] != '/' && s.at[1] != '\\');
	return str_eq_nocase(str_sub(s, 0, 7), STR("http://")) || str_eq_nocase(str_sub(s, 0, 8), STR("https://"));
}

void
out_url(struct out *out, struct str s)
{
	out_html(out, is_safe_url(s) ? s : STR("#"));
}

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

static void
percent_encode(struct out *out, struct str s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		if (is_unreserved(c) || (keep_slash && c == '/'))
			continue;
		char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
		out_put(out, str_sub(s, from, i - from));
		out_put(out, (struct str){escaped, sizeof escaped});
		from = i + 1;
	}
	out_put(out, str_sub(s, from, s.len));
}

void
out_url_part(struct out *out, struct str s)
{
	percent_encode(out, s, false);
}

void
out_url_path(struct out *out, struct str s)
{
	percent_encode(out, s, true);
}

static struct str
json_escape(unsigned char byte)
{
	switch (byte) {
	case '"':
		return STR("\\\"");
	case '\\':
		return STR("\\\\");
	case '\n':
		return STR("\\n");
	case '\r':
		return STR("\\r");
	case '\t':
		return STR("\\t");
	case '<':
		return STR("\\u003c");
	case '>':
		return STR("\\u003e");
	case '&':
		return STR("\\u0026");
	default:
		return STR_NONE;
	}
}

/* U+2028 and U+2029 are E2 80 A8 and E2 80 A9: line ends in old JavaScript. */
static bool
is_line_separator(struct str s, size_t i)
{
	return s.len - i >= 3 && s.at[i] == '\xe2' && s.at[i + 1] == '\x80' &&
	       (s.at[i + 2] == '\xa8' || s.at[i + 2] == '\xa9');
}

void
out_json(struct out *out, struct str s)
{
	size_t from = 0;
	out_byte(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		if (c >= 0x20 && !is_line_separator(s, i))
			continue;
		escape_bytes(out, str_sub(s, from, i - from), json_escape);
		if (c < 0x20) {
			if (json_escape(c).at != NULL)
				out_put(out, json_escape(c));
			else
				out_format(out, "\\u%04x", c);
		} else {
			out_put(out, s.at[i + 2] == '\xa8' ? STR("\\u2028") : STR("\\u2029"));
			i += 2;
		}
		from = i + 1;
	}
	escape_bytes(out, str_sub(s, from, s.len), json_escape);
	out_byte(out, '"');
}

static struct str
xml_escape(unsigned char byte)
{
	if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')
		return STR("\xef\xbf\xbd");
	return html_escape(byte);
}

/* U+FFFE and U+FFFF are EF BF BE and EF BF BF: valid UTF-8, but no XML characters. */
static bool
is_xml_noncharacter(struct str s, size_t i)
{
	return s.len - i >= 3 && s.at[i] == '\xef' && s.at[i + 1] == '\xbf' &&
	       (s.at[i + 2] == '\xbe' || s.at[i + 2] == '\xbf');
}

void
out_xml(struct out *out, struct str s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_xml_noncharacter(s, i))
			continue;
		escape_bytes(out, str_sub(s, from, i - from), xml_escape);
		out_put(out, STR("\xef\xbf\xbd"));
		i += 2;
		from = i + 1;
	}
	escape_bytes(out, str_sub(s, from, s.len), xml_escape);
}
