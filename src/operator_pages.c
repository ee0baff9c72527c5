/* The commands about pages: their list, and what an article's author pastes. */
#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "door.h"
#include "import_pages.h"
#include "page.h"
#include "page/snippet.h"
#include "page/snippet_apache_txt.h"
#include "page/snippet_form.h"
#include "page/snippet_include_txt.h"
#include "page/snippet_nginx_txt.h"
#include "publish.h"

enum { PIECE = 64 * 1024, TOLD_MOST = 100, WHAT_MOST = 200 };

/* --- arguments ------------------------------------------------------------------------------------- */

/* What stands behind the command, in any order: two words, and options. */
struct arguments {
	const char *verb, *noun;
	const char *site; /* NULL for the first one */
	bool dry_run;
};

static bool
read_arguments(int argc, char **argv, struct arguments *arguments)
{
	*arguments = (struct arguments){0};
	if (!operator_take_site(&argc, argv, &arguments->site))
		return false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			arguments->dry_run = true;
		else if (argv[i][0] == '-' && argv[i][1] == '-')
			return false;
		else if (arguments->verb == NULL)
			arguments->verb = argv[i];
		else if (arguments->noun == NULL)
			arguments->noun = argv[i];
		else
			return false;
	}
	return arguments->noun != NULL;
}

/* --- pages import ---------------------------------------------------------------------------------- */

struct list {
	const char *path;
	FILE *file;
	bool write;    /* the second time */
	int64_t told;
};

#define MANY "there are more than three fields (path, title, published); put a title with a comma into double quotes"

static const char *const faults[IMPORT_PAGES_FINDINGS] = {
    [IMPORT_PAGES_XML] = "this is no XML: ",
    [IMPORT_PAGES_ROOT] = "a sitemap's outermost element is urlset, and here it is ",
    [IMPORT_PAGES_INDEX] = "this is an index of sitemaps; fetch each of those that it names and import them",
    [IMPORT_PAGES_ENCODING] = "this is no UTF-8; save the list as UTF-8",
    [IMPORT_PAGES_FIELDS] = MANY,
    [IMPORT_PAGES_PATH] = "this is no page; give its path, as /world/astana, or its address on the site: ",
    [IMPORT_PAGES_OUTSIDE] = "this address is not of the site; compare `base` and `origins` in the configuration: ",
    [IMPORT_PAGES_TITLE] = "the title has a control character in it; take it out: ",
    [IMPORT_PAGES_DATE] = "this is no date; write it as 2024-07-03 or 2024-07-03T09:30:00Z, or leave it empty: ",
    [IMPORT_PAGES_TOO_MANY] = "a list takes 1000000 pages; import the rest as another one, from ",
    [IMPORT_PAGES_NOTHING] = "there is no page in it",
    [IMPORT_PAGES_TWICE] = "note: this page was listed before; this line is passed over: ",
    [IMPORT_PAGES_ELSEWHERE] = "note: this address is not of the site; it is passed over: ",
    [IMPORT_PAGES_PATTERN] = "note: this page is taken into the list, but `pages` in the configuration excludes it: ",
};

static const char *const table_faults[CSV_FAULTS] = {
    [CSV_FAULT_QUOTE] = "a quote stands within a field; put the whole field into double quotes, and double the one in it",
    [CSV_FAULT_BEHIND] = "something stands behind a closing quote; only a comma or the line's end may, or a second quote",
    [CSV_FAULT_UNCLOSED] = "the list ends within quotes; a closing quote is missing from this line on",
    [CSV_FAULT_LONG] = "this line has more than 16384 bytes; is a closing quote missing?",
    [CSV_FAULT_MANY] = MANY,
    [CSV_FAULT_NUL] = "there is a NUL in it; save the list as text in UTF-8",
};

/* What somebody else wrote, as a terminal may be shown it. */
static void
print_what(FILE *to, struct str what)
{
	bool cut = what.len > WHAT_MOST;
	operator_put(to, str_sub(what, 0, WHAT_MOST));
	fputs(cut ? "...\n" : "\n", to);
}

static void
tell(void *context, const struct import_pages_told *told)
{
	struct list *list = context;
	/* The second time all of it was told before. */
	if (list->write || ++list->told > TOLD_MOST)
		return;
	fprintf(stderr, "%s", list->path);
	if (told->line > 0)
		fprintf(stderr, " line %lld", (long long)told->line);
	fprintf(stderr, ": %s",
	    told->finding == IMPORT_PAGES_TABLE ? table_faults[told->table] : faults[told->finding]);
	print_what(stderr, told->what);
}

