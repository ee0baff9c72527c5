#include "address.h"

#include <arpa/inet.h>
#include <string.h>

#include "host.h"
#include "text.h"

/* atext of RFC 5322 and the dot, anywhere: https://html.spec.whatwg.org/#valid-e-mail-address */
static bool
is_local_part(struct str local)
{
	for (size_t i = 0; i < local.len; i++) {
		char c = local.at[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && (c == '\0' || strchr(".!#$%&'*+/=?^_`{|}~-", c) == NULL))
			return false;
	}
	return local.len > 0;
}

enum status
address_email(struct arena *arena, struct str typed, struct str *email)
{
	struct str domain = typed, ascii;
	struct str local = str_cut(&domain, '@');
	if (domain.at == NULL || !is_local_part(local))
		return STATUS_INVALID;
	enum status status = host_ascii(arena, domain, &ascii);
	if (status != STATUS_OK)
		return status;
	*email = str_format(arena, "%.*s@%.*s", STR_FMT(local), STR_FMT(ascii));
	if (email->at == NULL)
		return STATUS_BROKEN;
	return email->len > ADDRESS_EMAIL_MOST ? STATUS_TOO_LARGE : STATUS_OK;
}

static bool
has_forbidden(struct str url)
{
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.at[i];
		bool c1 = c == 0xc2 && i + 1 < url.len && (unsigned char)url.at[i + 1] <= 0xa0;
		if (c <= 0x20 || c == 0x7f || c1 || strchr("\"'`<>\\", (char)c) != NULL)
			return true;
	}
	return false;
}

static bool
is_port(struct str port)
{
	int64_t n;
	return port.at == NULL || (port.len <= 5 && str_integer(port, &n) == STATUS_OK && n >= 1 && n <= 65535);
}

static bool
is_ipv6_literal(struct arena *arena, struct str host)
{
	struct in6_addr address;
	const char *inner = host.len > 2 ? str_c(arena, str_sub(host, 1, host.len - 2)) : NULL;
	return inner != NULL && inet_pton(AF_INET6, inner, &address) == 1;
}

static enum status
check_authority(struct arena *arena, struct str authority)
{
	struct str port = authority, ascii;
	if (str_starts(authority, STR("["))) {
		struct str host = str_cut(&port, ']');
		bool ends_well = port.at != NULL && (port.len == 0 || port.at[0] == ':');
		host.len++;
		port = port.len == 0 ? STR_NONE : str_sub(port, 1, port.len);
		return ends_well && is_ipv6_literal(arena, host) && is_port(port) ? STATUS_OK : STATUS_INVALID;
	}
	struct str host = str_cut(&port, ':');
	if (!is_port(port))
		return STATUS_INVALID;
	return host_ascii(arena, host, &ascii);
}

enum status
address_website(struct arena *arena, struct str typed)
{
	size_t scheme = str_eq_nocase(str_sub(typed, 0, 8), STR("https://"))  ? 8
	                : str_eq_nocase(str_sub(typed, 0, 7), STR("http://")) ? 7
	                                                                      : 0;
	if (scheme == 0 || has_forbidden(typed))
		return STATUS_INVALID;
	if (typed.len > ADDRESS_WEBSITE_MOST)
		return STATUS_TOO_LARGE;
	struct str authority = str_sub(typed, scheme, typed.len);
	size_t end = 0;
	while (end < authority.len && strchr("/?#", authority.at[end]) == NULL)
		end++;
	authority.len = end;
	return str_has(authority, '@') ? STATUS_INVALID : check_authority(arena, authority);
}

static struct str
network4(struct arena *arena, const unsigned char *ip)
{
	return str_format(arena, "%d.%d.%d.0/24", ip[0], ip[1], ip[2]);
}

struct str
address_network(struct arena *arena, struct str ip)
{
	const char *text = str_c(arena, ip);
	unsigned char b[16];
	if (text == NULL || ip.len == 0 || str_has(ip, '\0'))
		return STR("unknown");
	if (inet_pton(AF_INET, text, b) == 1)
		return network4(arena, b);
	if (inet_pton(AF_INET6, text, b) != 1)
		return STR("unknown");
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)b))
		return network4(arena, b + 12);
	return str_format(arena, "%x:%x:%x:%x::/64", b[0] << 8 | b[1], b[2] << 8 | b[3], b[4] << 8 | b[5],
	    b[6] << 8 | b[7]);
}
