/* What the lines beside the trace tell of processes: how they began and ended, and what they found open. */
#include <limits.h>
#include <stdint.h>

#include "world_holdings.h"
#include "world_process_inner.h"

static void line_start(struct world *world, const struct line *line, const char *host)
{
	struct process *process = process_current(world, host, line->recording, line->pid);
	bool exec = line->type == LINE_start;

	/* The trace was faster. */
	if (process && !process->over && process->announced && line->time <= process->began_at + CLOCK_SLACK &&
	    process->began == (exec ? BEGAN_exec : BEGAN_fork))
		return;
	process = process_successor(world, process, host, line->recording, line->pid, exec, line->time);
	process->began = exec ? BEGAN_exec : BEGAN_fork;
	process->uid = line->uid;
	process->ppid = line->ppid;
	if (line->exe)
		process->exe = world_intern(world, line->exe);
	if (line->argv)
		process->argv = world_intern(world, line->argv);
	if (process->parent == NULL)
		process->parent = process_parent(world, process, line->recording, line->ppid);
	process_look_elsewhere(world, process);
	if (!exec && process->parent) {
		process_inherit(process, process->parent, UINT32_MAX);
		if (*process->argv == 0)
			process->argv = process->parent->argv;
	}
}

static void line_holds(struct world *world, const struct line *line, const char *host)
{
	struct process *process = process_current(world, host, line->recording, line->pid);
	const char *at = line->holds;
	struct line_held held;

	if (process == NULL || process->over || at == NULL)
		return;
	while (line_held(&at, &held)) {
		struct object *object = object_at(world, process, held.dev, held.ino);

		if (object && held.fd <= INT_MAX)
			holdings_found(process, object, (int)held.fd,
				       &(struct site){.process = process, .stack_id = 0, .time = line->time});
	}
}

static void line_closes(struct world *world, const struct line *line, const char *host)
{
	struct process *process = process_current(world, host, line->recording, line->pid);
	const struct descriptor *descriptor =
		process && !process->over ? holdings_descriptor(process, line->status) : NULL;

	/* One that the process opened itself got the number since: the trace was faster. */
	if (descriptor && !descriptor->tally)
		holdings_close(process, line->status, 0,
			       &(struct site){.process = process, .stack_id = 0, .time = line->time});
}

static void take_line(struct world *world, const struct line *line)
{
	const char *host = process_host(world, line->recording, "");
	struct process *process;

	switch (line->type) {
	case LINE_start:
	case LINE_fork:
		line_start(world, line, host);
		break;
	case LINE_holds:
		line_holds(world, line, host);
		break;
	case LINE_closes:
		line_closes(world, line, host);
		break;
	case LINE_loaded:
		process = process_current(world, host, line->recording, line->pid);
		if (process && !process->over)
			process->loaded = true;
		break;
	case LINE_leave:
		process = process_current(world, host, line->recording, line->pid);
		if (process && !process->traced)
			process_leave(world, process, line->status, line->time);
		break;
	case LINE_end:
		process_died(world, "", line->recording, line->child, line->status, line->time);
		break;
	case LINE_reaped:
		process_died(world, "", line->recording, line->pid, line->status, line->time);
		break;
	default:
		break;
	}
}

void process_lines_until(struct world *world, int64_t time)
{
	const struct recording *recording = world->private->recording;

	while (recording && world->private->next_line < recording->line_count &&
	       recording->lines[world->private->next_line].time <= time)
		take_line(world, &recording->lines[world->private->next_line++]);
}
