#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 32 * 1024 };

/* Beyond `used` all bytes are zero. */
struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

void
arena_init(struct arena *arena, size_t limit)
{
	*arena = (struct arena){.limit = limit};
}

static struct arena_block *
block_new(struct arena *arena, size_t wanted)
{
	size_t size = wanted > BLOCK_SIZE ? wanted : BLOCK_SIZE;
	if (arena->first == NULL && arena->wish > size && arena->wish <= arena->limit)
		size = arena->wish;
	if (arena->taken > arena->limit || size > arena->limit - arena->taken)
		return NULL;
	struct arena_block *block = calloc(1, sizeof *block + size);
	if (block == NULL)
		return NULL;
	block->size = size;
	arena->taken += size;
	return block;
}

static void *
refuse(struct arena *arena)
{
	arena->failed = true;
	return NULL;
}

static size_t
round_up(size_t size)
{
	const size_t align = alignof(max_align_t);
	return (size + align - 1) / align * align;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX - alignof(max_align_t))
		return refuse(arena);
	size_t rounded = round_up(size);
	struct arena_block *now = arena->now;
	if (now == NULL || now->size - now->used < rounded) {
		struct arena_block *block = block_new(arena, rounded);
		if (block == NULL)
			return refuse(arena);
		if (now != NULL)
			now->next = block;
		else
			arena->first = block;
		arena->now = now = block;
	}
	void *at = now->bytes + now->used;
	now->used += rounded;
	return at;
}

bool
arena_grow(struct arena *arena, const void *at, size_t size, size_t wanted)
{
	struct arena_block *now = arena->now;
	if (now == NULL || wanted < size || wanted > SIZE_MAX - alignof(max_align_t))
		return false;
	size_t old = round_up(size), more = round_up(wanted) - old;
	if (old > now->used || (const unsigned char *)at != now->bytes + (now->used - old) || more > now->size - now->used)
		return false;
	now->used += more;
	return true;
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return refuse(arena);
	return arena_alloc(arena, count * size);
}

/* Opened addresses lie there, and passwords: not until somebody else needs the memory. */
static void
wipe(struct arena_block *block)
{
	explicit_bzero(block->bytes, block->used);
	block->used = 0;
}

static void
free_from(struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *next = block->next;
		wipe(block);
		free(block);
		block = next;
	}
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *first = arena->first;
	size_t wish = arena->taken < ARENA_KEPT ? arena->taken : ARENA_KEPT;
	/* More than the first block was needed: next time it is larger.  A huge one is not kept. */
	if (first == NULL || first->size > ARENA_KEPT || first->size < wish) {
		arena_free(arena);
		arena->wish = wish;
		return;
	}
	free_from(first->next);
	first->next = NULL;
	wipe(first);
	arena->now = first;
	arena->taken = first->size;
	arena->failed = false;
}

void
arena_free(struct arena *arena)
{
	free_from(arena->first);
	arena_init(arena, arena->limit);
}
