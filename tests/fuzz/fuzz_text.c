/* Any bytes as a name and as a comment, against a decoder of our own. */
#include "fuzz.h"

/* RFC 3629 by its table; -1 for what is no UTF-8. */
static int32_t
decode(struct str s, size_t *at)
{
	const unsigned char *b = (const unsigned char *)s.at + *at;
	size_t left = s.len - *at;
	size_t len = b[0] < 0x80 ? 1 : b[0] >= 0xc2 && b[0] <= 0xdf ? 2 : b[0] >= 0xe0 && b[0] <= 0xef ? 3
	             : b[0] >= 0xf0 && b[0] <= 0xf4 ? 4 : 0;
	if (len == 0 || left < len)
		return -1;
	int32_t point = len == 1 ? b[0] : b[0] & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (b[i] & 0x3f);
	}
	bool overlong = (len == 3 && point < 0x800) || (len == 4 && point < 0x10000);
	if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return -1;
	*at += len;
	return point;
}

static bool
is_valid(struct str s, size_t *points)
{
	*points = 0;
	for (size_t at = 0; at < s.len; ++*points)
		if (decode(s, &at) <= 0)
			return false;
	return true;
}

static bool
is_noncharacter(int32_t point)
{
	return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

/* What a name may not have. Variation selectors (U+E0100 on) choose between shapes of one ideograph. */
static bool
hides(int32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x202a && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0x200e || point == 0x200f || point == 0x061c ||
	       point == 0x200b || point == 0x2060 || point == 0xfeff || point == 0xad || point == 0x2028 ||
	       point == 0x2029 || (point >= 0xe0000 && point < 0xe0100) || is_noncharacter(point);
}

static void
check_name(struct str name)
{
	enum text_fault fault = TEXT_FAULT_COUNT;
	enum status status = text_name_fault(name, &fault);
	MUST((status == STATUS_OK) == (fault == TEXT_FAULT_NONE));
	for (size_t at = 0; status == STATUS_OK && at < name.len;)
		MUST(!hides(decode(name, &at)));
}

static void
check_comment(struct str comment)
{
	enum text_fault fault = TEXT_FAULT_COUNT;
	enum status status = text_comment_fault(comment, &fault);
	MUST((status == STATUS_OK) == (fault == TEXT_FAULT_NONE));
	for (size_t at = 0; status == STATUS_OK && at < comment.len;) {
		int32_t point = decode(comment, &at);
		MUST((point >= 0x20 && (point < 0x7f || point > 0x9f)) || point == '\t' || point == '\n');
		MUST(!is_noncharacter(point));
	}
}

static void
check_lines(struct arena *arena, struct str s)
{
	struct str lines = text_lines(arena, s);
	size_t breaks = 0, wanted = 0;
	MUST(lines.at != NULL && !str_has(lines, '\r') && lines.len <= s.len);
	for (size_t i = 0; i < s.len; i++)
		wanted += s.at[i] == '\r' || (s.at[i] == '\n' && (i == 0 || s.at[i - 1] != '\r'));
	for (size_t i = 0; i < lines.len; i++)
		breaks += lines.at[i] == '\n';
	MUST(breaks == wanted);
}

static void
check_forms(struct arena *arena, struct str s)
{
	struct str once, twice;
	enum status status = text_nfc(arena, s, &once);
	MUST(status == STATUS_OK || status == STATUS_INVALID);
	MUST(text_fold(arena, s, &twice) == status);
	if (status != STATUS_OK)
		return;
	MUST(text_valid(twice) && twice.len <= 11 * s.len);
	MUST(text_valid(once) && text_nfc(arena, once, &twice) == STATUS_OK && str_eq(once, twice));
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	size_t points;
	bool valid = is_valid(input, &points);
	MUST(text_valid(input) == valid);
	check_name(input);
	check_comment(input);
	check_lines(arena, input);
	check_forms(arena, input);
	MUST(!valid || text_points(input) == points);
}
