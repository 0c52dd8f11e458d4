/* An interval map of address ranges, non-overlapping, as a treap: every operation O(log n). Callers hold their own lock. */
#ifndef SHMGUARD_INTERVALS_H
#define SHMGUARD_INTERVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/arena.h"

struct object;

/* [start, end) in bytes; offset: where in the object start lies. */
struct interval {
	uint64_t start, end, offset;
	struct object *object;
	bool dontfork; /* a child by fork(2) does not get it */
	struct interval *left, *right;
	uint32_t priority;
};

struct intervals {
	struct interval *root;
	struct arena arena;
	uint32_t random;
};

#define INTERVALS_EMPTY                                                                                                \
	{                                                                                                              \
		.arena = {.cell = sizeof(struct interval)}, .random = 2463534242u                                      \
	}

/* The lowest interval that overlaps [start, end), or NULL. */
struct interval *intervals_find(struct intervals *map, uint64_t start, uint64_t end);

/* Adds a copy of the piece, which overlaps none; false without memory. */
bool intervals_add(struct intervals *map, const struct interval *piece);

/*
 * Cuts the lowest piece that overlaps [start, end) out of the map and describes it in *piece; what lies outside the
 * range stays. Answers how many intervals are left of the one it was cut from, 0 to 2, or -1 when nothing overlaps.
 * A split for which there is no memory loses the upper rest.
 */
int intervals_cut(struct intervals *map, uint64_t start, uint64_t end, struct interval *piece);

#endif
