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

enum { KEEP_MOST = 36500 /* days */ };
enum {
	BODY_LEAST = 256 * 1024,
	BYTES_A_CHARACTER = 12, /* an emoji, percent-encoded */
	COMMENT_MOST = 100000   /* characters; what a request's memory (DOOR_ARENA_MOST) surely holds, in every form */
};

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

/* The word that a line begins with. */
static struct str
first_word(struct str line)
{
	line = str_trim(line);
	size_t len = 0;
	while (len < line.len && (line.at[len] == '_' || (line.at[len] >= 'a' && line.at[len] <= 'z')))
		len++;
	return str_sub(line, 0, len);
}

/* On which line an option stands, of the site or section `name` or, where that is empty, outside; 0 for none. */
static int
line_of(struct str text, struct str name, struct str option)
{
	struct str section = STR("");
	for (int line_number = 1; text.at != NULL; line_number++) {
		struct str line = str_cut(&text, '\n'), word = first_word(line);
		if (str_eq(word, STR("mail")) && str_has(line, '{'))
			section = word;
		if (str_eq(word, STR("site"))) {
			struct str title = str_trim(str_sub(str_trim(line), word.len, line.len));
			title = str_trim(str_cut(&title, '{'));
			bool quoted = title.len >= 2 && title.at[0] == '"';
			section = quoted ? str_sub(title, 1, title.len - 2) : title;
			if (str_eq(option, STR("site")) && str_eq(section, name))
				return line_number;
		}
		if (str_eq(section, name) && str_eq(word, option))
			return line_number;
	}
	return 0;
}

/* Names file, line and option; `site` is empty for what stands outside of sections. */
static enum status
fault(const struct config *config, struct str site, const char *option, const char *what)
{
	int line = line_of(config->text, site, str_from(option));
	if (line > 0)
		log_event(LOG_LEVEL_ERROR, "%s line %d: %s: %s", config->path.at, line, option, what);
	else
		log_event(LOG_LEVEL_ERROR, "%s: %s: %s", config->path.at, option, what);
	return STATUS_INVALID;
}

static struct str
text(struct arena *arena, cfg_t *cfg, const char *name)
{
	return str_copy(arena, str_from(cfg_getstr(cfg, name)));
}

