/*
 * What SQLite itself says about each query: its parameters, its columns, its plan.  Where SQLite
 * does not say enough, the answer errs towards «may be NULL» or asks for a declaration.
 */
#include "sqlgen.h"

#include <string.h>
#include <strings.h>

enum { TOUCHED_MOST = 64, NAMES_MOST = 64 };

/* A table that a statement reads or writes; `via` is the trigger, view or CTE it does so through. */
struct touched {
	struct str table;
	struct str via;
};

struct check {
	struct gen *gen;
	const struct source *source;
	struct query *query;
	sqlite3_stmt *stmt;
	struct touched touched[TOUCHED_MOST];
	size_t touched_n;
	const char *forbidden; /* what the statement does that no query may */
};

static bool
same_name(struct str a, struct str b)
{
	return str_eq_nocase(a, b);
}

static int
touch(struct check *check, const char *table, const char *via)
{
	struct touched now = {str_from(table), str_from(via)};
	for (size_t i = 0; i < check->touched_n; i++) {
		if (same_name(check->touched[i].table, now.table) &&
		    same_name(check->touched[i].via, now.via))
			return SQLITE_OK;
	}
	if (check->touched_n == TOUCHED_MOST) {
		check->forbidden = "touches more tables than the generator can keep";
		return SQLITE_DENY;
	}
	now.table = str_copy(&check->gen->arena, now.table);
	now.via = str_copy(&check->gen->arena, now.via);
	check->touched[check->touched_n++] = now;
	return SQLITE_OK;
}

static int
authorize(
    void *context, int action, const char *first, const char *second, const char *database, const char *via)
{
	struct check *check = context;
	(void)second;
	(void)database;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_INSERT:
		check->query->writes = true;
		return touch(check, first, via);
	case SQLITE_READ:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return touch(check, first, via);
	default:
		check->forbidden = "is neither SELECT, INSERT, UPDATE nor DELETE";
		return SQLITE_DENY;
	}
}

/* --- small questions to the schema ------------------------------------------------------------ */

static sqlite3_int64
ask(struct gen *gen, const char *sql, struct str argument)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3_int64 answer = 0;
	if (sqlite3_prepare_v2(gen->sqlite, sql, -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, argument.at, (int)argument.len, SQLITE_STATIC);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			answer = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return answer;
}

static bool
is_trigger(struct gen *gen, struct str name)
{
	return ask(gen,
		   "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = ?1 COLLATE NOCASE",
		   name) > 0;
}

static bool
is_table(struct gen *gen, struct str name)
{
	static const char sql[] =
	    "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE";
	return ask(gen, sql, name) > 0 || str_starts(name, STR("sqlite_"));
}

/* An INTEGER PRIMARY KEY is never NULL though nobody says NOT NULL; metadata does not tell. */
static bool
is_rowid(struct gen *gen, struct str table, const char *type, int primary_key)
{
	return primary_key && strcasecmp(type, "INTEGER") == 0 &&
	    ask(gen, "SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0", table) == 1;
}

static enum type
type_of(const char *declared)
{
	if (strcasecmp(declared, "INTEGER") == 0 || strcasecmp(declared, "INT") == 0)
		return TYPE_INTEGER;
	if (strcasecmp(declared, "TEXT") == 0)
		return TYPE_TEXT;
	return strcasecmp(declared, "BLOB") == 0 ? TYPE_BLOB : TYPE_NONE;
}

/* The kind of a table's column; TYPE_NONE when there is none, or none of a type we know. */
static struct kind
column_kind(struct gen *gen, struct str table, struct str column)
{
	char *table_c = str_c(&gen->arena, table), *column_c = str_c(&gen->arena, column);
	const char *type = NULL;
	int not_null = 0, primary_key = 0;
	if (sqlite3_table_column_metadata(gen->sqlite, "main", table_c, column_c, &type, NULL, &not_null,
		&primary_key, NULL) != SQLITE_OK)
		return (struct kind){TYPE_NONE, false};
	if (type == NULL)
		type = "";
	enum type known = type_of(type);
	return (struct kind){known, !not_null && !is_rowid(gen, table, type, primary_key)};
}

static const char *
type_name(struct kind kind)
{
	static const char *const names[][2] = {
	    [TYPE_NONE] = {"nothing", "nothing"},
	    [TYPE_INTEGER] = {"integer", "integer?"},
	    [TYPE_TEXT] = {"text", "text?"},
	    [TYPE_BLOB] = {"blob", "blob?"},
	};
	return names[kind.type][kind.optional];
}

