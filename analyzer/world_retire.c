/*
 * Of a process that is over, and of which nobody who still lives inherited anything, its definitions are not asked for any
 * more: what its stacks are is kept, and the rest is let go. A server that forks for each job would else fill the memory
 * of its report.
 */
#include <stdlib.h>

#include "memory.h"
#include "world_holdings.h"
#include "world_inner.h"
#include "world_stacks.h"

/* So many are let gather; and so many of those that are over latest may have children that did not tell of themselves. */
#define RETIRE_MIN 1024
#define RETIRE_KEEP 1024

static bool is_recent(const struct world *world, const struct process *process)
{
	return !process->over || process->over_nth + RETIRE_KEEP > world->private->overs;
}

/* What it refers to may be defined by its forefathers, up to the last exec. */
static void keep_line(struct process *process)
{
	for (; process && !process->kept; process = process->parent) {
		process->kept = true;
		if (process->began == BEGAN_exec)
			return;
	}
}

void retire_not(const struct world *world, struct process *process)
{
	if (process->holdings == world->private->nothing)
		process->holdings = memory_new(1, sizeof(*process->holdings));
}

void world_retire(struct world *world)
{
	struct world_private *private = world->private;
	bool any = false;

	if (private->overs < private->retire_at + RETIRE_MIN)
		return;
	private->retire_at = private->overs + world->process_count / 4;
	for (size_t i = 0; i < world->process_count; i++)
		world->processes[i]->kept = false;
	for (size_t i = 0; i < world->process_count; i++)
		if (is_recent(world, world->processes[i]))
			keep_line(world->processes[i]);
	for (size_t i = 0; i < world->process_count; i++) {
		struct process *process = world->processes[i];

		if (process->kept || process->retired)
			continue;
		process->retired = process->retiring = true;
		holdings_free(process->holdings);
		process->holdings = private->nothing;
		stacks_note(world, process);
	}
	/* Not before: the stacks of others are resolved by what it had loaded. */
	for (size_t i = 0; i < world->process_count; i++) {
		if (world->processes[i]->retiring)
			stacks_drop(world->processes[i]);
		any |= world->processes[i]->retiring;
		world->processes[i]->retiring = false;
	}
	if (any && private->watcher->retired)
	private->watcher->retired(private->watcher->context);
}
