/*
 * Where calls of a process were let go, by the gaps in its numbers. What came late, as threads tell their events in another
 * order than they numbered them, closes a gap again: those that are left are in the order of time and of what is missing.
 */
#include "memory.h"
#include "recording.h"
#include "world_holdings.h"
#include "world_inner.h"

/*
 * Of a recording that did not end what objects, stacks and findings its latest calls had is not written yet: so many numbers
 * may be missing before a call, and no call with them.
 */
#define UNWRITTEN_MAX 4

static struct hole *last_of(const struct process *process)
{
	return process->hole_count ? &process->holes[process->hole_count - 1] : NULL;
}

static uint64_t missing_before(const struct process *process, size_t nth)
{
	return nth ? process->holes[nth - 1].missing : 0;
}

uint64_t hole_size(const struct process *process, size_t nth)
{
	return process->holes[nth].missing - missing_before(process, nth);
}

static void close_up(struct process *process, uint64_t missing)
{
	struct hole *last;

	while ((last = last_of(process)) && last->missing > missing) {
		if (missing > missing_before(process, process->hole_count - 1)) {
			last->missing = missing;
			return;
		}
		process->hole_count--;
		process->hole_open = false;
	}
	if (process->holes_heeded > process->hole_count)
		process->holes_heeded = process->hole_count;
}

static void open_up(struct process *process, uint64_t missing, int64_t time)
{
	struct hole *last;

	if (!process->hole_open) {
		process->holes = memory_grow(process->holes, process->hole_count, sizeof(struct hole));
		process->holes[process->hole_count++] = (struct hole){.since = process->called_at};
		process->hole_open = true;
	}
	last = last_of(process);
	last->missing = missing;
	last->until = time;
	last->seq = process->top_seq;
}

/* Nothing that comes late can close it. */
static bool is_certain(const struct process *process, size_t nth)
{
	return process->top_seq - process->holes[nth].seq >= NUMBERS_DISORDER ||
	       hole_size(process, nth) > NUMBERS_DISORDER;
}

/* What came late after all was counted twice. */
static uint64_t missing_of(struct process *process)
{
	uint64_t missing = process->top_seq > process->events ? process->top_seq - process->events : 0;

	if (process->unwritten > missing)
		process->unwritten = missing;
	return missing - process->unwritten;
}

static void leave_unwritten(struct process *process)
{
	uint64_t size = process->hole_count ? hole_size(process, process->hole_count - 1) : 0;

	if (!process->hole_open || process->recording->ended || size > UNWRITTEN_MAX)
		return;
	process->unwritten += size;
	process->hole_count--;
}

void holes_note(struct process *process, int64_t time, bool call)
{
	size_t heeded = process->holes_heeded;

	if (!process_keeps_newest(process))
		return;
	uint64_t missing = missing_of(process);
	close_up(process, missing);
	if (missing > missing_before(process, process->hole_count))
		open_up(process, missing, time);
	if (call) {
		leave_unwritten(process);
		process->hole_open = false;
		process->called_at = time;
	}
	while (process->holes_heeded < process->hole_count && is_certain(process, process->holes_heeded))
		process->holes_heeded++;
	if (process->holes_heeded > heeded)
		holdings_doubt(process, process->holes[process->holes_heeded - 1].until);
}

void holes_end(struct process *process)
{
	/* Its last event may be behind a hole of which the numbers tell nothing more. */
	if (process->leap.seq && process_keeps_newest(process))
		holdings_doubt(process, process->leap.time);
	else if (process->holes_heeded < process->hole_count)
		holdings_doubt(process, last_of(process)->until);
}
