#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* The code point at *at, which moves behind it; negative for what is no UTF-8. */
static int32_t
point_next(struct str s, size_t *at)
{
	unsigned char first = (unsigned char)s.at[*at];
	if (first < 0x80) {
		*at += 1;
		return first;
	}
	int32_t point = -1;
	size_t left = s.len - *at;
	utf8proc_ssize_t most = left < 4 ? (utf8proc_ssize_t)left : 4;
	utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)s.at + *at, most, &point);
	if (len <= 0)
		return -1;
	*at += (size_t)len;
	return point;
}

bool
text_valid(struct str s)
{
	for (size_t at = 0; at < s.len;)
		if (point_next(s, &at) <= 0)
			return false;
	return true;
}

size_t
text_points(struct str s)
{
	size_t points = 0;
	for (size_t i = 0; i < s.len; i++)
		points += ((unsigned char)s.at[i] & 0xc0) != 0x80;
	return points;
}

struct str
text_lines(struct arena *arena, struct str s)
{
	if (s.at == NULL)
		return STR_NONE;
	char *to = arena_alloc(arena, s.len + 1);
	if (to == NULL)
		return STR_NONE;
	size_t len = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '\n' && i > 0 && s.at[i - 1] == '\r')
			continue;
		to[len++] = s.at[i] == '\r' ? '\n' : s.at[i];
	}
	return (struct str){to, len};
}

static bool
is_mark(const utf8proc_property_t *property)
{
	return property->category == UTF8PROC_CATEGORY_MN || property->category == UTF8PROC_CATEGORY_MC ||
	    property->category == UTF8PROC_CATEGORY_ME;
}

static bool
is_letter(const utf8proc_property_t *property)
{
	return property->category >= UTF8PROC_CATEGORY_LU && property->category <= UTF8PROC_CATEGORY_LO;
}

/* --- normalising -------------------------------------------------------------------------------- */

/*
 * utf8proc sorts marks by bubbling: 10,000 of them in the wrong order would take a second.  What it
 * sorts are nonzero combining classes, some of which are of no mark category by now or later.
 */
static bool
is_flooded(struct str s)
{
	size_t marks = 0;
	for (size_t at = 0; at < s.len;) {
		const utf8proc_property_t *property = utf8proc_get_property(point_next(s, &at));
		marks = is_mark(property) || property->combining_class != 0 ? marks + 1 : 0;
		if (marks > TEXT_MARKS)
			return true;
	}
	return false;
}

static enum status
map(struct arena *arena, struct str s, utf8proc_option_t options, struct str *mapped)
{
	if (!text_valid(s) || is_flooded(s))
		return STATUS_INVALID;
	utf8proc_uint8_t *made = NULL;
	const utf8proc_uint8_t *from = (const utf8proc_uint8_t *)(s.at == NULL ? "" : s.at);
	utf8proc_ssize_t len = utf8proc_map(from, (utf8proc_ssize_t)s.len, &made, options);
	if (len < 0)
		return STATUS_BROKEN;
	*mapped = str_copy(arena, (struct str){(const char *)made, (size_t)len});
	free(made);
	return mapped->at == NULL ? STATUS_BROKEN : STATUS_OK;
}

/*
 * Everything before the first combining mark, U+0300, is its own normal form (UAX #15 section 9), and
 * what most people write here is nothing else: no byte of it is 0xCC or more.
 */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] >= 0xcc)
			return false;
	return true;
}

enum status
text_nfc(struct arena *arena, struct str s, struct str *nfc)
{
	if (is_plain(s) && text_valid(s)) {
		*nfc = str_copy(arena, s.at == NULL ? STR("") : s);
		return nfc->at == NULL ? STATUS_BROKEN : STATUS_OK;
	}
	return map(arena, s, UTF8PROC_STABLE | UTF8PROC_COMPOSE, nfc);
}

enum status
text_fold(struct arena *arena, struct str s, struct str *folded)
{
	return map(arena, s,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE,
	    folded);
}

/* --- faults ------------------------------------------------------------------------------------- */

enum { ZWNJ = 0x200c, ZWJ = 0x200d, VARIATION_EMOJI = 0xfe0f, TONE_FIRST = 0x1f3fb, TONE_LAST = 0x1f3ff };

/* Blocks of the scripts whose letters joiners separate or join, in order. */
static const struct {
	int32_t first, last;
} joined_scripts[] = {
    {0x0600, 0x07bf},	/* Arabic, Syriac, Thaana */
    {0x07c0, 0x07ff},	/* NKo */
    {0x0840, 0x08ff},	/* Mandaic, Syriac and Arabic supplements */
    {0x0900, 0x0dff},	/* Devanagari to Sinhala */
    {0x0f00, 0x109f},	/* Tibetan, Myanmar */
    {0x1780, 0x18af},	/* Khmer, Mongolian */
    {0x1a20, 0x1baf},	/* Tai Tham, Balinese, Sundanese */
    {0xa840, 0xa87f},	/* Phags-pa */
    {0xa8e0, 0xa8ff},	/* Devanagari extended */
    {0xaa60, 0xaa7f},	/* Myanmar extended */
    {0xabc0, 0xabff},	/* Meetei Mayek */
    {0xfb50, 0xfdff},	/* Arabic presentation forms */
    {0xfe70, 0xfefe},	/* the same, without U+FEFF */
    {0x10d00, 0x10d3f}, /* Hanifi Rohingya */
    {0x11000, 0x11fff}, /* the younger Indic blocks */
    {0x1e900, 0x1e95f}, /* Adlam */
};

static bool
is_joined_script(int32_t point)
{
	for (size_t i = 0; i < sizeof joined_scripts / sizeof *joined_scripts; i++)
		if (point >= joined_scripts[i].first && point <= joined_scripts[i].last)
			return true;
	return false;
}

