#include "door.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "json.h"
#include "log.h"
#include "page/notice.h"
#include "page/refusal_json.h"
#include "sql/rejoinder/database.h"
#include "sql/rejoinder/site.h"
#include "text.h"

/* Nothing but our own files, and no inline script or style: CHECKLIST of every page. */
#define POLICY \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " \
	"base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors "

/* --- at start ------------------------------------------------------------------------------------ */

enum status
door_key(const char *path, unsigned permitted, struct secret_key *key)
{
	enum status status = secret_key_load(path, permitted, key);
	if (status == STATUS_MISSING)
		log_event(LOG_LEVEL_ERROR, "there is no key at %s: put its copy back, or let rejoinder init make one; where it is the "
		                           "secret key that is lost, rejoinder rekey --lost does that", path);
	return status;
}

enum status
door_former_key(const struct config *config, struct secret_key *former, bool *has_former)
{
	char path[PATH_MAX];
	*has_former = false;
	if ((size_t)snprintf(path, sizeof path, "%s" DOOR_FORMER, config->secret_key) >= sizeof path)
		return STATUS_INVALID;
	enum status status = secret_key_load(path, 0600, former);
	*has_former = status == STATUS_OK;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
open_keys(struct door *door)
{
	const struct config *config = door->config;
	enum status status = secret_init();
	struct secret_key sealing;
	memcpy(sealing.bytes, config->sealing_key, sizeof sealing.bytes);
	door->sealer = arena_alloc(&door->arena, sizeof *door->sealer);
	if (door->sealer == NULL)
		return STATUS_BROKEN;
	secret_sealer_open(door->sealer, &sealing);
	if (status == STATUS_OK)
		status = door_key(config->matching_key, 0640, &door->matching);
	if (status == STATUS_OK)
		status = door_key(config->receipt_key, 0640, &door->receipt);
	return status;
}

static enum status
open_words(struct arena *arena, const struct config_site *site, const struct words **words)
{
	struct str text, why = STR_NONE;
	struct words *own;
	*words = words_default();
	if (site->words.len == 0)
		return STATUS_OK;
	enum status status = file_slurp(arena, site->words.at, DOOR_WORDS_MOST, &text);
	if (status != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "words file %s cannot be read: %s", site->words.at, status_name(status));
		return status;
	}
	status = words_override(arena, words_default(), text, &own, &why);
	if (status == STATUS_OK)
		*words = own;
	else
		log_event(LOG_LEVEL_ERROR, "words file %s: %.*s", site->words.at, STR_FMT(why));
	return status;
}

/* One of the owner's files; empty where none is named. */
static enum status
open_frame_file(struct arena *arena, const char *option, struct str path, struct str *html)
{
	*html = STR("");
	if (path.len == 0)
		return STATUS_OK;
	enum status status = file_slurp(arena, path.at, FRAME_MOST, html);
	if (status == STATUS_OK && !text_valid(*html))
		status = STATUS_INVALID;
	if (status != STATUS_OK)
		log_event(LOG_LEVEL_ERROR, "%s %s cannot be used: %s; it takes a file of HTML in UTF-8, at most 256 KiB", option,
		    path.at, status_name(status));
	return status;
}

static enum status
open_frame(struct arena *arena, const struct config_site *site, struct frame *frame)
{
	frame->stylesheet = site->stylesheet;
	enum status status = open_frame_file(arena, "page_head", site->page_head, &frame->head);
	return status == STATUS_OK ? open_frame_file(arena, "page_foot", site->page_foot, &frame->foot) : status;
}

static enum status
open_zone(struct arena *arena, struct config_site *site)
{
	struct zone *zone = arena_alloc(arena, sizeof *zone);
	struct str path = str_format(arena, ZONE_FOLDER "/%.*s", STR_FMT(site->time_zone)), file;
	if (zone == NULL || path.at == NULL)
		return STATUS_BROKEN;
	/* A system without the database still knows UTC. */
	if (str_eq(site->time_zone, STR("UTC")))
		return STATUS_OK;
	enum status status = file_slurp(arena, path.at, ZONE_FILE_MOST, &file);
	if (status == STATUS_OK)
		status = zone_read(file, zone);
	if (status == STATUS_OK)
		site->zone = zone;
	else
		log_event(LOG_LEVEL_ERROR, "time_zone: %s is no file of the zone database (Debian's package tzdata)", path.at);
	return status;
}

static enum status
add_site(struct db_conn *conn, void *context)
{
	const struct config_site *site = context;
	return site_add(conn, &(struct site_add_in){.name = site->name}, NULL);
}

static enum status
find_site(struct door *door, struct str name, struct site_find_row *row)
{
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = site_find(conn, &door->arena, &(struct site_find_in){.name = name}, row);
	db_release(conn);
	return status;
}

