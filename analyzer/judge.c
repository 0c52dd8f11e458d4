#include "judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "verdicts.h"

static const struct judge *const judges[] = {
	&judge_segment, &judge_mapping, &judge_descriptor, &judge_partial, &judge_unlink,
	&judge_name,    &judge_split,   &judge_churn,      &judge_length,  &judge_fault,
	&judge_oom,     &judge_size,    &judge_permission, &judge_zeroing, &judge_lifetime,
	&judge_start,   &judge_secret,  &judge_sharing,    &judge_memory,
};

#define JUDGES (sizeof(judges) / sizeof(*judges))

static void ending(void *context, struct process *process)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->ending)
			judges[i]->ending(context, process);
}

static void used(void *context, struct process *process, const struct use *use)
{
	const struct sieve *sieve = ((struct court *)context)->sieve;

	object_real(use->object)->asked |= sieve && sieve->wants(sieve->context, process);
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->used)
			judges[i]->used(context, process, use);
}

static void renewed(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->renewed)
			judges[i]->renewed(context, process, name, site);
}

static void missed(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->missed)
			judges[i]->missed(context, process, name, site);
}

static void unlink_missed(void *context, struct process *process, const struct name_state *name,
			  const struct site *site)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->unlink_missed)
			judges[i]->unlink_missed(context, process, name, site);
}

static void found(void *context, struct process *process, struct object *object, const struct finding_event *event,
		  const struct site *site)
{
	struct court *court = context;

	verdicts_told(court->verdicts, process, event->seq, (enum severity)event->severity);
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->found)
			judges[i]->found(context, process, object, event, site);
}

static void fault(void *context, struct process *process, struct object *object, const struct fault_event *event,
		  const struct site *site)
{
	struct court *court = context;

	verdicts_told(court->verdicts, process, event->seq, rules[RULE_sigbus_cause].severity);
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->fault)
			judges[i]->fault(context, process, object, event, site);
}

static void changed(void *context, struct object *object, const struct change *change)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->changed)
			judges[i]->changed(context, object, change);
}

static void trimmed(void *context, struct process *process, struct object *object, const struct site *site,
		    uint64_t limit)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->trimmed)
			judges[i]->trimmed(context, process, object, site, limit);
}

static void undone(void *context, struct process *process, uint32_t of)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->undone)
			judges[i]->undone(context, process, of);
}

static void over(void *context, struct object *object)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->over)
			judges[i]->over(context, object);
}

static void forgotten(void *context, const struct object *object)
{
	struct court *court = context;

	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->forgotten)
			judges[i]->forgotten(court, object);
	map_remove(&court->vanished, (uintptr_t)object, 0);
}

void court_watch(struct court *court, struct watcher *watcher)
{
	*watcher = (struct watcher){.context = court,
				    .ending = ending,
				    .used = used,
				    .renewed = renewed,
				    .missed = missed,
				    .unlink_missed = unlink_missed,
				    .found = found,
				    .fault = fault,
				    .changed = changed,
				    .trimmed = trimmed,
				    .undone = undone,
				    .over = over,
				    .concern = court_concern,
				    .retired = court_fold,
				    .forgotten = forgotten};
	if (court->sieve && court->sieve->divides(court->sieve->context, RULE_churn))
		watcher->part = churn_part;
}

void court_finish(struct court *court)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->finish)
			judges[i]->finish(court);
	court_hand_in(court);
	findings_sort(court->findings);
}

void court_free(struct court *court)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&court->lengths, &cursor));)
		length_free(slot->value);
	map_clear(&court->lengths);
	map_clear(&court->vanished);
	map_clear(&court->secrets);
	map_clear(&court->places);
	court_drop(court);
}

bool court_asks(const struct court *court, const struct process *process)
{
	return court->sieve == NULL || court->sieve->wants(court->sieve->context, process);
}

const struct process *court_mapper(const struct court *court, const struct object *object, const struct process *except,
				   uint64_t edge)
{
	const struct process *found = NULL;
	bool found_asked = false;
	uint64_t furthest = 0;

	for (size_t i = 0; i < court->world->process_count; i++) {
		const struct process *process = court->world->processes[i];
		bool asked;
		uint64_t end;

		if (process == except || process->over || process->leaving || !holdings_maps(process, object))
			continue;
		end = holdings_end(process, object);
		asked = court_asks(court, process);
		if ((edge && end <= edge) || (found && asked < found_asked) ||
		    (found && asked == found_asked && end <= furthest))
			continue;
		found = process;
		found_asked = asked;
		furthest = end;
	}
	return found;
}
