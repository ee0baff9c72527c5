/* Letters: what stands in the fields never becomes a header, a second message, or an early end. */
#include "letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "out.h"

static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 22);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct letter
plain(void)
{
	return (struct letter){.from = STR("comments@example.org"), .from_name = STR("The Post"), .to = STR("ann@example.org"),
	    .subject = STR("3 replies wait"), .event = STR("waiting.1.2.3.abc"), .body = STR("One line\nanother\n"),
	    .made_at = 1795462200};
}

static const char *
written(const struct letter *letter)
{
	struct out out;
	out_init(&out, &arena);
	assert_int_equal(letter_write(&out, letter), STATUS_OK);
	return str_c(&arena, out_str(&out));
}

/* The header lines of a message: how many there are; folded ones count as one. */
static int
headers_of(const char *message)
{
	int n = 0;
	for (const char *line = message; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2)
		n += line[0] != ' ';
	return n;
}

static void
check_lines(const char *message)
{
	for (const char *line = message; *line != '\0';) {
		const char *end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_true(end - line <= 78);
		assert_null(memchr(line, '\n', (size_t)(end - line)));
		assert_null(memchr(line, '\r', (size_t)(end - line)));
		for (const char *c = line; c < end; c++)
			assert_true(*c >= ' ' && *c <= '~');
		line = end + 2;
	}
}

static void
test_plain(void **state)
{
	(void)state;
	struct letter letter = plain();
	assert_string_equal(written(&letter),
	    "Date: Mon, 23 Nov 2026 19:30:00 +0000\r\n"
	    "From: =?utf-8?Q?=54=68=65=20=50=6F=73=74?=\r\n <comments@example.org>\r\n"
	    "To: <ann@example.org>\r\n"
	    "Message-ID: <waiting.1.2.3.abc@example.org>\r\n"
	    "Subject: =?utf-8?Q?=33=20=72=65=70=6C=69=65=73=20=77=61=69=74?=\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n"
	    "One line\r\nanother\r\n");
}

static void
test_nothing_becomes_a_header(void **state)
{
	(void)state;
	static const struct str bad[] = {STR_INIT("x\r\nBcc: eve@example.org"), STR_INIT("x\nBcc: eve@example.org"),
	    STR_INIT("x\rBcc: eve"), STR_INIT("x\r\n\r\nbody"), STR_INIT("x\0\r\n.\r\nDATA"), STR_INIT("?=\r\nBcc: eve"),
	    STR_INIT("=?utf-8?Q?=0D=0ABcc:?="), STR_INIT("\xff\xfe\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80")};
	struct letter letter = plain();
	int right = headers_of(written(&letter));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		letter = plain();
		letter.subject = letter.from_name = bad[i];
		const char *message = written(&letter);
		assert_int_equal(headers_of(message), right);
		assert_null(strstr(message, "Bcc"));
		check_lines(message);
	}
}

static void
test_no_early_end(void **state)
{
	(void)state;
	struct letter letter = plain();
	letter.body = STR(".\n..\n.x\nFrom here\nTo: x\n\n trailing \n=\n\r\n.\r\n\0");
	const char *message = written(&letter), *body = strstr(message, "\r\n\r\n") + 4;
	assert_string_equal(body, "=2E\r\n=2E=2E\r\n=2Ex\r\n=46rom here\r\nTo: x\r\n\r\n=20trailing=20\r\n=3D\r\n=0D\r\n=2E=0D\r\n=00\r\n");
	check_lines(message);
}

static void
test_long_lines(void **state)
{
	(void)state;
	static char long_line[5000];
	struct letter letter = plain();
	for (size_t i = 0; i < sizeof long_line; i++)
		long_line[i] = i % 3 == 0 ? '.' : i % 3 == 1 ? (char)0xc3 : (char)0xa9;
	letter.body = (struct str){long_line, sizeof long_line};
	const char *message = written(&letter);
	check_lines(message);
	assert_null(strstr(message, "\r\n."));
	memset(long_line, 'a', sizeof long_line);
	long_line[200] = ' ';
	letter.body = letter.subject = letter.from_name = (struct str){long_line, sizeof long_line};
	check_lines(written(&letter));
}

static void
test_addresses(void **state)
{
	(void)state;
	static const struct str bad[] = {STR_INIT(""), STR_INIT("a b@example.org"), STR_INIT("a@example.org\r\nBcc: x"),
	    STR_INIT("<a@example.org>"), STR_INIT("a@example.org,b@example.org"), STR_INIT("\"a\"@example.org"), STR_INIT("\xc3\xa9@example.org")};
	struct out out;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		for (int which = 0; which < 3; which++) {
			struct letter letter = plain();
			*(which == 0 ? &letter.from : which == 1 ? &letter.to : &letter.event) = bad[i];
			out_init(&out, &arena);
			assert_int_equal(letter_write(&out, &letter), STATUS_INVALID);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_plain),
	    TEST(test_nothing_becomes_a_header),
	    TEST(test_no_early_end),
	    TEST(test_long_lines),
	    TEST(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
