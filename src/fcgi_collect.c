#include "fcgi_collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"

enum { VERSION = 1, RECORD_BEGIN = 1, RECORD_PARAMS = 4, RECORD_STDIN = 5, ROLE_RESPONDER = 1 };
enum {
	PARAM_MOST = FCGI_PARAMS_MOST, /* bytes of a name or value */
	CONTENT_MOST = 65528           /* bytes of one record: eight go evenly into it */
};

/* --- names and values ---------------------------------------------------------------------------- */

/* The length of a name or value, in one byte or four; SIZE_MAX when it is cut off. */
static size_t
pair_length(const uint8_t *bytes, size_t len, size_t *at)
{
	if (*at < len && bytes[*at] < 128)
		return bytes[(*at)++];
	if (len - *at < 4)
		return SIZE_MAX;
	const uint8_t *b = bytes + *at;
	*at += 4;
	return (size_t)(b[0] & 127) << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

bool
fcgi_params_fit(const uint8_t *bytes, size_t len, bool all)
{
	for (size_t at = 0; at < len;) {
		size_t name = pair_length(bytes, len, &at);
		size_t value = name == SIZE_MAX ? SIZE_MAX : pair_length(bytes, len, &at);
		if (value == SIZE_MAX)
			return !all;
		if (name == 0 || name > PARAM_MOST || value > PARAM_MOST)
			return false;
		/* A name is a word: libfcgi makes C strings of it. */
		if (memchr(bytes + at, '\0', name < len - at ? name : len - at) != NULL)
			return false;
		if (name + value > len - at)
			return !all;
		at += name + value;
	}
	return true;
}

/* --- taking apart -------------------------------------------------------------------------------- */

void
fcgi_collect_begin(struct fcgi_collect *collect, size_t body_most)
{
	*collect = (struct fcgi_collect){.body_most = body_most};
}

void
fcgi_collect_free(struct fcgi_collect *collect)
{
	free(collect->params.at);
	free(collect->body.at);
	fcgi_collect_begin(collect, collect->body_most);
}

size_t
fcgi_collect_size(const struct fcgi_collect *collect)
{
	return collect->params.room + collect->body.room;
}

static bool
append(struct fcgi_bytes *to, const uint8_t *bytes, size_t len, size_t most)
{
	if (len > most - to->len)
		return false;
	if (len > to->room - to->len) {
		size_t room = to->room * 2 > to->len + len ? to->room * 2 : to->len + len + 1024;
		room = room > most ? most : room;
		uint8_t *at = realloc(to->at, room);
		if (at == NULL)
			return false;
		*to = (struct fcgi_bytes){at, to->len, room};
	}
	memcpy(to->at + to->len, bytes, len);
	to->len += len;
	return true;
}

/* The head of a record is here: may it come now? */
static bool
take_head(struct fcgi_collect *collect)
{
	const uint8_t *head = collect->head;
	unsigned id = (unsigned)(head[2] << 8 | head[3]);
	collect->content = (size_t)(head[4] << 8 | head[5]);
	collect->padding = head[6];
	if (head[0] != VERSION)
		return false;
	if (!collect->begun) {
		collect->begun = true;
		collect->id = id;
		return head[1] == RECORD_BEGIN && id != 0 && collect->content == sizeof collect->begin;
	}
	return id == collect->id && head[1] == (collect->has_params ? RECORD_STDIN : RECORD_PARAMS);
}

static bool
take_body(struct fcgi_collect *collect, const uint8_t *bytes, size_t len)
{
	size_t keep = collect->body_most + 1 - collect->body.len;
	keep = keep < len ? keep : len;
	collect->dropped += len - keep;
	return collect->dropped <= FCGI_DROPPED_MOST &&
	       (keep == 0 || append(&collect->body, bytes, keep, collect->body_most + 1));
}

static bool
take_content(struct fcgi_collect *collect, const uint8_t *bytes, size_t len)
{
	if (collect->head[1] == RECORD_PARAMS)
		return append(&collect->params, bytes, len, FCGI_PARAMS_MOST);
	if (collect->head[1] == RECORD_STDIN)
		return take_body(collect, bytes, len);
	memcpy(collect->begin + collect->begin_n, bytes, len);
	collect->begin_n += len;
	/* One role there is: the responder's. */
	return collect->begin_n < 2 || (collect->begin[0] == 0 && collect->begin[1] == ROLE_RESPONDER);
}

/* A record has ended: is that the end of a stream? */
static enum fcgi_gather_state
end_record(struct fcgi_collect *collect)
{
	size_t content = (size_t)(collect->head[4] << 8 | collect->head[5]);
	collect->head_n = 0;
	if (content > 0)
		return FCGI_GATHER_PART;
	if (collect->has_params)
		return FCGI_GATHER_WHOLE;
	collect->has_params = true;
	return fcgi_params_fit(collect->params.at, collect->params.len, true) ? FCGI_GATHER_PART : FCGI_GATHER_BROKEN;
}

/* Takes what belongs together of `bytes`, at least one; *used says how many. */
static enum fcgi_gather_state
take_some(struct fcgi_collect *collect, const uint8_t *bytes, size_t len, size_t *used)
{
	if (collect->head_n < FCGI_RECORD_HEAD) {
		*used = 1;
		collect->head[collect->head_n++] = bytes[0];
		if (collect->head_n == FCGI_RECORD_HEAD && !take_head(collect))
			return FCGI_GATHER_BROKEN;
	} else if (collect->content > 0) {
		*used = len < collect->content ? len : collect->content;
		collect->content -= *used;
		if (!take_content(collect, bytes, *used))
			return FCGI_GATHER_BROKEN;
	} else {
		*used = len < collect->padding ? len : collect->padding;
		collect->padding -= *used;
	}
	bool ended = collect->head_n == FCGI_RECORD_HEAD && collect->content == 0 && collect->padding == 0;
	return ended ? end_record(collect) : FCGI_GATHER_PART;
}

enum fcgi_gather_state
fcgi_collect_feed(struct fcgi_collect *collect, const uint8_t *bytes, size_t len)
{
	enum fcgi_gather_state state = FCGI_GATHER_PART;
	size_t used = 0;
	for (size_t at = 0; state == FCGI_GATHER_PART && at < len; at += used)
		state = take_some(collect, bytes + at, len - at, &used);
	return state;
}

/* --- writing down again --------------------------------------------------------------------------- */

static bool
write_record(int fd, uint8_t type, const uint8_t *content, size_t len)
{
	const uint8_t head[FCGI_RECORD_HEAD] = {VERSION, type, 0, 1, (uint8_t)(len >> 8), (uint8_t)(len & 255), 0, 0};
	return fd_write_all(fd, head, sizeof head) && fd_write_all(fd, content, len);
}

/* In records of at most CONTENT_MOST, and the empty one that ends it. */
static bool
write_stream(int fd, uint8_t type, const struct fcgi_bytes *bytes)
{
	bool written = true;
	for (size_t at = 0; written && at < bytes->len; at += CONTENT_MOST) {
		size_t rest = bytes->len - at;
		written = write_record(fd, type, bytes->at + at, rest < CONTENT_MOST ? rest : CONTENT_MOST);
	}
	return written && write_record(fd, type, NULL, 0);
}

int
fcgi_collect_file(const struct fcgi_collect *collect)
{
	const uint8_t begin[8] = {0, ROLE_RESPONDER};
	int fd = memfd_create("request", MFD_CLOEXEC);
	bool written = fd >= 0 && write_record(fd, RECORD_BEGIN, begin, sizeof begin) &&
	               write_stream(fd, RECORD_PARAMS, &collect->params) && write_stream(fd, RECORD_STDIN, &collect->body) &&
	               lseek(fd, 0, SEEK_SET) == 0;
	if (written)
		return fd;
	log_event(LOG_LEVEL_ERROR, "a request could not be kept in memory: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
