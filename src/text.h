/*
 * text.h - what Unicode says about a string, and the only place that knows utf8proc.
 *
 * Order of use for what somebody sent: text_valid (else 400: nothing else may look at it), then for
 * a comment text_lines, then text_name_fault or text_comment_fault (else 422 with a message), then
 * text_nfc, then lengths.  Nothing is ever stripped or replaced silently: a fault is told.
 *
 * All functions take linear time.  «Mark» is a character of category Mn, Mc or Me.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "status.h"
#include "str.h"

enum {
	TEXT_NAME_MARKS = 4,	 /* marks on one base; Hebrew with points and accents needs four */
	TEXT_COMMENT_MARKS = 10, /* a comment may quote what a name may not be */
	TEXT_MARKS = 30		 /* UAX #15, Stream-Safe Text Format: more is no text of any language */
};

/* Why a name or comment is refused; a caller has one message for each. */
enum text_fault {
	TEXT_FAULT_NONE,
	TEXT_FAULT_ENCODING,  /* not UTF-8, or NUL in it */
	TEXT_FAULT_CONTROL,   /* C0 (in names TAB and newline too), DEL, C1 */
	TEXT_FAULT_LINE,      /* U+2028 or U+2029 in a name */
	TEXT_FAULT_DIRECTION, /* a bidi control in a name: U+202A-202E, U+2066-2069, U+200E, U+200F, U+061C */
	TEXT_FAULT_INVISIBLE, /* another character that shows nothing, as U+200B, U+2060, U+FEFF, U+00AD */
	TEXT_FAULT_JOINER,    /* ZWJ or ZWNJ where no script and no emoji sequence has any */
	TEXT_FAULT_MARKS,     /* too many marks on one base */
	TEXT_FAULT_LONE_MARK, /* a mark in a name without a base before it */
	TEXT_FAULT_UNKNOWN,   /* noncharacter; in names also unassigned or private use */
	TEXT_FAULT_EMPTY,     /* nothing in it can be seen */
	TEXT_FAULT_COUNT
};

/* Strict UTF-8 (RFC 3629): no overlong form, surrogate, nothing above U+10FFFF, cut short, or NUL. */
bool text_valid(struct str s);

/* How many code points; `s` is valid (each byte that begins no sequence counts as one if it is not). */
size_t text_points(struct str s);

/* CR LF and CR become LF, in `arena`; STR_NONE when memory fails and for STR_NONE. */
struct str text_lines(struct arena *arena, struct str s);

/*
 * Normalisation form C, in `arena`.  INVALID when `s` is not valid, or has more than TEXT_MARKS
 * marks in a row (sorting them takes quadratic time); BROKEN when memory fails.
 */
MUST_USE enum status text_nfc(struct arena *arena, struct str s, struct str *nfc);

/*
 * NFKC_Casefold (UTS #10 toNFKC_Casefold), in `arena`: for comparing, never for showing.  Errors as
 * text_nfc.  At most 11 times as long as `s`.
 */
MUST_USE enum status text_fold(struct arena *arena, struct str s, struct str *folded);

/*
 * A name: one line that shows what it is.  ZWJ and ZWNJ may stand between letters of scripts that
 * use them (Arabic, Syriac, Indic and their kin), ZWJ also between emoji.  OK with *fault NONE, or
 * INVALID with the first fault.
 */
MUST_USE enum status text_name_fault(struct str name, enum text_fault *fault);

/*
 * A comment after text_lines: TAB, LF, bidi controls and joiners pass; other controls (CR too),
 * noncharacters, floods of marks, and comments without anything visible do not.
 */
MUST_USE enum status text_comment_fault(struct str comment, enum text_fault *fault);

#endif
