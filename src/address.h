/*
 * address.h - what counts as an e-mail, as a website, and as a network.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	ADDRESS_EMAIL_MOST = 254,    /* bytes (RFC 5321 section 4.5.3.1.3 less the angle brackets) */
	ADDRESS_WEBSITE_MOST = 2000  /* bytes */
};

/*
 * An e-mail by the HTML standard's grammar for <input type=email>, with international domains: the
 * result has the domain in lower-case A-labels and the local part as typed.  INVALID when it is
 * none, TOO_LARGE over the limit.
 */
MUST_USE enum status address_email(struct arena *arena, struct str typed, struct str *email);

/*
 * A website: http or https, a host, no user name, no control character, space, quote, backslash or
 * angle bracket.  Refused, never mended.  INVALID or TOO_LARGE.
 */
MUST_USE enum status address_website(struct arena *arena, struct str typed);

/*
 * The network of an IP address as text: an IPv4 one cut to /24, an IPv6 one to /64 (IPv4-mapped
 * ones count as IPv4), "unknown" for anything else.
 */
struct str address_network(struct arena *arena, struct str ip);

#endif
