/* Which address is whose, and headers that cannot split an answer. */
#include "room.h"

#include "fcgi.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(addresses_have_methods),
	    TEST(headers_cannot_split_an_answer),
	};
	return cmocka_run_group_tests_name("fcgi", tests, NULL, NULL);
}
