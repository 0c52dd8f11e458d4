#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_holdings.h"
#include "world_inner.h"
#include "world_stacks.h"

struct text {
	struct text *chain;
	char bytes[];
};

const char *ended_name(enum ended ended)
{
	static const char *const names[] = {"exit", "signal", "exec", "unknown", "running"};

	return names[ended];
}

const char *world_intern(struct world *world, const char *text)
{
	size_t size = strlen(text) + 1;
	uint64_t hash = map_hash(MAP_HASH, text, size);
	struct text *first = map_get(&world->private->texts, hash, 0), *own;

	for (own = first; own; own = own->chain)
		if (strcmp(own->bytes, text) == 0)
			return own->bytes;
	own = memory_new(1, sizeof(*own) + size);
	memcpy(own->bytes, text, size);
	own->chain = first;
	map_put(&world->private->texts, hash, 0, own);
	return own->bytes;
}

struct world *world_new(const struct recording *recording, const struct watcher *watcher)
{
	struct world *world = memory_new(1, sizeof(*world));

	world->private = memory_new(1, sizeof(*world->private));
	world->private->recording = recording;
	world->private->watcher = watcher;
	world->private->nothing = memory_new(1, sizeof(*world->private->nothing));
	return world;
}

void world_expect(struct world *world, struct mentions *mentions)
{
	world->private->mentions = mentions;
}

void world_settle(struct world *world)
{
	if (world->private->settled)
		return;
	world->private->settled = true;
	object_finish(world);
	process_settle(world);
	object_settle(world);
}

void world_finish(struct world *world)
{
	world_settle(world);
	process_finish(world);
}

static void free_values(struct map *map)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(map, &cursor));)
		free(slot->value);
	map_clear(map);
}

void world_free(struct world *world)
{
	struct world_private *private = world->private;
	struct map_slot *slot;

	remains_free(world);
	mentions_free(private->mentions);
	for (size_t i = 0; i < world->process_count; i++) {
		if (world->processes[i]->holdings != private->nothing)
			holdings_free(world->processes[i]->holdings);
		stacks_free(world->processes[i]->definitions);
		free(world->processes[i]->holes);
		free(world->processes[i]);
	}
	/* Merged ones stand behind the others once the world is finished. */
	if (private->objects_listed == 0)
	private->objects_listed = world->object_count;
	objects_free(world);
	names_free(world);
	for (size_t cursor = 0; (slot = map_next(&private->stacks, &cursor));)
		free((void *)(uintptr_t)((struct stack *)slot->value)->frames);
	for (size_t cursor = 0; (slot = map_next(&private->texts, &cursor));) {
		struct text *text = slot->value, *next;

		for (; text; text = next) {
			next = text->chain;
			free(text);
		}
	}
	free_values(&private->stacks);
	free_values(&private->modules);
	map_clear(&private->texts);
	map_clear(&private->current);
	map_clear(&private->images);
	map_clear(&private->objects);
	holdings_free(private->nothing);
	free(private->leaving);
	free(private);
	free(world->processes);
	free(world->hosts);
	free(world);
}
