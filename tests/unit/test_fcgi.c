/* Which address is whose, headers that cannot split an answer, and what is no request. */
#include "room.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi.h"
#include "fcgi_gather.h"

static void
one(void *door, struct fcgi_request *request, struct fcgi_response *response)
{
	(void)door;
	(void)request;
	response->code = 201;
}

static const struct fcgi_route routes[] = {
    {"GET", "/form", one, 1},
    {"POST", "/reply", one, 2},
    {"GET", "/receipt/*", one, 3},
    {"GET", "/edit", one, 4},
    {"POST", "/edit", one, 5},
    {"GET", "/", one, 6},
};

static void
addresses_have_methods(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *method, *path;
		unsigned flags; /* of the route; 0: none */
		const char *allow, *rest;
	} cases[] = {
	    {"GET", "/form", 1, "", NULL},
	    {"HEAD", "/form", 1, "", NULL},
	    {"POST", "/form", 0, "GET, HEAD", NULL},
	    {"OPTIONS", "/form", 0, "GET, HEAD", NULL},
	    {"get", "/form", 0, "GET, HEAD", NULL},
	    {"", "/form", 0, "GET, HEAD", NULL},
	    {"GETX", "/form", 0, "GET, HEAD", NULL},
	    {"TRACE", "/reply", 0, "POST", NULL},
	    {"GET", "/reply", 0, "POST", NULL},
	    {"HEAD", "/reply", 0, "POST", NULL},
	    {"POST", "/reply", 2, "", NULL},
	    {"DELETE", "/edit", 0, "GET, HEAD, POST", NULL},
	    {"POST", "/edit", 5, "", NULL},
	    {"HEAD", "/edit", 4, "", NULL},
	    {"GET", "/receipt/abc", 3, "", "abc"},
	    {"GET", "/receipt/", 3, "", ""},
	    {"GET", "/receipt/a/b*", 3, "", "a/b*"},
	    {"POST", "/receipt/abc", 0, "GET, HEAD", NULL},
	    {"GET", "/receipt", 0, "", NULL},
	    {"GET", "/forms", 0, "", NULL},
	    {"GET", "/for", 0, "", NULL},
	    {"GET", "/form/", 0, "", NULL},
	    {"GET", "/Form", 0, "", NULL},
	    {"GET", "", 0, "", NULL},
	    {"GET", "/", 6, "", NULL},
	    {"GET", "//", 0, "", NULL},
	    {"GET", "*", 0, "", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fcgi_request request = {.arena = &room->arena, .method = str_from(cases[i].method)};
		struct str allow = STR_NONE;
		const struct fcgi_route *route =
		    fcgi_route(routes, sizeof routes / sizeof *routes, &request, str_from(cases[i].path), &allow);
		if ((route == NULL ? 0 : route->flags) != cases[i].flags || !str_eq(allow, str_from(cases[i].allow)))
			fail_msg("%s %s: %.*s", cases[i].method, cases[i].path, STR_FMT(allow));
		if (cases[i].rest != NULL)
			assert_str(request.rest, cases[i].rest);
	}
	struct fcgi_request request = {.arena = &room->arena, .method = STR("GET")};
	struct str allow;
	assert_null(fcgi_route(routes, 0, &request, STR("/form"), &allow));
	assert_null(fcgi_route(routes, 6, &request, STR_NONE, &allow));
	assert_int_equal(allow.len, 0);
}

static void
headers_cannot_split_an_answer(void **state)
{
	struct room *room = *state;
	struct fcgi_response response = {.code = 200};
	out_init(&response.head, &room->arena);
	fcgi_header(&response, "Location", STR("/a?b=\xc3\xa4"));
	const struct str bad[] = {STR("a\r\nSet-Cookie: x=y"), STR("a\nb"), STR("a\rb"), STR("a\0b"), STR("a\tb"),
	    STR("\x1b"), STR("a\x7f"), STR("\r\n")};
	room_listen(room);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		fcgi_header(&response, "Evil", bad[i]);
	struct str heard = room_heard(room);
	fcgi_header(&response, "Empty", STR(""));
	assert_str(out_str(&response.head), "Location: /a?b=\xc3\xa4\r\nEmpty: \r\n");
	assert_holds(heard, "header Evil dropped");
	assert_holds_not(heard, "Set-Cookie");
}

/* --- what a worker may see --- */

#define BEGIN "\1\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0"
#define PARAMS "\1\4\0\1\0\5\0\0" "\1\2abc"
#define PARAMS_END "\1\4\0\1\0\0\0\0"
#define STDIN "\1\5\0\1\0\3\2\0" "abc\0\0"
#define STDIN_END "\1\5\0\1\0\0\0\0"

