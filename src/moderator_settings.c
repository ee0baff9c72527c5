/*
 * moderator_settings.c - «Your account»: where one is signed in, and the password.
 */
#include <string.h>

#include "log.h"
#include "moderator.h"
#include "moderator_visit.h"
#include "page/settings.h"
#include "password.h"
#include "when.h"

/* What a settings page says besides: a message of its top, and those of the fields. */
struct view {
	int code;
	struct str status, notice;
	struct str password_error, fresh_error, again_error;
};

/* --- a browser in a few words ------------------------------------------------------------------------------- */

/* The first one whose mark is in the User-Agent counts: Edge calls itself Chrome, and Chrome Safari. */
struct mark {
	const char *mark, *name;
};
static const struct mark browsers[] = {{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
    {"SamsungBrowser/", "Samsung Internet"}, {"Chrom", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}, {NULL, NULL}};
static const struct mark systems[] = {{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"},
    {"Macintosh", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}, {"BSD", "BSD"}, {NULL, NULL}};

static struct str
find_mark(const struct mark *marks, struct str agent)
{
	for (; marks->mark != NULL; marks++)
		if (str_search(agent, str_from(marks->mark)) < agent.len)
			return str_from(marks->name);
	return STR_NONE;
}

/* "Firefox, Linux"; else the first word of what it calls itself. */
static struct str
browser_words(struct arena *arena, struct str agent)
{
	struct str browser = find_mark(browsers, agent), system = find_mark(systems, agent);
	if (browser.len == 0)
		browser = str_sub(agent, 0, str_find(agent, ' '));
	return system.len == 0 ? browser : str_format(arena, "%.*s, %.*s", STR_FMT(browser), STR_FMT(system));
}

/* --- the page ------------------------------------------------------------------------------------------------- */

static void
fill_session(const struct moderator_visit *visit, const struct session_open *open, int64_t now,
    struct page_settings_sessions *row)
{
	const struct words *words = visit->site->words;
	*row = (struct page_settings_sessions){
	    .handle = open->handle,
	    .browser = browser_words(visit->arena, open->agent),
	    .network = open->network,
	    .own = open->own,
	    .begun_at = when_rfc3339(visit->arena, open->begun_at),
	    .begun = when_date(visit->arena, words, visit->site->config->zone, open->begun_at),
	    .seen_at = when_rfc3339(visit->arena, open->seen_at),
	    .seen = when_ago(visit->arena, words, open->seen_at, now),
	};
}

static enum status
fill_sessions(const struct moderator_visit *visit, int64_t now, struct page_settings *page)
{
	struct session_open *opens;
	size_t n;
	enum status status = session_opens(visit->moderator->moderators, visit->arena, &visit->session, now, &opens, &n);
	if (status != STATUS_OK)
		return status;
	page->sessions = arena_array(visit->arena, n, sizeof *page->sessions);
	for (size_t i = 0; page->sessions != NULL && i < n; i++)
		fill_session(visit, &opens[i], now, &page->sessions[page->sessions_n++]);
	return page->sessions == NULL ? STATUS_BROKEN : STATUS_OK;
}

static void
show(const struct moderator_visit *visit, const struct view *view, int64_t now, struct fcgi_response *response)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_SETTINGS);
	struct page_settings page = {.head = &head, .head_n = 1, .top = &top, .top_n = 1, .mount = visit->site->config->mount,
	    .site = visit->site->config->title, .token = visit->session.token, .by_server = visit->session.by_server,
	    .name = visit->session.name, .status = view->status, .notice = view->notice,
	    .password_error = view->password_error, .fresh_error = view->fresh_error, .again_error = view->again_error};
	enum status status = fill_sessions(visit, now, &page);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	door_private_page(response, view->code);
	page_settings(&response->body, visit->site->words, &page);
}

/* A mac of the session, so that no address from elsewhere can say that something was done. */
static struct str
done_mac(const struct moderator_visit *visit, struct str done)
{
	struct secret_key key;
	uint8_t mac[SECRET_HASH];
	memcpy(key.bytes, visit->session.id, sizeof key.bytes);
	secret_hash(&key, "settings", &done, 1, mac);
	secret_wipe(&key, sizeof key);
	return str_base64url(visit->arena, mac, sizeof mac);
}

static void
go_back(const struct moderator_visit *visit, struct str done, struct fcgi_response *response)
{
	door_redirect(response, str_format(visit->arena, "%.*s?done=%.*s&mac=%.*s", STR_FMT(moderator_path(visit, "settings")),
	    STR_FMT(done), STR_FMT(done_mac(visit, done))));
}

/* What was done, if the address says so with our mac. */
static struct str
what_was_done(const struct moderator_visit *visit, struct str query)
{
	struct form form;
	struct str done, mac;
	if (form_query(visit->arena, query, &form) != STATUS_OK || form_one(&form, "done", &done) != STATUS_OK ||
	    form_one(&form, "mac", &mac) != STATUS_OK || done.at == NULL)
		return STR_NONE;
	struct str right = done_mac(visit, done);
	if (mac.len != right.len || !secret_same(mac.at, right.at, mac.len))
		return STR_NONE;
	return moderator_say(visit, str_eq(done, STR("password")) ? WORD_SETTINGS_CHANGED : WORD_SETTINGS_ENDED);
}

