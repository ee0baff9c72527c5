#include "markdown.h"

#include <limits.h>
#include <md4c.h>
#include <string.h>

#include "out.h"

/*
 * What may come out. Markup of our own stands in this table and in the three functions that write
 * an attribute, nowhere else in the program.
 */
enum tag { TAG_P, TAG_EM, TAG_STRONG, TAG_CODE, TAG_PRE, TAG_QUOTE, TAG_OL, TAG_UL, TAG_LI, TAG_A };

static const struct {
	struct str open, close;
} tags[] = {
    [TAG_P] = {STR_INIT("<p>"), STR_INIT("</p>\n")},
    [TAG_EM] = {STR_INIT("<em>"), STR_INIT("</em>")},
    [TAG_STRONG] = {STR_INIT("<strong>"), STR_INIT("</strong>")},
    [TAG_CODE] = {STR_INIT("<code>"), STR_INIT("</code>")},
    [TAG_PRE] = {STR_INIT("<pre>"), STR_INIT("</pre>\n")},
    [TAG_QUOTE] = {STR_INIT("<blockquote>\n"), STR_INIT("</blockquote>\n")},
    [TAG_OL] = {STR_INIT("<ol>\n"), STR_INIT("</ol>\n")},
    [TAG_UL] = {STR_INIT("<ul>\n"), STR_INIT("</ul>\n")},
    [TAG_LI] = {STR_INIT("<li>"), STR_INIT("</li>\n")},
    [TAG_A] = {STR_INIT("<a>"), STR_INIT("</a>")},
};

enum {
	/* Lists bring a list and its items, spans and the leaf block come on top. */
	OPEN_MAX = 2 * MARKDOWN_DEPTH + MARKDOWN_DEPTH + 4,
	STOP = 1, /* what a callback returns to end the parsing */
	SLACK = 1024
};

/* How a link that is no link began, so that it ends alike. */
enum typed { TYPED_NONE, TYPED_UNDECIDED, TYPED_BRACKETS, TYPED_ANGLES, TYPED_BARE };

/* One parsing. */
struct emitter {
	struct out out;
	struct arena *arena;
	struct str text;	 /* what was typed */
	size_t links;		 /* links and images seen */
	enum tag open[OPEN_MAX]; /* what is open now, so that nothing crosses */
	size_t open_n;
	size_t blocks, blocks_flat; /* quotes and lists around: written, and too deep to be */
	size_t spans_flat;	    /* em, strong and code around that are too deep to be written */
	size_t anchors;		    /* links and images around */
	size_t anchor_open;	    /* the one of them that is written as <a>; 0 for none */
	size_t anchor_typed;	    /* the one of them that is shown as typed; 0 for none */
	enum typed typed;
	struct str typed_url;
	unsigned heading; /* its level, until its first text is there; 0 outside */
	bool underlined;  /* the heading is of the kind with a line below */
	bool stopped;	  /* a callback returned STOP; md4c 0.4.8 forgets it on some ways out */
};

/* --- tags --------------------------------------------------------------------------------------- */

static int
stop(struct emitter *emitter)
{
	emitter->stopped = true;
	return STOP;
}

static int
within_bounds(struct emitter *emitter)
{
	if (emitter->out.failed || emitter->out.len > emitter->text.len * MARKDOWN_GROWTH + SLACK)
		return stop(emitter);
	return emitter->stopped ? STOP : 0;
}

static int
tag_push(struct emitter *emitter, enum tag tag)
{
	if (emitter->open_n == OPEN_MAX)
		return stop(emitter);
	emitter->open[emitter->open_n++] = tag;
	return within_bounds(emitter);
}

static int
tag_open(struct emitter *emitter, enum tag tag)
{
	out_put(&emitter->out, tags[tag].open);
	return tag_push(emitter, tag);
}

static void
tag_pop(struct emitter *emitter)
{
	emitter->open_n--;
	out_put(&emitter->out, tags[emitter->open[emitter->open_n]].close);
}

/*
 * Closes the innermost `tag` and what is open inside of it; nothing when there is none.  md4c does
 * not always nest rightly: in «*http://x.org*y» the link swallows the end of the emphasis.
 */
