#include "import_pages.h"

#include "page.h"
#include "publish.h"
#include "sql/rejoinder/page.h"
#include "sql/rejoinder/thread.h"
#include "text.h"
#include "title.h"
#include "when.h"
#include "xml.h"

enum {
	FIELDS = 3,
	BATCH = 500,                   /* pages of one transaction, so that others get their turn */
	BATCH_MEMORY = 64 * 1024 * 1024,
	SEEN_SLOTS = 1 << 21           /* at most half full */
};

struct line {
	struct str page, title;
	struct db_integer published_at;
};

struct import_pages {
	struct import_pages_job job;
	struct arena batch; /* what is forgotten with each batch */
	struct line *lines;
	size_t lines_n;
	size_t steps; /* records since the last flush */
	uint64_t *seen; /* hashes of the pages so far; 0: free */
	int64_t pages;
	struct csv csv;
	bool headed; /* the first record was there */
	struct xml *xml;
	enum status status;
	struct import_pages_counts counts;
};

static void
tell(struct import_pages *import, enum import_pages_finding finding, int64_t line, struct str what)
{
	struct import_pages_told told = {.finding = finding, .line = line, .what = what};
	import->counts.faults += finding < IMPORT_PAGES_FAULTS ? 1 : 0;
	import->job.tell(import->job.context, &told);
}

enum import_pages_kind
import_pages_kind(struct str beginning)
{
	if (str_starts(beginning, STR("\x1f\x8b")))
		return IMPORT_PAGES_GZIP;
	/* UTF-16, which XML may be and CSV may not. */
	if (str_starts(beginning, STR("\xff\xfe<")) || str_starts(beginning, STR("\xfe\xff\0<")))
		return IMPORT_PAGES_SITEMAP;
	if (str_starts(beginning, STR("\xef\xbb\xbf")))
		beginning = str_sub(beginning, 3, beginning.len);
	return str_starts(str_trim(beginning), STR("<")) ? IMPORT_PAGES_SITEMAP : IMPORT_PAGES_CSV;
}

/* --- what is there already ------------------------------------------------------------------------ */

/* FNV-1a: nobody attacks the owner's own list, and two of a million pages meet once in 40 million lists. */
static uint64_t
hash_of(struct str page)
{
	uint64_t hash = 0xcbf29ce484222325U;
	for (size_t i = 0; i < page.len; i++)
		hash = (hash ^ (unsigned char)page.at[i]) * 0x100000001b3U;
	return hash == 0 ? 1 : hash;
}

/* False when the page was seen before. */
static bool
see(struct import_pages *import, struct str page)
{
	uint64_t hash = hash_of(page);
	size_t slot = hash % SEEN_SLOTS;
	while (import->seen[slot] != 0 && import->seen[slot] != hash)
		slot = (slot + 1) % SEEN_SLOTS;
	if (import->seen[slot] == hash)
		return false;
	import->seen[slot] = hash;
	return true;
}

static bool
same_date(struct db_integer a, struct db_integer b)
{
	return a.set == b.set && (!a.set || a.value == b.value);
}

/* --- into the store ------------------------------------------------------------------------------- */

/* Of one batch: db_write may do it twice. */
struct batch {
	struct import_pages *import;
	struct import_pages_counts counts;
};

static enum status
list_page(struct db_conn *conn, struct batch *batch, const struct line *line)
{
	struct import_pages *import = batch->import;
	int64_t site_id = import->job.site_id;
	bool write = import->job.write;
	struct page_listed_row row;
	enum status status = page_listed(conn, &import->batch,
	    &(struct page_listed_in){.site_id = site_id, .page = line->page}, &row);
	if (status == STATUS_MISSING) {
		struct page_add_in add = {.site_id = site_id, .page = line->page, .title = line->title,
		    .published_at = line->published_at};
		batch->counts.added++;
		return write ? page_add(conn, &add, NULL) : STATUS_OK;
	}
	if (status != STATUS_OK)
		return status;
	struct page_change_in change = {.site_id = site_id, .page = line->page,
	    .title = line->title.len > 0 ? line->title : row.title,
	    .published_at = line->published_at.set ? line->published_at : row.published_at};
	bool same = str_eq(change.title, row.title) && same_date(change.published_at, row.published_at);
	*(same ? &batch->counts.same : &batch->counts.changed) += 1;
	return write && !same ? page_change(conn, &change, NULL) : STATUS_OK;
}