void
moderator_settings(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct view view = {.code = 200, .status = what_was_done(visit, request->query)};
	show(visit, &view, request->now, response);
}

/* --- sessions --------------------------------------------------------------------------------------------------- */

void
moderator_settings_end(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct str handle;
	(void)request;
	enum status status = form_one(&visit->form, "session", &handle);
	if (status == STATUS_OK)
		status = session_sign_out_other(visit->moderator->moderators, &visit->session, handle);
	if (status == STATUS_INVALID)
		moderator_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_REFUSED_MALFORMED);
	else if (status != STATUS_OK)
		moderator_failure(visit, response, status);
	else {
		log_event(LOG_LEVEL_INFO, "account %lld ended a session", (long long)visit->session.account_id);
		go_back(visit, STR("session"), response);
	}
}

void
moderator_settings_end_all(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	const struct config_site *site = visit->site->config;
	(void)request;
	enum status status = session_sign_out_everywhere(visit->moderator->moderators, &visit->session);
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	log_event(LOG_LEVEL_INFO, "account %lld signed out everywhere", (long long)visit->session.account_id);
	fcgi_header(response, "Set-Cookie", session_set_cookie(visit->arena, site, NULL));
	fcgi_header(response, "Set-Cookie", session_set_browser(visit->arena, site, NULL));
	door_redirect(response, moderator_path(visit, "sign-in?out=1"));
}

/* --- the password ------------------------------------------------------------------------------------------------- */

static const enum word fault_words[] = {
    [PASSWORD_SHORT] = WORD_PASSWORD_SHORT,
    [PASSWORD_LONG] = WORD_PASSWORD_LONG,
    [PASSWORD_TEXT] = WORD_PASSWORD_TEXT,
    [PASSWORD_REPEATED] = WORD_PASSWORD_REPEATED,
    [PASSWORD_COMMON] = WORD_PASSWORD_COMMON,
    [PASSWORD_NAMED] = WORD_PASSWORD_NAMED,
};

/* Is what was typed twice a password?  The page says what is wrong. */
static enum status
look_at_new(const struct moderator_visit *visit, struct str fresh, struct str again, struct view *view)
{
	enum password_fault fault;
	enum status status = password_fault(visit->arena, visit->moderator->door.config, visit->session.name, fresh, &fault);
	if (status != STATUS_OK)
		return status;
	if (fault != PASSWORD_FINE)
		view->fresh_error = moderator_say(visit, fault_words[fault]);
	else if (!str_eq(fresh, again))
		view->again_error = moderator_say(visit, WORD_PASSWORD_AGAIN);
	return view->fresh_error.len > 0 || view->again_error.len > 0 ? STATUS_INVALID : STATUS_OK;
}

static enum status
change_in_turn(struct moderator_visit *visit, const struct session_attempt *attempt, struct str fresh, int64_t *wait)
{
	bool known;
	*wait = 1;
	if (!moderator_stand_in_line(visit, attempt, &known))
		return STATUS_TOO_MANY;
	enum status status = session_change_password(visit->moderator->moderators, visit->arena, attempt, fresh,
	    &visit->session, wait);
	moderator_leave_line(visit, known);
	return status;
}

static void
answer_change_failure(const struct moderator_visit *visit, enum status status, int64_t wait, struct view *view, int64_t now,
    struct fcgi_response *response)
{
	view->code = status == STATUS_INVALID ? 422 : status == STATUS_DENIED ? 403 : 429;
	view->notice = moderator_say(visit, WORD_SETTINGS_UNCHANGED);
	if (status == STATUS_DENIED)
		view->password_error = moderator_say(visit, WORD_PASSWORD_WRONG);
	else if (status == STATUS_TOO_MANY) {
		fcgi_header(response, "Retry-After", str_format(visit->arena, "%lld", (long long)wait));
		view->password_error = moderator_say_n(visit, WORD_SIGN_IN_WAIT, (wait + 59) / 60);
	}
	log_event(LOG_LEVEL_WARNING, "account %lld: its password was not changed: %s", (long long)visit->session.account_id,
	    status_name(status));
	show(visit, view, now, response);
}

void
moderator_settings_password(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct session_attempt attempt = moderator_attempt(visit, request);
	struct session before = visit->session;
	struct str fresh, again;
	struct view view = {0};
	int64_t wait = 0;
	attempt.name = before.name;
	if (before.by_server || form_one(&visit->form, "password", &attempt.password) != STATUS_OK ||
	    form_one(&visit->form, "new_password", &fresh) != STATUS_OK || form_one(&visit->form, "again", &again) != STATUS_OK) {
		moderator_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_REFUSED_MALFORMED);
		return;
	}
	enum status status = look_at_new(visit, fresh, again, &view);
	if (status == STATUS_OK)
		status = change_in_turn(visit, &attempt, fresh, &wait);
	if (status == STATUS_INVALID || status == STATUS_DENIED || status == STATUS_TOO_MANY) {
		answer_change_failure(visit, status, wait, &view, request->now, response);
		return;
	}
	if (status != STATUS_OK) {
		moderator_failure(visit, response, status);
		return;
	}
	log_event(LOG_LEVEL_INFO, "account %lld has a new password", (long long)before.account_id);
	moderator_set_cookies(visit, response);
	go_back(visit, STR("password"), response);
}
