#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 32 * 1024 };

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
	if (arena->taken > arena->limit || size > arena->limit - arena->taken)
		return NULL;
	struct arena_block *block = malloc(sizeof *block + size);
	if (block == NULL)
		return NULL;
	*block = (struct arena_block){.size = size};
	arena->taken += size;
	return block;
}

static void *
refuse(struct arena *arena)
{
	arena->failed = true;
	return NULL;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size > SIZE_MAX - align)
		return refuse(arena);
	size_t rounded = (size + align - 1) / align * align;
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
	return memset(at, 0, rounded);
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return refuse(arena);
	return arena_alloc(arena, count * size);
}

static void
free_from(struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *first = arena->first;
	/* A first block that one huge request made is not kept for a year of small ones. */
	if (first == NULL || first->size > BLOCK_SIZE) {
		arena_free(arena);
		return;
	}
	free_from(first->next);
	first->next = NULL;
	first->used = 0;
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
