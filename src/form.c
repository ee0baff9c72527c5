#include "form.h"

#include "json.h"
#include "multipart.h"
#include "text.h"

/* As the URL standard parses application/x-www-form-urlencoded. */
static struct str
decode(struct arena *arena, struct str s)
{
	return str_percent_decode(arena, s, true);
}

static size_t
count(struct str body, char byte)
{
	size_t n = 0;
	for (size_t i = 0; i < body.len; i++)
		n += body.at[i] == byte ? 1 : 0;
	return n;
}

static enum status
add(struct arena *arena, struct form *form, struct str name, struct str value)
{
	if (!text_valid(name) || !text_valid(value))
		return STATUS_INVALID;
	form->fields[form->n++] = (struct form_field){name, text_lines(arena, value), true};
	return arena->failed ? STATUS_BROKEN : STATUS_OK;
}

static enum status
read_urlencoded(struct arena *arena, struct str boundary, struct str body, struct form *form)
{
	(void)boundary;
	size_t n = count(body, '&') + 1;
	if (n > FORM_FIELDS_MOST)
		return STATUS_INVALID;
	form->fields = arena_array(arena, n, sizeof *form->fields);
	if (form->fields == NULL)
		return STATUS_BROKEN;
	while (body.at != NULL) {
		struct str value = str_cut(&body, '&');
		if (value.len == 0)
			continue;
		struct str name = decode(arena, str_cut(&value, '='));
		enum status status = add(arena, form, name, decode(arena, value.at == NULL ? STR("") : value));
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status
read_multipart(struct arena *arena, struct str boundary, struct str body, struct form *form)
{
	struct multipart_part part;
	enum status status = boundary.at == NULL ? STATUS_INVALID : STATUS_OK;
	form->fields = arena_array(arena, FORM_FIELDS_MOST, sizeof *form->fields);
	if (form->fields == NULL)
		return STATUS_BROKEN;
	while (status == STATUS_OK) {
		status = multipart_next(arena, boundary, &body, &part);
		if (status == STATUS_OK)
			status = form->n == FORM_FIELDS_MOST ? STATUS_INVALID : add(arena, form, part.name, part.value);
	}
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
read_json(struct arena *arena, struct str boundary, struct str body, struct form *form)
{
	struct json *json;
	(void)boundary;
	enum status status = json_read(arena, body, &json);
	if (status != STATUS_OK)
		return status == STATUS_TOO_LARGE ? STATUS_INVALID : status;
	form->fields = arena_array(arena, json->members_n, sizeof *form->fields);
	if (form->fields == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < json->members_n; i++) {
		const struct json_member *member = &json->members[i];
		if (member->kind == JSON_KIND_NULL)
			continue;
		if (member->kind == JSON_KIND_STRING)
			status = add(arena, form, member->name, member->text);
		else
			form->fields[form->n++] = (struct form_field){.name = member->name};
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

typedef enum status reader(struct arena *arena, struct str boundary, struct str body, struct form *form);

static const struct {
	struct str type;
	reader *read;
} kinds[FORM_KINDS] = {
    [FORM_URLENCODED] = {STR_INIT("application/x-www-form-urlencoded"), read_urlencoded},
    [FORM_MULTIPART] = {STR_INIT("multipart/form-data"), read_multipart},
    [FORM_JSON] = {STR_INIT("application/json"), read_json},
};

enum status
form_encoding(struct arena *arena, struct str content_type, struct form_encoding *encoding)
{
	struct str rest = content_type;
	struct str type = str_trim(str_cut(&rest, ';'));
	for (int i = 0; i < FORM_KINDS; i++) {
		if (!str_eq_nocase(type, kinds[i].type))
			continue;
		*encoding = (struct form_encoding){.kind = (enum form_kind)i};
		if (i == FORM_MULTIPART && multipart_boundary(arena, content_type, &encoding->boundary) != STATUS_OK)
			encoding->boundary = STR_NONE;
		return STATUS_OK;
	}
	return STATUS_INVALID;
}

enum status
form_read(struct arena *arena, const struct form_encoding *encoding, struct str body, struct form *form)
{
	*form = (struct form){NULL, 0};
	return kinds[encoding->kind].read(arena, encoding->boundary, body, form);
}

enum status
form_query(struct arena *arena, struct str query, struct form *form)
{
	return form_read(arena, &(struct form_encoding){.kind = FORM_URLENCODED}, query, form);
}

/* The cut may have gone through an escape or a character: what it left is dropped. */
static struct str
valid_part(struct str value)
{
	for (size_t dropped = 0; dropped < 4 && value.len > 0 && !text_valid(value); dropped++)
		value.len--;
	return text_valid(value) ? value : STR("");
}

static void
read_cut_urlencoded(struct arena *arena, struct str body, struct form *form)
{
	if (count(body, '&') >= FORM_FIELDS_MOST)
		return;
	form->fields = arena_array(arena, FORM_FIELDS_MOST, sizeof *form->fields);
	size_t escape = body.len >= 2 ? str_find(str_sub(body, body.len - 2, 2), '%') : 2;
	body.len -= escape < 2 ? 2 - escape : 0;
	while (form->fields != NULL && body.at != NULL) {
		struct str value = str_cut(&body, '&');
		struct str name = valid_part(decode(arena, str_cut(&value, '=')));
		if (add(arena, form, name, valid_part(decode(arena, value))) != STATUS_OK)
			return;
	}
}

void
form_read_cut(struct arena *arena, const struct form_encoding *encoding, struct str body, struct form *form)
{
	*form = (struct form){NULL, 0};
	if (encoding->kind == FORM_URLENCODED)
		read_cut_urlencoded(arena, body, form);
	/* What was whole before the cut stays in the form when the rest is refused. */
	else if (encoding->kind == FORM_MULTIPART && read_multipart(arena, encoding->boundary, body, form) != STATUS_OK)
		return;
}

enum status
form_one(const struct form *form, const char *name, struct str *value)
{
	*value = STR_NONE;
	bool found = false;
	for (size_t i = 0; i < form->n; i++) {
		if (!str_eq(form->fields[i].name, str_from(name)))
			continue;
		if (found)
			return STATUS_INVALID;
		found = true;
		*value = form->fields[i].value;
	}
	return STATUS_OK;
}

bool
form_is_not_text(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (str_eq(form->fields[i].name, str_from(name)) && !form->fields[i].text)
			return true;
	return false;
}
