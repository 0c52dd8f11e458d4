#include "holders.h"

#include <stdlib.h>

#include "memory.h"

static void add(struct holders *holders, struct holder holder)
{
	holders->all = memory_grow(holders->all, holders->count, sizeof(holder));
	holders->all[holders->count++] = holder;
}

static void add_process(struct holders *holders, const struct process *process, size_t nth)
{
	const struct holdings *holdings = process->holdings;
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&holdings->descriptors, &cursor));) {
		const struct descriptor *descriptor = slot->value;

		add(holders, (struct holder){object_real(descriptor->object), process, nth, descriptor, NULL});
	}
	for (size_t i = 0; i < holdings->piece_count; i++)
		add(holders, (struct holder){object_real(holdings->pieces[i].from->object), process, nth, NULL,
					     &holdings->pieces[i]});
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_objects(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	return compare_numbers((uintptr_t)a->object, (uintptr_t)b->object);
}

static int compare(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;
	int order = compare_objects(a, b);

	if (order == 0)
		order = compare_numbers(a->nth, b->nth);
	if (order == 0)
		order = (a->piece != NULL) - (b->piece != NULL);
	if (order == 0 && a->piece)
		order = compare_numbers(a->piece->start, b->piece->start);
	if (order == 0 && !a->piece)
		order = (a->descriptor->fd > b->descriptor->fd) - (a->descriptor->fd < b->descriptor->fd);
	return order;
}

struct holders holders_collect(const struct world *world)
{
	struct holders holders = {0};

	for (size_t i = 0; i < world->process_count; i++)
		add_process(&holders, world->processes[i], i);
	if (holders.count)
		qsort(holders.all, holders.count, sizeof(*holders.all), compare);
	return holders;
}

const struct holder *holders_of(const struct holders *holders, const struct object *object, size_t *count)
{
	const struct holder wanted = {.object = object}, *end = holders->all + holders->count, *first = NULL;

	*count = 0;
	if (holders->count)
		first = bsearch(&wanted, holders->all, holders->count, sizeof(wanted), compare_objects);
	while (first && first > holders->all && first[-1].object == object)
		first--;
	while (first && first + *count < end && first[*count].object == object)
		++*count;
	return first;
}

void holders_free(struct holders *holders)
{
	free(holders->all);
	*holders = (struct holders){0};
}