static bool
is_noncharacter(int32_t point)
{
	return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

static bool
is_direction(int32_t point)
{
	return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
	    point == 0x200e || point == 0x200f || point == 0x061c;
}

/* Braille's blank is a symbol and the noncombining spaces are separators; the rest Unicode lists. */
static bool
is_visible(int32_t point, const utf8proc_property_t *property)
{
	switch (property->category) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CS:
		return false;
	default:
		return !property->ignorable && point != 0x2800 && point != 0xfffc && !is_mark(property);
	}
}

/* Where a scan stands: what came before decides about marks and joiners. */
struct scan {
	int32_t before;			     /* the point before, 0 at the beginning */
	const utf8proc_property_t *property; /* of `before` */
	size_t marks;			     /* in a row, up to `before` */
	bool pictograph;		     /* `before` ends an emoji that a ZWJ may continue */
	bool visible;			     /* something was */
};

/* A joiner after `scan->before`: right if the next point fits to it. */
static bool
joiner_fits(const struct scan *scan, int32_t joiner, int32_t next)
{
	const utf8proc_property_t *property = utf8proc_get_property(next);
	if (joiner == ZWJ && scan->pictograph)
		return property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
	return is_joined_script(scan->before) && (is_letter(scan->property) || is_mark(scan->property)) &&
	    is_joined_script(next) && is_letter(property);
}

static void
scan_step(struct scan *scan, int32_t point, const utf8proc_property_t *property)
{
	bool extends = point == VARIATION_EMOJI || (point >= TONE_FIRST && point <= TONE_LAST);
	scan->pictograph = property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC ||
	    (scan->pictograph && extends);
	scan->marks = is_mark(property) ? scan->marks + 1 : 0;
	scan->visible |= is_visible(point, property);
	scan->before = point;
	scan->property = property;
}

static bool
has_base(const struct scan *scan)
{
	return scan->before != 0 && (is_mark(scan->property) || is_visible(scan->before, scan->property));
}

static enum text_fault
name_mark_fault(const struct scan *scan)
{
	if (!has_base(scan))
		return TEXT_FAULT_LONE_MARK;
	return scan->marks >= TEXT_NAME_MARKS ? TEXT_FAULT_MARKS : TEXT_FAULT_NONE;
}

/* By category alone. Signs of Arabic and its kin that are «format» but show: boundclass Prepend. */
static enum text_fault
name_category_fault(const utf8proc_property_t *property)
{
	switch (property->category) {
	case UTF8PROC_CATEGORY_CC:
		return TEXT_FAULT_CONTROL;
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return TEXT_FAULT_LINE;
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CS:
		return TEXT_FAULT_UNKNOWN;
	case UTF8PROC_CATEGORY_CF:
		return property->boundclass == UTF8PROC_BOUNDCLASS_PREPEND ? TEXT_FAULT_NONE
									   : TEXT_FAULT_INVISIBLE;
	default:
		return TEXT_FAULT_NONE;
	}
}

static enum text_fault
name_point_fault(const struct scan *scan, int32_t point, const utf8proc_property_t *property)
{
	if (is_direction(point))
		return TEXT_FAULT_DIRECTION;
	if (is_mark(property))
		return name_mark_fault(scan);
	enum text_fault fault = name_category_fault(property);
	if (fault == TEXT_FAULT_NONE && property->ignorable)
		return TEXT_FAULT_INVISIBLE;
	return fault;
}

static enum text_fault
name_scan(struct str name, struct scan *scan)
{
	for (size_t at = 0; at < name.len;) {
		int32_t point = point_next(name, &at);
		const utf8proc_property_t *property = utf8proc_get_property(point);
		enum text_fault fault;
		if (point == ZWJ || point == ZWNJ) {
			size_t ahead = at;
			int32_t next = at < name.len ? point_next(name, &ahead) : 0;
			fault = joiner_fits(scan, point, next) ? TEXT_FAULT_NONE : TEXT_FAULT_JOINER;
		} else {
			fault = name_point_fault(scan, point, property);
		}
		if (fault != TEXT_FAULT_NONE)
			return fault;
		scan_step(scan, point, property);
	}
	return scan->visible ? TEXT_FAULT_NONE : TEXT_FAULT_EMPTY;
}

static enum text_fault
comment_scan(struct str comment, struct scan *scan)
{
	for (size_t at = 0; at < comment.len;) {
		int32_t point = point_next(comment, &at);
		const utf8proc_property_t *property = utf8proc_get_property(point);
		if (property->category == UTF8PROC_CATEGORY_CC && point != '\t' && point != '\n')
			return TEXT_FAULT_CONTROL;
		if (is_noncharacter(point))
			return TEXT_FAULT_UNKNOWN;
		scan_step(scan, point, property);
		if (scan->marks > TEXT_COMMENT_MARKS)
			return TEXT_FAULT_MARKS;
	}
	return scan->visible ? TEXT_FAULT_NONE : TEXT_FAULT_EMPTY;
}

static enum status
verdict(struct str s, enum text_fault (*scan)(struct str, struct scan *), enum text_fault *fault)
{
	struct scan state = {.property = utf8proc_get_property(0)};
	*fault = text_valid(s) ? scan(s, &state) : TEXT_FAULT_ENCODING;
	return *fault == TEXT_FAULT_NONE ? STATUS_OK : STATUS_INVALID;
}

enum status
text_name_fault(struct str name, enum text_fault *fault)
{
	return verdict(name, name_scan, fault);
}

enum status
text_comment_fault(struct str comment, enum text_fault *fault)
{
	return verdict(comment, comment_scan, fault);
}
