/* What each name leads to, one state for each: kept as long as it leads somewhere, and for a while after. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_names_inner.h"

/* So many names that lead nowhere any more are remembered, for those who remove or open them once more. */
#define REMOVED_MAX 20000

/* Names of one machine, or of one recording, lead nowhere in another. */
struct name_state *name_state_find(const struct world *world, uint64_t place, const char *text)
{
	struct name_state *state = map_get(&world->private->names, map_hash(MAP_HASH, text, strlen(text)), place);

	while (state && strcmp(state->text, text) != 0)
		state = state->chain;
	return state;
}

struct name_state *name_state_of(struct world *world, uint64_t place, const char *text)
{
	struct name_state *state = name_state_find(world, place, text);
	size_t length = strlen(text);
	uint64_t hash;

	if (state)
		return state;
	hash = map_hash(MAP_HASH, text, length);
	state = memory_new(1, sizeof(*state) + length + 1);
	memcpy(state->text, text, length);
	state->place = place;
	state->chain = map_get(&world->private->names, hash, place);
	map_put(&world->private->names, hash, place, state);
	return state;
}

void name_unqueue(struct world *world, struct name_state *state)
{
	struct world_private *own = world->private;

	if (!state->queued)
		return;
	if (state->older)
		state->older->newer = state->newer;
	else
		own->removed_first = state->newer;
	if (state->newer)
		state->newer->older = state->older;
	else
		own->removed_last = state->older;
	state->older = state->newer = NULL;
	state->queued = false;
	own->removed_count--;
}

static void state_free(struct world *world, struct name_state *state)
{
	uint64_t hash = map_hash(MAP_HASH, state->text, strlen(state->text));
	struct name_state *first = map_get(&world->private->names, hash, state->place), **link = &first;

	while (*link != state)
		link = &(*link)->chain;
	*link = state->chain;
	if (first)
		map_put(&world->private->names, hash, state->place, first);
	else
		map_remove(&world->private->names, hash, state->place);
	free(state);
}

void name_enqueue(struct world *world, struct name_state *state)
{
	struct world_private *own = world->private;

	name_unqueue(world, state);
	state->older = own->removed_last;
	if (state->older)
		state->older->newer = state;
	else
		own->removed_first = state;
	own->removed_last = state;
	state->queued = true;
	if (++own->removed_count > REMOVED_MAX) {
		struct name_state *oldest = own->removed_first;

		name_unqueue(world, oldest);
		state_free(world, oldest);
	}
}

void names_free(struct world *world)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&world->private->names, &cursor));) {
		struct name_state *state = slot->value, *next;

		for (; state; state = next) {
			next = state->chain;
			free(state);
		}
	}
	map_clear(&world->private->names);
}