static enum status
open_site(struct door *door, const struct config_site *config, struct door_site *site)
{
	struct site_find_row row;
	site->config = config;
	enum status status = open_words(&door->arena, config, &site->words);
	if (status == STATUS_OK)
		status = open_frame(&door->arena, config, &site->frame);
	if (status != STATUS_OK)
		return status;
	status = find_site(door, config->name, &row);
	if (status == STATUS_MISSING) {
		struct config_site copy = *config;
		status = db_write(door->db, add_site, &copy);
		if (status == STATUS_OK)
			status = find_site(door, config->name, &row);
	}
	site->id = row.id;
	return status;
}

static enum status
open_sites(struct door *door)
{
	size_t n = door->config->sites_n;
	enum status status = STATUS_OK;
	door->sites = arena_array(&door->arena, n, sizeof *door->sites);
	door->words = arena_array(&door->arena, n, sizeof *door->words);
	door->site_ids = arena_array(&door->arena, n, sizeof *door->site_ids);
	door->who = str_format(&door->arena, "%s %ld", program_invocation_short_name, (long)getpid());
	if (door->arena.failed)
		return STATUS_BROKEN;
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		status = open_zone(&door->arena, &door->config->sites[i]);
		if (status != STATUS_OK)
			break;
		status = open_site(door, &door->config->sites[i], &door->sites[i]);
		door->words[i] = door->sites[i].words;
		door->site_ids[i] = door->sites[i].id;
	}
	return status;
}

enum status
door_database(const char *path, const struct db_schema *schema, struct db **db)
{
	enum status status = db_open(path, schema, true, db);
	if (status == STATUS_MISSING)
		log_event(LOG_LEVEL_ERROR, "there is no database at %s; rejoinder init makes one", path);
	return status;
}

enum status
door_open(const char *config_path, struct door *door)
{
	*door = (struct door){.public_tree = {-1}, .must_truncate = true};
	arena_init(&door->arena, DOOR_ARENA_MOST);
	/* What the doors make is shared by their group, and nobody else's. */
	umask(0007);
	json_init();
	enum status status = config_read(&door->arena, config_path, &door->config);
	if (status == STATUS_OK)
		status = open_keys(door);
	if (status == STATUS_OK)
		status = door_database(door->config->database, &sql_rejoinder, &door->db);
	if (status == STATUS_OK)
		status = open_sites(door);
	if (status == STATUS_OK)
		status = file_tree_open(door->config->public_dir, &door->public_tree);
	if (status != STATUS_OK)
		door_close(door);
	return status;
}

enum status
door_pace(struct door *door)
{
	struct str path = str_format(&door->arena, "%s/pace", door->config->run_dir);
	return path.at == NULL ? STATUS_BROKEN : pace_open(path.at, &door->pace);
}

void
door_close(struct door *door)
{
	if (door->public_tree.fd >= 0)
		file_tree_close(&door->public_tree);
	pace_close(door->pace);
	if (door->db != NULL)
		db_close(door->db);
	secret_wipe(&door->matching, sizeof door->matching);
	secret_wipe(&door->receipt, sizeof door->receipt);
	if (door->sealer != NULL)
		secret_sealer_close(door->sealer);
	arena_free(&door->arena);
}

/* --- its life ------------------------------------------------------------------------------------ */

static enum status
renew_site(struct arena *arena, struct config_site *site)
{
	const struct words *words;
	struct frame frame;
	enum status status = open_zone(arena, site);
	if (status == STATUS_OK)
		status = open_words(arena, site, &words);
	return status == STATUS_OK ? open_frame(arena, site, &frame) : status;
}

bool
door_would_start(const char *config_path)
{
	struct arena arena;
	struct config *config;
	arena_init(&arena, DOOR_ARENA_MOST);
	enum status status = config_read(&arena, config_path, &config);
	for (size_t i = 0; status == STATUS_OK && i < config->sites_n; i++)
		status = renew_site(&arena, &config->sites[i]);
	arena_free(&arena);
	return status == STATUS_OK;
}

bool
door_renew(void *context)
{
	const struct door *door = context;
	return door_would_start(door->config->path.at);
}

/* --- each request -------------------------------------------------------------------------------- */