static struct field *
declaration(struct fields *fields, struct str name)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (str_eq(fields->at[i].name, name))
			return &fields->at[i];
	}
	return NULL;
}

/* --- parameters ------------------------------------------------------------------------------- */

/* The one kind that a column of this name has in the tables touched, or TYPE_NONE, explained. */
static struct kind
derive_parameter(struct check *check, struct str name)
{
	struct kind found = {TYPE_NONE, false};
	struct str where = STR_NONE;
	for (size_t i = 0; i < check->touched_n; i++) {
		const struct touched *touched = &check->touched[i];
		struct kind kind = column_kind(check->gen, touched->table, name);
		if (kind.type == TYPE_NONE || is_trigger(check->gen, touched->via))
			continue;
		if (found.type == TYPE_NONE) {
			found = kind;
			where = touched->table;
		} else if (found.type != kind.type || found.optional != kind.optional) {
			mistake(check->gen, check->source->path, check->query->line,
			    "%.*s: parameter :%.*s is %s in %.*s and %s in %.*s: declare it with `-- in`",
			    STR_FMT(check->query->name), STR_FMT(name), type_name(found), STR_FMT(where),
			    type_name(kind), STR_FMT(touched->table));
			return found;
		}
	}
	if (found.type == TYPE_NONE)
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s: parameter :%.*s is no column's name: declare it with `-- in %.*s TYPE`",
		    STR_FMT(check->query->name), STR_FMT(name), STR_FMT(name));
	return found;
}

static void
check_parameter(struct check *check, int number, struct field *field)
{
	struct str name = str_from(sqlite3_bind_parameter_name(check->stmt, number));
	if (name.len < 2 || name.at[0] != ':' || !is_identifier(str_sub(name, 1, name.len))) {
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s: parameter %d must be written :name", STR_FMT(check->query->name), number);
		return;
	}
	field->name = str_copy(&check->gen->arena, str_sub(name, 1, name.len));
	struct field *declared = declaration(&check->query->in_declared, field->name);
	if (declared != NULL)
		declared->used = true;
	field->kind = declared != NULL ? declared->kind : derive_parameter(check, field->name);
}

static void
check_parameters(struct check *check)
{
	int n = sqlite3_bind_parameter_count(check->stmt);
	struct fields *in = &check->query->in;
	in->at = arena_array(&check->gen->arena, (size_t)n, sizeof *in->at);
	if (in->at == NULL)
		return;
	in->n = (size_t)n;
	for (int i = 0; i < n; i++)
		check_parameter(check, i + 1, &in->at[i]);
}

/* --- result columns --------------------------------------------------------------------------- */

/* What the text of a statement tells about NULL that SQLite's metadata does not. */
struct outer {
	struct str names[NAMES_MOST]; /* aliases and tables on the side of a join that may be missing */
	size_t names_n;
	bool all; /* a right or full join, or one of something that is no name: whatever it is */
};

static void
outer_add(struct outer *outer, struct str name)
{
	if (outer->names_n < NAMES_MOST)
		outer->names[outer->names_n++] = name;
	else
		outer->all = true;
}

static bool
outer_has(const struct outer *outer, struct str name)
{
	for (size_t i = 0; i < outer->names_n; i++) {
		if (same_name(outer->names[i], name))
			return true;
	}
	return outer->all;
}

/* `rest` stands behind LEFT.  A table's own name is hidden by an alias, so only that counts then. */
static void
outer_left(struct gen *gen, struct outer *outer, struct str rest)
{
	struct str token = sql_token(&rest);
	if (same_name(token, STR("outer")))
		token = sql_token(&rest);
	struct str table = sql_token(&rest);
	struct str alias = sql_token(&rest);
	if (!same_name(token, STR("join")))
		return;
	if (!is_table(gen, table)) {
		outer->all = true; /* a CTE or a subquery: origins lie deeper than names reach */
		return;
	}
	if (same_name(alias, STR("as")))
		alias = sql_token(&rest);
	bool aliased =
	    is_identifier(alias) && !same_name(alias, STR("on")) && !same_name(alias, STR("using"));
	outer_add(outer, aliased ? alias : table);
	if (aliased)
		outer_add(outer, str_format(&gen->arena, "\n%.*s", STR_FMT(table)));
}