static int
tag_close(struct emitter *emitter, enum tag tag)
{
	size_t found = emitter->open_n;
	while (found > 0 && emitter->open[found - 1] != tag)
		found--;
	if (found == 0)
		return within_bounds(emitter);
	while (emitter->open_n >= found)
		tag_pop(emitter);
	return within_bounds(emitter);
}

static size_t
spans_open(const struct emitter *emitter)
{
	size_t spans = 0;
	for (size_t i = 0; i < emitter->open_n; i++) {
		enum tag tag = emitter->open[i];
		spans += tag == TAG_EM || tag == TAG_STRONG;
	}
	return spans;
}

static void
line_break(struct emitter *emitter)
{
	out_put(&emitter->out, STR("<br>\n"));
}

/* --- character references ----------------------------------------------------------------------- */

static const struct {
	struct str name, text;
} references[] = {
    {STR_INIT("&amp;"), STR_INIT("&")},
    {STR_INIT("&lt;"), STR_INIT("<")},
    {STR_INIT("&gt;"), STR_INIT(">")},
    {STR_INIT("&quot;"), STR_INIT("\"")},
    {STR_INIT("&apos;"), STR_INIT("'")},
    {STR_INIT("&nbsp;"), STR_INIT("\xc2\xa0")},
    {STR_INIT("&copy;"), STR_INIT("\xc2\xa9")},
    {STR_INIT("&hellip;"), STR_INIT("\xe2\x80\xa6")},
    {STR_INIT("&mdash;"), STR_INIT("\xe2\x80\x94")},
    {STR_INIT("&ndash;"), STR_INIT("\xe2\x80\x93")},
    {STR_INIT("&euro;"), STR_INIT("\xe2\x82\xac")},
};

/* The number of «&#65;» or «&#x41;»; 0 for what is none. md4c has seen to its form and its length. */
static uint32_t
reference_number(struct str reference)
{
	bool hex = reference.at[2] == 'x' || reference.at[2] == 'X';
	uint32_t number = 0;
	for (size_t i = hex ? 3 : 2; i + 1 < reference.len; i++) {
		char c = reference.at[i];
		uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a') + 10;
		if (digit > 15 || number > 0x10ffff)
			return 0;
		number = number * (hex ? 16 : 10) + digit;
	}
	return number;
}

/* Nothing comes in by its number that a comment may not have as it is: controls, noncharacters. */
static bool
is_character(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point <= 0x9f) || point > 0x10ffff)
		return false;
	if (point >= 0xd800 && point <= 0xdfff)
		return false;
	return !(point >= 0xfdd0 && point <= 0xfdef) && (point & 0xfffe) != 0xfffe;
}

static struct str
encode(uint32_t point, char utf8[4])
{
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = len - 1; i > 0; i--) {
		utf8[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	utf8[0] = (char)(lead[len] | point);
	return (struct str){utf8, len};
}

/* What a reference stands for; itself when we do not know. */
static struct str
reference_text(struct str reference, char utf8[4])
{
	if (reference.len > 3 && reference.at[1] == '#') {
		uint32_t point = reference_number(reference);
		return is_character(point) ? encode(point, utf8) : reference;
	}
	for (size_t i = 0; i < sizeof references / sizeof *references; i++)
		if (str_eq(reference, references[i].name))
			return references[i].text;
	return reference;
}

/* --- links -------------------------------------------------------------------------------------- */

static struct str
attribute_str(const MD_ATTRIBUTE *attribute)
{
	return (struct str){attribute->text == NULL ? "" : attribute->text, attribute->size};
}

/* The address with its references decoded, as a browser would see it if we wrote it as typed. */
static struct str
attribute_url(struct arena *arena, const MD_ATTRIBUTE *attribute)
{
	struct str text = attribute_str(attribute);
	/* A reference is never shorter than what it stands for. */
	char *to = arena_alloc(arena, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; to != NULL && text.len > 0 && attribute->substr_offsets[i] < text.len; i++) {
		size_t from = attribute->substr_offsets[i];
		struct str part = str_sub(text, from, attribute->substr_offsets[i + 1] - from);
		char utf8[4];
		if (attribute->substr_types[i] == MD_TEXT_ENTITY)
			part = reference_text(part, utf8);
		memcpy(to + len, part.at, part.len);
		len += part.len;
	}
	return (struct str){to, len};
}

/*
 * http or https, a host, and no byte that browsers drop or bend («java\tscript:», «http:\\»). Checked
 * after references are decoded; out_url would write '#' for another scheme, this shows what was typed.
 */
static bool
is_link(struct str url)
{
	size_t scheme = str_find(url, ':');
	struct str name = str_sub(url, 0, scheme);
	if (!str_eq_nocase(name, STR("http")) && !str_eq_nocase(name, STR("https")))
		return false;
	struct str rest = str_sub(url, scheme, url.len);
	if (!str_starts(rest, STR("://")) || rest.len < 4 || strchr("/?#:@.", rest.at[3]) != NULL)
		return false;
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.at[i] <= ' ' || url.at[i] == 0x7f || url.at[i] == '\\')
			return false;
	return true;
}

