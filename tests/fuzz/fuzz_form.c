/* The body of a request: a line with its Content-Type, then the body, whole and cut. */
#include "fuzz.h"

#include "form.h"
#include "out.h"

static void
check(const struct form *form)
{
	MUST(form->n <= FORM_FIELDS_MOST);
	for (size_t i = 0; i < form->n; i++) {
		const struct form_field *field = &form->fields[i];
		MUST(text_valid(field->name) && text_valid(field->value));
		MUST(!str_has(field->value, '\r') && !str_has(field->value, '\0') && !str_has(field->name, '\0'));
		MUST(field->text == (field->value.at != NULL));
	}
}

/* Sent again as a browser would, the same fields come out. */
static void
check_again(struct arena *arena, const struct form *form)
{
	struct out out;
	struct form again;
	out_init(&out, arena);
	for (size_t i = 0; i < form->n; i++) {
		if (i > 0)
			out_byte(&out, '&');
		out_url_part(&out, form->fields[i].name);
		out_byte(&out, '=');
		out_url_part(&out, form->fields[i].value);
	}
	MUST(form_read(arena, &(struct form_encoding){.kind = FORM_URLENCODED}, out_str(&out), &again) == STATUS_OK);
	MUST(again.n == form->n);
	for (size_t i = 0; i < form->n; i++) {
		MUST(str_eq(again.fields[i].name, form->fields[i].name));
		MUST(str_eq(again.fields[i].value, form->fields[i].value));
	}
}

/* form_one finds a value exactly where one field has that name. */
static void
check_one(struct arena *arena, const struct form *form)
{
	for (size_t i = 0; i < form->n && i < 16; i++) {
		size_t same = 0;
		struct str value;
		for (size_t j = 0; j < form->n; j++)
			same += str_eq(form->fields[i].name, form->fields[j].name);
		enum status status = form_one(form, str_c(arena, form->fields[i].name), &value);
		MUST(status == (same == 1 ? STATUS_OK : STATUS_INVALID));
		MUST(same != 1 || value.at == form->fields[i].value.at);
	}
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct str body = input;
	struct str type = str_cut(&body, '\n');
	struct form_encoding encoding;
	struct form form, cut;
	if (form_encoding(arena, type, &encoding) != STATUS_OK)
		encoding = (struct form_encoding){.kind = FORM_URLENCODED};
	MUST(encoding.kind == FORM_MULTIPART || encoding.boundary.at == NULL);
	if (body.at == NULL)
		body = STR("");
	form_read_cut(arena, &encoding, body, &cut);
	check(&cut);
	enum status status = form_read(arena, &encoding, body, &form);
	MUST(status == STATUS_OK || status == STATUS_INVALID);
	if (status != STATUS_OK)
		return;
	check(&form);
	check_one(arena, &form);
	/* What is whole loses nothing by being read as if it were cut; but for JSON, which gives nothing. */
	MUST(encoding.kind != FORM_MULTIPART || cut.n == form.n);
	check_again(arena, &form);
}
