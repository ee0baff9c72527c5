/*
 * Short things that come in headers, addresses and hidden fields: Cookie, receipt, form key,
 * «id:revision», where to go next.  session.c is included for its reader of cookies.
 */
#include "fuzz.h"

#include "../../src/session.c"
#include "receipt.h"
#include "verdict.h"

static const struct secret_key key = {{1, 2, 3}};

/* At most one spelling of each secret is taken, and only ours is. */
static void
check_secrets(struct arena *arena, struct str typed)
{
	int64_t id, time;
	if (receipt_reply(&key, typed, &id) == STATUS_OK)
		MUST(str_eq(receipt_secret(arena, &key, id), typed));
	MUST(receipt_form_time(&key, typed, &time) == STATUS_MISSING || typed.len == 54);
	uint8_t bytes[SESSION_ID];
	if (str_unbase64url(typed, bytes, sizeof bytes) == STATUS_OK)
		MUST(str_eq(str_base64url(arena, bytes, sizeof bytes), typed));
	if (str_unhex(typed, bytes, sizeof bytes) == STATUS_OK)
		MUST(str_eq_nocase(str_hex(arena, bytes, sizeof bytes), typed));
}

/* What is made from the input is known again; with any other byte it is not. */
static void
check_made(struct arena *arena, struct str input)
{
	uint8_t seed[RECEIPT_RANDOM + 8] = {0};
	int64_t number, found;
	memcpy(seed, input.at, input.len < sizeof seed ? input.len : sizeof seed);
	memcpy(&number, seed, sizeof number);
	struct str receipt = receipt_secret(arena, &key, number);
	MUST(receipt_reply(&key, receipt, &found) == STATUS_OK && found == number);
	struct str form_key = receipt_form_key(arena, &key, number, seed + 8);
	MUST(receipt_form_time(&key, form_key, &found) == STATUS_OK && found == number);
	MUST(receipt_reply(&key, form_key, &found) != STATUS_OK);
	MUST(receipt_form_time(&key, receipt, &found) != STATUS_OK);
	char *changed = str_c(arena, form_key);
	size_t at = (size_t)seed[8] % form_key.len;
	changed[at] = changed[at] == 'A' ? 'B' : 'A';
	MUST(receipt_form_time(&key, (struct str){changed, form_key.len}, &found) == STATUS_MISSING);
}

static void
check_target(struct str typed)
{
	struct verdict_target target = {0};
	if (verdict_target(typed, &target) != STATUS_OK)
		return;
	MUST(target.id > 0 && target.revision > 0);
	for (size_t i = 0; i < typed.len; i++)
		MUST((typed.at[i] >= '0' && typed.at[i] <= '9') || typed.at[i] == ':');
}

/* A cookie is taken only where the header has our name once, before a value of the right form. */
static void
check_cookie(struct arena *arena, struct str header)
{
	struct config_site plain = {.base = STR("http://a")}, safe = {.base = STR("https://a")};
	uint8_t id[SESSION_ID];
	if (session_cookie(session_cookie_name(&safe), header, id) == STATUS_OK) {
		struct str value = str_base64url(arena, id, sizeof id);
		MUST(str_search(header, STR("__Host-rejoinder")) < header.len);
		MUST(str_search(header, value) < header.len);
	}
	if (session_cookie(session_cookie_name(&plain), header, id) != STATUS_OK)
		return;
	struct str own = str_format(arena, "rejoinder=%.*s", STR_FMT(str_base64url(arena, id, sizeof id)));
	uint8_t again[SESSION_ID];
	MUST(session_cookie(session_cookie_name(&plain), own, again) == STATUS_OK && memcmp(id, again, sizeof id) == 0);
	struct str twice = str_join(arena, header, str_join(arena, STR(";"), own));
	MUST(session_cookie(session_cookie_name(&plain), twice, again) == STATUS_INVALID);
}

static void
check_next(struct str wanted)
{
	struct str otherwise = STR("/c/moderate/");
	struct str next = session_next(wanted, STR("/c"), otherwise);
	MUST(str_starts(next, otherwise) && !fuzz_has_control(next) && fuzz_is_ascii(next));
	MUST(next.at == otherwise.at || str_eq(next, wanted));
}

static void
check_origin(struct str origin)
{
	struct str spelling = STR("http://127.0.0.1");
	struct config_site site = {.base = STR("https://a.example"), .origins = {&spelling, 1}};
	if (origin.len > 0 && session_origin_fits(&site, origin, STR("same-origin")))
		MUST(str_eq(origin, site.base) || str_eq(origin, spelling));
	MUST(!session_origin_fits(&site, origin, STR("cross-site")));
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	check_secrets(arena, input);
	check_made(arena, input);
	check_target(input);
	check_cookie(arena, input);
	check_next(input);
	check_origin(input);
}
