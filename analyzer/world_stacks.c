#include "world_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_inner.h"

void stacks_define(struct process *process, const struct stack_definition_event *event, int64_t time)
{
	struct stack_entry *entry;
	uint64_t *addresses;

	if (map_get(&process->definitions->stacks, event->id, 0))
		return;
	entry = memory_new(1, sizeof(*entry));
	addresses = memory_new(event->frames.count, sizeof(*addresses));
	if (event->frames.count)
		memcpy(addresses, event->frames.address, event->frames.count * sizeof(*addresses));
	*entry = (struct stack_entry){event->seq, time, {event->frames.count, addresses}, NULL};
	map_put(&process->definitions->stacks, event->id, 0, entry);
}

static const struct module *module_of(struct world *world, const char *path, const char *build_id)
{
	const char *own_path = world_intern(world, path), *own_id = world_intern(world, build_id);
	struct module *module = map_get(&world->private->modules, (uintptr_t)own_path, (uintptr_t)own_id);

	if (module == NULL) {
		module = memory_new(1, sizeof(*module));
		*module = (struct module){own_path, own_id};
		map_put(&world->private->modules, (uintptr_t)own_path, (uintptr_t)own_id, module);
	}
	return module;
}

void stacks_module(struct world *world, struct process *process, const struct module_event *event, int64_t time)
{
	struct definitions *own = process->definitions;
	const struct module *module = module_of(world, event->path, event->build_id);

	for (size_t i = 0; i < own->placement_count; i++) {
		struct placement *there = &own->placements[i];

		if (there->until || there->base != event->base)
			continue;
		if (there->module == module)
			return;
		there->until = time;
	}
	own->placements = memory_grow(own->placements, own->placement_count, sizeof(*own->placements));
	own->placements[own->placement_count++] =
		(struct placement){module, event->base, event->base + event->size, event->seq, time, 0};
}

void stacks_module_gone(struct process *process, const struct module_gone_event *event, int64_t time)
{
	struct definitions *own = process->definitions;

	for (size_t i = 0; i < own->placement_count; i++)
		if (own->placements[i].base == event->base && own->placements[i].until == 0)
			own->placements[i].until = time;
}

static int64_t distance(const struct placement *placement, int64_t time)
{
	if (time < placement->from)
		return placement->from - time;
	return placement->until && time > placement->until ? time - placement->until : 0;
}

/* The module that lay at the address at that time; failing that, the nearest in time that ever did. */
static const struct placement *placement_at(const struct process *process, uint64_t address, int64_t time)
{
	uint32_t limit = UINT32_MAX;

	for (; process; limit = process->parent_seq, process = process->parent) {
		const struct placement *best = NULL;

		for (size_t i = 0; i < process->definitions->placement_count; i++) {
			const struct placement *placement = &process->definitions->placements[i];

			if (address < placement->base || address >= placement->end || placement->seq > limit)
				continue;
			if (best == NULL || distance(placement, time) <= distance(best, time))
				best = placement;
		}
		if (best)
			return best;
		if (process->began == BEGAN_exec)
			return NULL;
	}
	return NULL;
}

static const char *module_name(const struct module *module)
{
	const char *slash = module ? strrchr(module->path, '/') : NULL;

	return slash ? slash + 1 : module ? module->path : "?";
}

static uint64_t identity_of(const struct frame *frames, size_t count)
{
	uint64_t hash = MAP_HASH;

	for (size_t i = 0; i < count; i++) {
		const struct module *module = frames[i].module;
		const char *name = module_name(module);

		hash = map_hash(hash, name, strlen(name) + 1);
		if (module == NULL)
			continue;
		hash = map_hash(hash, module->build_id, strlen(module->build_id) + 1);
		hash = map_hash(hash, &frames[i].offset, sizeof(frames[i].offset));
	}
	return hash;
}