static enum status
retitle(struct db_conn *conn, struct batch *batch, const struct line *line)
{
	struct import_pages *import = batch->import;
	struct thread_find_row thread;
	struct thread_find_in find = {.site_id = import->job.site_id, .page = line->page};
	enum status status = thread_find(conn, &import->batch, &find, &thread);
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	if (line->title.len == 0 || str_eq(line->title, thread.title))
		return STATUS_OK;
	batch->counts.retitled++;
	if (!import->job.write)
		return STATUS_OK;
	status = thread_retitle(conn, &(struct thread_retitle_in){.id = thread.id, .title = line->title}, NULL);
	return status == STATUS_OK ? publish_ask(conn, &import->batch, thread.id, import->job.now, true) : status;
}

static enum status
list_pages(struct db_conn *conn, void *context)
{
	struct batch *batch = context;
	enum status status = STATUS_OK;
	batch->counts = (struct import_pages_counts){0};
	for (size_t i = 0; status == STATUS_OK && i < batch->import->lines_n; i++) {
		const struct line *line = &batch->import->lines[i];
		status = list_page(conn, batch, line);
		if (status == STATUS_OK)
			status = retitle(conn, batch, line);
	}
	return status;
}

static enum status
compare_pages(struct db *db, struct batch *batch)
{
	struct db_conn *conn;
	enum status status = db_read(db, &conn);
	if (status != STATUS_OK)
		return status;
	status = list_pages(conn, batch);
	db_release(conn);
	return status;
}

static void
flush(struct import_pages *import)
{
	struct batch batch = {.import = import};
	struct import_pages_counts *counts = &import->counts;
	if (import->lines_n > 0 && import->status == STATUS_OK)
		import->status = import->job.write ? db_write(import->job.db, list_pages, &batch)
		                                   : compare_pages(import->job.db, &batch);
	if (import->status == STATUS_OK) {
		counts->added += batch.counts.added;
		counts->changed += batch.counts.changed;
		counts->same += batch.counts.same;
		counts->retitled += batch.counts.retitled;
	}
	if (import->batch.failed && import->status == STATUS_OK)
		import->status = STATUS_BROKEN;
	arena_reset(&import->batch);
	import->lines_n = 0;
	import->steps = 0;
}

/* --- a page of the list --------------------------------------------------------------------------- */

static bool
read_page(struct import_pages *import, int64_t at, struct str typed, struct line *line)
{
	const struct config_site *site = import->job.site;
	struct str path = page_is_address(typed) ? page_behind_site(&import->batch, site, typed) : typed;
	bool sitemap = import->job.kind == IMPORT_PAGES_SITEMAP;
	if (path.at == NULL)
		tell(import, sitemap ? IMPORT_PAGES_ELSEWHERE : IMPORT_PAGES_OUTSIDE, at, typed);
	else if (page_canonical(&import->batch, site, path, &line->page) != STATUS_OK)
		tell(import, IMPORT_PAGES_PATH, at, typed);
	else if (import->pages == IMPORT_PAGES_MOST) {
		tell(import, IMPORT_PAGES_TOO_MANY, at, typed);
		import->status = STATUS_INVALID;
	} else if (!see(import, line->page))
		tell(import, IMPORT_PAGES_TWICE, at, line->page);
	else
		return true;
	return false;
}

static void
take_line(struct import_pages *import, int64_t at, const struct line *line)
{
	import->pages++;
	if (!page_allowed(import->job.site, line->page))
		tell(import, IMPORT_PAGES_PATTERN, at, line->page);
	import->lines[import->lines_n++] = *line;
}

static void
step(struct import_pages *import)
{
	if (++import->steps >= BATCH)
		flush(import);
}

/* --- CSV ------------------------------------------------------------------------------------------ */

static bool
is_heading(struct import_pages *import, const struct csv_record *record)
{
	bool first = !import->headed;
	import->headed = true;
	return first && (str_eq_nocase(str_trim(record->fields[0]), STR("path")) ||
	                    str_eq_nocase(str_trim(record->fields[0]), STR("page")));
}

static bool
all_valid(const struct csv_record *record)
{
	for (size_t i = 0; i < record->fields_n; i++)
		if (!text_valid(record->fields[i]))
			return false;
	return true;
}

/* Each of the three may be wrong, and each is told. */
static void
take_fields(struct import_pages *import, const struct csv_record *record)
{
	struct line line = {.title = STR("")};
	struct arena *arena = &import->batch;
	struct str title = record->fields_n > 1 ? record->fields[1] : STR("");
	struct str date = record->fields_n > 2 ? str_trim(record->fields[2]) : STR("");
	/* The record's own bytes are gone with the next one. */
	struct str typed = str_copy(arena, str_trim(record->fields[0]));
	bool good = read_page(import, record->line, typed, &line);
	if (title_listed(arena, title, &line.title) != STATUS_OK) {
		tell(import, IMPORT_PAGES_TITLE, record->line, title);
		good = false;
	}
	if (date.len > 0 && when_read(date, &line.published_at.value) != STATUS_OK) {
		tell(import, IMPORT_PAGES_DATE, record->line, date);
		good = false;
	}
	line.published_at.set = date.len > 0;
	if (good)
		take_line(import, record->line, &line);
}

