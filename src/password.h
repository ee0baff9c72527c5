/*
 * password.h - what a new password must be like.
 *
 * NIST SP 800-63B-4 and OWASP ASVS 5.0 (6.2): long, any characters, no rules of composition, but none
 * that everybody tries first.  What is tried first among 15 characters and more are a few dozen
 * strings, keyboards' rows, short words said again and again, and what the site is about; longer lists hold shorter
 * ones, and whoever wants more must bring a list of their own: this is no promise that a password is good.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "arena.h"
#include "config.h"
#include "status.h"
#include "str.h"

enum {
	PASSWORD_LEAST = 15,     /* bytes */
	PASSWORD_MOST = 1024,    /* bytes; all of them count */
	PASSWORD_NAME_LEAST = 4, /* bytes of a name or title that must not be in it: shorter ones are in everything */
	PASSWORD_UNIT_MOST = 8   /* bytes that must not make up all of it by being repeated */
};

enum password_fault {
	PASSWORD_FINE,
	PASSWORD_SHORT,    /* under PASSWORD_LEAST */
	PASSWORD_LONG,     /* over PASSWORD_MOST */
	PASSWORD_TEXT,     /* NUL, or not UTF-8 */
	PASSWORD_REPEATED, /* a unit again and again, or a row of the alphabet, the digits or a keyboard */
	PASSWORD_COMMON,   /* one that everybody tries first */
	PASSWORD_NAMED     /* it holds the account's name or a site's title, in whatever case */
};

/* Why `password` is no password for the account `name`; PASSWORD_FINE when it is one. */
MUST_USE enum status password_fault(struct arena *arena, const struct config *config, struct str name, struct str password,
    enum password_fault *fault);

#endif
