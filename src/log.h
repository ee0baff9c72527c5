/*
 * log.h - one line an event, to standard error, which the supervisor keeps.
 *
 * A line is `<UTC time> <level> <door> [<request id>] text`; whatever is not printable ASCII comes
 * out as \xNN, so nobody can forge a line.  Never pass a name, an address, a comment, a cookie, a
 * token or a receipt: ids and names of files and settings only.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Which program speaks ("reader"); call once before threads start. The string must stay valid. */
void log_door(const char *name);

/* From now on a line is `<door>: text`, for whoever typed a command. */
void log_plain(void);

/* Says nothing until it is told otherwise: what is asked once more was complained of before.  For one thread. */
void log_mute(bool mute);

/* The id that this thread's lines carry from now on; "" or NULL for none. Copied, at most 16 bytes. */
void log_request(const char *id);

void log_event(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
