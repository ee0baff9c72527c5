#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct str
str_from(const char *c)
{
	return c == NULL ? STR_NONE : (struct str){c, strlen(c)};
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool
str_has(struct str s, char byte)
{
	return str_find(s, byte) < s.len;
}

struct str
str_sub(struct str s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct str){s.at == NULL ? NULL : s.at + from, len};
}

size_t
str_find(struct str s, char byte)
{
	const char *found = s.len == 0 ? NULL : memchr(s.at, byte, s.len);
	return found == NULL ? s.len : (size_t)(found - s.at);
}

size_t
str_search(struct str s, struct str needle)
{
	if (needle.len == 0)
		return 0;
	const char *found = s.len == 0 ? NULL : memmem(s.at, s.len, needle.at, needle.len);
	return found == NULL ? s.len : (size_t)(found - s.at);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_space(s.at[0]))
		s = str_sub(s, 1, s.len);
	while (s.len > 0 && is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct str
str_cut(struct str *rest, char byte)
{
	size_t at = str_find(*rest, byte);
	struct str piece = str_sub(*rest, 0, at);
	*rest = at < rest->len ? str_sub(*rest, at + 1, rest->len) : STR_NONE;
	return piece;
}

struct str
str_copy(struct arena *arena, struct str s)
{
	return s.at == NULL ? STR_NONE : str_join(arena, s, STR_NONE);
}

char *
str_c(struct arena *arena, struct str s)
{
	char *c = arena_alloc(arena, s.len + 1);
	if (c != NULL && s.len > 0)
		memcpy(c, s.at, s.len);
	return c;
}

struct str
str_join(struct arena *arena, struct str a, struct str b)
{
	char *c = arena_alloc(arena, a.len + b.len + 1);
	if (c == NULL)
		return STR_NONE;
	if (a.len > 0)
		memcpy(c, a.at, a.len);
	if (b.len > 0)
		memcpy(c + a.len, b.at, b.len);
	return (struct str){c, a.len + b.len};
}

struct str
str_format(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *c = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
	if (c != NULL)
		vsnprintf(c, (size_t)len + 1, format, again);
	va_end(again);
	return c == NULL ? STR_NONE : (struct str){c, (size_t)len};
}

enum status
str_integer(struct str s, int64_t *value)
{
	bool negative = s.len > 0 && s.at[0] == '-';
	size_t i = negative ? 1 : 0;
	if (i == s.len)
		return STATUS_INVALID;
	int64_t n = 0;
	for (; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return STATUS_INVALID;
		/* Counted downwards, since the smallest number has no positive twin. */
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s.at[i] - '0', &n))
			return STATUS_INVALID;
	}
	if (!negative && n == INT64_MIN)
		return STATUS_INVALID;
	*value = negative ? n : -n;
	return STATUS_OK;
}

struct str
str_hex(struct arena *arena, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	char *c = arena_alloc(arena, 2 * len + 1);
	if (c == NULL)
		return STR_NONE;
	for (size_t i = 0; i < len; i++) {
		c[2 * i] = digits[from[i] >> 4];
		c[2 * i + 1] = digits[from[i] & 15];
	}
	return (struct str){c, 2 * len};
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum status
str_unhex(struct str s, void *bytes, size_t len)
{
	unsigned char *to = bytes;
	if (s.len != 2 * len)
		return STATUS_INVALID;
	for (size_t i = 0; i < len; i++) {
		int high = digit_value(s.at[2 * i]), low = digit_value(s.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return STATUS_INVALID;
		to[i] = (unsigned char)(high << 4 | low);
	}
	return STATUS_OK;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str
str_base64url(struct arena *arena, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;
	char *c = arena_alloc(arena, (len * 4 + 2) / 3 + 1);
	size_t n = 0;
	unsigned held = 0, bits = 0;
	if (c == NULL)
		return STR_NONE;
	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | from[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			c[n++] = base64url[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		c[n++] = base64url[held << (6 - bits) & 63];
	return (struct str){c, n};
}

enum status
str_unbase64url(struct str s, void *bytes, size_t len)
{
	unsigned char *to = bytes;
	unsigned held = 0, bits = 0;
	size_t n = 0;
	if (s.len != (len * 4 + 2) / 3)
		return STATUS_INVALID;
	for (size_t i = 0; i < s.len; i++) {
		const char *digit = s.at[i] == '\0' ? NULL : strchr(base64url, s.at[i]);
		if (digit == NULL)
			return STATUS_INVALID;
		held = (held << 6 | (unsigned)(digit - base64url)) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[n++] = (unsigned char)(held >> bits);
		}
	}
	/* One value has one spelling: left-over bits must be zero. */
	return (held & ((1u << bits) - 1)) == 0 ? STATUS_OK : STATUS_INVALID;
}

struct str
str_percent_decode(struct arena *arena, struct str s, bool plus)
{
	char *to = arena_alloc(arena, s.len + 1);
	size_t n = 0;
	for (size_t i = 0; to != NULL && i < s.len; i++) {
		int high = s.at[i] == '%' && i + 2 < s.len ? digit_value(s.at[i + 1]) : -1;
		int low = high >= 0 ? digit_value(s.at[i + 2]) : -1;
		if (low >= 0) {
			to[n++] = (char)(high << 4 | low);
			i += 2;
		} else
			to[n++] = plus && s.at[i] == '+' ? ' ' : s.at[i];
	}
	return to == NULL ? STR_NONE : (struct str){to, n};
}