static void
take_record(void *context, const struct csv_record *record)
{
	struct import_pages *import = context;
	if (import->status != STATUS_OK)
		return;
	if (record->fault != CSV_FAULT_NONE) {
		struct import_pages_told told = {.finding = IMPORT_PAGES_TABLE, .table = record->fault, .line = record->line};
		import->headed = true;
		import->counts.faults++;
		import->job.tell(import->job.context, &told);
	} else if (is_heading(import, record))
		return;
	else if (!all_valid(record))
		tell(import, IMPORT_PAGES_ENCODING, record->line, STR_NONE);
	else if (record->fields_n > FIELDS)
		tell(import, IMPORT_PAGES_FIELDS, record->line, STR_NONE);
	else
		take_fields(import, record);
	step(import);
}

/* --- a sitemap ------------------------------------------------------------------------------------ */

static void
begin_element(void *context, const struct xml_name *name, const char *const *attributes, int depth)
{
	struct import_pages *import = context;
	(void)attributes;
	if (depth != 1 || str_eq(name->name, STR("urlset")))
		return;
	bool index = str_eq(name->name, STR("sitemapindex"));
	tell(import, index ? IMPORT_PAGES_INDEX : IMPORT_PAGES_ROOT, xml_line(import->xml),
	    index ? STR_NONE : name->name);
	import->status = STATUS_INVALID;
}

/* A sitemap says when an article was last changed, not when it was published: that is left alone. */
static void
end_element(void *context, const struct xml_name *name, struct str text, int depth)
{
	struct import_pages *import = context;
	struct line line = {.title = STR("")};
	if (depth != 3 || !str_eq(name->name, STR("loc")) || import->status != STATUS_OK)
		return;
	struct str typed = str_copy(&import->batch, str_trim(text));
	int64_t at = xml_line(import->xml);
	if (!page_is_address(typed))
		tell(import, IMPORT_PAGES_PATH, at, typed);
	else if (read_page(import, at, typed, &line))
		take_line(import, at, &line);
	step(import);
}

static void
feed_xml(struct import_pages *import, struct str piece, bool last)
{
	if (xml_feed(import->xml, piece, last) == STATUS_OK || import->status != STATUS_OK)
		return;
	tell(import, IMPORT_PAGES_XML, xml_line(import->xml), str_from(xml_fault(import->xml)));
	import->status = STATUS_INVALID;
}

/* --- all together --------------------------------------------------------------------------------- */

enum status
import_pages_begin(struct arena *arena, const struct import_pages_job *job, struct import_pages **import)
{
	struct import_pages *mine = arena_alloc(arena, sizeof *mine);
	if (mine == NULL)
		return STATUS_BROKEN;
	mine->job = *job;
	mine->seen = arena_array(arena, SEEN_SLOTS, sizeof *mine->seen);
	mine->lines = arena_array(arena, BATCH, sizeof *mine->lines);
	if (mine->seen == NULL || mine->lines == NULL)
		return STATUS_BROKEN;
	arena_init(&mine->batch, BATCH_MEMORY);
	csv_begin(&mine->csv, take_record, mine);
	*import = mine;
	struct xml_events events = {begin_element, end_element, mine};
	return job->kind == IMPORT_PAGES_SITEMAP ? xml_new(&events, &mine->xml) : STATUS_OK;
}

enum status
import_pages_feed(struct import_pages *import, struct str piece)
{
	if (import->xml != NULL)
		feed_xml(import, piece, false);
	else
		csv_feed(&import->csv, piece);
	return import->status;
}

enum status
import_pages_end(struct import_pages *import, struct import_pages_counts *counts)
{
	if (import->xml != NULL)
		feed_xml(import, STR(""), true);
	else
		csv_end(&import->csv);
	flush(import);
	if (import->status == STATUS_OK && import->pages == 0 && import->counts.faults == 0)
		tell(import, IMPORT_PAGES_NOTHING, 0, STR_NONE);
	if (import->status == STATUS_OK && import->counts.faults > 0)
		import->status = STATUS_INVALID;
	xml_free(import->xml);
	arena_free(&import->batch);
	*counts = import->counts;
	return import->status;
}
