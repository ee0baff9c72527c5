#include "json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdbool.h>

/*
 * Where memory is short, jansson 2.14 loses bytes of what it reads, and then writes behind the end of a
 * string.  So its memory is the request's, wiped with it, and what is not to be had ends the parsing at
 * once: it holds nothing else, no lock and no file, that would have to be given back.
 */
static _Thread_local struct {
	struct arena *arena;
	jmp_buf away;
} parsing;

static void *
take(size_t size)
{
	void *at = arena_alloc(parsing.arena, size > 0 ? size : 1);
	if (at == NULL)
		longjmp(parsing.away, 1);
	return at;
}

static void
leave(void *at)
{
	(void)at;
}

void
json_init(void)
{
	json_set_alloc_funcs(take, leave);
	json_object_seed(0);
}

/*
 * jansson's own bound is 2048 levels and cannot be set.  Outside of strings every bracket counts;
 * what is no JSON at all may be miscounted here and is refused by the parser anyway.
 */
static bool
is_shallow(struct str body)
{
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < body.len; i++) {
		char c = body.at[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH)
			return false;
	}
	return true;
}

static enum json_kind
kind_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return JSON_KIND_OBJECT;
	case JSON_ARRAY:
		return JSON_KIND_ARRAY;
	case JSON_STRING:
		return JSON_KIND_STRING;
	case JSON_INTEGER:
	case JSON_REAL:
		return JSON_KIND_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_KIND_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_KIND_NULL;
}

static struct str
text_of(const json_t *value)
{
	if (json_is_string(value))
		return (struct str){json_string_value(value), json_string_length(value)};
	if (json_is_boolean(value))
		return json_is_true(value) ? STR("true") : STR("false");
	return STR_NONE;
}

/* Its tree is in the arena already, but under names that only jansson.h knows. */
static enum status
copy(struct arena *arena, json_t *object, struct json **json)
{
	if (json_object_size(object) > JSON_MEMBERS)
		return STATUS_TOO_LARGE;
	struct json *made = arena_alloc(arena, sizeof *made);
	struct json_member *members = arena_array(arena, json_object_size(object), sizeof *members);
	if (made == NULL || members == NULL)
		return STATUS_BROKEN;
	*made = (struct json){.members = members};
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value)
	{
		members[made->members_n++] = (struct json_member){
		    .name = str_from(name),
		    .kind = kind_of(value),
		    .text = text_of(value),
		};
	}
	*json = made;
	return arena->failed ? STATUS_BROKEN : STATUS_OK;
}

enum status
json_read(struct arena *arena, struct str body, struct json **json)
{
	/* jansson takes a NUL behind true, false and null for a blank. */
	if (body.len == 0 || str_has(body, '\0') || !is_shallow(body))
		return STATUS_INVALID;
	parsing.arena = arena;
	if (setjmp(parsing.away) != 0)
		return STATUS_BROKEN;
	json_t *root = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
	if (root == NULL)
		return STATUS_INVALID;
	return json_is_object(root) ? copy(arena, root, json) : STATUS_INVALID;
}

enum status
json_text(const struct json *json, const char *name, struct str *value)
{
	for (size_t i = 0; i < json->members_n; i++) {
		const struct json_member *member = &json->members[i];
		if (!str_eq(member->name, str_from(name)))
			continue;
		if (member->kind == JSON_KIND_NULL)
			return STATUS_MISSING;
		if (member->kind != JSON_KIND_STRING)
			return STATUS_INVALID;
		*value = member->text;
		return STATUS_OK;
	}
	return STATUS_MISSING;
}
