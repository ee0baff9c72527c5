/* A table: the first byte says how long its pieces are, and however it is cut the records are the same. */
#include "fuzz.h"

#include "csv.h"
#include "out.h"

static void
take(void *context, const struct csv_record *record)
{
	struct out *out = context;
	size_t bytes = 0;
	MUST(record->line > 0 && record->fault >= CSV_FAULT_NONE && record->fault < CSV_FAULTS);
	MUST(record->fault == CSV_FAULT_NONE ? record->fields_n >= 1 : record->fields_n == 0);
	MUST(record->fields_n <= CSV_FIELDS);
	out_format(out, "%lld %d %zu", (long long)record->line, (int)record->fault, record->fields_n);
	for (size_t i = 0; i < record->fields_n; i++) {
		MUST(!str_has(record->fields[i], '\0'));
		bytes += record->fields[i].len;
		out_format(out, " %zu:", record->fields[i].len);
		out_put(out, record->fields[i]);
	}
	MUST(bytes <= CSV_RECORD_MOST);
	out_byte(out, '\n');
}

static struct str
read_in_pieces(struct arena *arena, struct str text, size_t piece)
{
	struct out out;
	struct csv *csv = arena_alloc(arena, sizeof *csv);
	out_init(&out, arena);
	MUST(csv != NULL);
	csv_begin(csv, take, &out);
	for (size_t at = 0; at < text.len; at += piece)
		csv_feed(csv, str_sub(text, at, piece));
	csv_end(csv);
	MUST(out_status(&out) == STATUS_OK);
	return out_str(&out);
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	if (input.len == 0)
		return;
	struct str text = str_sub(input, 1, input.len);
	struct str whole = read_in_pieces(arena, text, text.len + 1);
	struct str cut = read_in_pieces(arena, text, 1 + (unsigned char)input.at[0] % 16);
	MUST(str_eq(whole, cut));
}
