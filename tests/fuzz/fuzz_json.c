/* A JSON body: what was read is right, and written again by out_json gives the same. */
#include "fuzz.h"

#include "json.h"
#include "out.h"

static void
check_member(const struct json *json, size_t i)
{
	const struct json_member *member = &json->members[i];
	bool has_text = member->kind == JSON_KIND_STRING || member->kind == JSON_KIND_BOOL;
	MUST(text_valid(member->name));
	MUST(has_text == (member->text.at != NULL));
	MUST(member->text.at == NULL || text_valid(member->text));
	for (size_t j = 0; j < i; j++)
		MUST(!str_eq(json->members[j].name, member->name));
}

static void
check_found(struct arena *arena, const struct json *json, const struct json_member *member)
{
	struct str value = STR_NONE;
	enum status status = json_text(json, str_c(arena, member->name), &value);
	MUST(status == (member->kind == JSON_KIND_STRING ? STATUS_OK
	                   : member->kind == JSON_KIND_NULL ? STATUS_MISSING
	                                                    : STATUS_INVALID));
	MUST(status != STATUS_OK || str_eq(value, member->text));
}

static void
check_again(struct arena *arena, const struct json *json)
{
	struct out out;
	struct json *again;
	out_init(&out, arena);
	out_byte(&out, '{');
	for (size_t i = 0; i < json->members_n; i++) {
		if (i > 0)
			out_byte(&out, ',');
		out_json(&out, json->members[i].name);
		out_byte(&out, ':');
		if (json->members[i].text.at == NULL)
			out_put(&out, STR("null"));
		else
			out_json(&out, json->members[i].text);
	}
	out_byte(&out, '}');
	MUST(json_read(arena, out_str(&out), &again) == STATUS_OK && again->members_n == json->members_n);
	for (size_t i = 0; i < json->members_n; i++) {
		MUST(str_eq(again->members[i].name, json->members[i].name));
		MUST(str_eq(again->members[i].text, json->members[i].text));
	}
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct json *json;
	enum status status = json_read(arena, input, &json);
	MUST(status == STATUS_OK || status == STATUS_INVALID || status == STATUS_TOO_LARGE);
	if (status != STATUS_OK)
		return;
	MUST(text_valid(input));
	MUST(json->members_n <= JSON_MEMBERS);
	for (size_t i = 0; i < json->members_n; i++) {
		check_member(json, i);
		check_found(arena, json, &json->members[i]);
	}
	check_again(arena, json);
}
