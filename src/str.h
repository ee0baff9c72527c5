/*
 * str.h - a string is a pointer and a length.
 *
 * A `struct str` owns nothing and need not end in NUL.  `at == NULL` means «not there» (SQL NULL,
 * a field that was not sent) and has length 0; an empty string that is there has `at != NULL`.
 * Bytes are UTF-8 wherever a function does not say otherwise.
 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"

struct str {
	const char *at;
	size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* The same where a constant expression is wanted (tables). */
#define STR_INIT(literal) {"" literal, sizeof(literal) - 1}
#define STR_NONE ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_FMT(s)). */
#define STR_FMT(s) (int)(s).len, (s).at == NULL ? "" : (s).at

/* The NUL-terminated string `c` without its NUL; NULL gives STR_NONE. */
struct str str_from(const char *c);

bool str_eq(struct str a, struct str b);          /* same bytes; STR_NONE equals empty */
bool str_eq_nocase(struct str a, struct str b);   /* same but for ASCII case */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_has(struct str s, char byte);

/* The part from `from` (clamped) of at most `len` bytes. */
struct str str_sub(struct str s, size_t from, size_t len);

/* Index of the first `byte`, or s.len. */
size_t str_find(struct str s, char byte);

/* Index of the first occurrence of `needle`, or s.len. */
size_t str_search(struct str s, struct str needle);

/* Without ASCII white space (space, TAB, CR, LF) at both ends. */
struct str str_trim(struct str s);

/*
 * Cuts the first piece off `rest` at `byte`: the piece is returned, `rest` moves behind the byte.
 * When `rest` is used up it becomes STR_NONE; so `while (rest.at != NULL)` walks all the pieces.
 */
struct str str_cut(struct str *rest, char byte);

/* A copy in `arena`, with a NUL behind it; STR_NONE when memory fails (and for STR_NONE). */
struct str str_copy(struct arena *arena, struct str s);

/* A NUL-terminated copy, or NULL when memory fails. A NUL inside `s` is kept: check before. */
char *str_c(struct arena *arena, struct str s);

/* a followed by b, in `arena`, with a NUL behind it; STR_NONE when memory fails. */
struct str str_join(struct arena *arena, struct str a, struct str b);

/* printf into `arena`; STR_NONE when memory fails. */
struct str str_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A whole decimal number: digits with at most one leading '-', no white space, in range; else INVALID. */
MUST_USE enum status str_integer(struct str s, int64_t *value);

/* Lower-case hexadecimal of `len` bytes, in `arena`. */
struct str str_hex(struct arena *arena, const void *bytes, size_t len);

/* Exactly 2*len hexadecimal digits into `len` bytes; else INVALID. */
MUST_USE enum status str_unhex(struct str s, void *bytes, size_t len);

/* base64url without padding (RFC 4648 section 5), in `arena`. */
struct str str_base64url(struct arena *arena, const void *bytes, size_t len);

/* Exactly `len` bytes from base64url without padding, trailing bits zero; else INVALID. */
MUST_USE enum status str_unbase64url(struct str s, void *bytes, size_t len);

/*
 * Percent-decoded (RFC 3986), with '+' as space if `plus` (application/x-www-form-urlencoded), in
 * `arena`.  A '%' without two digits behind it stands for itself, as browsers have it.
 */
struct str str_percent_decode(struct arena *arena, struct str s, bool plus);

#endif