static struct outer
find_outer(struct gen *gen, struct str sql)
{
	struct outer outer = {.names_n = 0};
	struct str rest = sql;
	for (struct str token = sql_token(&rest); token.at != NULL; token = sql_token(&rest)) {
		if (same_name(token, STR("left")))
			outer_left(gen, &outer, rest);
		else if (same_name(token, STR("right")) || same_name(token, STR("full")))
			outer.all = true;
	}
	return outer;
}

/*
 * The text of the statement's own result expressions, split at commas: behind the first SELECT that
 * stands in no parentheses, or behind RETURNING.
 */
static size_t
result_texts(struct str sql, struct str *texts, size_t room)
{
	struct str rest = sql, begin = STR_NONE;
	size_t n = 0, depth = 0;
	for (struct str token = sql_token(&rest);; token = sql_token(&rest)) {
		bool end = token.at == NULL ||
		    (depth == 0 && (same_name(token, STR("from")) || same_name(token, STR("union"))));
		bool head =
		    depth == 0 && (same_name(token, STR("select")) || same_name(token, STR("returning")));
		if (begin.at != NULL && (end || (depth == 0 && str_eq(token, STR(","))))) {
			size_t len = token.at == NULL ? begin.len : (size_t)(token.at - begin.at);
			if (n < room)
				texts[n++] = str_trim(str_sub(begin, 0, len));
			begin = rest;
		}
		if (token.at == NULL || (end && begin.at != NULL))
			return n;
		if (head) {
			begin = rest;
			n = 0;
		}
		depth += str_eq(token, STR("("));
		depth -= depth > 0 && str_eq(token, STR(")"));
	}
}

/* May this plain column be NULL though its table says NOT NULL? */
static bool
may_be_missing(const struct outer *outer, struct str text, struct str table)
{
	struct str rest = text;
	struct str first = sql_token(&rest);
	if (first.at != NULL && first.at[0] == '(')
		return true; /* a subquery may find no row */
	struct str second = sql_token(&rest);
	if (text.at != NULL && second.at != NULL && second.at[0] == '.')
		return outer_has(outer, first);
	for (size_t i = 0; i < outer->names_n; i++) {
		struct str name = outer->names[i];
		if (name.at[0] == '\n' && same_name(str_sub(name, 1, name.len), table))
			return true;
	}
	return outer_has(outer, table);
}

static struct kind
derive_column(struct check *check, int number, const struct outer *outer, struct str text)
{
	struct str table = str_from(sqlite3_column_table_name(check->stmt, number));
	struct str origin = str_from(sqlite3_column_origin_name(check->stmt, number));
	if (table.at == NULL || origin.at == NULL)
		return (struct kind){TYPE_NONE, false};
	struct kind kind = column_kind(check->gen, table, origin);
	if (kind.type != TYPE_NONE && may_be_missing(outer, text, table))
		kind.optional = true;
	return kind;
}

/* Columns of a compound have several origins, of which SQLite tells the first. */
static bool
is_compound(struct str sql)
{
	size_t depth = 0;
	for (struct str token = sql_token(&sql); token.at != NULL; token = sql_token(&sql)) {
		if (depth == 0 &&
		    (same_name(token, STR("union")) || same_name(token, STR("except")) ||
			same_name(token, STR("intersect"))))
			return true;
		depth += str_eq(token, STR("("));
		depth -= depth > 0 && str_eq(token, STR(")"));
	}
	return false;
}

static void
decide_column(struct check *check, struct field *field, struct kind derived)
{
	struct field *declared = declaration(&check->query->out_declared, field->name);
	field->kind = derived;
	if (declared != NULL) {
		declared->used = true;
		field->kind = declared->kind;
		if (derived.type != TYPE_NONE && derived.type != declared->kind.type)
			mistake(check->gen, check->source->path, declared->line, "column %.*s is %s, not %s",
			    STR_FMT(field->name), type_name(derived), type_name(declared->kind));
	} else if (derived.type == TYPE_NONE) {
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s: column %.*s is no plain column: declare it with `-- out %.*s TYPE`",
		    STR_FMT(check->query->name), STR_FMT(field->name), STR_FMT(field->name));
	}
}