void
door_notice_missing(struct door *door, const struct fcgi_request *request)
{
	const struct {
		bool missing;
		const char *parameter, *so;
	} looked[DOOR_UNTOLD] = {
	    {request->remote_addr.len == 0, "REMOTE_ADDR", "all visitors share one pace"},
	    {request->no_uri, "REQUEST_URI", "addresses with encoded characters are taken for others"},
	    {request->method.len == 0, "REQUEST_METHOD", "nothing can be answered"},
	    {request->no_length, "CONTENT_LENGTH", "a body that was cut off looks whole"},
	};
	for (size_t i = 0; i < DOOR_UNTOLD; i++)
		if (looked[i].missing && !atomic_flag_test_and_set(&door->told[i]))
			log_event(LOG_LEVEL_WARNING, "the web server passes no %s: %s", looked[i].parameter, looked[i].so);
}

const struct door_site *
door_site(const struct door *door, struct str name)
{
	const struct config_site *config = config_site(door->config, name);
	return config == NULL ? NULL : &door->sites[config - door->config->sites];
}

struct publish_press
door_press(const struct door *door)
{
	return (struct publish_press){.config = door->config, .words = door->words, .db = door->db,
	    .public_tree = door->public_tree, .now = (int64_t)time(NULL)};
}

static int64_t
read_clock(void)
{
	return (int64_t)time(NULL);
}

struct work_bench
door_bench(const struct door *door)
{
	return (struct work_bench){.press = door_press(door), .site_ids = door->site_ids, .matching = &door->matching, .who = door->who,
	    .read_clock = read_clock};
}

struct str
door_path_below(const struct config_site *site, struct arena *arena, struct str path)
{
	struct str decoded = str_percent_decode(arena, path, false);
	bool below = str_starts(decoded, site->mount) && decoded.len > site->mount.len &&
	             decoded.at[site->mount.len] == '/';
	return below ? str_sub(decoded, site->mount.len, decoded.len) : STR_NONE;
}

const struct fcgi_route *
door_route(const struct door_site *site, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response)
{
	struct str allow = STR_NONE;
	struct str path = door_path_below(site->config, request->arena, request->path);
	const struct fcgi_route *route = fcgi_route(routes, routes_n, request, path, &allow);
	if (route == NULL && allow.len == 0)
		door_refuse_plain(site, request, response, DOOR_MISSING);
	else if (route == NULL) {
		fcgi_header(response, "Allow", allow);
		door_refuse(site, request, response,
		    &(struct door_refusal){405, "method-not-allowed", WORD_TITLE_METHOD, WORD_REFUSED_METHOD,
		        WORD_ADVICE_BACK, STR_NONE});
	}
	return route;
}

/* RFC 9110, section 12.4.2: "0.5" in thousandths; what is no number counts like none, as 1. */
static int
weight(struct str typed)
{
	int value = 0;
	if (typed.len == 0 || typed.at[0] != '0')
		return 1000;
	for (size_t i = 0; i < 3; i++) {
		bool digit = i + 2 < typed.len && typed.at[i + 2] >= '0' && typed.at[i + 2] <= '9';
		value = value * 10 + (digit ? typed.at[i + 2] - '0' : 0);
	}
	return value;
}

/* The weight among the parameters behind a media type. */
static int
weight_of(struct str parameters)
{
	while (parameters.at != NULL) {
		struct str value = str_cut(&parameters, ';');
		if (str_eq_nocase(str_trim(str_cut(&value, '=')), STR("q")))
			return weight(str_trim(value));
	}
	return 1000;
}

bool
door_wants_json(const struct fcgi_request *request)
{
	struct str accept = request->accept;
	int json = 0, page = 0;
	bool json_first = false;
	/* Browsers ask for text/html as well; whoever lists only JSON is a program. */
	while (accept.at != NULL) {
		struct str parameters = str_cut(&accept, ',');
		struct str type = str_trim(str_cut(&parameters, ';'));
		if (str_eq_nocase(type, STR("application/json"))) {
			json = weight_of(parameters);
			json_first = page == 0;
		} else if (str_eq_nocase(type, STR("text/html")))
			page = weight_of(parameters);
	}
	return json > page || (json > 0 && json == page && json_first);
}

static void
headers(struct fcgi_response *response, int code, struct str cache, struct str referrer)
{
	response->code = code;
	fcgi_header(response, "X-Content-Type-Options", STR("nosniff"));
	fcgi_header(response, "Referrer-Policy", referrer);
	fcgi_header(response, "Cache-Control", cache);
}

static void
common_headers(struct fcgi_response *response, int code, struct str referrer)
{
	headers(response, code, STR("no-store"), referrer);
}

static void
page_headers(struct fcgi_response *response, int code, struct str policy, struct str referrer)
{
	common_headers(response, code, referrer);
	response->type = STR("text/html; charset=utf-8");
	fcgi_header(response, "Content-Security-Policy", policy);
	fcgi_header(response, "Cross-Origin-Opener-Policy", STR("same-origin"));
}

