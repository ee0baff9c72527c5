/* The same text as an e-mail, a website, a host and an IP address. */
#include "fuzz.h"

#include "address.h"
#include "host.h"
#include "out.h"

static bool
is_lower(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] >= 'A' && s.at[i] <= 'Z')
			return false;
	return true;
}

static void
check_host(struct arena *arena, struct str typed)
{
	struct str ascii, again, rest;
	if (host_ascii(arena, typed, &ascii) != STATUS_OK)
		return;
	MUST(ascii.len >= 1 && ascii.len <= HOST_MAX && fuzz_is_ascii(ascii) && is_lower(ascii));
	MUST(host_ascii(arena, ascii, &again) == STATUS_OK && str_eq(ascii, again));
	for (rest = ascii; rest.at != NULL;) {
		struct str label = str_cut(&rest, '.');
		MUST(label.len >= 1 && label.len <= HOST_LABEL && label.at[0] != '-' && label.at[label.len - 1] != '-');
		for (size_t i = 0; i < label.len; i++)
			MUST(strchr("abcdefghijklmnopqrstuvwxyz0123456789-", label.at[i]) != NULL && label.at[i] != '\0');
	}
}

static void
check_email(struct arena *arena, struct str typed)
{
	struct str email, again;
	if (address_email(arena, typed, &email) != STATUS_OK)
		return;
	size_t at = str_find(email, '@');
	MUST(email.len <= ADDRESS_EMAIL_MOST && fuzz_is_ascii(email) && !fuzz_has_control(email));
	MUST(at > 0 && at < email.len && !str_has(str_sub(email, at + 1, email.len), '@'));
	/* Nothing that a mail header would read as more than an address. */
	for (const char *c = " \t\r\n\"(),:;<>[\\]"; *c != '\0'; c++)
		MUST(!str_has(email, *c));
	MUST(str_eq(str_sub(email, 0, at), str_sub(typed, 0, str_find(typed, '@'))));
	MUST(address_email(arena, email, &again) == STATUS_OK && str_eq(again, email));
}

static void
check_website(struct arena *arena, struct str typed)
{
	struct out out;
	if (address_website(arena, typed) != STATUS_OK)
		return;
	MUST(typed.len <= ADDRESS_WEBSITE_MOST && !fuzz_has_control(typed));
	for (const char *c = " \"'`<>\\"; *c != '\0'; c++)
		MUST(!str_has(typed, *c));
	struct str rest = str_sub(typed, str_find(typed, ':'), typed.len);
	MUST(str_starts(rest, STR("://")) && rest.len > 3 && strchr("/?#@:", rest.at[3]) == NULL);
	out_init(&out, arena);
	out_url(&out, typed);
	MUST(str_starts(out_str(&out), str_sub(typed, 0, 5)));
}

static void
check_network(struct arena *arena, struct str ip)
{
	struct str network = address_network(arena, ip);
	MUST(network.at != NULL && network.len > 0 && network.len <= 32);
	MUST(str_eq(network, STR("unknown")) || str_ends(network, STR(".0/24")) || str_ends(network, STR("::/64")));
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	check_network(arena, input);
	/* Whatever asks further has asked text_valid before: a body that is not valid gets 400. */
	if (!text_valid(input))
		return;
	check_host(arena, input);
	check_email(arena, input);
	check_website(arena, input);
}