/* The root may be written as people think of it. */
static struct str
mount(struct arena *arena, cfg_t *cfg)
{
	struct str path = text(arena, cfg, "mount");
	return str_eq(path, STR("/")) ? STR("") : path;
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
	    .moderators_base = text(arena, cfg, "moderators_base"),
	    .mount = mount(arena, cfg),
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

/* What needs no escape anywhere, and what nobody resolves to something else. */
static bool
is_mount(struct str mount)
{
	char before = '/';
	for (size_t i = 0; i < mount.len; i++) {
		char c = mount.at[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		bool first = i == 0;
		if (first ? c != '/' : !word && (before == '/' || (c != '/' && c != '.')))
			return false;
		before = c;
	}
	return mount.len == 0 || before != '/';
}

static bool
is_range(int64_t n, int64_t least, int64_t most)
{
	return n >= least && n <= most;
}

static enum status
site_check(const struct config *config, const struct config_site *site)
{
	struct str name = site->name;
	if (!is_site_name(site->name))
		return fault(config, name, "site", "the name takes 1 to 64 of a-z, 0-9, - and _");
	if (!is_base(site->base))
		return fault(config, name, "base", "write the site's address as \"https://example.org\", without a path");
	if (site->moderators_base.len > 0 && !is_base(site->moderators_base))
		return fault(config, name, "moderators_base", "write the address of the moderators' door as "
		                                              "\"https://moderate.example.org\", without a path");
	for (size_t i = 0; i < site->origins.n; i++)
		if (!is_base(site->origins.items[i]) || str_has(site->origins.items[i], '*'))
			return fault(config, name, "origins", "write each as \"https://www.example.org\", in full and without a path");
	if (!is_mount(site->mount))
		return fault(config, name, "mount", "begin with / and do not end in one, as in \"/comments\" or \"/deep/er\", of "
		                                    "a-z, A-Z, 0-9, -, _ and single dots; \"/\" is the root");
	if (site->stylesheet.len > 0 && (site->stylesheet.at[0] != '/' || str_starts(site->stylesheet, STR("//"))))
		return fault(config, name, "stylesheet", "give its path on the site, as \"/style.css\": our pages load nothing from elsewhere");
	if (!zone_is_name(site->time_zone))
		return fault(config, name, "time_zone", "give a name of the zone database, as \"Asia/Almaty\"");
	if (!is_range(site->heading_level, 1, 6))
		return fault(config, name, "heading_level", "give 1 to 6, one more than the heading that the replies stand under");
	if (!is_range(site->comment_most, 2, COMMENT_MOST))
		return fault(config, name, "comment_most", "give 2 to 100000 characters: more than that no page can show");
	if (!is_range(site->edit_for, 0, 86400 * 30))
		return fault(config, name, "edit_for", "give 0 to 2592000 seconds");
	if (!is_range(site->pace_burst, 1, 1000000) || !is_range(site->pace_every, 0, 86400) ||
	    !is_range(site->pace_site, 1, 1000000))
		return fault(config, name, "pace_burst", "pace_burst and pace_site take 1 to 1000000, pace_every 0 to 86400 seconds");
	return STATUS_OK;
}

static enum status
sites_take(struct arena *arena, cfg_t *cfg, struct config *config)
{
	unsigned n = cfg_size(cfg, "site");
	if (n == 0)
		return fault(config, STR(""), "site", "there is no section: add site main { base = \"https://example.org\" }");
	config->sites = arena_array(arena, n, sizeof *config->sites);
	if (config->sites == NULL)
		return STATUS_BROKEN;
	for (config->sites_n = 0; config->sites_n < n; config->sites_n++) {
		struct config_site *site = &config->sites[config->sites_n];
		site_take(arena, cfg_getnsec(cfg, "site", (unsigned)config->sites_n), site);
		enum status status = site_check(config, site);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* Beside the secret key where it is not told, so that configurations of older versions find theirs. */
static const char *
log_key(struct arena *arena, struct str told, struct str secret_key)
{
	size_t folder = secret_key.len;
	if (told.len > 0)
		return told.at;
	while (folder > 0 && secret_key.at[folder - 1] != '/')
		folder--;
	return str_format(arena, "%.*slog.key", (int)folder, secret_key.at).at;
}

static enum status
mail_take(struct arena *arena, cfg_t *cfg, struct config *config)
{
	struct config_mail *mail = &config->mail;
	*mail = (struct config_mail){
	    .from = text(arena, cfg, "from"),
	    .via = text(arena, cfg, "via"),
	    .sendmail = text(arena, cfg, "sendmail").at,
	    .ca_file = text(arena, cfg, "ca_file").at,
	    .user = text(arena, cfg, "user").at,
	    .password = text(arena, cfg, "password_file").at,
	    .every = cfg_getint(cfg, "every"),
	    .timeout = cfg_getint(cfg, "timeout"),
	};
	if (mail->from.len > 0 && str_find(mail->from, '@') + 1 >= mail->from.len)
		return fault(config, STR("mail"), "from", "give the sender's address, as \"comments@example.org\"");
	if (!str_eq(mail->via, STR("sendmail")) && !str_starts(mail->via, STR("smtp://")) &&
	    !str_starts(mail->via, STR("smtps://")))
		return fault(config, STR("mail"), "via", "give \"sendmail\", \"smtp://mail.example.org:587\" or \"smtps://mail.example.org\"");
	if (!is_range(mail->every, 60, 86400 * 7))
		return fault(config, STR("mail"), "every", "give 60 to 604800 seconds");
	if (!is_range(mail->timeout, 1, 3600))
		return fault(config, STR("mail"), "timeout", "give 1 to 3600 seconds");
	return STATUS_OK;
}

static enum status
keep_take(cfg_t *cfg, struct config *config)
{
	const struct {
		const char *name;
		int64_t *days;
	} options[] = {{"keep_refused", &config->keep.refused}, {"keep_networks", &config->keep.networks},
	    {"keep_emails", &config->keep.emails}, {"keep_log_networks", &config->keep.log_networks}};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		*options[i].days = cfg_getint(cfg, options[i].name);
		if (!is_range(*options[i].days, 0, KEEP_MOST))
			return fault(config, STR(""), options[i].name, "give 1 to 36500 days, or 0 to keep them for ever");
	}
	return STATUS_OK;
}

static enum status
take(struct arena *arena, cfg_t *cfg, struct config *config)
{
	cfg_t *moderators = cfg_getsec(cfg, "moderators");
	config->database = text(arena, cfg, "database").at;
	config->public_dir = text(arena, cfg, "public").at;
	config->run_dir = text(arena, cfg, "run").at;
	config->matching_key = text(arena, cfg, "matching_key").at;
	config->receipt_key = text(arena, cfg, "receipt_key").at;
	config->moderators_database = text(arena, moderators, "database").at;
	config->secret_key = text(arena, moderators, "secret_key").at;
	config->log_key = log_key(arena, text(arena, moderators, "log_key"), str_from(config->secret_key));
	config->trust_remote_user = cfg_getbool(moderators, "trust_remote_user");
	config->workers = cfg_getint(cfg, "workers");
	if (str_unhex(str_from(cfg_getstr(cfg, "sealing_key")), config->sealing_key, sizeof config->sealing_key) !=
	    STATUS_OK)
		return fault(config, STR(""), "sealing_key", "wants the 64 hexadecimal digits that `rejoinder init` wrote here; a copy of this file has them");
	if (!is_range(config->workers, 1, 256))
		return fault(config, STR(""), "workers", "give 1 to 256 threads");
	enum status status = keep_take(cfg, config);
	if (status == STATUS_OK)
		status = mail_take(arena, cfg_getsec(cfg, "mail"), config);
	return status == STATUS_OK ? sites_take(arena, cfg, config) : status;
}

static cfg_opt_t mail_options[] = {
    CFG_STR("from", "", CFGF_NONE),
    CFG_STR("via", "sendmail", CFGF_NONE),
    CFG_STR("sendmail", "/usr/sbin/sendmail", CFGF_NONE),
    CFG_STR("ca_file", "", CFGF_NONE),
    CFG_STR("user", "", CFGF_NONE),
    CFG_STR("password_file", "", CFGF_NONE),
    CFG_INT("every", 3600, CFGF_NONE),
    CFG_INT("timeout", 60, CFGF_NONE),
    CFG_END(),
};

static cfg_t *
parser(void)
{
	static char none[] = "{}", any[] = "{\"**\"}";
	static cfg_opt_t moderators[] = {
	    CFG_STR("database", "/var/lib/rejoinder-moderators/moderators.db", CFGF_NONE),
	    CFG_STR("secret_key", "/var/lib/rejoinder-moderators/secret.key", CFGF_NONE),
	    CFG_STR("log_key", "", CFGF_NONE),
	    CFG_BOOL("trust_remote_user", cfg_false, CFGF_NONE),
	    CFG_END(),
	};
	static cfg_opt_t site[] = {
	    CFG_STR("title", "", CFGF_NONE),
	    CFG_STR("base", "", CFGF_NONE),
	    CFG_STR("moderators_base", "", CFGF_NONE),
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
	    CFG_INT("keep_refused", 30, CFGF_NONE),
	    CFG_INT("keep_networks", 30, CFGF_NONE),
	    CFG_INT("keep_emails", 365, CFGF_NONE),
	    CFG_INT("keep_log_networks", 90, CFGF_NONE),
	    CFG_BOOL(LAST_OPTION, cfg_false, CFGF_NONE),
	    CFG_SEC("moderators", moderators, CFGF_NONE),
	    CFG_SEC("mail", mail_options, CFGF_NONE),
	    CFG_SEC("site", site, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_END(),
	};
	return cfg_init(all, CFGF_NONE);
}

/*
 * libconfuse counts a line with a comment as three, and its messages name lines: comments become spaces.
 * Those between slash-star and star-slash may stay: it counts them as they are.
 */
static void
blank_comments(char *bytes, size_t len)
{
	char quote = '\0';
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		bool slashes = c == '/' && i + 1 < len && bytes[i + 1] == '/';
		if (quote != '\0') {
			i += c == '\\' ? 1 : 0;
			quote = c == quote ? '\0' : quote;
		} else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '/' && i + 1 < len && bytes[i + 1] == '*') {
			/* An apostrophe in it is no quote. */
			for (i += 2; i + 1 < len && (bytes[i] != '*' || bytes[i + 1] != '/'); i++)
				;
			i++;
		} else if (c == '#' || slashes)
			while (i < len && bytes[i] != '\n')
				bytes[i++] = ' ';
	}
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
		log_event(LOG_LEVEL_ERROR, "%s: %s%s", path, strerror(errno),
		    errno == ENOENT ? "; name another with --config, or make one with rejoinder init" : "");
	if (file != NULL)
		fclose(file);
	if (failed)
		return STATUS_MISSING;
	blank_comments(bytes, len);
	len += (size_t)snprintf(bytes + len, sizeof LAST_OPTION + 16, "\n" LAST_OPTION " = true\n");
	*text = (struct str){bytes, len};
	return STATUS_OK;
}

static enum status
parse(struct arena *arena, cfg_t *cfg, const char *path, struct str *text)
{
	enum status status = slurp(arena, path, text);
	if (status != STATUS_OK)
		return status;
	char *copy = str_c(arena, *text);
	FILE *file = copy == NULL ? NULL : fmemopen(copy, text->len, "r");
	if (file == NULL)
		return STATUS_BROKEN;
	cfg->filename = strdup(path);
	errno = 0;
	int parsed = cfg_parse_fp(cfg, file);
	bool starved = errno == ENOMEM; /* the library complains of all but this */
	fclose(file);
	if (parsed != CFG_SUCCESS && starved)
		return STATUS_BROKEN;
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
	status = parse(arena, cfg, path, &mine->text);
	if (status == STATUS_OK)
		status = take(arena, cfg, mine);
	if (status == STATUS_OK && arena->failed)
		status = STATUS_BROKEN;
	if (status == STATUS_OK)
		*config = mine;
out:
	if (status == STATUS_BROKEN)
		log_event(LOG_LEVEL_ERROR, "%s: there is not enough memory to read it", path);
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

struct str
config_moderators_base(const struct config_site *site)
{
	return site->moderators_base.len > 0 ? site->moderators_base : site->base;
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
