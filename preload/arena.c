#include "preload/arena.h"

#include <string.h>

#include "preload/kernel.h"

enum { CHUNK = 64 * 1024 };

void *arena_take(struct arena *arena)
{
	void *cell = arena->free;
	if (cell) {
		memcpy(&arena->free, cell, sizeof arena->free);
		return memset(cell, 0, arena->cell);
	}
	if ((size_t)(arena->end - arena->next) < arena->cell) {
		char *chunk = kernel_memory(CHUNK);
		if (!chunk)
			return NULL;
		arena->next = chunk;
		arena->end = chunk + CHUNK;
	}
	cell = arena->next;
	arena->next += arena->cell;
	return cell;
}

void arena_give(struct arena *arena, void *cell)
{
	memcpy(cell, &arena->free, sizeof arena->free);
	arena->free = cell;
}