static int
link_open(struct emitter *emitter, struct str url)
{
	out_put(&emitter->out, STR("<a href=\""));
	out_url(&emitter->out, url);
	out_put(&emitter->out, STR("\" rel=\"ugc nofollow noopener noreferrer\">"));
	return tag_push(emitter, TAG_A);
}

/* Images are links to them. A link in a link is its text: HTML has no such thing. */
static int
anchor_enter(struct emitter *emitter, const MD_ATTRIBUTE *address)
{
	emitter->anchors++;
	emitter->links++;
	if (emitter->anchor_open != 0 || emitter->anchor_typed != 0)
		return 0;
	struct str url = attribute_url(emitter->arena, address);
	if (is_link(url)) {
		emitter->anchor_open = emitter->anchors;
		return link_open(emitter, url);
	}
	emitter->anchor_typed = emitter->anchors;
	emitter->typed = TYPED_UNDECIDED;
	emitter->typed_url = str_copy(emitter->arena, attribute_str(address));
	return 0;
}

/* Does `at` point behind the first byte of what was typed, and no further than its end? */
static bool
is_inside(const struct emitter *emitter, const char *at)
{
	uintptr_t begin = (uintptr_t)emitter->text.at;
	return (uintptr_t)at > begin && (uintptr_t)at <= begin + emitter->text.len;
}

/* «<mailto:a@b>» and «ftp://x» have their address for text, as «[text](mailto:a@b)» has not. */
static enum typed
typed_kind(const struct emitter *emitter, struct str text)
{
	if (text.len == 0 || !str_ends(emitter->typed_url, text))
		return TYPED_BRACKETS;
	if (is_inside(emitter, text.at) && text.at[-1] == '<')
		return TYPED_ANGLES;
	bool whole =
	    text.len == emitter->typed_url.len && !(is_inside(emitter, text.at) && text.at[-1] == '[');
	return whole ? TYPED_BARE : TYPED_BRACKETS;
}

static void
typed_begin(struct emitter *emitter, struct str text)
{
	if (emitter->typed != TYPED_UNDECIDED)
		return;
	emitter->typed = typed_kind(emitter, text);
	if (emitter->typed == TYPED_BRACKETS)
		out_byte(&emitter->out, '[');
	if (emitter->typed == TYPED_ANGLES)
		out_html(&emitter->out, STR("<"));
}

static int
typed_end(struct emitter *emitter)
{
	typed_begin(emitter, STR_NONE);
	if (emitter->typed == TYPED_BRACKETS) {
		out_put(&emitter->out, STR("]("));
		out_html(&emitter->out, emitter->typed_url);
		out_byte(&emitter->out, ')');
	}
	if (emitter->typed == TYPED_ANGLES)
		out_html(&emitter->out, STR(">"));
	emitter->typed = TYPED_NONE;
	return within_bounds(emitter);
}

static int
anchor_leave(struct emitter *emitter)
{
	if (emitter->anchors == 0)
		return 0;
	size_t anchor = emitter->anchors--;
	if (anchor == emitter->anchor_open) {
		emitter->anchor_open = 0;
		return tag_close(emitter, TAG_A);
	}
	if (anchor == emitter->anchor_typed) {
		emitter->anchor_typed = 0;
		return typed_end(emitter);
	}
	return 0;
}

