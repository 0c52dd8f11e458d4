#include "others.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* A finding may have millions of occurrences. */
#define OTHERS_MAX 1000

static void put(struct others *others, uint64_t object, uint64_t process)
{
	if (others->pairs.count < OTHERS_MAX && (object || process))
		map_put(&others->pairs, object, process, others);
}

void others_add(struct others *others, const struct object *object, const struct process *process)
{
	put(others, object ? object->number : 0, (uintptr_t)process);
}

void others_take(struct others *others, struct others *from)
{
	const struct map_slot *slot;

	if (others->pairs.count == 0) {
		map_clear(&others->pairs);
		others->pairs = from->pairs;
		from->pairs = (struct map){0};
		return;
	}
	for (size_t cursor = 0; (slot = map_next(&from->pairs, &cursor));)
		put(others, slot->a, slot->b);
	others_clear(from);
}

void others_clear(struct others *others)
{
	map_clear(&others->pairs);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

uint64_t *others_objects(const struct others *others, size_t *count)
{
	uint64_t *numbers = memory_new(others->pairs.count + 1, sizeof(*numbers));
	const struct map_slot *slot;
	size_t all = 0, kept = 0;

	for (size_t cursor = 0; (slot = map_next(&others->pairs, &cursor));)
		if (slot->a)
			numbers[all++] = slot->a;
	qsort(numbers, all, sizeof(*numbers), by_number);
	for (size_t i = 0; i < all; i++)
		if (i == 0 || numbers[i] != numbers[i - 1])
			numbers[kept++] = numbers[i];
	*count = kept;
	return numbers;
}

static int by_beginning(const void *a, const void *b)
{
	const struct process *x = *(const struct process *const *)a, *y = *(const struct process *const *)b;

	if (x->began_at != y->began_at)
		return x->began_at < y->began_at ? -1 : 1;
	return strcmp(x->id, y->id);
}

const struct process **others_processes(const struct others *others, size_t *count)
{
	const struct process **processes = memory_new(others->pairs.count + 1, sizeof(*processes));
	const struct map_slot *slot;
	size_t all = 0, kept = 0;

	for (size_t cursor = 0; (slot = map_next(&others->pairs, &cursor));)
		if (slot->b)
			processes[all++] = (const struct process *)(uintptr_t)slot->b;
	qsort(processes, all, sizeof(*processes), by_beginning);
	for (size_t i = 0; i < all; i++)
		if (i == 0 || processes[i] != processes[i - 1])
			processes[kept++] = processes[i];
	*count = kept;
	return processes;
}