static const struct stack *resolve(struct world *world, const struct process *process, const struct stack_entry *entry)
{
	size_t count = entry->frames.count;
	struct frame *frames = memory_new(count, sizeof(*frames));
	struct stack *stack;
	uint64_t identity;

	for (size_t i = 0; i < count; i++) {
		uint64_t address = entry->frames.address[i];
		/* A return address may be the first byte behind its module. */
		const struct placement *placement = placement_at(process, address ? address - 1 : 0, entry->time);

		frames[i].module = placement ? placement->module : NULL;
		frames[i].offset = placement ? address - placement->base : address;
	}
	identity = identity_of(frames, count);
	stack = map_get(&world->private->stacks, identity, count);
	if (stack) {
		free(frames);
		return stack;
	}
	stack = memory_new(1, sizeof(*stack));
	*stack = (struct stack){identity, count, frames, count >= STACK_FRAMES};
	map_put(&world->private->stacks, identity, count, stack);
	return stack;
}

static int by_id(const void *a, const void *b)
{
	const struct known_stack *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static const struct known_stack *known_stack(const struct definitions *definitions, uint32_t id)
{
	const struct known_stack sought = {.id = id};

	return definitions->known_count
		       ? bsearch(&sought, definitions->known, definitions->known_count, sizeof(sought), by_id)
		       : NULL;
}

/* Its own; NULL: it defined none by this id. */
static const struct stack *stack_of(struct world *world, const struct process *process, uint32_t id, uint32_t limit)
{
	const struct known_stack *known = known_stack(process->definitions, id);
	struct stack_entry *entry = known ? NULL : map_get(&process->definitions->stacks, id, 0);

	if (known)
		return known->seq <= limit ? known->stack : NULL;
	if (entry == NULL || entry->seq > limit)
		return NULL;
	if (entry->stack == NULL)
		entry->stack = resolve(world, process, entry);
	return entry->stack;
}

const struct stack *world_stack(struct world *world, const struct process *process, uint32_t stack_id)
{
	uint32_t limit = UINT32_MAX;

	for (; process && stack_id; limit = process->parent_seq, process = process->parent) {
		const struct stack *stack = stack_of(world, process, stack_id, limit);

		if (stack)
			return stack;
		if (process->began == BEGAN_exec)
			return NULL;
	}
	return NULL;
}

int stack_compare(const struct stack *a, const struct stack *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const struct frame *x = &a->frames[i], *y = &b->frames[i];
		int order = strcmp(module_name(x->module), module_name(y->module));

		if (order)
			return order;
		if (x->module && x->offset != y->offset)
			return x->offset < y->offset ? -1 : 1;
	}
	return a->count < b->count ? -1 : a->count > b->count;
}

void world_each_stack(struct world *world, void (*take)(void *context, const struct stack *stack), void *context)
{
	for (size_t i = 0; i < world->process_count; i++) {
		const struct process *process = world->processes[i];
		struct map_slot *slot;

		for (size_t j = 0; j < process->definitions->known_count; j++)
			take(context, process->definitions->known[j].stack);
		for (size_t cursor = 0; (slot = map_next(&process->definitions->stacks, &cursor));) {
			const struct stack *stack = world_stack(world, process, (uint32_t)slot->a);

			if (stack)
				take(context, stack);
		}
	}
}

static void clear(struct definitions *definitions)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&definitions->stacks, &cursor));) {
		struct stack_entry *entry = slot->value;

		free((void *)(uintptr_t)entry->frames.address);
		free(entry);
	}
	for (size_t cursor = 0; (slot = map_next(&definitions->objects, &cursor));)
		free(slot->value);
	map_clear(&definitions->stacks);
	map_clear(&definitions->objects);
	free(definitions->placements);
	definitions->placements = NULL;
	definitions->placement_count = 0;
}

void stacks_note(struct world *world, struct process *process)
{
	struct definitions *own = process->definitions;
	struct known_stack *known;
	struct map_slot *slot;
	size_t count = 0;

	if (own->stacks.count == 0)
		return;
	known = memory_new(own->stacks.count, sizeof(*known));
	for (size_t cursor = 0; (slot = map_next(&own->stacks, &cursor));) {
		uint32_t id = (uint32_t)slot->a;

		known[count++] = (struct known_stack){id, ((struct stack_entry *)slot->value)->seq,
						      stack_of(world, process, id, UINT32_MAX)};
	}
	qsort(known, count, sizeof(*known), by_id);
	own->known = known;
	own->known_count = count;
}

void stacks_drop(struct process *process)
{
	clear(process->definitions);
}

void stacks_free(struct definitions *definitions)
{
	clear(definitions);
	free(definitions->known);
	free(definitions);
}
