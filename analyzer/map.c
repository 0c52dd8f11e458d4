#include "map.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

static size_t place(const struct map *map, uint64_t a, uint64_t b)
{
	uint64_t hash = a * 0x9e3779b97f4a7c15u ^ (b + 0x7f4a7c15u) * 0xc2b2ae3d27d4eb4fu;

	return (size_t)(hash ^ hash >> 29) & (map->size - 1);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct map_slot *find(const struct map *map, uint64_t a, uint64_t b)
{
	size_t at = place(map, a, b);

	while (map->slots[at].value && (map->slots[at].a != a || map->slots[at].b != b))
		at = (at + 1) & (map->size - 1);
	return &map->slots[at];
}

void *map_get(const struct map *map, uint64_t a, uint64_t b)
{
	return map->count ? find(map, a, b)->value : NULL;
}

static void grow(struct map *map)
{
	struct map old = *map;

	map->size = old.size ? old.size * 2 : 8;
	map->slots = memory_new(map->size, sizeof(*map->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].value)
			*find(map, old.slots[i].a, old.slots[i].b) = old.slots[i];
	free(old.slots);
}

void map_put(struct map *map, uint64_t a, uint64_t b, void *value)
{
	struct map_slot *slot;

	if (map->count * 4 >= map->size * 3)
		grow(map);
	slot = find(map, a, b);
	if (slot->value == NULL)
		map->count++;
	*slot = (struct map_slot){a, b, value};
}

void *map_remove(struct map *map, uint64_t a, uint64_t b)
{
	struct map_slot *slot = map->count ? find(map, a, b) : NULL;
	void *value = slot ? slot->value : NULL;
	size_t hole, at;

	if (value == NULL)
		return NULL;
	map->count--;
	hole = at = (size_t)(slot - map->slots);
	slot->value = NULL;
	for (;;) {
		size_t home;

		at = (at + 1) & (map->size - 1);
		if (map->slots[at].value == NULL)
			return value;
		/* It moves into the hole unless its search starts behind it. */
		home = place(map, map->slots[at].a, map->slots[at].b);
		if (((at - home) & (map->size - 1)) < ((at - hole) & (map->size - 1)))
			continue;
		map->slots[hole] = map->slots[at];
		map->slots[at].value = NULL;
		hole = at;
	}
}

struct map_slot *map_next(const struct map *map, size_t *cursor)
{
	while (*cursor < map->size) {
		struct map_slot *slot = &map->slots[(*cursor)++];

		if (slot->value)
			return slot;
	}
	return NULL;
}

void map_filter(struct map *map, bool (*goes)(const void *value), void (*release)(void *value))
{
	struct map_slot *kept;
	size_t count = 0;

	/* Its room stays when it is empty. */
	if (map->count == 0)
		return;
	kept = memory_new(map->count, sizeof(*kept));
	for (size_t i = 0; i < map->size; i++) {
		void *value = map->slots[i].value;

		if (value == NULL)
			continue;
		map->slots[i].value = NULL;
		if (!goes(value))
			kept[count++] = (struct map_slot){map->slots[i].a, map->slots[i].b, value};
		else if (release)
			release(value);
	}
	for (size_t i = 0; i < count; i++)
		*find(map, kept[i].a, kept[i].b) = kept[i];
	map->count = count;
	free(kept);
}

void map_clear(struct map *map)
{
	free(map->slots);
	*map = (struct map){0};
}

uint64_t map_hash(uint64_t hash, const void *bytes, size_t size)
{
	for (const unsigned char *at = bytes; size > 0; at++, size--)
		hash = (hash ^ *at) * 0x100000001b3u;
	return hash;
}
