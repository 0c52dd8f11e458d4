/* Fixed-size cells from memory of our own; freed cells are used again. Callers hold their own lock. */
#ifndef SHMGUARD_ARENA_H
#define SHMGUARD_ARENA_H

#include <stddef.h>

struct arena {
	size_t cell; /* bytes, at least a pointer's */
	void *free;
	char *next, *end;
};

/* A zeroed cell, or NULL when the kernel has no memory for us. */
void *arena_take(struct arena *arena);
void arena_give(struct arena *arena, void *cell);

#endif
