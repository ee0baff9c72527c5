/*
 * moderator_entry.c - signing in and out, and carrying on with what was sent meanwhile.
 */
#include <string.h>

#include "log.h"
#include "moderator.h"
#include "moderator_visit.h"
#include "page/carry_field.h"
#include "page/carry_on.h"
#include "page/sign_in.h"

enum {
	IN_LINE_MOST = 4,       /* passwords that are checked or wait for it; as many again from known browsers */
	ACCOUNT_NAME_MOST = 64, /* bytes; see operator_moderator */
	LONG = 60,              /* bytes from which on a carried field is shown to be read */
	CARRY_ROOM = 8 * 1024,  /* bytes of a body for what else a sign-in holds */
	CARRY_FOR = 24 * 3600   /* seconds */
};

/* --- what a POST wanted when its session was over ---------------------------------------------------------- */

/*
 * A box is MAC.TEXT, both base64url; the text is TIME PATH FIELDS, the fields urlencoded, without
 * the token.  The MAC says that this door has seen just that POST come from one of its own pages.
 * Opening one only shows a form: what it asks for is done by another POST, with a click, a session and its token.
 */
static struct str
carry_mac(const struct moderator_visit *visit, struct str text)
{
	struct secret_key key;
	uint8_t mac[SECRET_HASH];
	struct str parts[] = {visit->site->config->name, text};
	secret_subkey(&visit->moderator->secret, 0, "carry_on", &key);
	secret_hash(&key, "carry", parts, 2, mac);
	secret_wipe(&key, sizeof key);
	return str_base64url(visit->arena, mac, sizeof mac);
}

static bool
is_carried(const struct form_field *field)
{
	return !str_eq(field->name, STR("token"));
}

static struct str
make_box(const struct moderator_visit *visit, struct str path, int64_t now)
{
	struct out out;
	const char *between = "";
	out_init(&out, visit->arena);
	out_format(&out, "%lld %.*s ", (long long)now, STR_FMT(path));
	for (size_t i = 0; i < visit->form.n; i++) {
		const struct form_field *field = &visit->form.fields[i];
		if (!is_carried(field))
			continue;
		out_put(&out, str_from(between));
		out_url_part(&out, field->name);
		out_byte(&out, '=');
		out_url_part(&out, field->value);
		between = "&";
	}
	struct str text = out_str(&out);
	return str_format(visit->arena, "%.*s.%.*s", STR_FMT(carry_mac(visit, text)),
	    STR_FMT(str_base64url(visit->arena, text.at, text.len)));
}

/* The text of a box of ours that is not too old; MISSING for any other. */
static enum status
open_box(const struct moderator_visit *visit, struct str box, int64_t now, struct str *path, struct form *form)
{
	struct str mac = str_cut(&box, '.');
	size_t len = box.len / 4 * 3 + (box.len % 4 == 0 ? 0 : box.len % 4 - 1);
	char *at = arena_alloc(visit->arena, len + 1);
	int64_t made;
	if (at == NULL || len == 0 || str_unbase64url(box, at, len) != STATUS_OK)
		return STATUS_MISSING;
	struct str text = {at, len}, right = carry_mac(visit, text);
	if (mac.len != right.len || !secret_same(mac.at, right.at, mac.len))
		return STATUS_MISSING;
	if (str_integer(str_cut(&text, ' '), &made) != STATUS_OK || now - made > CARRY_FOR)
		return STATUS_MISSING;
	*path = str_cut(&text, ' ');
	return form_query(visit->arena, text, form) == STATUS_OK ? STATUS_OK : STATUS_MISSING;
}

/* The label of a field that people write into; false for any other. */
static bool
written_label(struct str name, enum word *word)
{
	static const struct {
		const char *name;
		enum word word;
	} labels[] = {{"comment", WORD_FORM_COMMENT}, {"name", WORD_FORM_NAME}, {"website", WORD_FORM_WEBSITE}, {"why", WORD_DECIDE_WHY}};
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		if (str_eq(name, str_from(labels[i].name))) {
			*word = labels[i].word;
			return true;
		}
	}
	return false;
}

