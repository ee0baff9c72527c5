/* /threads/… and the files of a whole site, where they are no file or spelled otherwise. */
#include "reader_visit.h"

#include "log.h"
#include "overview.h"
#include "page.h"

enum {
	THREAD_FILE_MOST = 32 * 1024 * 1024,
	UNSERVED_TOLD = 100 /* so many a first publication between two looks of a web server cannot make */
};

struct found {
	bool sure;  /* false: it stands in for a thread that could not be read */
	bool filed; /* it is a published file */
	struct str content;
};

static struct str
type_of(struct str name)
{
	if (str_ends(name, STR(".json")))
		return STR("application/json");
	return str_ends(name, STR(".xml")) ? STR("application/atom+xml; charset=utf-8") : STR("text/html; charset=utf-8");
}

/* "/world/astana/~/thread.html" is a page and a name; INVALID when it is not. */
static enum status
split_thread(struct str rest, struct str *page, struct str *name)
{
	size_t slash = rest.len;
	while (slash > 0 && rest.at[slash - 1] != '/')
		slash--;
	*name = str_sub(rest, slash, rest.len);
	struct str folder = str_sub(rest, 0, slash);
	if (!str_ends(folder, STR("/~/")) && !str_eq(folder, STR("~/")))
		return STATUS_INVALID;
	*page = str_sub(folder, 0, folder.len - 2);
	return STATUS_OK;
}

/* The slash behind a page is that of the file's folder. */
static bool
is_canonical(struct str spelling, struct str page)
{
	return str_eq(spelling, page) || (spelling.len == page.len + 1 && str_ends(spelling, STR("/")) && str_starts(spelling, page));
}

/* May the page have replies?  MISSING when not. */
static enum status
find_page(const struct reader_visit *visit, struct str page)
{
	const struct config_site *site = visit->site->config;
	struct db_conn *conn;
	struct str title;
	if (!page_allowed(site, page))
		return STATUS_MISSING;
	if (!site->page_list)
		return STATUS_OK;
	enum status status = db_read(visit->door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = reader_read_listed(visit, conn, page, &title);
	db_release(conn);
	return status;
}

static enum status
render_empty(const struct reader_visit *visit, struct str page, struct str name, struct str *content)
{
	struct publish_press press = door_press(visit->door);
	struct reader_article article = {0};
	/* Of the files of an empty thread only the feed says which article it is. */
	if (str_eq(name, STR("feed.xml")))
		reader_find_article(visit, page, STR_NONE, &article);
	struct publish_empty_thread thread = {page, article.title};
	return publish_render_empty(&press, visit->arena, visit->site->config, &thread, name, content);
}

static enum status
read_thread(const struct reader_visit *visit, struct str page, struct str name, struct found *found)
{
	const struct config_site *site = visit->site->config;
	struct str path = str_format(visit->arena, "%.*s/%.*s", STR_FMT(site->name),
	    STR_FMT(page_file(visit->arena, page, name)));
	enum status status = path.at == NULL ? STATUS_BROKEN
	                                     : file_read(&visit->door->public_tree, visit->arena, path, THREAD_FILE_MOST,
	                                           &found->content);
	found->filed = status == STATUS_OK;
	if (status != STATUS_MISSING)
		return status;
	return render_empty(visit, page, name, &found->content);
}

/* The web server asks for other spellings, and for what is not there; a published file it should have found. */
static void
count_unserved(const struct reader_visit *visit)
{
	if (atomic_fetch_add(&visit->door->unserved, 1) + 1 == UNSERVED_TOLD)
		log_event(LOG_LEVEL_WARNING, "the web server has asked %d times for published files instead of serving them: "
		    "does it look for them in %s/%.*s?", UNSERVED_TOLD, visit->door->config->public_dir,
		    STR_FMT(visit->site->config->name));
}

/* It may be asked for by an include: a page would stand within the article, so only programs are told. */
static void
refuse_thread(const struct reader_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    enum status status)
{
	bool missing = status == STATUS_MISSING || status == STATUS_INVALID;
	if (missing && door_wants_json(request))
		door_refuse_plain(visit->site, request, response, DOOR_MISSING);
	else if (missing) {
		door_file(response, STR("text/html; charset=utf-8"), STR("no-store"));
		response->code = 404;
	} else
		door_fail(visit->site, request, response, status);
}

/*
 * An include puts whatever is answered into the article: where store or disk fail, and the log says how,
 * that is the file if there is one, or a thread without replies, as when no program runs.
 */
static enum status
find_thread(const struct reader_visit *visit, struct str page, struct str name, struct found *found)
{
	enum status status = find_page(visit, page);
	if (status == STATUS_MISSING)
		return status;
	found->sure = status == STATUS_OK;
	status = read_thread(visit, page, name, found);
	if (status == STATUS_OK || status == STATUS_MISSING)
		return status;
	found->sure = false;
	return render_empty(visit, page, name, &found->content);
}

/* Short, so that the first reply of a page appears soon; and nobody keeps what stands in for a thread. */
static void
answer_file(struct fcgi_response *response, struct str name, bool sure, struct str content)
{
	door_file(response, type_of(name), sure ? STR("public, max-age=10") : STR("no-cache"));
	out_put(&response->body, content);
}

void
reader_thread(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	struct str spelling, page, name;
	struct found found = {0};
	/* The route ends in a star behind a slash, so the slash that a page begins with is the one before `rest`. */
	struct str rest = str_join(visit->arena, STR("/"), request->rest);
	enum status status = split_thread(rest, &spelling, &name);
	/* It is a path already: a '?' or '#' in it belongs to it and cannot begin a query. */
	if (status == STATUS_OK)
		status = page_of_path(visit->arena, spelling, &page);
	if (status == STATUS_OK)
		status = find_thread(visit, page, name, &found);
	if (status == STATUS_OK && found.filed && is_canonical(spelling, page))
		count_unserved(visit);
	if (status == STATUS_OK)
		answer_file(response, name, found.sure, found.content);
	else
		refuse_thread(visit, request, response, status);
}

/* The file itself, or what it would hold without any reply. */
void
reader_overview(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	const struct config_site *site = visit->site->config;
	struct str name = request->path, content;
	size_t slash = name.len;
	while (slash > 0 && name.at[slash - 1] != '/')
		slash--;
	name = str_percent_decode(visit->arena, str_sub(name, slash, name.len), false);
	struct str path = str_format(visit->arena, "%.*s/%.*s", STR_FMT(site->name), STR_FMT(name));
	enum status status = path.at == NULL ? STATUS_BROKEN
	                                     : file_read(&visit->door->public_tree, visit->arena, path, THREAD_FILE_MOST,
	                                           &content);
	struct publish_press press = door_press(visit->door);
	bool sure = status == STATUS_OK || status == STATUS_MISSING;
	if (status != STATUS_OK)
		status = overview_render_empty(&press, visit->arena, site, name, &content);
	if (status == STATUS_OK)
		answer_file(response, name, sure, content);
	else
		refuse_thread(visit, request, response, status);
}