/* Hands the file on in pieces; from its beginning, each time. */
static enum status
read_list(struct list *list, struct arena *arena, struct import_pages_job *job, struct import_pages_counts *counts)
{
	struct import_pages *import;
	char *piece = arena_alloc(arena, PIECE);
	if (piece == NULL || fseek(list->file, 0, SEEK_SET) != 0)
		return STATUS_BROKEN;
	size_t len = fread(piece, 1, PIECE, list->file);
	job->kind = import_pages_kind((struct str){piece, len});
	job->write = list->write;
	if (job->kind == IMPORT_PAGES_GZIP) {
		fprintf(stderr, "%s: this is compressed; unpack it with gunzip first\n", list->path);
		counts->faults = 1;
		return STATUS_INVALID;
	}
	enum status status = import_pages_begin(arena, job, &import);
	if (status != STATUS_OK)
		return status;
	while (status == STATUS_OK && len > 0) {
		status = import_pages_feed(import, (struct str){piece, len});
		len = fread(piece, 1, PIECE, list->file);
	}
	status = import_pages_end(import, counts);
	return ferror(list->file) != 0 ? STATUS_BROKEN : status;
}

static void
report(const struct list *list, const struct import_pages_counts *counts, bool dry_run)
{
	const char *prefix = dry_run ? "would be " : "";
	printf("%s: %lld %snew, %lld %schanged, %lld as they were\n", list->path, (long long)counts->added, prefix,
	    (long long)counts->changed, prefix, (long long)counts->same);
	if (counts->retitled > 0)
		printf("Threads that %s a new title: %lld\n", dry_run ? "would get" : "got", (long long)counts->retitled);
}

static int
give_up(const struct list *list, const struct import_pages_counts *counts, enum status status)
{
	if (list->told > TOLD_MOST)
		fprintf(stderr, "... and %lld more\n", (long long)list->told - TOLD_MOST);
	if (status == STATUS_INVALID && !list->write) {
		fprintf(stderr, "rejoinder: %lld to mend; nothing was written\n", (long long)counts->faults);
		return OPERATOR_FAILED;
	}
	return operator_fail(list->write ? "the list was not written to its end; the reason stands above, and the same list again "
	                          "brings the rest"
	                        : "the list or the store cannot be read; nothing was written");
}

static int
import_list(struct door *door, const struct door_site *site, struct list *list, bool dry_run)
{
	struct import_pages_counts counts = {0};
	struct import_pages_job job = {.site = site->config, .site_id = site->id, .db = door->db,
	    .now = (int64_t)time(NULL), .tell = tell, .context = list};
	enum status status = read_list(list, &door->arena, &job, &counts);
	if (status == STATUS_OK && !dry_run) {
		if (list->told > TOLD_MOST)
			fprintf(stderr, "... and %lld more\n", (long long)list->told - TOLD_MOST);
		list->told = 0;
		list->write = true;
		status = read_list(list, &door->arena, &job, &counts);
	}
	if (status != STATUS_OK)
		return give_up(list, &counts, status);
	report(list, &counts, dry_run);
	struct publish_press press = door_press(door);
	if (!dry_run && counts.retitled > 0 && publish_whatever_lags(&press) != STATUS_OK)
		return operator_fail("the list is written, but not all files with the new titles; see rejoinder publish");
	return OPERATOR_DONE;
}

static int
import_file(const char *config, const struct arguments *arguments)
{
	struct list list = {.path = arguments->noun, .file = fopen(arguments->noun, "re")};
	struct door door;
	struct stat info;
	int result = OPERATOR_FAILED;
	if (list.file == NULL) {
		fprintf(stderr, "rejoinder: %s cannot be read: %s\n", list.path, strerror(errno));
		return OPERATOR_FAILED;
	}
	if (fstat(fileno(list.file), &info) != 0 || !S_ISREG(info.st_mode)) {
		fprintf(stderr, "rejoinder: %s must be a plain file, since it is read twice\n", list.path);
		goto out;
	}
	if (operator_open(config, &door) != STATUS_OK)
		goto out;
	const struct door_site *site = operator_site(&door, arguments->site);
	result = site == NULL ? OPERATOR_FAILED : import_list(&door, site, &list, arguments->dry_run);
	door_close(&door);
out:
	fclose(list.file);
	return result;
}

int
operator_pages(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct arguments arguments;
	if (!read_arguments(argc, argv, &arguments) || strcmp(arguments.verb, "import") != 0)
		return operator_misread(command, argc, argv);
	return import_file(config, &arguments);
}