static struct str
label_of(const struct moderator_visit *visit, struct str name)
{
	enum word word;
	return moderator_say(visit, written_label(name, &word) ? word : WORD_CARRY_WORDS);
}

/* The page of the one reply that a form is about, or nothing. */
static struct str
reply_of(const struct moderator_visit *visit, const struct form *form)
{
	struct str field;
	int64_t id;
	if (form_one(form, "reply", &field) != STATUS_OK || str_integer(str_cut(&field, ':'), &id) != STATUS_OK)
		return STR_NONE;
	return moderator_path(visit, str_format(visit->arena, "reply/%lld", (long long)id).at);
}

/* Fields for a page, the token left out. */
static size_t
fill_fields(const struct moderator_visit *visit, const struct form *form, struct page_carry_field **fields)
{
	size_t n = 0;
	*fields = arena_array(visit->arena, form->n, sizeof **fields);
	for (size_t i = 0; *fields != NULL && i < form->n; i++) {
		struct str value = form->fields[i].value;
		if (is_carried(&form->fields[i]))
			(*fields)[n++] = (struct page_carry_field){.name = form->fields[i].name, .value = value,
			    .number = (int64_t)i, .label = label_of(visit, form->fields[i].name),
			    .rows = str_eq(form->fields[i].name, STR("comment")) ? 8 : 2, .words = value.len > LONG || str_has(value, '\n') || str_has(value, ' ')};
	}
	return n;
}

/* Of those only what somebody wrote. */
static size_t
fill_words(const struct moderator_visit *visit, struct page_carry_field **fields)
{
	struct page_carry_field *all;
	size_t n = 0, all_n = fill_fields(visit, &visit->form, &all);
	enum word word;
	for (size_t i = 0; i < all_n; i++) {
		if (!written_label(all[i].name, &word) || all[i].value.len == 0)
			continue;
		all[n] = all[i];
		all[n++].words = true;
	}
	*fields = all;
	return n;
}

/* What a decision among the sent forms was: the word on its button; nothing for other forms. */
static struct str
deed_of(const struct moderator_visit *visit, struct str path, const struct form *form)
{
	static const struct {
		const char *state;
		enum word word;
	} deeds[] = {{"published", WORD_DECIDE_APPROVE}, {"held", WORD_STATE_HELD}, {"spam", WORD_DECIDE_SPAM}, {"trash", WORD_DECIDE_TRASH}};
	struct str state;
	if (!str_ends(path, STR("/moderate/decide")) || form_one(form, "state", &state) != STATUS_OK)
		return STR_NONE;
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
		if (str_eq(state, str_from(deeds[i].state)))
			return moderator_say(visit, deeds[i].word);
	return STR_NONE;
}

static int64_t
count_of(const struct form *form, struct str name)
{
	int64_t n = 0;
	for (size_t i = 0; i < form->n; i++)
		n += str_eq(form->fields[i].name, name);
	return n;
}

/* How the form with what was sent comes back: one button sends it again, unless it is only there to be read. */
struct carry_view {
	int code;
	bool reading;
	enum word title, why, send;
	struct str path, token;
	const struct form *form;
};

static void
show_carry(const struct moderator_visit *visit, struct fcgi_response *response, const struct carry_view *view)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_moderate_top top = moderator_top(visit, MODERATOR_ELSEWHERE);
	struct word_hole site = {.name = STR("site"), .text = visit->site->config->title};
	struct page_carry_on page = {.head = &head, .head_n = 1, .top = &top, .top_n = visit->session.token.len > 0 ? 1 : 0,
	    .mount = visit->site->config->mount, .token = view->token,
	    .page = view->code >= 500 || view->reading ? moderator_say(visit, view->title)
	                              : words_say(visit->arena, visit->site->words, WORD_CARRY_PAGE, &site, 1),
	    .title = moderator_say(visit, view->title), .why = moderator_say(visit, view->why),
	    .action = view->path, .reply_url = view->code == 404 ? STR_NONE : reply_of(visit, view->form),
	    .n = count_of(view->form, STR("reply"))};
	if (!view->reading) {
		page.send = moderator_say(visit, view->send);
		page.deed = deed_of(visit, view->path, view->form);
	}
	page.fields_n = view->reading ? fill_words(visit, &page.fields) : fill_fields(visit, view->form, &page.fields);
	door_private_page(response, view->code);
	page_carry_on(&response->body, visit->site->words, &page);
}

