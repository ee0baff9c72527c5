#include "config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/*
 * libconfuse takes the end of the file for the end of a section.  So the file is read as if it ended
 * in this option, which no section knows.
 */
#define LAST_OPTION "last_option"
enum { FILE_MOST = 1024 * 1024 };

enum { BODY_LEAST = 256 * 1024, BYTES_A_CHARACTER = 12 /* an emoji, percent-encoded */ };

static void complain(cfg_t *cfg, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

static void
complain(cfg_t *cfg, const char *format, va_list args)
{
	char text[256];
	vsnprintf(text, sizeof text, format, args);
	if (strstr(text, LAST_OPTION) != NULL)
		snprintf(text, sizeof text, "the file ends within a section: a closing brace is missing");
	if (cfg != NULL && cfg->filename != NULL)
		log_event(LOG_LEVEL_ERROR, "%s line %d: %s", cfg->filename, cfg->line, text);
	else
		log_event(LOG_LEVEL_ERROR, "configuration: %s", text);
}

static enum status
fault(const char *path, const char *option, const char *what)
{
	log_event(LOG_LEVEL_ERROR, "%s: %s: %s", path, option, what);
	return STATUS_INVALID;
}

static struct str
text(struct arena *arena, cfg_t *cfg, const char *name)
{
	return str_copy(arena, str_from(cfg_getstr(cfg, name)));
}

static struct config_list
list(struct arena *arena, cfg_t *cfg, const char *name)
{
	unsigned n = cfg_size(cfg, name);
	struct config_list all = {arena_array(arena, n, sizeof(struct str)), 0};
	for (unsigned i = 0; all.items != NULL && i < n; i++)
		all.items[all.n++] = str_copy(arena, str_from(cfg_getnstr(cfg, name, i)));
	return all;
}

static void
site_take(struct arena *arena, cfg_t *cfg, struct config_site *site)
{
	*site = (struct config_site){
	    .name = str_copy(arena, str_from(cfg_title(cfg))),
	    .title = text(arena, cfg, "title"),
	    .base = text(arena, cfg, "base"),
	    .mount = text(arena, cfg, "mount"),
	    .document_root = text(arena, cfg, "document_root"),
	    .words = text(arena, cfg, "words"),
	    .page_head = text(arena, cfg, "page_head"),
	    .page_foot = text(arena, cfg, "page_foot"),
	    .stylesheet = text(arena, cfg, "stylesheet"),
	    .origins = list(arena, cfg, "origins"),
	    .pages = list(arena, cfg, "pages"),
	    .page_keys = list(arena, cfg, "page_keys"),
	    .listed_words = list(arena, cfg, "listed_words"),
	    .page_list = cfg_getbool(cfg, "page_list"),
	    .paused = cfg_getbool(cfg, "paused"),
	    .time_zone = text(arena, cfg, "time_zone"),
	    .heading_level = cfg_getint(cfg, "heading_level"),
	    .comment_most = cfg_getint(cfg, "comment_most"),
	    .edit_for = cfg_getint(cfg, "edit_for"),
	    .pace_burst = cfg_getint(cfg, "pace_burst"),
	    .pace_every = cfg_getint(cfg, "pace_every"),
	    .pace_site = cfg_getint(cfg, "pace_site"),
	};
}

/* A folder of that name is made below `public`: nothing that leads elsewhere. */
static bool
is_site_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return name.len > 0 && name.len <= 64;
}

static bool
is_base(struct str base)
{
	size_t host = str_starts(base, STR("https://")) ? 8 : str_starts(base, STR("http://")) ? 7 : base.len;
	return host < base.len && !str_has(str_sub(base, host, base.len), '/');
}

static bool
is_range(int64_t n, int64_t least, int64_t most)
{
	return n >= least && n <= most;
}