static void
only_requests_are_gathered(void **state)
{
	static const struct {
		struct str bytes;
		enum fcgi_gather_state is;
	} cases[] = {
	    {STR_INIT(""), FCGI_GATHER_PART},
	    {STR_INIT(BEGIN), FCGI_GATHER_PART},
	    {STR_INIT(BEGIN PARAMS), FCGI_GATHER_PART},
	    {STR_INIT(BEGIN PARAMS PARAMS_END), FCGI_GATHER_PART},
	    {STR_INIT(BEGIN PARAMS PARAMS_END STDIN), FCGI_GATHER_PART},
	    {STR_INIT(BEGIN PARAMS PARAMS_END STDIN STDIN_END), FCGI_GATHER_WHOLE},
	    {STR_INIT(BEGIN PARAMS PARAMS_END STDIN_END), FCGI_GATHER_WHOLE},
	    {STR_INIT(BEGIN PARAMS_END STDIN_END), FCGI_GATHER_WHOLE},
	    {STR_INIT(BEGIN PARAMS PARAMS PARAMS_END STDIN_END), FCGI_GATHER_WHOLE},
	    /* A pair across two records, and a name of four bytes of length. */
	    {STR_INIT(BEGIN "\1\4\0\1\0\2\0\0" "\1\2" "\1\4\0\1\0\3\0\0" "abc" PARAMS_END STDIN_END), FCGI_GATHER_WHOLE},
	    {STR_INIT(BEGIN "\1\4\0\1\0\6\0\0" "\x80\0\0\1\0a" PARAMS_END STDIN_END), FCGI_GATHER_WHOLE},
	    {STR_INIT("GET / HTTP/1.1\r\n\r\n"), FCGI_GATHER_BROKEN},
	    {STR_INIT(PARAMS), FCGI_GATHER_BROKEN},                               /* nothing was begun */
	    {STR_INIT(BEGIN BEGIN), FCGI_GATHER_BROKEN},                          /* twice */
	    {STR_INIT("\1\1\0\0\0\10\0\0" "\0\1\0\0\0\0\0\0"), FCGI_GATHER_BROKEN}, /* id 0 */
	    {STR_INIT("\1\1\0\1\0\3\0\0" "\0\1\0"), FCGI_GATHER_BROKEN},       /* short */
	    {STR_INIT("\1\1\0\1\0\10\0\0" "\0\2\0\0\0\0\0\0"), FCGI_GATHER_BROKEN}, /* an authoriser */
	    {STR_INIT("\2\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0"), FCGI_GATHER_BROKEN}, /* version 2 */
	    {STR_INIT(BEGIN "\1\11\0\0\0\0\0\0"), FCGI_GATHER_BROKEN},          /* management */
	    {STR_INIT(BEGIN PARAMS PARAMS_END "\1\11\0\0\0\0\0\0"), FCGI_GATHER_BROKEN},
	    {STR_INIT(BEGIN "\1\4\0\2\0\5\0\0" "\1\2abc"), FCGI_GATHER_BROKEN}, /* somebody else's */
	    {STR_INIT(BEGIN "\1\2\0\1\0\0\0\0"), FCGI_GATHER_BROKEN},           /* aborted */
	    {STR_INIT(BEGIN PARAMS STDIN), FCGI_GATHER_BROKEN},                   /* parameters without end */
	    {STR_INIT(BEGIN PARAMS PARAMS_END PARAMS), FCGI_GATHER_BROKEN},
	    {STR_INIT(BEGIN "\1\4\0\1\0\5\0\0" "\1\3abc" PARAMS_END), FCGI_GATHER_BROKEN}, /* a pair cut off */
	    {STR_INIT(BEGIN "\1\4\0\1\0\1\0\0" "\x80" PARAMS_END), FCGI_GATHER_BROKEN},
	    {STR_INIT(BEGIN "\1\4\0\1\0\11\0\0" "\1\xff\xff\xff\xff" "abcd"), FCGI_GATHER_BROKEN},
	    {STR_INIT(BEGIN "\1\4\0\1\0\11\0\0" "\xff\xff\xff\xff\1" "abcd"), FCGI_GATHER_BROKEN},
	    {STR_INIT(BEGIN "\1\4\0\1\0\3\0\0" "\0\1a"), FCGI_GATHER_BROKEN},   /* no name */
	    {STR_INIT(BEGIN "\1\4\0\1\0\5\0\0" "\3\0a\0b"), FCGI_GATHER_BROKEN}, /* NUL in it */
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const uint8_t *bytes = (const uint8_t *)cases[i].bytes.at;
		if (fcgi_gather_state(bytes, cases[i].bytes.len) != cases[i].is)
			fail_msg("case %zu", i);
		/* Cut anywhere, a request is a part of one. */
		for (size_t len = 0; cases[i].is != FCGI_GATHER_BROKEN && len < cases[i].bytes.len; len++)
			if (fcgi_gather_state(bytes, len) != FCGI_GATHER_PART)
				fail_msg("case %zu cut at %zu", i, len);
	}
}

/* --- what comes in pieces --- */

