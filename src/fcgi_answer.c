#include "fcgi_answer.h"

#include <errno.h>
#include <sys/uio.h>

#include "log.h"

void
fcgi_header(struct fcgi_response *response, const char *name, struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.at[i] < 0x20 || value.at[i] == 0x7f) {
			log_event(LOG_LEVEL_ERROR, "header %s dropped: it holds a control byte", name);
			return;
		}
	}
	out_format(&response->head, "%s: ", name);
	out_put(&response->head, value);
	out_put(&response->head, STR("\r\n"));
}

/*
 * libfcgi sends a stream in records of 8 KiB, each by a call of its own: sixteen for a page of the queue.
 * So the answer is written here with its end, in records as large as they may be, as a rule by one call.
 */
enum {
	RECORD_MOST = 65528, /* bytes of content: a multiple of 8, so that nothing is padded */
	RECORDS = 4,         /* in one call: more than a socket takes at once */
	RECORD_VERSION = 1,  /* FastCGI specification 1.0, section 8 */
	RECORD_END = 3,
	RECORD_STDOUT = 6,
	END_LENGTH = 8
};

struct record {
	unsigned char version, type, id_high, id_low, length_high, length_low, padding, reserved;
};

/* A record without content ends the stream, and what follows the request: all went well, as we see it. */
struct ending {
	struct record stdout_end, request_end;
	unsigned char status[END_LENGTH];
};

static struct record
record_head(int type, int id, size_t length)
{
	return (struct record){.version = RECORD_VERSION, .type = (unsigned char)type, .id_high = (unsigned char)(id >> 8),
	    .id_low = (unsigned char)id, .length_high = (unsigned char)(length >> 8), .length_low = (unsigned char)length};
}

/* All of it, however often the peer makes room; false when it is gone. */
static bool
write_all(int fd, struct iovec *parts, size_t n)
{
	while (n > 0) {
		ssize_t written = writev(fd, parts, (int)n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		size_t left = (size_t)written;
		for (; n > 0 && left >= parts->iov_len; parts++, n--)
			left -= parts->iov_len;
		if (n > 0)
			*parts = (struct iovec){(char *)parts->iov_base + left, parts->iov_len - left};
	}
	return true;
}

/* Cuts records off `texts` and writes them, and the end behind them. */
static void
write_records(int fd, int id, struct str *texts, size_t texts_n)
{
	struct record heads[RECORDS];
	struct ending ending = {record_head(RECORD_STDOUT, id, 0), record_head(RECORD_END, id, END_LENGTH), {0}};
	struct iovec parts[2 * RECORDS + 1];
	for (size_t n = 0, at = 0; at < texts_n; n = 0) {
		for (; at < texts_n && n < 2 * RECORDS; n += 2) {
			struct str cut = str_sub(texts[at], 0, RECORD_MOST);
			texts[at] = str_sub(texts[at], cut.len, texts[at].len);
			heads[n / 2] = record_head(RECORD_STDOUT, id, cut.len);
			parts[n] = (struct iovec){&heads[n / 2], sizeof heads[n / 2]};
			parts[n + 1] = (struct iovec){(char *)(uintptr_t)cut.at, cut.len};
			at += texts[at].len == 0 ? 1 : 0;
		}
		if (at == texts_n)
			parts[n++] = (struct iovec){&ending, sizeof ending};
		if (!write_all(fd, parts, n))
			return;
	}
}

/* RFC 9110, section 15; web servers pass it on, and some clients do not read a status without. */
static const char *
phrase_of(int code)
{
	static const struct {
		int code;
		const char *phrase;
	} phrases[] = {{200, "OK"}, {201, "Created"}, {204, "No Content"}, {303, "See Other"}, {304, "Not Modified"},
	    {400, "Bad Request"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"}, {409, "Conflict"},
	    {413, "Content Too Large"}, {415, "Unsupported Media Type"}, {422, "Unprocessable Content"},
	    {429, "Too Many Requests"}, {500, "Internal Server Error"}, {503, "Service Unavailable"}};
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].code == code)
			return phrases[i].phrase;
	return code < 400 ? "OK" : "Error";
}

void
fcgi_answer_bare(int fd, int id)
{
	struct str text = STR("Status: 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
	                      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nRetry-After: 5\r\n\r\n"
	                      "Something went wrong here. Please try again: a reply that is sent twice stands once.\n");
	write_records(fd, id, &text, 1);
}

void
fcgi_answer_send(int fd, int id, const struct fcgi_request *request, const struct fcgi_response *response)
{
	struct out head;
	out_init(&head, request->arena);
	out_format(&head, "Status: %d %s\r\n", response->code, phrase_of(response->code));
	if (response->type.len > 0)
		out_format(&head, "Content-Type: %.*s\r\n", STR_FMT(response->type));
	/* RFC 9110 section 8.6: none for an answer that has no content. */
	if (response->code != 204)
		out_format(&head, "Content-Length: %zu\r\n", response->body.len);
	out_put(&head, out_str(&response->head));
	out_put(&head, STR("\r\n"));
	if (out_status(&head) != STATUS_OK || out_status(&response->body) != STATUS_OK || response->head.failed) {
		log_event(LOG_LEVEL_ERROR, "the answer found no memory");
		fcgi_answer_bare(fd, id);
		return;
	}
	struct str texts[] = {out_str(&head), out_str(&response->body)};
	bool whole = !str_eq(request->method, STR("HEAD")) && response->body.len > 0;
	write_records(fd, id, texts, whole ? 2 : 1);
}
