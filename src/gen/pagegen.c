/*
 * pagegen WORDS_FILE OUTDIR TEMPLATE... - turns templates and words into C, at build time.
 *
 * docs/architecture.md, «Pages» and «Words», says what may stand in them.  Writes
 * OUTDIR/words_list.h, .c and OUTDIR/page/NAME.h, .c; says `file:line: what is wrong` for every mistake
 * it finds, and then writes nothing and ends with 1.
 */
#include "pagegen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	MEMORY_LIMIT = 256 * 1024 * 1024 /* a build that wants more has gone wrong */
};

void
pagegen_complain(struct pagegen *gen, struct str path, size_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%.*s:%zu: ", STR_FMT(path), line);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	gen->mistakes++;
}

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "pagegen: %s: %s\n", what, why);
	exit(1);
}

void *
pagegen_alloc(struct pagegen *gen, size_t size)
{
	void *at = arena_alloc(&gen->arena, size);
	if (at == NULL)
		die("memory", "not enough");
	return at;
}

void *
pagegen_grow(struct pagegen *gen, void *list, size_t n, size_t size)
{
	bool full = (n & (n - 1)) == 0; /* room is the next power of two */
	if (!full)
		return list;
	void *grown = pagegen_alloc(gen, (n == 0 ? 1 : n * 2) * size);
	if (n > 0)
		memcpy(grown, list, n * size);
	return grown;
}

bool
pagegen_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
pagegen_is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];
		bool letter = c >= 'a' && c <= 'z';
		bool later = (c >= '0' && c <= '9') || c == '_';
		if (!letter && !(later && i > 0))
			return false;
	}
	return s.len > 0;
}

/* --- C literals ------------------------------------------------------------------------------- */

static void
put_escaped(struct out *out, char c, char before)
{
	switch (c) {
	case '\n':
		out_put(out, STR("\\n"));
		break;
	case '\t':
		out_put(out, STR("\\t"));
		break;
	case '"':
	case '\\':
		out_format(out, "\\%c", c);
		break;
	case '?':
		out_put(out, before == '?' ? STR("\\?") : STR("?")); /* no trigraphs */
		break;
	default:
		if ((unsigned char)c < 0x20 || c == 0x7f)
			out_format(out, "\\%03o", (unsigned)(unsigned char)c);
		else
			out_byte(out, c);
	}
}

void
pagegen_put_literal(struct out *out, struct str s, const char *indent)
{
	out_byte(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		put_escaped(out, s.at[i], i > 0 ? s.at[i - 1] : '\0');
		if (s.at[i] == '\n' && i + 1 < s.len)
			out_format(out, "\"\n%s\"", indent);
	}
	out_byte(out, '"');
}

/* --- files ------------------------------------------------------------------------------------ */

static struct str
read_file(struct pagegen *gen, const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		die(path, strerror(errno));
	struct out out;
	out_init(&out, &gen->arena);
	char part[4096];
	size_t got;
	while ((got = fread(part, 1, sizeof part, file)) > 0)
		out_put(&out, (struct str){part, got});
	if (ferror(file))
		die(path, "cannot be read");
	fclose(file);
	if (out.failed)
		die(path, "too large");
	return out_str(&out);
}

static void
make_folder(const char *path)
{
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		die(path, strerror(errno));
}

void
pagegen_save(struct pagegen *gen, const char *outdir, struct str name, const struct out *out)
{
	struct str path = str_format(&gen->arena, "%s/%.*s", outdir, STR_FMT(name));
	if (path.at == NULL || out->failed)
		die("memory", "not enough");
	FILE *file = fopen(path.at, "wb");
	if (file == NULL)
		die(path.at, strerror(errno));
	struct str s = out_str(out);
	bool written = fwrite(s.at, 1, s.len, file) == s.len;
	if (fclose(file) != 0 || !written)
		die(path.at, "cannot be written");
}

/* --- templates -------------------------------------------------------------------------------- */

static const struct str extensions[PAGEGEN_LANGUAGES] = {
    [PAGEGEN_HTML] = STR_INIT("html"),
    [PAGEGEN_JSON] = STR_INIT("json"),
    [PAGEGEN_XML] = STR_INIT("xml"),
    [PAGEGEN_TXT] = STR_INIT("txt"),
};

static struct str
file_name(struct str path)
{
	struct str piece = STR_NONE;
	while (path.at != NULL)
		piece = str_cut(&path, '/');
	return piece;
}

/* page/words.h would stand beside the pages, so that their #include "words.h" found it first. */
static bool
is_header(struct str name)
{
	return str_eq(name, STR("html")) || str_eq(name, STR("out")) || str_eq(name, STR("str")) ||
	    str_eq(name, STR("words"));
}