/* --- spans -------------------------------------------------------------------------------------- */

static enum tag
span_tag(MD_SPANTYPE type)
{
	return type == MD_SPAN_EM ? TAG_EM : type == MD_SPAN_STRONG ? TAG_STRONG : TAG_CODE;
}

static int
enter_span(MD_SPANTYPE type, void *detail, void *context)
{
	struct emitter *emitter = context;
	typed_begin(emitter, STR_NONE);
	if (type == MD_SPAN_A)
		return anchor_enter(emitter, &((const MD_SPAN_A_DETAIL *)detail)->href);
	if (type == MD_SPAN_IMG)
		return anchor_enter(emitter, &((const MD_SPAN_IMG_DETAIL *)detail)->src);
	if (spans_open(emitter) < MARKDOWN_DEPTH)
		return tag_open(emitter, span_tag(type));
	emitter->spans_flat++;
	return 0;
}

static int
leave_span(MD_SPANTYPE type, void *detail, void *context)
{
	(void)detail;
	struct emitter *emitter = context;
	if (type == MD_SPAN_A || type == MD_SPAN_IMG)
		return anchor_leave(emitter);
	if (emitter->spans_flat == 0)
		return tag_close(emitter, span_tag(type));
	emitter->spans_flat--;
	return 0;
}

/* --- blocks ------------------------------------------------------------------------------------- */

static bool
is_span(enum tag tag)
{
	return tag == TAG_EM || tag == TAG_STRONG || tag == TAG_CODE || tag == TAG_A;
}

/* Before a block begins: no span lasts longer than its own, whatever md4c has told of it. */
static void
spans_forget(struct emitter *emitter)
{
	while (emitter->open_n > 0 && is_span(emitter->open[emitter->open_n - 1]))
		tag_pop(emitter);
	emitter->spans_flat = 0;
	emitter->anchors = emitter->anchor_open = emitter->anchor_typed = 0;
	emitter->typed = TYPED_NONE;
}

static int
leaf_open(struct emitter *emitter, enum tag tag)
{
	spans_forget(emitter);
	return tag_open(emitter, tag);
}

static int
list_open(struct emitter *emitter, unsigned start)
{
	if (start == 1)
		return tag_open(emitter, TAG_OL);
	out_put(&emitter->out, STR("<ol start=\""));
	out_integer(&emitter->out, start);
	out_put(&emitter->out, STR("\">\n"));
	return tag_push(emitter, TAG_OL);
}

/* A quote or list: counted, and written if it is not too deep. */
static int
container_enter(struct emitter *emitter, MD_BLOCKTYPE type, void *detail)
{
	spans_forget(emitter);
	if (emitter->blocks == MARKDOWN_DEPTH) {
		emitter->blocks_flat++;
		return 0;
	}
	emitter->blocks++;
	if (type == MD_BLOCK_OL)
		return list_open(emitter, ((const MD_BLOCK_OL_DETAIL *)detail)->start);
	return tag_open(emitter, type == MD_BLOCK_UL ? TAG_UL : TAG_QUOTE);
}

static int
container_leave(struct emitter *emitter, MD_BLOCKTYPE type)
{
	if (emitter->blocks_flat > 0) {
		emitter->blocks_flat--;
		return 0;
	}
	emitter->blocks--;
	return tag_close(emitter, type == MD_BLOCK_OL ? TAG_OL : type == MD_BLOCK_UL ? TAG_UL : TAG_QUOTE);
}

/* Items of a flat list have no tag, and what stands in them directly would run together. */
static int
item_enter(struct emitter *emitter)
{
	spans_forget(emitter);
	if (emitter->blocks_flat == 0)
		return tag_open(emitter, TAG_LI);
	line_break(emitter);
	return within_bounds(emitter);
}

static int
code_enter(struct emitter *emitter)
{
	int stopped = leaf_open(emitter, TAG_PRE);
	return stopped != 0 ? stopped : tag_open(emitter, TAG_CODE);
}

static int
code_leave(struct emitter *emitter)
{
	int stopped = tag_close(emitter, TAG_CODE);
	return stopped != 0 ? stopped : tag_close(emitter, TAG_PRE);
}

