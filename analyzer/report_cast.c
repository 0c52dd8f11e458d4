#include "report_cast.h"

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

struct cast cast_of(const struct report *report, size_t findings)
{
	const struct analysis *analysis = report->analysis;
	const struct world *world = analysis->world;
	struct cast cast = {.all = world->process_count <= CAST_MAX};

	if (cast.all)
		return cast;
	for (size_t i = 0; i < analysis->findings.count && i < findings; i++)
		show_told(&cast, &analysis->findings.all[i]);
	for (size_t i = 0; i < world->process_count; i++)
		if (world->processes[i]->ended == ENDED_running || world->processes[i]->ended == ENDED_signal)
			show(&cast, world->processes[i]);
	for (size_t i = world->process_count; i > 0; i--)
		show(&cast, world->processes[i - 1]);
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