/* --- snippet --------------------------------------------------------------------------------------- */

typedef void snippet(struct out *out, const struct door_site *site, struct arena *arena, struct str page);

/* The address of the page's thread, as an include names it. */
static struct str
thread_address(const struct config_site *config, struct arena *arena, struct str page)
{
	struct out thread;
	out_init(&thread, arena);
	out_put(&thread, config->mount);
	out_byte(&thread, '/');
	out_url_path(&thread, page_file(arena, page, STR("thread.html")));
	return out_str(&thread);
}

static void
snippet_nginx(struct out *out, const struct door_site *site, struct arena *arena, struct str page)
{
	const struct config_site *config = site->config;
	struct page_snippet_nginx_txt fields = {
	    .mount = config->mount.len > 0 ? config->mount : STR("/"),
	    .moved = !str_eq(config->mount, STR("/comments")),
	    .site = config->name,
	    .renamed = !str_eq(config->name, STR("main")),
	    .thread = thread_address(config, arena, page),
	    .page = page_url(arena, config, page),
	};
	page_snippet_nginx_txt(out, site->words, &fields);
}

static void
snippet_apache(struct out *out, const struct door_site *site, struct arena *arena, struct str page)
{
	const struct config_site *config = site->config;
	struct page_snippet_apache_txt fields = {
	    .mount = str_join(arena, config->mount, STR("/")),
	    .moved = !str_eq(config->mount, STR("/comments")),
	    .site = config->name,
	    .renamed = !str_eq(config->name, STR("main")),
	    .thread = thread_address(config, arena, page),
	    .page = page_url(arena, config, page),
	};
	page_snippet_apache_txt(out, site->words, &fields);
}

static void
snippet_form(struct out *out, const struct door_site *site, struct arena *arena, struct str page)
{
	struct page_snippet_form fields = {.mount = site->config->mount, .page = page_url(arena, site->config, page)};
	out_byte(out, '\n');
	page_snippet_form(out, site->words, &fields);
}

static void
snippet_html(struct out *out, const struct door_site *site, struct arena *arena, struct str page)
{
	struct page_snippet fields = {.mount = site->config->mount, .page = page_url(arena, site->config, page)};
	page_snippet(out, site->words, &fields);
	snippet_form(out, site, arena, page);
}

static void
snippet_include(struct out *out, const struct door_site *site, struct arena *arena, struct str page)
{
	struct page_snippet_include_txt fields = {
	    .mount = site->config->mount, .thread = thread_address(site->config, arena, page)};
	page_snippet_include_txt(out, site->words, &fields);
	snippet_form(out, site, arena, page);
}

static int
print_snippet(struct door *door, const struct arguments *arguments, snippet *make)
{
	const struct door_site *site = operator_site(door, arguments->site);
	struct str page;
	struct out out;
	if (site == NULL)
		return OPERATOR_FAILED;
	enum status status = page_typed(&door->arena, site->config, str_from(arguments->noun), &page);
	if (status == STATUS_MISSING)
		return operator_fail("this address is not of the site; compare `base` and `origins` in the configuration, or say --site NAME");
	if (status != STATUS_OK)
		return operator_fail("this is no page: give its path, as in /world/astana, or its address on the site");
	if (!page_allowed(site->config, page))
		fputs("rejoinder: note: `pages` in the configuration excludes this page: it takes no replies yet\n", stderr);
	out_init(&out, &door->arena);
	make(&out, site, &door->arena, page);
	if (out_status(&out) != STATUS_OK)
		return operator_fail("there is not enough memory");
	fwrite(out.at, 1, out.len, stdout);
	return OPERATOR_DONE;
}

static const struct {
	const char *name;
	snippet *make;
} snippets[] = {{"nginx", snippet_nginx}, {"apache", snippet_apache}, {"include", snippet_include}, {"html", snippet_html}};

int
operator_snippet(const struct operator_command *command, const char *config, int argc, char **argv)
{
	struct arguments arguments;
	struct door door;
	snippet *make = NULL;
	bool read = read_arguments(argc, argv, &arguments) && !arguments.dry_run;
	for (size_t i = 0; read && i < sizeof snippets / sizeof *snippets; i++)
		make = strcmp(arguments.verb, snippets[i].name) == 0 ? snippets[i].make : make;
	if (make == NULL)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	int result = print_snippet(&door, &arguments, make);
	door_close(&door);
	return result;
}
