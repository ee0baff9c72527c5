/*
 * Where in the markup a hole would stand.  The states are those of the HTML standard's tokenizer
 * (13.2.5) that a template may reach, a few of them taken together.
 */
#include "pagegen.h"

#include <string.h>

enum {
	STATE_TEXT,
	STATE_RCDATA,	   /* in a textarea or title */
	STATE_RAW,	   /* in a script, style … */
	STATE_COMMENT,	   /* <!-- */
	STATE_DECLARATION, /* <!doctype … , <?xml … */
	STATE_CDATA,	   /* <![CDATA[ */
	STATE_TAG_NAME,
	STATE_TAG, /* between attributes */
	STATE_NAME,
	STATE_AFTER_NAME,
	STATE_BEFORE_VALUE,
	STATE_DOUBLE,
	STATE_SINGLE,
	STATE_BARE,
	STATE_QUOTED /* JSON, in a string */
};

void
pagegen_context_init(struct pagegen_context *context, enum pagegen_language language)
{
	*context = (struct pagegen_context){.language = language, .state = STATE_TEXT};
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static void
append(char name[PAGEGEN_NAME_ROOM], char c)
{
	size_t len = strlen(name);
	if (len + 1 < PAGEGEN_NAME_ROOM) {
		name[len] = lower(c);
		name[len + 1] = '\0';
	}
}

static bool
is_in(const char *name, const char *list)
{
	struct str rest = str_from(list);
	while (rest.at != NULL)
		if (str_eq(str_cut(&rest, ' '), str_from(name)))
			return true;
	return false;
}

/* --- tags ------------------------------------------------------------------------------------- */

static bool
is_url(const struct pagegen_context *context)
{
	struct str name = str_from(context->attribute);
	return str_ends(name, STR(":href")) ||
	    is_in(context->attribute, "href src action formaction cite poster data ping background manifest");
}

/* An attribute's name is complete. */
static const char *
check_attribute(const struct pagegen_context *context)
{
	if (strncmp(context->attribute, "on", 2) == 0)
		return "an attribute that begins with `on` runs a script; write the script in www/static";
	if (is_in(context->attribute, "style srcdoc srcset imagesrcset"))
		return "style, srcdoc and srcset are refused: no escape fits them";
	return NULL;
}

static size_t
end_tag(struct pagegen_context *context)
{
	context->state = STATE_TEXT;
	if (context->language != PAGEGEN_HTML || context->closing)
		return 1;
	if (is_in(context->tag, "script style iframe xmp noembed noframes plaintext"))
		context->state = STATE_RAW;
	else if (is_in(context->tag, "textarea title"))
		context->state = STATE_RCDATA;
	return 1;
}

static size_t
begin_tag(struct pagegen_context *context, bool closing)
{
	context->state = STATE_TAG_NAME;
	context->closing = closing;
	context->tag[0] = '\0';
	context->tags++;
	return closing ? 2 : 1;
}

static size_t
step_text(struct pagegen_context *context, struct str rest)
{
	if (rest.at[0] != '<')
		return 1;
	if (str_starts(rest, STR("<!--"))) {
		context->state = STATE_COMMENT;
		return 2; /* <!--> is a comment, too */
	}
	if (context->language == PAGEGEN_XML && str_starts(rest, STR("<![CDATA["))) {
		context->state = STATE_CDATA;
		return 9;
	}
	if (str_eq(rest, STR("<")) || str_eq(rest, STR("</")) || str_eq(rest, STR("<!")) ||
	    str_eq(rest, STR("<!-"))) {
		context->cut = true;
		return rest.len;
	}
	if (is_letter(rest.at[1]))
		return begin_tag(context, false);
	if (rest.at[1] == '/' && is_letter(rest.at[2]))
		return begin_tag(context, true);
	if (strchr("!?/", rest.at[1]) != NULL)
		context->state = STATE_DECLARATION;
	return 1;
}

/* Up to `end`. */
static size_t
step_until(struct pagegen_context *context, struct str rest, struct str end)
{
	if (str_starts(rest, end)) {
		context->state = STATE_TEXT;
		return end.len;
	}
	context->cut = str_starts(end, rest);
	return 1;
}

/* Begins `rest` with `</name`, as far as it goes? */
static bool
is_end_of(struct str name, struct str rest)
{
	struct str slash = str_sub(STR("</"), 0, rest.len);
	struct str behind = str_sub(rest, 2, name.len);
	return str_starts(rest, slash) && str_eq_nocase(behind, str_sub(name, 0, behind.len));
}

/* In an element whose text is no markup: nothing but its own end tag ends it. */
static size_t
step_raw(struct pagegen_context *context, struct str rest)
{
	struct str name = str_from(context->tag);
	if (!is_end_of(name, rest))
		return 1;
	context->cut = rest.len < name.len + 3;
	if (context->cut)
		return rest.len;
	char behind = rest.at[name.len + 2];
	return pagegen_is_space(behind) || behind == '/' || behind == '>' ? begin_tag(context, true) : 1;
}

static size_t
step_tag_name(struct pagegen_context *context, char c)
{
	if (c == '>')
		return end_tag(context);
	if (pagegen_is_space(c) || c == '/') {
		context->state = STATE_TAG;
		context->needs_space = false;
	} else {
		append(context->tag, c);
	}
	return 1;
}

static size_t
begin_attribute(struct pagegen_context *context, char c, const char **wrong)
{
	if (context->needs_space)
		*wrong = "white space is missing before this attribute, on one path at least";
	if (strchr("\"'<=", c) != NULL)
		*wrong = "no attribute begins like this";
	context->state = STATE_NAME;
	context->attribute[0] = '\0';
	append(context->attribute, c);
	context->attributes++;
	return 1;
}

static size_t
step_tag(struct pagegen_context *context, char c, const char **wrong)
{
	if (c == '>')
		return end_tag(context);
	if (!pagegen_is_space(c) && c != '/')
		return begin_attribute(context, c, wrong);
	context->needs_space = false;
	return 1;
}

static size_t
step_name(struct pagegen_context *context, char c, const char **wrong)
{
	bool ends = pagegen_is_space(c) || c == '/' || c == '>' || c == '=';
	if (!ends) {
		if (strchr("\"'<", c) != NULL)
			*wrong = "a quote or < in an attribute's name";
		append(context->attribute, c);
		return 1;
	}
	*wrong = check_attribute(context);
	context->needs_space = false;
	if (c == '>')
		return end_tag(context);
	context->state = c == '=' ? STATE_BEFORE_VALUE : c == '/' ? STATE_TAG : STATE_AFTER_NAME;
	return 1;
}

static size_t
step_after_name(struct pagegen_context *context, char c, const char **wrong)
{
	if (c == '=')
		context->state = STATE_BEFORE_VALUE;
	else if (!pagegen_is_space(c)) {
		context->state = STATE_TAG;
		return step_tag(context, c, wrong);
	}
	return 1;
}

/* A scheme that runs what follows. */
static bool
is_script(struct str value)
{
	static const struct str schemes[] = {
	    STR_INIT("javascript:"), STR_INIT("vbscript:"), STR_INIT("data:")};
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (str_eq_nocase(str_sub(value, 0, schemes[i].len), schemes[i]))
			return true;
	return false;
}

static size_t
step_before_value(struct pagegen_context *context, struct str rest, const char **wrong)
{
	char c = rest.at[0];
	if (pagegen_is_space(c))
		return 1;
	bool quoted = c == '"' || c == '\'';
	context->state = c == '"' ? STATE_DOUBLE : c == '\'' ? STATE_SINGLE : STATE_BARE;
	context->begins = true;
	if (c == '>')
		*wrong = "an attribute's value is missing";
	if (is_url(context) && is_script(str_trim(str_sub(rest, quoted ? 1 : 0, rest.len))))
		*wrong = "javascript:, vbscript: and data: addresses are refused";
	return quoted || c != '>' ? 1 : end_tag(context);
}

static size_t
step_value(struct pagegen_context *context, char c)
{
	char quote = context->state == STATE_DOUBLE ? '"' : '\'';
	if (context->state == STATE_BARE && c == '>')
		return end_tag(context);
	bool ends = context->state == STATE_BARE ? pagegen_is_space(c) : c == quote;
	if (ends) {
		context->needs_space = context->state != STATE_BARE;
		context->state = STATE_TAG;
	}
	context->begins = false;
	return 1;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static size_t
step_json(struct pagegen_context *context, struct str rest)
{
	char c = rest.at[0];
	if (context->state == STATE_QUOTED) {
		if (c == '"')
			context->state = STATE_TEXT;
		bool escape = c == '\\' && rest.len > 1;
		return escape ? 2 : 1;
	}
	if (c == '"')
		context->state = STATE_QUOTED;
	if (!pagegen_is_space(c))
		context->last = c;
	return 1;
}

/* --- what the parser asks --------------------------------------------------------------------- */

size_t
pagegen_context_step(struct pagegen_context *context, struct str rest, const char **wrong)
{
	*wrong = NULL;
	context->cut = false;
	if (context->language == PAGEGEN_TXT)
		return rest.len;
	if (context->language == PAGEGEN_JSON)
		return step_json(context, rest);
	switch (context->state) {
	case STATE_TEXT:
		return step_text(context, rest);
	case STATE_RAW:
	case STATE_RCDATA:
		return step_raw(context, rest);
	case STATE_COMMENT:
		return step_until(context, rest, str_starts(rest, STR("--!")) ? STR("--!>") : STR("-->"));
	case STATE_DECLARATION:
		return step_until(context, rest, STR(">"));
	case STATE_CDATA:
		return step_until(context, rest, STR("]]>"));
	case STATE_TAG_NAME:
		return step_tag_name(context, rest.at[0]);
	case STATE_TAG:
		return step_tag(context, rest.at[0], wrong);
	case STATE_NAME:
		return step_name(context, rest.at[0], wrong);
	case STATE_AFTER_NAME:
		return step_after_name(context, rest.at[0], wrong);
	case STATE_BEFORE_VALUE:
		return step_before_value(context, rest, wrong);
	default:
		return step_value(context, rest.at[0]);
	}
}

/* The tag's or attribute's name that stands before ends here. */
static const char *
where_in_tag(struct pagegen_context *context, enum pagegen_where *where)
{
	const char *wrong = context->state == STATE_NAME ? check_attribute(context) : NULL;
	if (context->state != STATE_TAG)
		context->needs_space = context->state != STATE_AFTER_NAME;
	context->state = STATE_TAG;
	*where = PAGEGEN_IN_TAG;
	return wrong;
}

const char *
pagegen_context_where(struct pagegen_context *context, enum pagegen_where *where)
{
	if (context->cut)
		return "{{…}} stands in the middle of markup, such as a tag's name";
	*where = PAGEGEN_IN_TEXT;
	switch (context->state) {
	case STATE_TEXT:
		return NULL;
	case STATE_RCDATA:
		*where = PAGEGEN_IN_RCDATA;
		return NULL;
	case STATE_DOUBLE:
		*where = is_url(context) ? PAGEGEN_IN_URL : PAGEGEN_IN_VALUE;
		return NULL;
	case STATE_SINGLE:
		return "{{…}} stands in a single-quoted attribute value; quote it with \"";
	case STATE_BARE:
	case STATE_BEFORE_VALUE:
		return "{{…}} stands in an unquoted attribute value; quote it with \"";
	case STATE_RAW:
		return "{{…}} stands in a script, style or other element that is no text";
	case STATE_COMMENT:
		return "{{…}} stands in a comment; write {{! … }} for comments";
	case STATE_DECLARATION:
	case STATE_CDATA:
		return "{{…}} stands in a declaration or CDATA section";
	case STATE_QUOTED:
		return "{{…}} stands inside quotes; a JSON hole writes its own";
	default:
		return where_in_tag(context, where);
	}
}

const char *
pagegen_context_filled(struct pagegen_context *context)
{
	context->begins = false;
	if (context->language != PAGEGEN_JSON)
		return NULL;
	char last = context->last;
	context->last = 'v';
	return last == '\0' || strchr("[{:,", last) != NULL ? NULL : "in JSON no value may stand here";
}

const char *
pagegen_context_merge(struct pagegen_context *context, const struct pagegen_context *open)
{
	bool in_value = open->state == STATE_DOUBLE;
	bool in_tag = open->state == STATE_TAG || open->state == STATE_RCDATA;
	if (context->state != open->state || (in_value && context->attributes != open->attributes) ||
	    (in_tag && context->tags != open->tags))
		return "closes in another place (text, tag, attribute) than it opened in";
	context->begins = context->begins && open->begins;
	context->needs_space = context->needs_space || open->needs_space;
	context->last = open->last;
	return NULL;
}

const char *
pagegen_context_end(const struct pagegen_context *context)
{
	if (context->state == STATE_TEXT && !context->cut)
		return NULL;
	if (context->language == PAGEGEN_JSON)
		return "the template ends inside quotes";
	return "the template ends inside a tag, a comment, or an element such as script or textarea";
}
