/*
 * Forgets objects that are over: no name, no descriptor, no mapping, no finding. A program that makes one for every
 * message would else fill the memory of its report. What is reachable is marked, the rest goes, but for the latest.
 */
#include <stdlib.h>

#include "world_holdings_inner.h"
#include "world_stacks.h"

/* So many are let gather, and of those that are over so many are kept for the report. */
#define SWEEP_MIN 4096
#define SWEEP_KEEP 1000

static void mark(struct object *object)
{
	for (; object; object = object->same)
		object->marked = true;
}

/* Its removal may be one of the calls that were let go: the look at the end knows better. */
static bool is_gone(const struct world *world, const struct object *object)
{
	const struct recording *recording = object->recording;

	return world->private->mentions && !world->private->mentions->cut && object_is_hearsay(object) &&
	       recording->looked && object->dev == recording->device;
}

static bool is_named(const struct world *world, const struct object *object)
{
	return object->kind != KIND_memfd && !is_gone(world, object) && object_has_name(object);
}

static void mark_holdings(const struct holdings *holdings)
{
	struct map_slot *slot;

	for (size_t i = 0; i < holdings->piece_count; i++)
		mark(holdings->pieces[i].from->object);
	for (size_t i = 0; i < holdings->release_count; i++) {
		const struct release *release = release_at(holdings, i);

		mark(release->descriptor.object);
		mark(release->piece.from ? release->piece.from->object : NULL);
		mark(release->name ? release->name->object : NULL);
	}
	for (size_t cursor = 0; (slot = map_next(&holdings->descriptors, &cursor));)
		mark(((struct descriptor *)slot->value)->object);
	for (size_t cursor = 0; (slot = map_next(&holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;

		for (size_t i = 0; i < tally->share_count; i++)
			mark(tally->shares[i].object);
	}
}

static bool object_goes(const void *value)
{
	return !((const struct object *)value)->marked;
}

static bool use_goes(const void *value)
{
	return !((const struct use *)value)->object->marked;
}

static bool entry_goes(const void *value)
{
	return !((const struct object_entry *)value)->object->marked;
}

static void names_forget(struct world *world)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&world->private->names, &cursor));) {
		for (struct name_state *state = slot->value; state; state = state->chain) {
			if (state->former && !state->former->marked)
				state->former = NULL;
			mark(state->object);
		}
	}
}

/* No call of theirs came yet, and one is to come. */
static void mark_expected(const struct process *process, const struct map *ids)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->definitions->objects, &cursor));) {
		struct object *object = object_real(((struct object_entry *)slot->value)->object);

		if (!object->touched && map_get(ids, slot->a, 0))
			mark(((struct object_entry *)slot->value)->object);
	}
}

static void mark_mentioned(const struct world *world, const struct mentions *mentions)
{
	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (!object->touched &&
		    (mentions->cut || object->told_of + MENTIONS_NEAR >= world->private->definitions ||
		     map_get(&mentions->inodes, object->ino, 0)))
			mark(object);
	}
	for (size_t i = 0; i < world->process_count; i++)
		mark_expected(world->processes[i], &mentions->ids);
}

/* What waited for what happens to it waits for nothing more; it may make a finding. */
static void settle_charges(struct world *world)
{
	const struct watcher *watcher = world->private->watcher;

	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (object->charges && !object_real(object)->marked && watcher->over)
			watcher->over(watcher->context, object);
	}
	for (size_t i = 0; i < world->object_count; i++)
		if (world->objects[i]->charges)
			mark(world->objects[i]);
	if (watcher->concern)
		watcher->concern(watcher->context, mark);
}

static void mark_all(struct world *world)
{
	for (size_t i = 0; i < world->object_count; i++)
		world->objects[i]->marked = false;
	for (size_t i = 0; i < world->object_count; i++)
		if (is_named(world, world->objects[i]) || i + SWEEP_KEEP >= world->object_count)
			mark(world->objects[i]);
	for (size_t i = 0; i < world->process_count; i++)
		mark_holdings(world->processes[i]->holdings);
	for (const struct process *over = world->private->over_first; over; over = over->over_next)
		mark_holdings(over->remains);
	if (world->private->mentions)
		mark_mentioned(world, world->private->mentions);
	settle_charges(world);
	names_forget(world);
}

static void tell_used(const struct world *world, struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->uses, &cursor));)
		if (use_goes(slot->value))
			world->private->watcher->used(world->private->watcher->context, process, slot->value);
}

/* Which of those that are forgotten had them is not known later. */
static void keep_lapses(struct world *world, const struct object *object)
{
	struct lapse *all = &world->forgotten;

	for (size_t i = 0; i < object->lapse_count; i++) {
		if (all->until == 0 || object->lapses[i].from < all->from)
			all->from = object->lapses[i].from;
		if (object->lapses[i].until > all->until)
			all->until = object->lapses[i].until;
	}
}

void world_sweep(struct world *world)
{
	size_t kept = 0;

	if (world->object_count < world->private->sweep_at || world->object_count < SWEEP_MIN)
		return;
	mark_all(world);
	for (size_t i = 0; i < world->process_count; i++) {
		tell_used(world, world->processes[i]);
		map_filter(&world->processes[i]->holdings->uses, use_goes, free);
		map_filter(&world->processes[i]->definitions->objects, entry_goes, free);
	}
	map_filter(&world->private->objects, object_goes, NULL);
	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (object->marked) {
			world->objects[kept++] = object;
			continue;
		}
		world->objects_forgotten += object->same == NULL;
		keep_lapses(world, object);
		world->private->watcher->forgotten(world->private->watcher->context, object);
		object_free(world, object);
	}
	world->object_count = kept;
	world->private->sweep_at = kept * 2;
}