void
door_page(struct fcgi_response *response, int code)
{
	/* A receipt's address is its secret: the article that it leads back to must not see it. */
	page_headers(response, code, STR(POLICY "'self'"), STR("no-referrer"));
}

void
door_private_page(struct fcgi_response *response, int code)
{
	/* With no-referrer browsers would send no Origin either, which is what protects here. */
	page_headers(response, code, STR(POLICY "'none'"), STR("same-origin"));
}

void
door_file(struct fcgi_response *response, struct str type, struct str cache)
{
	headers(response, 200, cache, STR("same-origin"));
	response->type = type;
	if (str_starts(type, STR("text/html")))
		fcgi_header(response, "Content-Security-Policy", STR(POLICY "'self'"));
}

void
door_json(struct fcgi_response *response, int code)
{
	common_headers(response, code, STR("no-referrer"));
	response->type = STR("application/json");
}

void
door_redirect(struct fcgi_response *response, struct str path)
{
	common_headers(response, 303, STR("same-origin"));
	fcgi_header(response, "Location", path);
}

static void
refuse_as_json(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    const struct door_refusal *refusal)
{
	struct page_refusal_json page = {
	    .error = str_from(refusal->error),
	    .message = words_say(request->arena, site->words, refusal->message, NULL, 0),
	};
	door_json(response, refusal->code);
	page_refusal_json(&response->body, site->words, &page);
}

static void
refuse_as_page(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    const struct door_refusal *refusal)
{
	struct arena *arena = request->arena;
	struct page_reader_head head = {.mount = site->config->mount, .noindex = true};
	struct page_reader_foot foot = {.page_title = STR_NONE};
	bool advises = refusal->advice != refusal->title;
	struct page_notice page = {
	    .head = &head,
	    .head_n = 1,
	    .foot = &foot,
	    .foot_n = 1,
	    .title = words_say(arena, site->words, refusal->title, NULL, 0),
	    .message = words_say(arena, site->words, refusal->message, NULL, 0),
	    .advice = advises ? words_say(arena, site->words, refusal->advice, NULL, 0) : STR_NONE,
	    .comment = refusal->comment,
	    .request = refusal->code >= 500 ? str_from(request->id) : STR_NONE,
	};
	door_page(response, refusal->code);
	page_notice(&response->body, site->words, &page);
}

void
door_refuse(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    const struct door_refusal *refusal)
{
	if (door_wants_json(request))
		refuse_as_json(site, request, response, refusal);
	else
		refuse_as_page(site, request, response, refusal);
}

void
door_refuse_plain(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    enum door_plain plain)
{
	static const struct door_refusal refusals[DOOR_PLAIN] = {
	    [DOOR_MISSING] = {404, "not-found", WORD_TITLE_MISSING, WORD_REFUSED_MISSING, WORD_TITLE_MISSING, {0}},
	    [DOOR_MALFORMED] = {400, "bad-request", WORD_TITLE_MALFORMED, WORD_REFUSED_MALFORMED, WORD_ADVICE_BACK, {0}},
	    [DOOR_TYPE] = {415, "unsupported-type", WORD_TITLE_TYPE, WORD_REFUSED_TYPE, WORD_ADVICE_BACK, {0}},
	    [DOOR_BUSY] = {503, "busy", WORD_TITLE_BUSY, WORD_REFUSED_BUSY_PAGE, WORD_ADVICE_LATER, {0}},
	    [DOOR_BROKEN] = {503, "broken", WORD_TITLE_BROKEN, WORD_REFUSED_BROKEN, WORD_ADVICE_REPORT, {0}},
	};
	if (plain == DOOR_BUSY || plain == DOOR_BROKEN)
		fcgi_header(response, "Retry-After", STR("5"));
	door_refuse(site, request, response, &refusals[plain]);
}

void
door_fail(const struct door_site *site, const struct fcgi_request *request, struct fcgi_response *response,
    enum status status)
{
	door_refuse_plain(site, request, response, status == STATUS_BUSY ? DOOR_BUSY : DOOR_BROKEN);
}

void
door_must_truncate(struct door *door)
{
	door->must_truncate = true;
	door_truncate(door);
}

void
door_truncate(struct door *door)
{
	if (!door->must_truncate)
		return;
	/* Set back first: what is erased meanwhile sets it again. */
	door->must_truncate = false;
	if (db_truncate(door->db) != STATUS_OK)
		door->must_truncate = true;
}

void
door_health(const struct door *door, struct fcgi_response *response)
{
	enum status status = db_health(door->db);
	common_headers(response, status == STATUS_OK ? 200 : 503, STR("same-origin"));
	response->type = STR("text/plain; charset=utf-8");
	out_put(&response->body, status == STATUS_OK ? STR("ok\n") : STR("the database cannot be read\n"));
}