static enum status
site_check(const char *path, const struct config_site *site)
{
	if (!is_site_name(site->name))
		return fault(path, "site", "the name takes 1 to 64 of a-z, 0-9, - and _");
	if (!is_base(site->base))
		return fault(path, "base", "write the site's address as \"https://example.org\", without a path");
	if (site->mount.len > 0 && (site->mount.at[0] != '/' || site->mount.at[site->mount.len - 1] == '/'))
		return fault(path, "mount", "begin with / and do not end in one, as in \"/comments\"; \"\" is the root");
	if (site->stylesheet.len > 0 && (site->stylesheet.at[0] != '/' || str_starts(site->stylesheet, STR("//"))))
		return fault(path, "stylesheet", "give its path on the site, as \"/style.css\": our pages load nothing from elsewhere");
	if (!zone_is_name(site->time_zone))
		return fault(path, "time_zone", "give a name of the zone database, as \"Asia/Almaty\"");
	if (!is_range(site->heading_level, 1, 6))
		return fault(path, "heading_level", "give 1 to 6, one more than the heading that the replies stand under");
	if (!is_range(site->comment_most, 2, 1000000))
		return fault(path, "comment_most", "give 2 to 1000000 characters");
	if (!is_range(site->edit_for, 0, 86400 * 30))
		return fault(path, "edit_for", "give 0 to 2592000 seconds");
	if (!is_range(site->pace_burst, 1, 1000000) || !is_range(site->pace_every, 0, 86400) ||
	    !is_range(site->pace_site, 1, 1000000))
		return fault(path, "pace", "pace_burst and pace_site take 1 to 1000000, pace_every 0 to 86400 seconds");
	return STATUS_OK;
}

