#include "csv.h"

void
csv_begin(struct csv *csv, csv_take *take, void *context)
{
	*csv = (struct csv){.take = take, .context = context, .line = 1, .begun = 1};
}

static void
lose(struct csv *csv, enum csv_fault fault)
{
	if (csv->fault == CSV_FAULT_NONE)
		csv->fault = fault;
	csv->state = CSV_LOST;
}

static void
end_field(struct csv *csv)
{
	if (csv->fields_n == CSV_FIELDS) {
		lose(csv, CSV_FAULT_MANY);
		return;
	}
	csv->ends[csv->fields_n++] = csv->len;
	csv->state = CSV_START;
}

static void
end_record(struct csv *csv)
{
	struct str fields[CSV_FIELDS];
	struct csv_record record = {.line = csv->begun, .fields = fields};
	size_t from = 0;
	if (csv->state != CSV_LOST)
		end_field(csv);
	record.fault = csv->fault;
	for (size_t i = 0; csv->fault == CSV_FAULT_NONE && i < csv->fields_n; i++) {
		fields[record.fields_n++] = (struct str){csv->text + from, csv->ends[i] - from};
		from = csv->ends[i];
	}
	if (csv->any)
		csv->take(csv->context, &record);
	csv->state = CSV_START;
	csv->fault = CSV_FAULT_NONE;
	csv->any = csv->returned = false;
	csv->len = csv->fields_n = 0;
	csv->begun = csv->line;
}

static void
add(struct csv *csv, char byte)
{
	if (csv->len == CSV_RECORD_MOST)
		lose(csv, CSV_FAULT_LONG);
	else
		csv->text[csv->len++] = byte;
}

static void
take_quoted(struct csv *csv, char byte)
{
	if (byte == '"')
		csv->state = CSV_QUOTE;
	else
		add(csv, byte);
}

static void
take_bare(struct csv *csv, char byte)
{
	if (byte == ',')
		end_field(csv);
	else if (csv->state == CSV_QUOTE && byte != '"')
		lose(csv, CSV_FAULT_BEHIND);
	else if (csv->state == CSV_QUOTE) {
		csv->state = CSV_QUOTED;
		add(csv, byte);
	} else if (byte == '"' && csv->state == CSV_START)
		csv->state = CSV_QUOTED;
	else if (byte == '"')
		lose(csv, CSV_FAULT_QUOTE);
	else {
		csv->state = CSV_BARE;
		add(csv, byte);
	}
}

/* A CR counts as part of the line end only before an LF. */
static bool
ends_line(struct csv *csv, char byte)
{
	if (csv->state == CSV_QUOTED)
		return false;
	if (byte == '\n') {
		end_record(csv);
		return true;
	}
	if (csv->returned && csv->state != CSV_LOST) {
		csv->any = true;
		take_bare(csv, '\r');
	}
	csv->returned = byte == '\r';
	return csv->returned;
}

static void
take_byte(struct csv *csv, char byte)
{
	csv->line += byte == '\n' ? 1 : 0;
	if (byte == '\0')
		lose(csv, CSV_FAULT_NUL);
	if (ends_line(csv, byte))
		return;
	csv->any = true;
	if (csv->state == CSV_QUOTED)
		take_quoted(csv, byte);
	else if (csv->state != CSV_LOST)
		take_bare(csv, byte);
}

/* How many bytes of the mark the text begins with are known so far, if it does. */
static bool
is_mark(struct csv *csv, char byte)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (csv->bytes == 3)
		return false;
	if (byte == mark[csv->bytes]) {
		csv->bytes++;
		return true;
	}
	/* It was none: what was held back belongs to the text. */
	size_t held = csv->bytes;
	csv->bytes = 3;
	for (size_t i = 0; i < held; i++)
		take_byte(csv, mark[i]);
	return false;
}

void
csv_feed(struct csv *csv, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (!is_mark(csv, bytes.at[i]))
			take_byte(csv, bytes.at[i]);
}

void
csv_end(struct csv *csv)
{
	if (csv->bytes < 3)
		is_mark(csv, '\n');
	if (csv->state == CSV_QUOTED)
		lose(csv, CSV_FAULT_UNCLOSED);
	if (csv->any)
		end_record(csv);
}
