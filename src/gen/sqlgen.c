/*
 * sqlgen - named queries of SQL become functions of C.
 *
 * `sqlgen DATABASE_DIR OUTDIR` reads schema.sql, migrate-N.sql and the query files of DATABASE_DIR
 * and writes OUTDIR/<its name>/FILE.h, FILE.c, database.h and database.c; docs/architecture.md,
 * «Queries», says what stands in them.  Exits 1 after naming what is wrong, 2 when it could not work.
 */
#include "sqlgen.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MEMORY_MOST = 256 * 1024 * 1024, FILE_MOST = 1024 * 1024 };

void
mistake(struct gen *gen, const char *path, size_t line, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "%s:%zu: ", path, line);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	gen->mistakes++;
}

static _Noreturn void
give_up(const char *what, const char *why)
{
	fprintf(stderr, "sqlgen: %s: %s\n", what, why);
	exit(2);
}

/* The bytes of a file; it must end in a newline, as every text does. */
static struct str
read_file(struct gen *gen, const char *path)
{
	char *bytes = arena_alloc(&gen->arena, FILE_MOST);
	FILE *file = fopen(path, "rb");
	if (bytes == NULL || file == NULL)
		give_up(path, strerror(errno));
	size_t len = fread(bytes, 1, FILE_MOST, file);
	if (ferror(file) || len == FILE_MOST)
		give_up(path, "cannot be read, or is too large");
	fclose(file);
	if (memchr(bytes, '\0', len) != NULL)
		mistake(gen, path, 1, "a NUL byte in a text");
	return (struct str){bytes, len};
}

static const char *
path_of(struct gen *gen, const char *name)
{
	struct str path = str_format(&gen->arena, "%s/%s", gen->folder, name);
	if (path.at == NULL)
		give_up(name, "no memory");
	return path.at;
}

static void
read_schema(struct gen *gen)
{
	const char *path = path_of(gen, "schema.sql");
	parse_script(gen, path, read_file(gen, path), &gen->schema);
	check_schema(gen, path);
}

static bool
is_there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static void
read_migrations(struct gen *gen)
{
	size_t n = gen->version > 1 ? (size_t)gen->version - 1 : 0;
	gen->migrations = arena_array(&gen->arena, n, sizeof *gen->migrations);
	for (size_t i = 0; i < n && gen->migrations != NULL; i++) {
		char name[32];
		snprintf(name, sizeof name, "migrate-%zu.sql", i + 2);
		const char *path = path_of(gen, name);
		if (is_there(path))
			parse_script(gen, path, read_file(gen, path), &gen->migrations[i]);
		else
			mistake(
			    gen, path, 1, "there is none, though schema.sql is of version %d", gen->version);
	}
}

/* `migrate-N.sql` that schema.sql knows of: somebody forgot to raise user_version otherwise. */
static void
check_migration_name(struct gen *gen, const char *name)
{
	int64_t number = 0;
	struct str digits =
	    str_sub(str_from(name), strlen("migrate-"), strlen(name) - strlen("migrate-.sql"));
	if (str_integer(digits, &number) != STATUS_OK || number < 2 || number > gen->version)
		mistake(gen, path_of(gen, name), 1,
		    "schema.sql is of version %d: no such migration leads there", gen->version);
}

static int
is_sql(const struct dirent *entry)
{
	struct str name = str_from(entry->d_name);
	return str_ends(name, STR(".sql")) && name.at[0] != '.';
}

static void
read_source(struct gen *gen, const char *name, struct source ***end)
{
	struct source *source = arena_alloc(&gen->arena, sizeof *source);
	if (source == NULL)
		give_up(name, "no memory");
	source->path = path_of(gen, name);
	source->name = str_copy(&gen->arena, str_sub(str_from(name), 0, strlen(name) - strlen(".sql")));
	if (!is_identifier(source->name) || str_eq(source->name, STR("database")))
		mistake(gen, source->path, 1, "a file of queries cannot be called so");
	source->text = read_file(gen, source->path);
	parse_queries(gen, source);
	**end = source;
	*end = &source->next;
}

/* The order of files, and with it every byte of what is written, must not depend on the folder's. */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
read_sources(struct gen *gen)
{
	struct dirent **entries = NULL;
	struct source **end = &gen->sources;
	int n = scandir(gen->folder, &entries, is_sql, by_bytes);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		if (str_starts(str_from(name), STR("migrate-")))
			check_migration_name(gen, name);
		else if (strcmp(name, "schema.sql") != 0)
			read_source(gen, name, &end);
		free(entries[i]);
	}
	free(entries);
}

static void
check_sources(struct gen *gen)
{
	for (struct source *source = gen->sources; source != NULL; source = source->next) {
		for (struct query *query = source->queries; query != NULL; query = query->next) {
			query->slot = gen->queries_n++;
			check_query(gen, source, query);
		}
	}
}

static void
emit_all(struct gen *gen, const char *out_folder)
{
	struct str folder = str_format(&gen->arena, "%s/%.*s", out_folder, STR_FMT(gen->name));
	if (folder.at == NULL || (mkdir(folder.at, 0777) != 0 && errno != EEXIST))
		give_up(out_folder, strerror(errno));
	bool done = emit_database(gen, out_folder);
	for (const struct source *source = gen->sources; source != NULL && done; source = source->next)
		done = emit_source(gen, source, out_folder);
	if (!done)
		give_up(out_folder, "cannot write");
}

static struct str
last_part(struct str path)
{
	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	struct str part = path;
	while (str_has(part, '/'))
		part = str_sub(part, str_find(part, '/') + 1, part.len);
	return part;
}

int
main(int argc, char **argv)
{
	struct gen gen = {.mistakes = 0};
	if (argc != 3)
		give_up("usage", "sqlgen DATABASE_DIR OUTDIR");
	arena_init(&gen.arena, MEMORY_MOST);
	gen.folder = argv[1];
	gen.name = last_part(str_from(argv[1]));
	if (!is_identifier(gen.name))
		give_up(argv[1], "the folder's name becomes a name in C");
	if (sqlite3_open(":memory:", &gen.sqlite) != SQLITE_OK)
		give_up("sqlite", "cannot open a database in memory");
	sqlite3_db_config(gen.sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* "x" is a column, or a mistake */
	sqlite3_db_config(gen.sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	read_schema(&gen);
	if (gen.mistakes == 0) {
		read_migrations(&gen);
		read_sources(&gen);
		check_sources(&gen);
	}
	if (gen.mistakes == 0)
		emit_all(&gen, argv[2]);
	sqlite3_close(gen.sqlite);
	arena_free(&gen.arena);
	return gen.mistakes > 0;
}
