#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis.h"
#include "escape.h"
#include "trace_events.h"
#include "world_holdings.h"
#include "world_inner.h"

struct run {
	const struct replay *replay;
	struct world *world;
	struct settle *settle;
	struct trace_totals totals;
	int64_t start; /* nanoseconds since 1970; 0: not known yet */
	bool stopped;
};

static void ending(void *context, struct process *process)
{
	const struct run *run = context;

	if (run->replay->ending && !run->stopped)
		run->replay->ending(run->replay->context, run->world, process);
}

static void used(void *context, struct process *process, const struct use *use)
{
	(void)context, (void)process, (void)use;
}

static void named(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	(void)context, (void)process, (void)name, (void)site;
}

static void found(void *context, struct process *process, struct object *object, const struct finding_event *event,
		  const struct site *site)
{
	(void)context, (void)process, (void)object, (void)event, (void)site;
}

static void fault(void *context, struct process *process, struct object *object, const struct fault_event *event,
		  const struct site *site)
{
	(void)context, (void)process, (void)object, (void)event, (void)site;
}

static void changed(void *context, struct object *object, const struct change *change)
{
	(void)context, (void)object, (void)change;
}

static void trimmed(void *context, struct process *process, struct object *object, const struct site *site,
		    uint64_t limit)
{
	(void)context, (void)process, (void)object, (void)site, (void)limit;
}

static void undone(void *context, struct process *process, uint32_t of)
{
	(void)context, (void)process, (void)of;
}

static void forgotten(void *context, const struct object *object)
{
	const struct run *run = context;

	if (run->replay->forgotten)
		run->replay->forgotten(run->replay->context, object);
}

static int64_t until(const struct run *run)
{
	return run->start + run->replay->until;
}

/* A mapping is moved when its call comes back; one that fails to go was never away, whenever that is told. */
static bool came_back_later(const struct run *run, const struct outcome *outcome)
{
	return outcome->back > until(run);
}

static int take(void *context, const struct trace_event *event, const struct outcome *outcome,
		const struct trace_event *answer)
{
	struct run *run = context;
	struct process *process;
	int r;

	if (run->start == 0)
		run->start = event->time;
	if (run->replay->has_until && event->time > until(run)) {
		run->stopped = true;
		/* With no call in all of the trace nothing is known of any moment. */
		return run->totals.called ? -ECANCELED : 0;
	}
	if (run->replay->has_until && came_back_later(run, outcome))
		return 0;
	world_take(run->world, event);
	if (answer) {
		struct trace_event early = *answer;

		/* What comes between them is still to come. */
		early.time = event->time;
		world_take(run->world, &early);
	}
	/* A `process` event made the image that is the latest of its pid. */
	process = event->id == EVENT_process ? process_latest(run->world, event) : process_of_event(run->world, event);
	if (process == NULL || run->replay->event == NULL)
		return 0;
	r = run->replay->event(run->replay->context, run->world, process, event, outcome);
	run->stopped = r < 0;
	return r;
}

static int take_when_settled(void *context, const struct trace_event *event)
{
	return settle_add(((struct run *)context)->settle, event);
}

static void tell(const char *problem)
{
	char *safe = escape_terminal(problem);

	fprintf(stderr, "shmguard: %s\n", safe);
	free(safe);
}

/* As the report does: what is missing must not look as if it had not been. */
static void tell_problems(const struct recording *recording, const struct trace_totals *totals, bool to_the_end)
{
	char *gap = to_the_end ? analysis_gap(recording, totals) : NULL;
	char *others = to_the_end ? analysis_others(recording, totals) : NULL;

	for (size_t i = 0; i < recording->problem_count; i++)
		tell(recording->problems[i]);
	if (recording->emptied && recording->part_count == 0)
		tell("there was no error, so no call was kept: the recording was made with --snapshot-on=error");
	for (size_t i = 0; i < totals->problem_count; i++)
		tell(totals->problems[i]);
	if (gap)
		tell(gap);
	if (others)
		tell(others);
	free(others);
	free(gap);
}

/* The moment asked for may be one between two events, or after the last of them. */
static void stop_there(struct run *run, const struct recording *recording)
{
	if (!run->replay->has_until || (!run->stopped && (recording->ended == 0 || until(run) >= recording->ended)))
		return;
	run->stopped = true;
	world_stand(run->world, until(run));
}

static int read_again(struct run *run, const struct recording *recording, char **error)
{
	const struct watcher watcher = {.context = run,
					.ending = ending,
					.used = used,
					.renewed = named,
					.missed = named,
					.unlink_missed = named,
					.found = found,
					.fault = fault,
					.changed = changed,
					.trimmed = trimmed,
					.undone = undone,
					.forgotten = forgotten};
	const struct trace_scope scope = recording_scope(recording);
	struct trace_totals *totals = &run->totals;
	char *place = analysis_trace(recording->dir, error);
	bool to_the_end;
	int r;

	if (place == NULL)
		return -1;
	run->world = world_new(recording, &watcher);
	world_expect(run->world, mentions_read(recording, place));
	run->settle = settle_new(take, run);
	r = trace_read(place, &scope, take_when_settled, run, totals, error);
	if (!run->stopped)
		settle_end(run->settle);
	settle_free(run->settle);
	to_the_end = r == 0;
	if (r < 0 && run->stopped) {
		/* The callback has seen enough. */
		free(*error);
		*error = NULL;
		r = 0;
	} else {
		r = analysis_refuse(recording, r, totals, error);
	}
	if (r == 0 && run->replay->tell)
		tell_problems(recording, totals, to_the_end);
	if (r == 0 && totals->cut && run->replay->cut)
		run->replay->cut(run->replay->context, totals);
	trace_totals_clear(totals);
	if (r == 0)
		stop_there(run, recording);
	/* Where it was stopped the world is shown as it stands, and only then brought to its end. */
	if (r == 0 && !run->stopped)
		(run->replay->stands ? world_settle : world_finish)(run->world);
	if (r == 0 && run->replay->finish)
		run->replay->finish(run->replay->context, run->world);
	run->stopped = true;
	world_finish(run->world);
	world_free(run->world);
	free(place);
	return r < 0 ? -1 : 0;
}

int replay_of(const struct recording *recording, const struct replay *replay, char **error)
{
	struct run run = {.replay = replay, .start = recording->started};

	*error = NULL;
	return read_again(&run, recording, error);
}

int replay(const char *dir, const struct replay *replay, char **error)
{
	struct recording *recording;
	int r;

	*error = NULL;
	recording = recording_read(dir, error);
	if (recording == NULL)
		return -1;
	r = replay_of(recording, replay, error);
	recording_free(recording);
	return r;
}

struct object *replay_object_by(struct world *world, struct process *process, uint32_t id)
{
	return object_of(world, process, id);
}

/* That sem_close was called for: it may be open still, or this was its last time. */
static struct object *semaphore_of(const struct process *process, const struct sem_close_event *e)
{
	return holdings_semaphore_at(process, e->addr) ?: holdings_given_up(process, e->seq);
}

struct object *replay_object(struct world *world, struct process *process, const struct trace_event *event)
{
	struct object *object;

	if (event->id == EVENT_sem_close)
		return semaphore_of(process, &event->event.sem_close);
	object = object_of(world, process, (uint32_t)trace_integer(event, "object", 0));
	/* What is no object took its name. */
	return object ?: object_of(world, process, (uint32_t)trace_integer(event, "replaced", 0));
}