static struct str
collected(struct room *room, const uint8_t *bytes, size_t len, size_t piece, size_t body_most)
{
	struct fcgi_collect collect;
	enum fcgi_gather_state state = FCGI_GATHER_PART;
	fcgi_collect_begin(&collect, body_most);
	for (size_t at = 0; at < len; at += piece)
		state = fcgi_collect_feed(&collect, bytes + at, len - at < piece ? len - at : piece);
	assert_int_equal(state, FCGI_GATHER_WHOLE);
	int fd = fcgi_collect_file(&collect);
	assert_true(fd >= 0);
	char *written = arena_alloc(&room->arena, len + 4096);
	ssize_t n = read(fd, written, len + 4096);
	assert_true(n > 0);
	close(fd);
	fcgi_collect_free(&collect);
	assert_int_equal(fcgi_collect_size(&collect), 0);
	return (struct str){written, (size_t)n};
}

static void
pieces_make_the_same_request(void **state)
{
	struct room *room = *state;
	/* Padding, a pair across records, an id of its own. */
	static const char sent[] = "\1\1\7\7\0\10\1\0" "\0\1\1\0\0\0\0\0" "x"
	                           "\1\4\7\7\0\2\0\0" "\1\2" "\1\4\7\7\0\3\2\0" "abc" "yy" "\1\4\7\7\0\0\3\0" "zzz"
	                           "\1\5\7\7\0\3\0\0" "abc" "\1\5\7\7\0\2\0\0" "de" "\1\5\7\7\0\0\0\0";
	static const char whole[] = "\1\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0" "\1\4\0\1\0\5\0\0" "\1\2abc" "\1\4\0\1\0\0\0\0"
	                            "\1\5\0\1\0\5\0\0" "abcde" "\1\5\0\1\0\0\0\0";
	static const char cut[] = "\1\1\0\1\0\10\0\0" "\0\1\0\0\0\0\0\0" "\1\4\0\1\0\5\0\0" "\1\2abc" "\1\4\0\1\0\0\0\0"
	                          "\1\5\0\1\0\4\0\0" "abcd" "\1\5\0\1\0\0\0\0";
	for (size_t piece = 1; piece <= sizeof sent; piece++) {
		struct str got = collected(room, (const uint8_t *)sent, sizeof sent - 1, piece, 5);
		assert_true(str_eq(got, (struct str){whole, sizeof whole - 1}));
		/* Of a body that is too large one byte more than the limit. */
		got = collected(room, (const uint8_t *)sent, sizeof sent - 1, piece, 3);
		assert_true(str_eq(got, (struct str){cut, sizeof cut - 1}));
	}
}

static void
what_never_ends_is_refused(void **state)
{
	(void)state;
	static const char params[] = BEGIN "\1\4\0\1\x80\0\0\0", body[] = BEGIN PARAMS_END;
	static const uint8_t record[8 + 0x8000] = {1, 5, 0, 1, 0x80, 0, 0, 0}, names[0x8000];
	struct fcgi_collect collect;
	enum fcgi_gather_state is = FCGI_GATHER_PART;
	size_t n = 0;
	fcgi_collect_begin(&collect, 1000);
	is = fcgi_collect_feed(&collect, (const uint8_t *)body, sizeof body - 1);
	for (; is == FCGI_GATHER_PART && n < 1000; n++)
		is = fcgi_collect_feed(&collect, record, sizeof record);
	assert_int_equal(is, FCGI_GATHER_BROKEN);
	assert_in_range(n, FCGI_DROPPED_MOST / 0x8000, FCGI_DROPPED_MOST / 0x8000 + 2);
	assert_in_range(fcgi_collect_size(&collect), 1, 64 * 1024);
	fcgi_collect_free(&collect);
	is = fcgi_collect_feed(&collect, (const uint8_t *)params, sizeof params - 1);
	for (n = 0; is == FCGI_GATHER_PART && n < 1000; n++) {
		is = fcgi_collect_feed(&collect, names, sizeof names);
		if (is == FCGI_GATHER_PART)
			is = fcgi_collect_feed(&collect, (const uint8_t *)params + sizeof params - 9, 8);
	}
	assert_int_equal(is, FCGI_GATHER_BROKEN);
	assert_in_range(n, 2, FCGI_PARAMS_MOST / 0x8000 + 2);
	fcgi_collect_free(&collect);
}

/* Somebody else may hold the socket as well, and have taken whoever came. */
static void
nobody_waits_for_the_next_to_come(void **state)
{
	(void)state;
	const struct sockaddr nameless = {.sa_family = AF_UNIX};
	struct fcgi_gather *gather;
	int wake[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(pipe(wake), 0);
	assert_int_equal(bind(listener, &nameless, sizeof nameless.sa_family), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(fcgi_gather_open(listener, wake[0], 1, 100, &gather), STATUS_OK);
	alarm(30); /* ends a test that waits after all */
	assert_int_equal(accept(listener, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	alarm(0);
	fcgi_gather_close(gather);
	close(listener);
	close(wake[0]);
	close(wake[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(addresses_have_methods),
	    TEST(headers_cannot_split_an_answer),
	    TEST(only_requests_are_gathered),
	    TEST(pieces_make_the_same_request),
	    TEST(what_never_ends_is_refused),
	    TEST(nobody_waits_for_the_next_to_come),
	};
	return cmocka_run_group_tests_name("fcgi", tests, NULL, NULL);
}
