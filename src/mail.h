/*
 * mail.h - hands one finished message over: to sendmail(8), or by SMTP with TLS (libcurl).
 *
 * Only `rejoinder mail` uses this; no request ever talks to the network.
 */
#ifndef MAIL_H
#define MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"
#include "str.h"

struct mail_route {
	const char *sendmail; /* the program's path; NULL: SMTP */
	const char *url;      /* smtp://host[:port] or smtps://host[:port] */
	bool plain;           /* without TLS: a server of this machine; else STARTTLS or smtps, verified, or nothing */
	const char *ca_file;  /* PEM of who signs the server's certificate; NULL: the system's */
	const char *user;     /* NULL: no sign-in */
	const char *password;
	int64_t seconds; /* that the other side may take for all of a message */
};

/* Once, before the first message; BROKEN when the library cannot be used. */
MUST_USE enum status mail_init(void);
void mail_end(void);

/*
 * Sends `message`, whole with its headers and CR LF at each line's end (RFC 5322), from the envelope's
 * sender `from` to `to`.  OK: the other side has taken it.  DENIED: it refused for good (5xx, RFC 5321
 * section 4.2.1).  BUSY: not now (4xx, unreachable, silent, or a sign-in or certificate that does not
 * do, which the owner may mend).  *why has the reason, at most MAIL_WHY bytes of printable ASCII,
 * without addresses.
 */
enum { MAIL_WHY = 200 };
MUST_USE enum status mail_send(const struct mail_route *route, const char *from, const char *to, struct str message,
    char why[MAIL_WHY + 1]);

#endif
