/*
 * What processes held when they were over. A child by fork may tell of itself only then, as daemons do: it still inherits.
 * Those of the latest are kept, as a shell has tens of thousands of children.
 */
#include "world_holdings.h"
#include "world_inner.h"

/* Mappings, descriptors and releases, of all together. */
#define REMAINS_MAX 16384

static size_t size_of(const struct holdings *holdings)
{
	return holdings->piece_count + holdings->descriptors.count + holdings->release_count;
}

static void forget_oldest(struct world_private *private)
{
	struct process *oldest = private->over_first;

	private->over_first = oldest->over_next;
	private->remains_size -= size_of(oldest->remains);
	holdings_free(oldest->remains);
	oldest->remains = NULL;
}

void remains_keep(struct world *world, struct process *process)
{
	struct world_private *private = world->private;
	struct holdings *left = holdings_leave(world, process);

	if (size_of(left) == 0) {
		holdings_free(left);
		return;
	}
	process->remains = left;
	if (private->over_first)
	private->over_last->over_next = process;
	else private->over_first = process;
	private->over_last = process;
	private->remains_size += size_of(left);
	while (private->remains_size > REMAINS_MAX && private->over_first != process)
		forget_oldest(private);
}

const struct holdings *remains_of(const struct process *process)
{
	return process->over ? process->remains : process->holdings;
}

void remains_free(struct world *world)
{
	while (world->private->over_first)
		forget_oldest(world->private);
}