static void
check_column(struct check *check, int number, const struct outer *outer, struct str text)
{
	struct fields *out = &check->query->out;
	struct str name = str_copy(&check->gen->arena, str_from(sqlite3_column_name(check->stmt, number)));
	if (!is_identifier(name)) {
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s: result column %d, `%.*s`, needs a name: AS name", STR_FMT(check->query->name),
		    number + 1, STR_FMT(name));
		return;
	}
	if (declaration(out, name) != NULL) {
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s: two result columns are called %.*s", STR_FMT(check->query->name), STR_FMT(name));
		return;
	}
	struct field *field = &out->at[out->n++];
	field->name = name;
	struct kind none = {TYPE_NONE, false};
	decide_column(
	    check, field, is_compound(check->query->sql) ? none : derive_column(check, number, outer, text));
}

static void
check_columns(struct check *check)
{
	struct str texts[NAMES_MOST];
	int n = sqlite3_column_count(check->stmt);
	size_t texts_n = result_texts(check->query->sql, texts, NAMES_MOST);
	struct outer outer = find_outer(check->gen, check->query->sql);
	check->query->out.at = arena_array(&check->gen->arena, (size_t)n, sizeof(struct field));
	for (int i = 0; i < n && check->query->out.at != NULL; i++)
		check_column(check, i, &outer, texts_n == (size_t)n ? texts[i] : STR_NONE);
	if (n > 0 && check->query->rows == ROWS_NONE)
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s has result columns: say `-- one` or `-- many`", STR_FMT(check->query->name));
	if (n == 0 && check->query->rows != ROWS_NONE)
		mistake(check->gen, check->source->path, check->query->line,
		    "%.*s has no result columns for `-- one` or `-- many`", STR_FMT(check->query->name));
}

static void
check_unused(struct check *check, const struct fields *fields, const char *what)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (!fields->at[i].used)
			mistake(check->gen, check->source->path, fields->at[i].line,
			    "%.*s: nothing uses the declared %s %.*s", STR_FMT(check->query->name), what,
			    STR_FMT(fields->at[i].name));
	}
}

/* --- plans ------------------------------------------------------------------------------------ */

/* The second word: what is scanned or made. */
static struct str
plan_object(struct str detail)
{
	str_cut(&detail, ' ');
	return str_cut(&detail, ' ');
}

/* Does a line of the plan walk a whole table, or sort or index one for a single use? */
static bool
plan_costs(struct gen *gen, struct str detail, const struct str *made, size_t made_n)
{
	if (str_search(detail, STR("TEMP B-TREE")) < detail.len ||
	    str_search(detail, STR("AUTOMATIC")) < detail.len)
		return true;
	if (!str_starts(detail, STR("SCAN ")) || str_search(detail, STR(" VIRTUAL TABLE")) < detail.len ||
	    str_search(detail, STR("CONSTANT ROW")) < detail.len)
		return false;
	struct str object = plan_object(detail);
	if (object.len > 0 && object.at[0] == '(')
		return false;
	for (size_t i = 0; i < made_n; i++) {
		if (same_name(made[i], object))
			return is_table(gen, object);
	}
	return true;
}

