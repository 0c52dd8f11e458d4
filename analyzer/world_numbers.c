/* The numbers of a process's events: how many are missing, and since when none is. */
#include "recording.h"
#include "world_inner.h"

/* Nanoseconds that an event takes at least, whatever the number of threads. */
#define EVENT_TIME 10
/* Nanoseconds within which the end of LTTng's daemons was seen. */
#define GONE_SEEN 200000000

bool process_keeps_newest(const struct process *process)
{
	return process->recording && process->recording->newest;
}

/* The end of a daemon is seen a little later than LTTng in the programs has seen it. */
bool process_is_cut_off(const struct process *process)
{
	const struct recording *recording = process->recording;

	return recording && recording->gone && process->traced && !process->leaving &&
	       (process->ended_at == 0 || process->ended_at + GONE_SEEN > recording->gone);
}

bool process_lacks_events(const struct process *process)
{
	return process->told_lost || process->leap.seq || process->top_seq > process->events + process->unwritten;
}

static void advance(struct process *process, uint32_t seq, int64_t before, int64_t time)
{
	if (seq > process->top_seq)
		process->top_seq = seq;
	if (process->top_seq <= process->events + process->missing)
		return;
	if (process->missing == 0)
		process->whole_until = before;
	process->missing = process->top_seq - process->events;
	process->whole_from = time;
}

/* Whether there was the time to make so many events. */
static bool is_possible(const struct process *process)
{
	const struct leap *leap = &process->leap;
	int64_t start = process->recording ? process->recording->started : 0,
		since = leap->before ? leap->before : start;

	return since == 0 || leap->time - since >= (int64_t)(leap->seq - process->top_seq) * EVENT_TIME;
}

/* That nothing else tells of: its pid is damaged, too. */
static bool is_phantom(const struct process *process)
{
	const struct recording *recording = process->recording;

	return process->events == 1 && !process->announced && process->began_at == process->leap.time && recording &&
	       recording->line_count && !recording->lines_gone;
}

static void land(struct process *process, bool confirmed)
{
	struct leap leap = process->leap;
	bool possible = confirmed && is_possible(process);

	process->leap = (struct leap){0};
	if (!possible) {
		process->misnumbered++;
		return;
	}
	advance(process, leap.seq, leap.before, leap.time);
	holes_note(process, leap.time, leap.call);
}

/* A number far beyond the last one is believed when the next event goes on from there: else it is damaged. */
void numbers_count(struct process *process, uint32_t seq, int64_t time, bool call)
{
	int64_t before = process->seen_at;

	/* A late one, of another thread, says nothing of it. */
	if (process->leap.seq && seq > process->top_seq)
		land(process, seq > process->leap.seq || process->leap.seq - seq < NUMBERS_DISORDER);
	process->events++;
	process->seen_at = time;
	if (process->leap.seq == 0 && seq > process->top_seq && seq - process->top_seq > NUMBERS_DISORDER)
		process->leap = (struct leap){seq, before, time, call};
	else
		advance(process, seq, before, time);
	if (process->leap.seq == 0)
		holes_note(process, time, call);
}

void numbers_finish(struct world *world, struct process *process)
{
	uint64_t gap;

	if (process->leap.seq)
		land(process, !is_phantom(process));
	gap = process->top_seq > process->events ? process->top_seq - process->events : 0;
	process->lost = gap > process->told_lost ? gap : process->told_lost;
	/* Of what a recording lets go only the gap tells; what was lost then, the process and the tracer told. */
	if (process_keeps_newest(process) && gap > process->told_lost) {
		process->let_go = gap - process->told_lost;
		process->let_go -= process->unwritten < process->let_go ? process->unwritten : process->let_go;
		process->lost = process->told_lost;
	}
	/* Not where the numbers of its threads were furthest from their order. */
	if (process->hole_count)
		process->whole_from = process->holes[process->hole_count - 1].until;
	else if (process->unwritten)
		process->whole_from = 0;
	world->lost += process->lost;
	world->let_go += process->let_go;
	world->misnumbered += process->misnumbered;
}

static int64_t let_go_until(const struct world *world, const struct recording *recording, bool shared)
{
	int64_t until = 0;

	for (size_t i = 0; world->let_go && i < world->process_count; i++) {
		const struct process *process = world->processes[i];

		if (process->let_go && process->whole_from > until &&
		    (process->recording == recording || (shared && recording_shares(process->recording, recording))))
			until = process->whole_from;
	}
	return until;
}

int64_t world_let_go_until(const struct world *world, const struct recording *recording)
{
	return let_go_until(world, recording, false);
}

int64_t object_let_go_until(const struct world *world, const struct recording *recording)
{
	return let_go_until(world, recording, true);
}
