/*
 * sqlgen.h - what the parts of the query generator share.
 *
 * sqlgen.c runs it, sqlgen_parse.c cuts files into queries, sqlgen_check.c asks SQLite what they
 * mean, sqlgen_emit.c writes C.  A program of the build: it stands outside the floors, includes
 * sqlite3.h itself, and takes all its memory from one arena that it never gives back.
 */
#ifndef SQLGEN_H
#define SQLGEN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "str.h"

enum {
	DECLARATIONS_MOST = 64,
	SCANS_MOST = 5,     /* in a database; more would mean that nobody weighs them */
	LITERAL_MOST = 4095 /* what C11 5.2.4.1 promises for a string literal */
};

enum type { TYPE_NONE, TYPE_INTEGER, TYPE_TEXT, TYPE_BLOB };
enum rows { ROWS_NONE, ROWS_ONE, ROWS_MANY };

struct kind {
	enum type type;
	bool optional;
};

/* A parameter, a result column, or a declaration of one. */
struct field {
	struct str name;
	struct kind kind;
	size_t line; /* of a declaration */
	bool used;   /* a declaration that something answers to */
};

struct fields {
	struct field *at;
	size_t n;
};

struct query {
	struct str name;
	struct str sentence;
	size_t line; /* of the head */
	struct str sql;
	size_t sql_line;
	enum rows rows;
	size_t scan_line; /* 0: no such line */
	struct fields in_declared, out_declared;
	struct fields in, out;
	bool writes;
	size_t slot;
	struct query *next;
};

/* A .sql file; `queries` in their order. */
struct source {
	const char *path; /* as mistakes and generated files name it */
	struct str name;  /* without folder and suffix */
	struct str text;
	struct query *queries;
	struct source *next;
};

/* A script cut into statements. */
struct script {
	struct str *statements;
	size_t *lines;
	size_t n;
};

struct gen {
	struct arena arena;
	const char *folder;
	struct str name; /* of the database */
	sqlite3 *sqlite;
	struct script schema;
	struct script *migrations; /* [0] leads to version 2 */
	int version;
	struct source *sources;
	size_t queries_n;
	size_t scans;
	size_t mistakes;
};

/* Prints `path:line: message` and counts it. */
void mistake(struct gen *gen, const char *path, size_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* sqlgen_parse.c */
void parse_queries(struct gen *gen, struct source *source);
void parse_script(struct gen *gen, const char *path, struct str text, struct script *script);
bool is_identifier(struct str s);
/* How many lines end before `offset`. */
size_t lines_before(struct str text, size_t offset);
/* The next token of SQL behind white space and comments, STR_NONE at the end; moves `rest` behind it. */
struct str sql_token(struct str *rest);

/* sqlgen_check.c */
void check_schema(struct gen *gen, const char *path);
void check_query(struct gen *gen, const struct source *source, struct query *query);

/* sqlgen_emit.c; false when a file could not be written. */
bool emit_source(struct gen *gen, const struct source *source, const char *out_folder);
bool emit_database(struct gen *gen, const char *out_folder);

#endif