/* All the lines of the query's plan. */
static size_t
plan_read(struct check *check, struct str *lines, size_t room)
{
	sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	struct str sql = str_join(&check->gen->arena, STR("EXPLAIN QUERY PLAN "), check->query->sql);
	if (sqlite3_prepare_v2(check->gen->sqlite, sql.at, (int)sql.len, &stmt, NULL) != SQLITE_OK)
		mistake(check->gen, check->source->path, check->query->line, "no plan: %s",
		    sqlite3_errmsg(check->gen->sqlite));
	while (n < room && stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
		lines[n++] =
		    str_copy(&check->gen->arena, str_from((const char *)sqlite3_column_text(stmt, 3)));
	sqlite3_finalize(stmt);
	if (n == room)
		mistake(check->gen, check->source->path, check->query->line, "a plan of more than %zu lines",
		    room);
	return n;
}

static void
check_plan(struct check *check)
{
	struct str lines[NAMES_MOST * 2], made[NAMES_MOST * 2];
	size_t made_n = 0, costs = 0;
	size_t n = plan_read(check, lines, NAMES_MOST * 2);
	for (size_t i = 0; i < n; i++) {
		if (str_starts(lines[i], STR("CO-ROUTINE ")) || str_starts(lines[i], STR("MATERIALIZE ")))
			made[made_n++] = plan_object(lines[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!plan_costs(check->gen, lines[i], made, made_n))
			continue;
		costs++;
		if (check->query->scan_line == 0)
			mistake(check->gen, check->source->path, check->query->line,
			    "%.*s: the plan has `%.*s`: add an index, or say `-- scan: why`",
			    STR_FMT(check->query->name), STR_FMT(lines[i]));
	}
	if (check->query->scan_line == 0)
		return;
	check->gen->scans++;
	if (costs == 0)
		mistake(check->gen, check->source->path, check->query->scan_line,
		    "%.*s: nothing needs this `scan:` line", STR_FMT(check->query->name));
	if (check->gen->scans > SCANS_MOST)
		mistake(check->gen, check->source->path, check->query->scan_line,
		    "more than %d `scan:` lines in a database", SCANS_MOST);
}

/* --- whole statements ------------------------------------------------------------------------- */

static void
check_name(struct check *check)
{
	for (const struct source *source = check->gen->sources; source != NULL; source = source->next) {
		for (const struct query *query = source->queries; query != NULL; query = query->next) {
			if (query == check->query)
				return;
			if (!str_eq(query->name, check->query->name))
				continue;
			mistake(check->gen, check->source->path, check->query->line,
			    "%.*s is named already at %s:%zu", STR_FMT(query->name), source->path,
			    query->line);
			return;
		}
	}
}

/* Where in the file SQLite stumbled. */
static size_t
error_line(struct gen *gen, struct str sql, size_t line)
{
	int offset = sqlite3_error_offset(gen->sqlite);
	return offset < 0 ? line : line + lines_before(sql, (size_t)offset);
}

static bool
prepare(struct check *check)
{
	struct gen *gen = check->gen;
	struct str sql = check->query->sql;
	sqlite3_set_authorizer(gen->sqlite, authorize, check);
	int code = sqlite3_prepare_v2(gen->sqlite, sql.at, (int)sql.len, &check->stmt, NULL);
	size_t line = error_line(gen, sql, check->query->sql_line);
	sqlite3_set_authorizer(gen->sqlite, NULL, NULL);
	if (code == SQLITE_OK)
		return true;
	mistake(gen, check->source->path, line, "%.*s: %s", STR_FMT(check->query->name),
	    check->forbidden != NULL ? check->forbidden : sqlite3_errmsg(gen->sqlite));
	return false;
}

void
check_query(struct gen *gen, const struct source *source, struct query *query)
{
	struct check check = {.gen = gen, .source = source, .query = query};
	check_name(&check);
	if (str_search(query->sentence, STR("*/")) < query->sentence.len)
		mistake(gen, source->path, query->line,
		    "a sentence becomes a comment of C: it cannot contain */");
	if (prepare(&check)) {
		query->writes = !sqlite3_stmt_readonly(check.stmt);
		check_parameters(&check);
		check_columns(&check);
		check_unused(&check, &query->in_declared, "parameter");
		check_unused(&check, &query->out_declared, "column");
		check_plan(&check);
	}
	sqlite3_finalize(check.stmt);
}

static bool
run_statement(struct gen *gen, const char *path, struct str sql, size_t line)
{
	char *sql_c = str_c(&gen->arena, sql);
	if (sql_c != NULL && sqlite3_exec(gen->sqlite, sql_c, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	mistake(gen, path, error_line(gen, sql, line), "%s", sqlite3_errmsg(gen->sqlite));
	return false;
}

void
check_schema(struct gen *gen, const char *path)
{
	const struct script *schema = &gen->schema;
	for (size_t i = 0; i < schema->n; i++) {
		if (!run_statement(gen, path, schema->statements[i], schema->lines[i]))
			return;
	}
	size_t last = schema->n == 0 ? 1 : schema->lines[schema->n - 1];
	gen->version = (int)ask(gen, "SELECT user_version FROM pragma_user_version", STR_NONE);
	struct str rest = schema->n == 0 ? STR_NONE : schema->statements[schema->n - 1];
	bool pragma =
	    same_name(sql_token(&rest), STR("pragma")) && same_name(sql_token(&rest), STR("user_version"));
	if (!pragma || gen->version < 1)
		mistake(gen, path, last, "a schema ends in `PRAGMA user_version = N;`, N from 1 on");
}