/* It is sent with this session's token. */
static void
show_carry_on(const struct moderator_visit *visit, struct fcgi_response *response, int code, enum word why,
    struct str path, const struct form *form)
{
	show_carry(visit, response, &(struct carry_view){.code = code, .title = WORD_CARRY_TITLE, .why = why,
	    .send = WORD_CARRY_SEND, .path = path, .token = visit->session.token, .form = form});
}

/* Where a POST may be carried to: one of this door's plain addresses. */
static struct str
carried_path(const struct moderator_visit *visit, const struct fcgi_request *request)
{
	return session_next(request->path, visit->site->config->mount, STR_NONE);
}

void
moderator_give_back(const struct moderator_visit *visit, struct fcgi_response *response, int code, enum word title,
    enum word why, enum word otherwise)
{
	struct page_carry_field *fields;
	struct carry_view view = {.code = code, .reading = true, .title = title, .why = why, .form = &visit->form,
	    .path = STR(""), .token = STR("")};
	bool secret = (visit->flags & (MODERATOR_SECRET | MODERATOR_PUBLIC)) != 0;
	if (!secret && fill_words(visit, &fields) > 0)
		show_carry(visit, response, &view);
	else
		moderator_notice(visit, response, code, title, otherwise);
}

bool
moderator_show_kept(const struct moderator_visit *visit, bool busy, struct fcgi_response *response)
{
	struct carry_view view = {.code = 503, .title = busy ? WORD_TITLE_BUSY : WORD_TITLE_BROKEN,
	    .why = busy ? WORD_CARRY_BUSY : WORD_CARRY_BROKEN, .send = WORD_CARRY_AGAIN, .token = visit->session.token,
	    .path = session_next(visit->path, visit->site->config->mount, STR_NONE), .form = &visit->form,
	    .reading = visit->cut};
	if ((visit->flags & (MODERATOR_SECRET | MODERATOR_PUBLIC)) != 0 || visit->form.n == 0 || view.path.len == 0)
		return false;
	/* Whose session it is cannot be told when that is what failed: the token goes back as it came. */
	if (view.token.len == 0 && form_one(&visit->form, "token", &view.token) != STATUS_OK)
		view.token = STR_NONE;
	show_carry(visit, response, &view);
	return true;
}

/* The sign-in page, fresh or after a refusal. */
struct sign_in_view {
	int code;
	struct str notice, name, next;
	struct str carry; /* what a POST wanted when its session was over */
	struct page_carry_field *kept; /* the same, for reading, where it is too long */
	size_t kept_n;
};

static void
show_sign_in(const struct moderator_visit *visit, struct fcgi_response *response,
    const struct sign_in_view *view)
{
	struct page_moderate_head head = {.mount = visit->site->config->mount};
	struct page_sign_in page = {.head = &head, .head_n = 1, .mount = visit->site->config->mount,
	    .site = visit->site->config->title, .notice = view->notice, .name = view->name, .next = view->next,
	    .carry = view->carry, .kept = view->kept, .kept_n = view->kept_n};
	door_private_page(response, view->code);
	page_sign_in(&response->body, visit->site->words, &page);
}

