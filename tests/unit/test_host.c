#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "host.h"

static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1024 * 1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void
names_become_labels(void **state)
{
	(void)state;
	static const struct {
		struct str host, ascii;
	} cases[] = {
	    {STR_INIT("example.org"), STR_INIT("example.org")},
	    {STR_INIT("EXAMPLE.Org"), STR_INIT("example.org")},
	    {STR_INIT("localhost"), STR_INIT("localhost")},
	    {STR_INIT("a-b.example"), STR_INIT("a-b.example")},
	    {STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1")},
	    {STR_INIT("B\xc3\xbc"
		      "cher.example"),
		STR_INIT("xn--bcher-kva.example")},
	    {STR_INIT("b\xc3\x9c"
		      "cher.example"),
		STR_INIT("xn--bcher-kva.example")},
	    {STR_INIT("Bu\xcc\x88"
		      "cher.example"),
		STR_INIT("xn--bcher-kva.example")},
	    {STR_INIT("fa\xc3\x9f.de"), STR_INIT("xn--fa-hia.de")}, /* transitional would say fass.de */
	    {STR_INIT("\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82jp"), STR_INIT("xn--r8jz45g.jp")},
	    {STR_INIT("xn--bcher-kva.example"), STR_INIT("xn--bcher-kva.example")},
	    {STR_INIT("XN--BCHER-KVA.example"), STR_INIT("xn--bcher-kva.example")},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str ascii = STR_NONE;
		if (host_ascii(&arena, cases[i].host, &ascii) != STATUS_OK || !str_eq(ascii, cases[i].ascii))
			fail_msg("%.*s became %.*s", STR_FMT(cases[i].host), STR_FMT(ascii));
	}
}

static void
others_are_refused(void **state)
{
	(void)state;
	static const struct str hosts[] = {
	    STR_INIT(""),
	    STR_INIT("."),
	    STR_INIT("example.org."),
	    STR_INIT(".example.org"),
	    STR_INIT("a..b"),
	    STR_INIT("-a.org"),
	    STR_INIT("a-.org"),
	    STR_INIT("a_b.org"),
	    STR_INIT("\xc3\xbc_b.org"),
	    STR_INIT("a\xef\xbc\xbf"
		     "b.org"), /* the full-width underscore */
	    STR_INIT("a b.org"),
	    STR_INIT("a\0b.org"),
	    STR_INIT("a@b.org"),
	    STR_INIT("a/b.org"),
	    STR_INIT("[::1]"),
	    STR_INIT("a:80"),
	    STR_INIT("a\n.org"),
	    STR_INIT("<b>.org"),
	    STR_INIT("xn--a.org"),
	    STR_INIT("xn--\xc3\xbc.org"),
	    STR_INIT("xn--0.org"),
	    STR_INIT("\xff.org"),
	    STR_INIT("a\xe2\x80\x8b\xe2\x80\xae"
		     "b.org"),
	    STR_INIT("\xe2\x84\x80.org"), /* a/c by compatibility: STD 3 */
	    STR_INIT("\xcc\x81"
		     "a.org"),
	    STR_INIT("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.org"),
	};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct str ascii = STR_NONE;
		if (host_ascii(&arena, hosts[i], &ascii) != STATUS_INVALID)
			fail_msg("%.*s (%zu) became %.*s", STR_FMT(hosts[i]), i, STR_FMT(ascii));
	}
	struct str ascii;
	assert_int_equal(host_ascii(&arena, STR_NONE, &ascii), STATUS_INVALID);
}

/* `labels` labels of one letter: 2 * labels - 1 bytes. */
static struct str
chain(size_t labels, char letter)
{
	char *at = arena_alloc(&arena, 2 * labels);
	assert_non_null(at);
	for (size_t i = 0; i < labels; i++) {
		at[2 * i] = letter;
		at[2 * i + 1] = '.';
	}
	return (struct str){at, 2 * labels - 1};
}

static void
lengths_are_bounded(void **state)
{
	(void)state;
	struct str ascii;
	assert_int_equal(host_ascii(&arena, chain(127, 'a'), &ascii), STATUS_OK);
	assert_int_equal(ascii.len, HOST_MAX);
	assert_int_equal(host_ascii(&arena, chain(128, 'a'), &ascii), STATUS_INVALID);
	assert_int_equal(host_ascii(&arena, chain(100000, 'a'), &ascii), STATUS_INVALID);
}

static void
no_memory_is_told(void **state)
{
	(void)state;
	struct arena small;
	arena_init(&small, 8);
	struct str ascii;
	assert_int_equal(host_ascii(&small, STR("example.org"), &ascii), STATUS_BROKEN);
	arena_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_become_labels),
	    cmocka_unit_test(others_are_refused),
	    cmocka_unit_test(lengths_are_bounded),
	    cmocka_unit_test(no_memory_is_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
