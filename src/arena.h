/*
 * arena.h - memory that lives as long as one request.
 *
 * A worker owns one arena and resets it between requests; whoever allocates from it never frees.
 * Over a reset it keeps one block, as large as the requests before it needed (ARENA_KEPT at most), so
 * that a busy worker asks the system for nothing.  What a request left in it is wiped at the reset.
 * Allocation fails (NULL, and `failed` stays set until the reset) when the system refuses or when
 * the arena's limit is reached; a caller either checks the pointer or, after a run of appends to
 * an `out`, checks once at the end.  An arena belongs to one thread.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ARENA_KEPT = 256 * 1024 /* bytes that an arena keeps over a reset at most */
};

struct arena_block;

struct arena {
	struct arena_block *first; /* the block kept over resets; others hang behind it */
	struct arena_block *now;   /* where the next allocation looks */
	size_t wish;               /* bytes that the first block shall have; 0: as few as there are */
	size_t limit;              /* bytes that all blocks together may take */
	size_t taken;              /* bytes that they take */
	bool failed;               /* an allocation was refused since the last reset */
};

/* An empty arena that will take at most `limit` bytes.  Takes no memory yet; cannot fail. */
void arena_init(struct arena *arena, size_t limit);

/* `size` zeroed bytes aligned for any type, or NULL.  A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* Zeroed room for `count` things of `size` bytes, or NULL; a product that overflows is refused. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/*
 * Makes the thing of `size` bytes at `at` as large as `wanted`, where it is, its new bytes zeroed.
 * False, and nothing changes, unless it is what was allocated last and there is room behind it.
 */
bool arena_grow(struct arena *arena, const void *at, size_t size, size_t wanted);

/* Forgets and wipes everything allocated; keeps one block for next time. */
void arena_reset(struct arena *arena);

/* Wipes all memory and gives it back.  The arena is as after arena_init and may be used again. */
void arena_free(struct arena *arena);

#endif