void
moderator_show_ended(const struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct sign_in_view view = {.code = 403, .notice = moderator_say(visit, WORD_SIGN_IN_ENDED)};
	struct str path = carried_path(visit, request);
	if ((flags & MODERATOR_SECRET) == 0 && path.len > 0 && visit->form.n > 0) {
		view.notice = moderator_say(visit, WORD_SIGN_IN_CARRIED);
		view.carry = make_box(visit, path, request->now);
		if (visit->cut || view.carry.len > config_body_most(visit->moderator->door.config) - CARRY_ROOM) {
			view.notice = moderator_say(visit, WORD_SIGN_IN_KEPT);
			view.carry = STR_NONE;
			view.kept_n = fill_fields(visit, &visit->form, &view.kept);
		}
	}
	show_sign_in(visit, response, &view);
}

void
moderator_show_token(const struct moderator_visit *visit, unsigned flags, const struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct str path = carried_path(visit, request);
	bool ours = request->origin.len > 0 || str_eq(request->fetch_site, STR("same-origin"));
	if ((flags & MODERATOR_SECRET) == 0 && path.len > 0 && visit->form.n > 0 && ours)
		show_carry_on(visit, response, 403, WORD_CARRY_TOKEN, path, &visit->form);
	else
		moderator_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_DECIDE_TOKEN);
}

/* --- the form ------------------------------------------------------------------------------------------------ */

void
moderator_sign_in_form(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct form query;
	struct str next = STR_NONE, out = STR_NONE;
	if (form_query(visit->arena, request->query, &query) != STATUS_OK || form_one(&query, "next", &next) != STATUS_OK ||
	    form_one(&query, "out", &out) != STATUS_OK)
		next = STR_NONE;
	next = session_next(next, visit->site->config->mount, STR_NONE);
	if (visit->moderator->door.config->trust_remote_user) {
		moderator_notice(visit, response, 200, WORD_SIGN_IN_TITLE, out.len > 0 ? WORD_SERVER_OUT : WORD_SERVER_IN);
		return;
	}
	show_sign_in(visit, response, &(struct sign_in_view){.code = 200,
	    .notice = out.len > 0 ? moderator_say(visit, WORD_SIGN_IN_OUT) : STR_NONE, .next = next});
}

/* --- signing in ----------------------------------------------------------------------------------------------- */

struct session_attempt
moderator_attempt(const struct moderator_visit *visit, const struct fcgi_request *request)
{
	return (struct session_attempt){.site = visit->site->config, .network = visit->network, .cookies = request->cookie,
	    .agent = request->user_agent, .now = request->now, .random = request->random};
}

bool
moderator_stand_in_line(const struct moderator_visit *visit, const struct session_attempt *attempt, bool *known)
{
	struct moderator_door *moderator = visit->moderator;
	*known = session_known_browser(moderator->moderators, visit->arena, attempt);
	if (moderator->in_line[*known]++ < IN_LINE_MOST) {
		pthread_mutex_lock(&moderator->password);
		return true;
	}
	moderator->in_line[*known]--;
	return false;
}

void
moderator_leave_line(const struct moderator_visit *visit, bool known)
{
	pthread_mutex_unlock(&visit->moderator->password);
	visit->moderator->in_line[known]--;
}

static enum status
sign_in_in_turn(struct moderator_visit *visit, const struct session_attempt *attempt, int64_t *wait)
{
	bool known;
	*wait = 1;
	if (!moderator_stand_in_line(visit, attempt, &known))
		return STATUS_TOO_MANY;
	enum status status = session_sign_in(visit->moderator->moderators, visit->arena, attempt, &visit->session, wait);
	moderator_leave_line(visit, known);
	return status;
}

static void
answer_sign_in_failure(const struct moderator_visit *visit, struct fcgi_response *response, enum status status,
    int64_t wait, struct sign_in_view *view)
{
	if (status == STATUS_TOO_MANY) {
		fcgi_header(response, "Retry-After", str_format(visit->arena, "%lld", (long long)wait));
		view->code = 429;
		view->notice = moderator_say_n(visit, WORD_SIGN_IN_WAIT, (wait + 59) / 60);
	} else if (status == STATUS_DENIED) {
		view->code = 403;
		view->notice = moderator_say(visit, WORD_SIGN_IN_WRONG);
	} else {
		fcgi_header(response, "Retry-After", STR("5"));
		view->code = 503;
		view->notice = moderator_say(visit, status == STATUS_BUSY ? WORD_REFUSED_BUSY_PAGE : WORD_REFUSED_BROKEN);
	}
	log_event(LOG_LEVEL_WARNING, "sign-in failed: %s", status_name(status));
	show_sign_in(visit, response, view);
}

