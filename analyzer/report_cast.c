#include "report_cast.h"

#include <stdlib.h>

#include "memory.h"

#define CAST_MAX 2000

static void show(struct cast *cast, const struct process *process)
{
	if (process && cast->shown.count < CAST_MAX)
		map_put(&cast->shown, (uintptr_t)process, 0, cast);
}

static void show_told(struct cast *cast, const struct finding *finding)
{
	show(cast, finding->process);
	show(cast, finding->victim);
	for (size_t i = 0; i < finding->stack_count; i++)
		show(cast, finding->stacks[i].process);
}

/* In this order. */
enum part {
	PART_unended, /* or ended by a signal */
	PART_maker,   /* of what is left behind */
	PART_traced,
	PART_asked,
	PART_any,
};

struct casting {
	struct cast *cast;
	const struct report *report;
	struct map makers;
	const struct process **waiting;
};

static bool is_for(const struct casting *casting, const struct process *process, enum part part)
{
	if (part != PART_any && !report_shows_process(casting->report, process))
		return false;
	switch (part) {
	case PART_unended:
		return process->ended == ENDED_running || process->ended == ENDED_signal;
	case PART_maker:
		return map_get(&casting->makers, (uintptr_t)process, 0);
	case PART_traced:
		return process->traced;
	case PART_asked:
	case PART_any:
		break;
	}
	return true;
}

/* Where they are too many some, spread over all that time. */
static void show_part(struct casting *casting, enum part part)
{
	const struct world *world = casting->report->analysis->world;
	size_t room = CAST_MAX - casting->cast->shown.count, count = 0;

	for (size_t i = 0; i < world->process_count; i++)
		if (!cast_shows(casting->cast, world->processes[i]) && is_for(casting, world->processes[i], part))
			casting->waiting[count++] = world->processes[i];
	for (size_t i = 0; i < count; i++)
		if (count <= room || (i + 1) * room / count > i * room / count)
			show(casting->cast, casting->waiting[i]);
}

static void show_parts(struct cast *cast, const struct report *report)
{
	const struct world *world = report->analysis->world;
	struct casting casting = {.cast = cast, .report = report};

	casting.waiting = memory_new(world->process_count, sizeof(struct process *));
	for (size_t i = 0; i < world->object_count; i++)
		if (world->objects[i]->leaked && world->objects[i]->created.process)
			map_put(&casting.makers, (uintptr_t)world->objects[i]->created.process, 0, cast);
	for (enum part part = PART_unended; part <= PART_any; part++)
		show_part(&casting, part);
	map_clear(&casting.makers);
	free(casting.waiting);
}

struct cast cast_of(const struct report *report, size_t findings)
{
	const struct analysis *analysis = report->analysis;
	const struct world *world = analysis->world;
	struct cast cast = {.all = world->process_count <= CAST_MAX};

	if (cast.all)
		return cast;
	for (size_t i = 0; i < analysis->findings.count && i < findings; i++)
		show_told(&cast, &analysis->findings.all[i]);
	show_parts(&cast, report);
	for (size_t i = 0; i < world->process_count; i++)
		cast.left_out +=
			report_shows_process(report, world->processes[i]) && !cast_shows(&cast, world->processes[i]);
	return cast;
}

bool cast_shows(const struct cast *cast, const struct process *process)
{
	return cast->all || map_get(&cast->shown, (uintptr_t)process, 0);
}

void cast_clear(struct cast *cast)
{
	map_clear(&cast->shown);
}
