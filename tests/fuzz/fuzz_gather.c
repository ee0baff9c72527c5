/*
 * The beginning of a connection: what was refused stays so, what is whole stays that, however much
 * follows and in whatever pieces it comes; and what is written down again is a whole request.
 */
#include "fuzz.h"

#include <unistd.h>

#include "fcgi_gather.h"

enum { READ_BACK = 1024 * 1024 };

static void
check_file(const struct fcgi_collect *collect)
{
	static uint8_t again[READ_BACK];
	int fd = fcgi_collect_file(collect);
	MUST(fd >= 0);
	ssize_t n = read(fd, again, sizeof again);
	close(fd);
	MUST(n > 0 && n < READ_BACK);
	struct fcgi_collect copy;
	fcgi_collect_begin(&copy, collect->body_most + 1);
	MUST(fcgi_collect_feed(&copy, again, (size_t)n) == FCGI_GATHER_WHOLE);
	MUST(copy.params.len == collect->params.len && copy.body.len == collect->body.len);
	MUST(copy.body.len == 0 || memcmp(copy.body.at, collect->body.at, copy.body.len) == 0);
	fcgi_collect_free(&copy);
}

static enum fcgi_gather_state
feed_in_pieces(struct str input, size_t piece)
{
	enum fcgi_gather_state state = FCGI_GATHER_PART;
	struct fcgi_collect collect;
	fcgi_collect_begin(&collect, 100);
	for (size_t at = 0; state == FCGI_GATHER_PART && at < input.len; at += piece) {
		/* A copy of its own size: a sanitizer sees each byte too many. */
		size_t len = input.len - at < piece ? input.len - at : piece;
		uint8_t *bytes = malloc(len);
		MUST(bytes != NULL);
		memcpy(bytes, input.at + at, len);
		state = fcgi_collect_feed(&collect, bytes, len);
		free(bytes);
		MUST(collect.body.len <= 101 && collect.params.len <= FCGI_PARAMS_MOST);
	}
	if (state == FCGI_GATHER_WHOLE)
		check_file(&collect);
	fcgi_collect_free(&collect);
	return state;
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	(void)arena;
	enum fcgi_gather_state whole = feed_in_pieces(input, input.len + 1);
	MUST(feed_in_pieces(input, 1) == whole);
	MUST(feed_in_pieces(input, 1 + input.len % 7) == whole);
	enum fcgi_gather_state last = FCGI_GATHER_PART;
	size_t step = input.len > 256 ? 61 : 1;
	for (size_t len = 0; len <= input.len; len += step) {
		enum fcgi_gather_state state = fcgi_gather_state((const uint8_t *)input.at, len);
		MUST(last == FCGI_GATHER_PART || state == last);
		last = state;
	}
}
