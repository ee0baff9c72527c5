/*
 * fuzz.h - what the harnesses share.
 *
 * A harness is a function `fuzz_one` that gets bytes and an arena, calls a room with them and holds the
 * result to what the room's header promises.  MUST() is such a promise: libFuzzer keeps the input that
 * breaks it.  Inputs are text where that is possible, so that a seed can be written and read by people:
 * a first line that says how, then the rest.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json.h"
#include "str.h"
#include "text.h"

#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: must be: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static void fuzz_one(struct arena *arena, struct str input);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a door does once at start, and a room may rely on. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	json_init();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, (size_t)256 << 20);
	/* A copy of exactly that size, so that AddressSanitizer sees one byte too many. */
	char *copy = malloc(size == 0 ? 1 : size);
	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	fuzz_one(&arena, (struct str){copy, size});
	MUST(!arena.failed);
	arena_free(&arena);
	free(copy);
	return 0;
}

/* Has `s` a byte below the space, or DEL, or a C1 control? */
static inline bool
fuzz_has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		bool c1 = c == 0xc2 && i + 1 < s.len && (unsigned char)s.at[i + 1] < 0xa0;
		if (c < 0x20 || c == 0x7f || c1)
			return true;
	}
	return false;
}

static inline bool
fuzz_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return false;
	return true;
}

#endif