/* From the file's name: language, and name of the function. */
static void
name_template(struct pagegen *gen, struct pagegen_template *template)
{
	struct str rest = file_name(template->path);
	template->name = str_cut(&rest, '.');
	size_t language = 0;
	while (language < PAGEGEN_LANGUAGES && !str_eq(extensions[language], rest))
		language++;
	if (language == PAGEGEN_LANGUAGES || !pagegen_is_name(template->name)) {
		pagegen_complain(gen, template->path, 1,
		    "a template is called NAME.html, .json, .xml or .txt, NAME in lower-case letters, digits "
		    "and _");
		return;
	}
	if (language == PAGEGEN_HTML && is_header(template->name))
		pagegen_complain(gen, template->path, 1,
		    "no template is called html, out, str or words: pages include headers of these names");
	template->language = (enum pagegen_language)language;
	if (language != PAGEGEN_HTML)
		template->name = str_format(&gen->arena, "%.*s_%.*s", STR_FMT(template->name), STR_FMT(rest));
}

static void
refuse_twins(struct pagegen *gen, const struct pagegen_template *template)
{
	for (const struct pagegen_template *t = gen->templates; t < template; t++)
		if (str_eq(t->name, template->name))
			pagegen_complain(gen, template->path, 1, "page_%.*s is made by %.*s, too",
			    STR_FMT(template->name), STR_FMT(t->path));
}

/* A struct of a section may be called as another template's page. */
static void
refuse_same_structs(struct pagegen *gen, const struct pagegen_template *template)
{
	for (const struct pagegen_type *type = template->types; type != NULL; type = type->next)
		for (size_t i = 0; i < gen->templates_n; i++)
			if (str_eq(type->name, gen->templates[i].page->name))
				pagegen_complain(gen, template->path, 1,
				    "a section makes struct %.*s, which is also the page of %.*s; rename one",
				    STR_FMT(type->name), STR_FMT(gen->templates[i].path));
}

enum { MARK_NONE, MARK_OPEN, MARK_DONE };

/* A template may include itself, since a pointer to itself is no circle of headers; no other circle. */
static void
refuse_circles(struct pagegen *gen, struct pagegen_template *template)
{
	template->mark = MARK_OPEN;
	for (size_t i = 0; i < template->parts_n; i++) {
		struct pagegen_template *part = &gen->templates[template->parts[i] - gen->templates];
		if (part == template)
			continue;
		if (part->mark == MARK_OPEN)
			pagegen_complain(gen, template->path, 1,
			    "includes %.*s, which includes this one: a template may include itself, but two "
			    "not each other",
			    STR_FMT(part->path));
		else if (part->mark == MARK_NONE)
			refuse_circles(gen, part);
	}
	template->mark = MARK_DONE;
}

static void
read_templates(struct pagegen *gen, char **paths, size_t n)
{
	gen->templates = pagegen_alloc(gen, (n + 1) * sizeof *gen->templates);
	gen->templates_n = n;
	for (size_t i = 0; i < n; i++) {
		struct pagegen_template *template = &gen->templates[i];
		template->path = str_from(paths[i]);
		template->source = read_file(gen, paths[i]);
		name_template(gen, template);
		refuse_twins(gen, template);
	}
	for (size_t i = 0; i < n; i++)
		pagegen_parse(gen, &gen->templates[i]);
	for (size_t i = 0; i < n; i++) {
		refuse_same_structs(gen, &gen->templates[i]);
		if (gen->templates[i].mark == MARK_NONE)
			refuse_circles(gen, &gen->templates[i]);
	}
}

static void
save_all(struct pagegen *gen, const char *outdir)
{
	make_folder(outdir);
	struct str pages = str_format(&gen->arena, "%s/page", outdir);
	if (pages.at == NULL)
		die("memory", "not enough");
	make_folder(pages.at);
	pagegen_words_save(gen, outdir);
	for (size_t i = 0; i < gen->templates_n; i++)
		pagegen_emit(gen, outdir, &gen->templates[i]);
}

int
main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "use: pagegen WORDS_FILE OUTDIR TEMPLATE...\n");
		return 1;
	}
	struct pagegen gen = {.mistakes = 0};
	arena_init(&gen.arena, MEMORY_LIMIT);
	pagegen_words_read(&gen, str_from(argv[1]), read_file(&gen, argv[1]));
	read_templates(&gen, argv + 3, (size_t)argc - 3);
	bool good = gen.mistakes == 0;
	if (good)
		save_all(&gen, argv[2]);
	arena_free(&gen.arena);
	return good ? 0 : 1;
}