static int
rule_write(struct emitter *emitter)
{
	int stopped = leaf_open(emitter, TAG_P);
	out_put(&emitter->out, STR("---"));
	return stopped != 0 ? stopped : tag_close(emitter, TAG_P);
}

static int
heading_enter(struct emitter *emitter, unsigned level)
{
	emitter->heading = level;
	emitter->underlined = false;
	return leaf_open(emitter, TAG_P);
}

static void
hashes_write(struct emitter *emitter)
{
	for (unsigned i = 0; i < emitter->heading; i++)
		out_byte(&emitter->out, '#');
	emitter->heading = 0;
}

/*
 * md4c does not tell a heading with hashes from one with a line below, but its text points into what
 * was typed: the hashes stand before it in its line.
 */
static bool
has_hashes(const struct emitter *emitter, const char *text)
{
	const char *begin = emitter->text.at;
	if (!is_inside(emitter, text))
		return false;
	size_t hashes = 0;
	for (const char *at = text; at > begin && at[-1] != '\n' && at[-1] != '\r'; at--) {
		bool blank = at[0] == ' ' || at[0] == '\t';
		hashes = at[-1] == '#' && (hashes > 0 || blank) ? hashes + 1 : 0;
		if (hashes == emitter->heading && (at - 1 == begin || at[-2] != '#'))
			return true;
	}
	return false;
}

static void
heading_begin(struct emitter *emitter, const char *text)
{
	if (emitter->heading == 0)
		return;
	if (has_hashes(emitter, text)) {
		hashes_write(emitter);
		out_byte(&emitter->out, ' ');
		return;
	}
	emitter->underlined = true;
	emitter->heading = 0;
}

static int
heading_leave(struct emitter *emitter, unsigned level)
{
	hashes_write(emitter); /* of a heading without text */
	if (emitter->underlined) {
		line_break(emitter);
		out_put(&emitter->out, level == 1 ? STR("===") : STR("---"));
		emitter->underlined = false;
	}
	return tag_close(emitter, TAG_P);
}

static int
enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct emitter *emitter = context;
	switch (type) {
	case MD_BLOCK_DOC:
		return 0;
	case MD_BLOCK_QUOTE:
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		return container_enter(emitter, type, detail);
	case MD_BLOCK_LI:
		return item_enter(emitter);
	case MD_BLOCK_CODE:
		return code_enter(emitter);
	case MD_BLOCK_HR:
		return rule_write(emitter);
	case MD_BLOCK_H:
		return heading_enter(emitter, ((const MD_BLOCK_H_DETAIL *)detail)->level);
	default:
		return leaf_open(emitter, TAG_P);
	}
}

static int
leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	struct emitter *emitter = context;
	switch (type) {
	case MD_BLOCK_DOC:
	case MD_BLOCK_HR:
		return 0;
	case MD_BLOCK_QUOTE:
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		return container_leave(emitter, type);
	case MD_BLOCK_LI:
		return emitter->blocks_flat > 0 ? 0 : tag_close(emitter, TAG_LI);
	case MD_BLOCK_CODE:
		return code_leave(emitter);
	case MD_BLOCK_H:
		return heading_leave(emitter, ((const MD_BLOCK_H_DETAIL *)detail)->level);
	default:
		return tag_close(emitter, TAG_P);
	}
}

/* --- text --------------------------------------------------------------------------------------- */

/* Text as it is meant; `utf8` is room for a decoded reference. Breaks are the caller's. */
static struct str
text_meant(MD_TEXTTYPE type, const MD_CHAR *at, MD_SIZE len, char utf8[4])
{
	struct str text = {at, len};
	if (type == MD_TEXT_NULLCHAR)
		return STR("\xef\xbf\xbd");
	return type == MD_TEXT_ENTITY ? reference_text(text, utf8) : text;
}

static int
text(MD_TEXTTYPE type, const MD_CHAR *at, MD_SIZE len, void *context)
{
	struct emitter *emitter = context;
	char utf8[4];
	heading_begin(emitter, at);
	typed_begin(emitter, (struct str){at, len});
	if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
		line_break(emitter);
	else
		out_html(&emitter->out, text_meant(type, at, len, utf8));
	return within_bounds(emitter);
}

