/* fd-leak: descriptors that stay open after the last mapping of their object went. */
#include <inttypes.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* Of one tally, those whose object the process does not map any more, or never did. */
struct idle {
	uint64_t unmapped, never_mapped;
	const struct object *object;
	bool several; /* they are of more than this object */
};

static struct idle idle_of(const struct process *process, const struct tally *tally)
{
	struct idle idle = {0};
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->descriptors, &cursor));) {
		const struct descriptor *descriptor = slot->value;
		const struct use *use = holdings_use(process, descriptor->object);

		if (descriptor->tally != tally || (use && use->mappings))
			continue;
		idle.several |= idle.object && idle.object != descriptor->object;
		idle.object = descriptor->object;
		if (use && use->ever_mapped)
			idle.unmapped++;
		else if (descriptor->object->kind != KIND_file)
			idle.never_mapped++;
	}
	return idle;
}

static void judge_tally(struct court *court, struct process *process, const struct tally *tally)
{
	struct idle idle = idle_of(process, tally);
	uint64_t open = idle.unmapped + idle.never_mapped;
	uint64_t made = tally->made - tally->doubted;
	bool grows = open >= SERIES_GROWS_MIN && series_grows(&tally->series, process->ended_at);
	bool ends = process->ended == ENDED_exit || process->ended == ENDED_unknown;
	struct role role = {"opened", {.process = process, .stack_id = tally->stack_id, .time = tally->last}};
	struct finding finding = {.rule = RULE_fd_leak, .object = idle.object, .several = idle.several};
	const struct series *series = &tally->series;
	int64_t first = series_first(series), span = process->ended_at - first;
	char *who;

	/* Not being mapped is no fault by itself: descriptors are kept to be handed on. */
	if (!grows && (idle.unmapped == 0 || !ends))
		return;
	who = judge_process(process);
	finding.severity = grows ? SEVERITY_ERROR : SEVERITY_NOTE;
	finding.count = grows ? open : idle.unmapped;
	if (grows)
		finding.message = memory_format(
			"%s opened %" PRIu64 " descriptors here and closed %" PRIu64 ": they pile up, %" PRIu64
			" of them after half of the time, %" PRIu64 " after three quarters, %" PRIu64 " %s, %" PRIu64
			" of them for objects it does not map (the latest of %s)",
			who, made, made - tally->outstanding, series_at(series, first + span / 2),
			series_at(series, first + span / 4 * 3), tally->outstanding, judge_end(process), open,
			judge_name_of(tally->object));
	else
		finding.message = memory_format("%s still had %" PRIu64 " descriptor%s opened here (of %s) %s, after "
						"the last mapping went",
						who, idle.unmapped, idle.unmapped == 1 ? "" : "s",
						judge_name_of(idle.object), judge_end(process));
	court_find(court, &finding, &role, 1);
	free(who);
}

static void ending(struct court *court, struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;

		if (tally->of == TALLY_descriptor && tally->outstanding)
			judge_tally(court, process, tally);
	}
}

const struct judge judge_descriptor = {.ending = ending};
