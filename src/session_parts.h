/*
 * session_parts.h - what the files of session.h share, and the operator's `moderator` needs.
 */
#ifndef SESSION_PARTS_H
#define SESSION_PARTS_H

#include "session.h"

/* The hash that the database holds of a cookie, or of what is throttled. */
void session_hash(const void *bytes, size_t len, const char *purpose, uint8_t hash[SECRET_HASH]);

/* The bytes of a cookie of that name; INVALID for none, for two, and for a value of another form. */
MUST_USE enum status session_cookie(struct str name, struct str cookies, uint8_t bytes[SESSION_ID]);
struct str session_browser_name(const struct config_site *site);

/* Makes the token. */
MUST_USE enum status session_fill(struct arena *arena, struct session *session);

/* The session of a cookie, whoever began it; else as session_current, or session_peek. */
MUST_USE enum status session_of_cookie(struct db *db, struct arena *arena, const struct config_site *site,
    struct str cookies, int64_t now, bool unseen, struct session *session);

#endif