/* --- the whole ---------------------------------------------------------------------------------- */

static const unsigned flags =
    MD_FLAG_NOHTML | MD_FLAG_PERMISSIVEURLAUTOLINKS | MD_FLAG_PERMISSIVEWWWAUTOLINKS;

/* The last resort, which nothing but its length can make long. */
static struct str
as_typed(struct arena *arena, struct str typed)
{
	struct out out;
	out_init(&out, arena);
	out_put(&out, tags[TAG_P].open);
	struct str rest = typed;
	while (rest.at != NULL) {
		out_html(&out, str_cut(&rest, '\n'));
		if (rest.at != NULL)
			out_put(&out, STR("<br>\n"));
	}
	out_put(&out, tags[TAG_P].close);
	return out_status(&out) == STATUS_OK ? out_str(&out) : STR_NONE;
}

static enum status
finish(const struct emitter *emitter, struct str markup, bool typed, struct markdown *result)
{
	*result = (struct markdown){.html = {markup}, .links = emitter->links, .typed = typed};
	return emitter->arena->failed || markup.at == NULL ? STATUS_BROKEN : STATUS_OK;
}

enum status
markdown_html(struct arena *arena, struct str text_typed, struct markdown *result)
{
	struct emitter emitter = {.arena = arena, .text = text_typed};
	if (text_typed.len > MARKDOWN_MAX)
		return STATUS_TOO_LARGE;
	out_init(&emitter.out, arena);
	const MD_PARSER parser = {.flags = flags,
	    .enter_block = enter_block,
	    .leave_block = leave_block,
	    .enter_span = enter_span,
	    .leave_span = leave_span,
	    .text = text};
	if (text_typed.len == 0)
		return finish(&emitter, STR(""), false, result);
	int failed = md_parse(text_typed.at, (MD_SIZE)text_typed.len, &parser, &emitter);
	if (failed < 0)
		return STATUS_BROKEN;
	if (emitter.stopped || emitter.open_n > 0)
		return finish(&emitter, as_typed(arena, text_typed), true, result);
	if (emitter.out.len > 0 || str_trim(text_typed).len == 0)
		return finish(
		    &emitter, emitter.out.len == 0 ? STR("") : out_str(&emitter.out), false, result);
	/* Nothing but definitions of links: that is not what the person wanted to say. */
	return finish(&emitter, as_typed(arena, text_typed), true, result);
}

/* --- the words alone ---------------------------------------------------------------------------- */

static void
plain_line(struct out *out)
{
	if (out->len > 0 && out->at[out->len - 1] != '\n')
		out_byte(out, '\n');
}

static int
plain_block(MD_BLOCKTYPE type, void *detail, void *context)
{
	(void)type;
	(void)detail;
	plain_line(context);
	return 0;
}

static int
plain_span(MD_SPANTYPE type, void *detail, void *context)
{
	(void)type;
	(void)detail;
	(void)context;
	return 0;
}

static int
plain_text(MD_TEXTTYPE type, const MD_CHAR *at, MD_SIZE len, void *context)
{
	char utf8[4];
	if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
		plain_line(context);
	else
		out_put(context, text_meant(type, at, len, utf8));
	return ((struct out *)context)->failed ? STOP : 0;
}

enum status
markdown_text(struct arena *arena, struct str text_typed, struct str *plain)
{
	if (text_typed.len > MARKDOWN_MAX)
		return STATUS_TOO_LARGE;
	struct out out;
	out_init(&out, arena);
	const MD_PARSER parser = {.flags = flags,
	    .enter_block = plain_block,
	    .leave_block = plain_block,
	    .enter_span = plain_span,
	    .leave_span = plain_span,
	    .text = plain_text};
	int failed =
	    md_parse(text_typed.len == 0 ? "" : text_typed.at, (MD_SIZE)text_typed.len, &parser, &out);
	if (failed != 0 || out_status(&out) != STATUS_OK)
		return STATUS_BROKEN;
	*plain = out.len == 0 ? STR("") : str_trim(out_str(&out));
	return STATUS_OK;
}
