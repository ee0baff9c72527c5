#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *door = "rejoinder";
static bool plain, muted;
static _Thread_local char request[17];

void
log_door(const char *name)
{
	door = name;
}

void
log_plain(void)
{
	plain = true;
}

void
log_mute(bool mute)
{
	muted = mute;
}

void
log_request(const char *id)
{
	snprintf(request, sizeof request, "%s", id == NULL ? "" : id);
}

static size_t
escape(const char *from, char *to, size_t room)
{
	size_t n = 0;
	for (; *from != '\0' && n + 5 < room; from++) {
		unsigned char c = (unsigned char)*from;
		if (c >= 0x20 && c < 0x7f && c != '\\')
			to[n++] = (char)c;
		else
			n += (size_t)snprintf(to + n, 5, "\\x%02x", c);
	}
	return n;
}

void
log_event(enum log_level level, const char *format, ...)
{
	static const char *const levels[] = {"info", "warning", "error"};
	char text[768], line[2048], when[32];
	struct timespec now;
	struct tm utc;
	va_list args;
	if (muted)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
	int head = plain ? snprintf(line, 128, "%.32s: ", door)
	                 : snprintf(line, 128, "%s %s %.32s%s%s ", when, levels[level], door, request[0] == '\0' ? "" : " ",
	                       request);
	size_t len = (size_t)head + escape(text, line + head, sizeof line - (size_t)head - 1);
	line[len++] = '\n';
	/* One write a line, so that the lines of several threads do not mix. */
	fwrite(line, 1, len, stderr);
}