/* Whoever signs in again leaves no second session behind. */
static void
end_former_session(const struct moderator_visit *visit, const struct fcgi_request *request)
{
	struct session former;
	if (session_current(visit->moderator->moderators, visit->arena, visit->site->config, request->cookie,
	        request->now, &former) != STATUS_OK)
		return;
	if (session_sign_out(visit->moderator->moderators, &former) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "a former session could not be ended");
}

void
moderator_set_cookies(const struct moderator_visit *visit, struct fcgi_response *response)
{
	const struct config_site *site = visit->site->config;
	fcgi_header(response, "Set-Cookie", session_set_cookie(visit->arena, site, &visit->session));
	if (!visit->session.by_server)
		fcgi_header(response, "Set-Cookie", session_set_browser(visit->arena, site, &visit->session));
}

/* Where somebody who has just signed in goes. */
static void
go_on(const struct moderator_visit *visit, const struct fcgi_request *request, struct fcgi_response *response,
    const struct sign_in_view *view)
{
	struct form form;
	struct str path;
	log_event(LOG_LEVEL_INFO, "account %lld signed in", (long long)visit->session.account_id);
	moderator_set_cookies(visit, response);
	if (view->carry.len > 0 && open_box(visit, view->carry, request->now, &path, &form) == STATUS_OK)
		show_carry_on(visit, response, 200, WORD_CARRY_SIGNED_IN, path, &form);
	else
		door_redirect(response, view->next.len > 0 ? view->next : moderator_path(visit, ""));
}

void
moderator_sign_in(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	struct session_attempt attempt = moderator_attempt(visit, request);
	struct sign_in_view view = {0};
	int64_t wait = 0;
	if (visit->moderator->door.config->trust_remote_user) {
		moderator_notice(visit, response, 403, WORD_TITLE_DENIED, WORD_SERVER_IN);
		return;
	}
	if (form_one(&visit->form, "name", &attempt.name) != STATUS_OK ||
	    form_one(&visit->form, "password", &attempt.password) != STATUS_OK ||
	    form_one(&visit->form, "carry", &view.carry) != STATUS_OK ||
	    form_one(&visit->form, "next", &view.next) != STATUS_OK) {
		moderator_notice(visit, response, 400, WORD_TITLE_MALFORMED, WORD_REFUSED_MALFORMED);
		return;
	}
	attempt.name = str_trim(attempt.name);
	if (attempt.name.at == NULL)
		attempt.name = STR("");
	view.name = attempt.name;
	view.next = session_next(view.next, visit->site->config->mount, STR_NONE);
	/* No account has such a name. */
	if (attempt.name.len > ACCOUNT_NAME_MOST)
		attempt.name = STR("");
	enum status status = sign_in_in_turn(visit, &attempt, &wait);
	if (status != STATUS_OK) {
		answer_sign_in_failure(visit, response, status, wait, &view);
		return;
	}
	end_former_session(visit, request);
	go_on(visit, request, response, &view);
}

void
moderator_sign_out(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	struct moderator_visit *visit = context;
	(void)request;
	if (session_sign_out(visit->moderator->moderators, &visit->session) != STATUS_OK) {
		moderator_notice(visit, response, 503, WORD_TITLE_BUSY, WORD_REFUSED_BUSY_PAGE);
		return;
	}
	log_event(LOG_LEVEL_INFO, "account %lld signed out", (long long)visit->session.account_id);
	fcgi_header(response, "Set-Cookie", session_set_cookie(visit->arena, visit->site->config, NULL));
	door_redirect(response, moderator_path(visit, "sign-in?out=1"));
}
