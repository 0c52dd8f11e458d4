/* A hash table from a pair of numbers to a pointer that is not NULL. */
#ifndef SHMGUARD_MAP_H
#define SHMGUARD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t a, b;
	void *value; /* NULL: free */
};

/* All zero is an empty map. */
struct map {
	struct map_slot *slots;
	size_t size, count;
};

void *map_get(const struct map *map, uint64_t a, uint64_t b);
void map_put(struct map *map, uint64_t a, uint64_t b, void *value);
/* Returns what was there, or NULL. */
void *map_remove(struct map *map, uint64_t a, uint64_t b);
/* The slot after *cursor (0 to begin), in no order that means anything; NULL at the end. Do not change the map meanwhile. */
struct map_slot *map_next(const struct map *map, size_t *cursor);
/* Takes out what goes, and gives it to `release` if there is one. Its room stays, for as many to come. */
void map_filter(struct map *map, bool (*goes)(const void *value), void (*release)(void *value));
void map_clear(struct map *map);

/* FNV-1a, to be chained; MAP_HASH to begin. */
#define MAP_HASH 0xcbf29ce484222325u
uint64_t map_hash(uint64_t hash, const void *bytes, size_t size);

#endif
