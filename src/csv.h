/*
 * csv.h - tables as text: fields between commas, records on lines (RFC 4180).
 *
 * Takes bytes in pieces of any size and hands on one record at a time, so a file of any length needs
 * the memory of one record.  A field in double quotes may hold commas, line ends and, doubled, quotes.
 * Lines end in CRLF or LF; a byte order mark at the beginning is skipped, and so is an empty line.
 * What is no RFC 4180 is handed on as a fault of its line, and reading goes on behind that line.
 */
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

enum {
	CSV_FIELDS = 16,         /* fields of a record */
	CSV_RECORD_MOST = 16384  /* bytes of a record's fields */
};

enum csv_fault {
	CSV_FAULT_NONE,
	CSV_FAULT_QUOTE,    /* a quote within a field that does not begin with one */
	CSV_FAULT_BEHIND,   /* something between a closing quote and the comma */
	CSV_FAULT_UNCLOSED, /* the text ends within quotes */
	CSV_FAULT_LONG,     /* over CSV_RECORD_MOST */
	CSV_FAULT_MANY,     /* over CSV_FIELDS */
	CSV_FAULT_NUL,      /* a NUL: this is no text */
	CSV_FAULTS
};

/* A record, or with a fault the line that has none; valid until the function returns. */
struct csv_record {
	int64_t line; /* on which it begins; the first is 1 */
	enum csv_fault fault;
	const struct str *fields;
	size_t fields_n; /* 0 with a fault */
};
typedef void csv_take(void *context, const struct csv_record *record);

struct csv {
	csv_take *take;
	void *context;
	/* What follows is csv.c's own. */
	enum { CSV_START, CSV_BARE, CSV_QUOTED, CSV_QUOTE, CSV_LOST } state;
	enum csv_fault fault;
	bool returned; /* the byte before was a CR outside of quotes */
	bool any;      /* the record has a byte */
	int64_t line, begun;
	size_t bytes; /* of all that was fed, as far as that matters: up to 3 */
	size_t len, fields_n;
	size_t ends[CSV_FIELDS];
	char text[CSV_RECORD_MOST];
};

void csv_begin(struct csv *csv, csv_take *take, void *context);
void csv_feed(struct csv *csv, struct str bytes);
/* The text is over: hands on what has no line end behind it. */
void csv_end(struct csv *csv);

#endif
