/* What counts as an e-mail, a website and a network. */
#include "room.h"

#include "address.h"

static struct str
repeated(struct room *room, char c, size_t n)
{
	char *at = arena_alloc(&room->arena, n + 1);
	memset(at, c, n);
	return (struct str){at, n};
}

/* https://html.spec.whatwg.org/#valid-e-mail-address, with domains in Unicode. */
static void
emails_follow_the_html_standard(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *typed, *email; /* NULL: invalid */
	} cases[] = {
	    {"a@b", "a@b"},
	    {"ada@example.org", "ada@example.org"},
	    {"Ada.Lovelace+x@Example.ORG", "Ada.Lovelace+x@example.org"},
	    {".a..b.@example.org", ".a..b.@example.org"},
	    {"!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org"},
	    {"a@sub-domain.example", "a@sub-domain.example"},
	    {"a@1.2.3", "a@1.2.3"},
	    {"a@b\xc3\xbc" "cher.example", "a@xn--bcher-kva.example"},
	    {"a@B\xc3\x9c" "CHER.example", "a@xn--bcher-kva.example"},
	    {"a@bu\xcc\x88" "cher.example", "a@xn--bcher-kva.example"},
	    {"a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
	    {"a@\xe4\xbe\x8b\xe5\xad\x90.example", "a@xn--fsqu00a.example"},
	    {"", NULL},
	    {"@", NULL},
	    {"a", NULL},
	    {"a@", NULL},
	    {"@b", NULL},
	    {"a@b@c", NULL},
	    {"a b@c", NULL},
	    {"a@b c", NULL},
	    {"a@b..c", NULL},
	    {"a@.b", NULL},
	    {"a@b.", NULL},
	    {"a@-b", NULL},
	    {"a@b-", NULL},
	    {"a@b_c", NULL},
	    {"a@b-.c", NULL},
	    {"a,b@c", NULL},
	    {"\"a\"@b", NULL},
	    {"a@[127.0.0.1]", NULL},
	    {"<a@b>", NULL},
	    {"a(x)@b", NULL},
	    {"a@b:25", NULL},
	    {"a@b/c", NULL},
	    {"a\\@b", NULL},
	    {"\xc3\xa4@b", NULL},
	    {"a@b\r\nBcc: c@d", NULL},
	    {"a\n@b", NULL},
	    {"a@\xff", NULL},
	    {"a@xn--\xc3\xbc", NULL},
	    {"a@b%00", NULL},
	    {"mailto:a@b", NULL},
	    {"a@\xe2\x80\x8b" "b\xe2\x80\x8b_", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str email = STR_NONE;
		enum status status = address_email(&room->arena, str_from(cases[i].typed), &email);
		if (status != (cases[i].email == NULL ? STATUS_INVALID : STATUS_OK))
			fail_msg("%s: %s", cases[i].typed, status_name(status));
		if (status == STATUS_OK)
			assert_str(email, cases[i].email);
	}
	struct str email;
	assert_int_equal(address_email(&room->arena, STR("a\0@b"), &email), STATUS_INVALID);
	assert_int_equal(address_email(&room->arena, STR("a@b\0c"), &email), STATUS_INVALID);
	assert_int_equal(address_email(&room->arena, STR_NONE, &email), STATUS_INVALID);
}

static void
emails_have_254_bytes_at_most(void **state)
{
	struct room *room = *state;
	struct arena *arena = &room->arena;
	struct str email, domain = STR("@example.org");
	struct str most = str_join(arena, repeated(room, 'a', 254 - domain.len), domain);
	OK(address_email(arena, most, &email));
	assert_int_equal(email.len, 254);
	assert_int_equal(address_email(arena, str_join(arena, STR("a"), most), &email), STATUS_TOO_LARGE);
	/* What counts is the form with A-labels, which is longer. */
	struct str local = repeated(room, 'a', 230);
	struct str typed = str_join(arena, local, STR("@b\xc3\xbc" "cher.example.org"));
	assert_true(typed.len <= 254);
	assert_int_equal(address_email(arena, typed, &email), STATUS_TOO_LARGE);
	/* A label has 63 bytes at most. */
	struct str label = str_join(arena, STR("a@"), repeated(room, 'b', 63));
	OK(address_email(arena, label, &email));
	assert_int_equal(address_email(arena, str_join(arena, label, STR("b")), &email), STATUS_INVALID);
	assert_int_not_equal(address_email(arena, repeated(room, 'a', 1000000), &email), STATUS_OK);
	assert_int_not_equal(
	    address_email(arena, str_join(arena, STR("a@"), repeated(room, 'b', 1000000)), &email), STATUS_OK);
}

static void
websites_are_http_and_nothing_else(void **state)
{
	struct room *room = *state;
	static const char *const good[] = {"http://a.example", "https://a.example/", "HTTPS://A.example/x?y#z",
	    "https://a.example:8080/", "https://a.example:1", "https://a.example:65535/", "https://[::1]/",
	    "https://[2001:db8::1]:80/x", "https://127.0.0.1/", "https://b\303\274cher.example/\xc3\xa4",
	    "https://xn--bcher-kva.example/", "https://localhost", "https://a.example?x@y", "https://a.example#@",
	    "https://a.example/@user", "https://a.example/a:b@c"};
	static const char *const bad[] = {"", "a.example", "www.a.example", "//a.example", "ftp://a.example",
	    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x",
	    "http:a.example", "http:/a.example", "http://", "https:///a", "https://?x", "https://#x", " https://a.example",
	    "https://a.example ", "https://a.example/a b", "https://a.example/\"", "https://a.example/'",
	    "https://a.example/`", "https://a.example/<", "https://a.example/>", "https://a.example\\x",
	    "https://a.example/\\", "https://u@a.example", "https://u:p@a.example/", "https://a.example:0",
	    "https://a.example:65536", "https://a.example:", "https://a.example:8a", "https://a.example:-1",
	    "https://a.example:+1", "https://a.example:000001", "https://[::1", "https://[::1]x", "https://[x]",
	    "https://[]", "https://[::1]:", "https://[::1%lo]/", "https://a..example", "https://-a.example",
	    "https://a_b.example", "https://a.example/\n", "https://a.example/\x7f", "https://a.example/\xc2\x85",
	    "https://a.example/\xc2\xa0", "https://%61.example", "https://a.example\t/", "&#106;avascript:x"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (address_website(&room->arena, str_from(good[i])) != STATUS_OK)
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (address_website(&room->arena, str_from(bad[i])) != STATUS_INVALID)
			fail_msg("%s was not refused", bad[i]);
	assert_int_equal(address_website(&room->arena, STR("https://a.example/\0")), STATUS_INVALID);
	struct str most = str_join(&room->arena, STR("https://a.example/"), repeated(room, 'x', 2000 - 18));
	OK(address_website(&room->arena, most));
	assert_int_equal(address_website(&room->arena, str_join(&room->arena, most, STR("x"))), STATUS_TOO_LARGE);
}

static void
networks_are_cut(void **state)
{
	struct room *room = *state;
	static const char *const cases[][2] = {
	    {"192.0.2.77", "192.0.2.0/24"},
	    {"255.255.255.255", "255.255.255.0/24"},
	    {"0.0.0.0", "0.0.0.0/24"},
	    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	    {"2001:DB8:1:2::1", "2001:db8:1:2::/64"},
	    {"2001:db8::1", "2001:db8:0:0::/64"},
	    {"::1", "0:0:0:0::/64"},
	    {"::ffff:192.0.2.77", "192.0.2.0/24"},
	    {"::ffff:c000:24d", "192.0.2.0/24"},
	    {"", "unknown"},
	    {"unix:", "unknown"},
	    {"192.0.2", "unknown"},
	    {"192.0.2.256", "unknown"},
	    {"192.0.2.7:80", "unknown"},
	    {" 192.0.2.7", "unknown"},
	    {"192.0.2.07", "unknown"},
	    {"[::1]", "unknown"},
	    {"fe80::1%eth0", "unknown"},
	    {"1:2:3:4:5:6:7:8:9", "unknown"},
	    {"192.0.2.7, 198.51.100.1", "unknown"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_str(address_network(&room->arena, str_from(cases[i][0])), cases[i][1]);
	assert_str(address_network(&room->arena, STR_NONE), "unknown");
	assert_str(address_network(&room->arena, STR("192.0.2.7\0x")), "unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(emails_follow_the_html_standard),
	    TEST(emails_have_254_bytes_at_most),
	    TEST(websites_are_http_and_nothing_else),
	    TEST(networks_are_cut),
	};
	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
