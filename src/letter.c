#include "letter.h"

#include <stdbool.h>

#include "when.h"

enum {
	LINE = 76,         /* bytes of a quoted-printable line (RFC 2045 section 6.7) */
	WORD_BYTES = 15    /* of text in an encoded word: three characters each, 75 with its frame (RFC 2047) */
};

static const char hex[] = "0123456789ABCDEF";

/* Visible ASCII without what has a meaning in headers. */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] >= 0x7f || str_has(STR("<>,;:\"()[]\\"), s.at[i]))
			return false;
	return s.len > 0;
}

static void
put_escaped(struct out *out, unsigned char byte)
{
	out_byte(out, '=');
	out_byte(out, hex[byte >> 4]);
	out_byte(out, hex[byte & 15]);
}

/* Is this the first byte of a character? */
static bool
begins(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* The longest beginning of at most `most` bytes that ends with a character. */
static struct str
cut_whole(struct str text, size_t most)
{
	size_t len = text.len < most ? text.len : most;
	while (len < text.len && len > 0 && !begins(text.at[len]))
		len--;
	return str_sub(text, 0, len);
}

/*
 * Any text in a header, as encoded words with a fold between them: each holds whole characters (RFC 2047
 * section 5).  Always encoded, also where it need not be: one way is easier to trust than two.
 */
static void
put_words(struct out *out, struct str text)
{
	bool first = true;
	while (text.len > 0) {
		struct str piece = cut_whole(text, WORD_BYTES);
		if (piece.len == 0)
			piece = str_sub(text, 0, 1);
		out_put(out, first ? STR("=?utf-8?Q?") : STR("\r\n =?utf-8?Q?"));
		for (size_t i = 0; i < piece.len; i++)
			put_escaped(out, (unsigned char)piece.at[i]);
		out_put(out, STR("?="));
		text = str_sub(text, piece.len, text.len);
		first = false;
	}
}

/* --- the body ------------------------------------------------------------------------------------ */

/* A line as quoted-printable; a dot or blank at an end is escaped, so that nobody takes it off or for the end. */
static void
put_line(struct out *out, struct str line)
{
	size_t room = LINE - 1;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char byte = (unsigned char)line.at[i];
		bool edge = i == 0 || i + 1 == line.len;
		bool bare = byte > ' ' && byte < 0x7f && byte != '=' && !(edge && byte == '.');
		bare = bare || (byte == ' ' && !edge);
		/* "From " at a line's beginning is changed by some mailboxes. */
		if (i == 0 && byte == 'F')
			bare = false;
		size_t takes = bare ? 1 : 3;
		if (takes > room) {
			out_put(out, STR("=\r\n"));
			room = LINE - 1;
			bare = bare && byte != '.' && byte != ' ' && byte != 'F';
			takes = bare ? 1 : 3;
		}
		if (bare)
			out_byte(out, (char)byte);
		else
			put_escaped(out, byte);
		room -= takes;
	}
	out_put(out, STR("\r\n"));
}

static void
put_body(struct out *out, struct str body)
{
	while (body.at != NULL && body.len > 0)
		put_line(out, str_cut(&body, '\n'));
}

/* --- the whole ------------------------------------------------------------------------------------- */

static struct str
domain_of(struct str address)
{
	size_t at = str_find(address, '@');
	return at < address.len ? str_sub(address, at + 1, address.len) : STR("localhost");
}

static void
put_address(struct out *out, const char *name, struct str called, struct str address)
{
	out_format(out, "%s: ", name);
	put_words(out, called);
	out_format(out, "%s<%.*s>\r\n", called.len > 0 ? "\r\n " : "", STR_FMT(address));
}

enum status
letter_write(struct out *out, const struct letter *letter)
{
	if (!is_token(letter->from) || !is_token(letter->to) || !is_token(letter->event) || str_has(letter->event, '@'))
		return STATUS_INVALID;
	out_format(out, "Date: %.*s\r\n", STR_FMT(when_rfc5322(out->arena, letter->made_at)));
	put_address(out, "From", letter->from_name, letter->from);
	put_address(out, "To", STR(""), letter->to);
	out_format(out, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(letter->event), STR_FMT(domain_of(letter->from)));
	out_put(out, STR("Subject: "));
	put_words(out, cut_whole(letter->subject, LETTER_SUBJECT));
	out_put(out, STR("\r\nAuto-Submitted: auto-generated\r\n" /* RFC 3834: no vacation notes in return */
	                 "MIME-Version: 1.0\r\n"
	                 "Content-Type: text/plain; charset=utf-8\r\n"
	                 "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
	put_body(out, letter->body);
	return out_status(out);
}