static enum status
sites_take(struct arena *arena, cfg_t *cfg, struct config *config)
{
	const char *path = config->path.at;
	unsigned n = cfg_size(cfg, "site");
	if (n == 0)
		return fault(path, "site", "there is no section: add site main { base = \"https://example.org\" }");
	config->sites = arena_array(arena, n, sizeof *config->sites);
	if (config->sites == NULL)
		return STATUS_BROKEN;
	for (config->sites_n = 0; config->sites_n < n; config->sites_n++) {
		struct config_site *site = &config->sites[config->sites_n];
		site_take(arena, cfg_getnsec(cfg, "site", (unsigned)config->sites_n), site);
		enum status status = site_check(path, site);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static enum status
take(struct arena *arena, cfg_t *cfg, struct config *config)
{
	const char *path = config->path.at;
	cfg_t *moderators = cfg_getsec(cfg, "moderators");
	config->database = text(arena, cfg, "database").at;
	config->public_dir = text(arena, cfg, "public").at;
	config->run_dir = text(arena, cfg, "run").at;
	config->matching_key = text(arena, cfg, "matching_key").at;
	config->receipt_key = text(arena, cfg, "receipt_key").at;
	config->moderators_database = text(arena, moderators, "database").at;
	config->secret_key = text(arena, moderators, "secret_key").at;
	config->workers = cfg_getint(cfg, "workers");
	if (str_unhex(str_from(cfg_getstr(cfg, "sealing_key")), config->sealing_key, sizeof config->sealing_key) !=
	    STATUS_OK)
		return fault(path, "sealing_key", "wants the 64 hexadecimal digits that `rejoinder init` printed");
	if (!is_range(config->workers, 1, 256))
		return fault(path, "workers", "give 1 to 256 threads");
	return sites_take(arena, cfg, config);
}

static cfg_t *
parser(void)
{
	static char none[] = "{}", any[] = "{\"**\"}";
	static cfg_opt_t moderators[] = {
	    CFG_STR("database", "/var/lib/rejoinder-moderators/moderators.db", CFGF_NONE),
	    CFG_STR("secret_key", "/var/lib/rejoinder-moderators/secret.key", CFGF_NONE),
	    CFG_END(),
	};
	static cfg_opt_t site[] = {
	    CFG_STR("title", "", CFGF_NONE),
	    CFG_STR("base", "", CFGF_NONE),
	    CFG_STR("mount", "/comments", CFGF_NONE),
	    CFG_STR("document_root", "", CFGF_NONE),
	    CFG_STR("words", "", CFGF_NONE),
	    CFG_STR("page_head", "", CFGF_NONE),
	    CFG_STR("page_foot", "", CFGF_NONE),
	    CFG_STR("stylesheet", "", CFGF_NONE),
	    CFG_STR_LIST("origins", none, CFGF_NONE),
	    CFG_STR_LIST("pages", any, CFGF_NONE),
	    CFG_STR_LIST("page_keys", none, CFGF_NONE),
	    CFG_STR_LIST("listed_words", none, CFGF_NONE),
	    CFG_BOOL("page_list", cfg_false, CFGF_NONE),
	    CFG_BOOL("paused", cfg_false, CFGF_NONE),
	    CFG_STR("time_zone", "UTC", CFGF_NONE),
	    CFG_INT("heading_level", 2, CFGF_NONE),
	    CFG_INT("comment_most", 10000, CFGF_NONE),
	    CFG_INT("edit_for", 900, CFGF_NONE),
	    CFG_INT("pace_burst", 10, CFGF_NONE),
	    CFG_INT("pace_every", 30, CFGF_NONE),
	    CFG_INT("pace_site", 600, CFGF_NONE),
	    CFG_END(),
	};
	static cfg_opt_t all[] = {
	    CFG_STR("database", "/var/lib/rejoinder/rejoinder.db", CFGF_NONE),
	    CFG_STR("public", "/var/lib/rejoinder/public", CFGF_NONE),
	    CFG_STR("run", "/run/rejoinder", CFGF_NONE),
	    CFG_STR("sealing_key", "", CFGF_NONE),
	    CFG_STR("matching_key", "/etc/rejoinder/matching.key", CFGF_NONE),
	    CFG_STR("receipt_key", "/etc/rejoinder/receipt.key", CFGF_NONE),
	    CFG_INT("workers", 16, CFGF_NONE),
	    CFG_BOOL(LAST_OPTION, cfg_false, CFGF_NONE),
	    CFG_SEC("moderators", moderators, CFGF_NONE),
	    CFG_SEC("site", site, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_END(),
	};
	return cfg_init(all, CFGF_NONE);
}

/* The file and the last option; scanned from memory, since the scanner exits on a folder. */
static enum status
slurp(struct arena *arena, const char *path, struct str *text)
{
	FILE *file = fopen(path, "re");
	char *bytes = arena_alloc(arena, FILE_MOST + sizeof LAST_OPTION + 16);
	size_t len = file != NULL && bytes != NULL ? fread(bytes, 1, FILE_MOST, file) : 0;
	bool failed = file == NULL || bytes == NULL || ferror(file) != 0;
	if (failed)
		log_event(LOG_LEVEL_ERROR, "%s: %s; name another with --config, or make one with rejoinder init", path,
		    strerror(errno));
	if (file != NULL)
		fclose(file);
	if (failed)
		return STATUS_MISSING;
	len += (size_t)snprintf(bytes + len, sizeof LAST_OPTION + 16, "\n" LAST_OPTION " = true\n");
	*text = (struct str){bytes, len};
	return STATUS_OK;
}

static enum status
parse(struct arena *arena, cfg_t *cfg, const char *path)
{
	struct str text;
	enum status status = slurp(arena, path, &text);
	if (status != STATUS_OK)
		return status;
	char *copy = str_c(arena, text);
	FILE *file = copy == NULL ? NULL : fmemopen(copy, text.len, "r");
	if (file == NULL)
		return STATUS_BROKEN;
	cfg->filename = strdup(path);
	int parsed = cfg_parse_fp(cfg, file);
	fclose(file);
	return parsed == CFG_SUCCESS ? STATUS_OK : STATUS_INVALID;
}

enum status
config_read(struct arena *arena, const char *path, struct config **config)
{
	enum status status = STATUS_BROKEN;
	struct config *mine = arena_alloc(arena, sizeof *mine);
	cfg_t *cfg = parser();
	if (mine == NULL || cfg == NULL)
		goto out;
	mine->path = str_copy(arena, str_from(path));
	cfg_set_error_function(cfg, complain);
	status = parse(arena, cfg, path);
	if (status == STATUS_OK)
		status = take(arena, cfg, mine);
	if (status == STATUS_OK && arena->failed)
		status = STATUS_BROKEN;
	if (status == STATUS_OK)
		*config = mine;
out:
	if (cfg != NULL)
		cfg_free(cfg);
	return status;
}

const struct config_site *
config_site(const struct config *config, struct str name)
{
	for (size_t i = 0; i < config->sites_n; i++)
		if (name.len == 0 || str_eq(config->sites[i].name, name))
			return &config->sites[i];
	return NULL;
}

size_t
config_body_most(const struct config *config)
{
	size_t most = BODY_LEAST;
	for (size_t i = 0; i < config->sites_n; i++) {
		size_t wanted = (size_t)config->sites[i].comment_most * BYTES_A_CHARACTER + BODY_LEAST / 2;
		if (wanted > most)
			most = wanted;
	}
	return most;
}
