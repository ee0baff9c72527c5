/*
 * A document: the first byte says how long its pieces are.  Elements end as they began, within the
 * bounds, and however the document is cut the events are the same.
 */
#include "fuzz.h"

#include "out.h"
#include "xml.h"

struct reading {
	struct out out;
	int depth;
};

static void
write(struct reading *reading, const char *what, struct str text, int depth)
{
	MUST(text_valid(text));
	out_format(&reading->out, "%s %d %zu:", what, depth, text.len);
	out_put(&reading->out, text);
	out_byte(&reading->out, '\n');
}

static void
begin(void *context, const struct xml_name *name, const char *const *attributes, int depth)
{
	struct reading *reading = context;
	MUST(depth == ++reading->depth && depth <= XML_DEPTH);
	write(reading, "begin", name->name, depth);
	write(reading, "space", name->space, depth);
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		MUST(attributes[i + 1] != NULL);
		write(reading, attributes[i], str_from(attributes[i + 1]), depth);
	}
}

static void
end(void *context, const struct xml_name *name, struct str text, int depth)
{
	struct reading *reading = context;
	MUST(depth == reading->depth-- && text.len <= XML_TEXT_MOST);
	write(reading, "end", name->name, depth);
	write(reading, "text", text, depth);
}

static enum status
read_in_pieces(struct arena *arena, struct str text, size_t piece, struct str *events)
{
	struct reading reading = {.depth = 0};
	struct xml *xml = NULL;
	enum status status = STATUS_OK;
	out_init(&reading.out, arena);
	struct xml_events taken = {.begin = begin, .end = end, .context = &reading};
	MUST(xml_new(&taken, &xml) == STATUS_OK);
	for (size_t at = 0; at < text.len && status == STATUS_OK; at += piece)
		status = xml_feed(xml, str_sub(text, at, piece), false);
	if (status == STATUS_OK)
		status = xml_feed(xml, STR(""), true);
	MUST(status == STATUS_OK || status == STATUS_INVALID || status == STATUS_TOO_LARGE);
	MUST(status == STATUS_OK ? reading.depth == 0 : xml_fault(xml) != NULL && xml_fault(xml)[0] != '\0');
	MUST(xml_line(xml) >= 0);
	MUST(status == STATUS_OK || xml_feed(xml, STR("<a/>"), true) == status);
	xml_free(xml);
	*events = out_str(&reading.out);
	return status;
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct str whole, cut;
	if (input.len == 0)
		return;
	struct str text = str_sub(input, 1, input.len);
	enum status status = read_in_pieces(arena, text, text.len + 1, &whole);
	MUST(read_in_pieces(arena, text, 1 + (unsigned char)input.at[0] % 16, &cut) == status);
	MUST(str_eq(whole, cut));
}
