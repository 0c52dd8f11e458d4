/* fd-leak: descriptors that stay open after the last mapping of their object went. */
#include <inttypes.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* Of one tally, those whose object the process does not map any more, or never did. */
enum idle { IDLE_none, IDLE_unmapped, IDLE_never_mapped };

static enum idle idle_of(const struct process *process, const struct descriptor *descriptor)
{
	const struct use *use = holdings_use(process, descriptor->object);

	if (use && use->mappings)
		return IDLE_none;
	if (use && use->ever_mapped)
		return IDLE_unmapped;
	return descriptor->object->kind != KIND_file ? IDLE_never_mapped : IDLE_none;
}

/* Not being mapped is no fault by itself, unless they pile up: descriptors are kept to be handed on. */
static struct parts parts_of(const struct court *court, const struct process *process, const struct tally *tally,
			     bool grows, const struct role *role)
{
	struct map_slot *slot;
	struct parts parts = {0};

	for (size_t cursor = 0; (slot = map_next(&process->holdings->descriptors, &cursor));) {
		const struct descriptor *descriptor = slot->value;
		struct finding finding = {.rule = RULE_fd_leak, .count = 1};
		enum idle idle = descriptor->tally == tally ? idle_of(process, descriptor) : IDLE_none;

		if (idle == IDLE_none || (!grows && idle != IDLE_unmapped))
			continue;
		finding.severity = grows ? SEVERITY_ERROR : SEVERITY_NOTE;
		finding.object = object_real(descriptor->object);
		parts_add(court, &parts, &finding, role, descriptor->site.time);
	}
	return parts;
}

static uint64_t idle_count(const struct process *process, const struct tally *tally)
{
	struct map_slot *slot;
	uint64_t count = 0;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->descriptors, &cursor));) {
		const struct descriptor *descriptor = slot->value;

		count += descriptor->tally == tally && idle_of(process, descriptor) != IDLE_none;
	}
	return count;
}

static char *message_of(const struct process *process, const struct tally *tally, const struct parts *parts, size_t nth)
{
	const struct finding *part = &parts->all[nth].finding;
	const struct series *series = &tally->series;
	int64_t first = series_first(series), span = process->ended_at - first;
	uint64_t made = tally->made - tally->doubted;
	char *who = judge_process(process), *share = parts_share(part->count, parts->whole), *message;

	if (part->severity == SEVERITY_ERROR)
		message = memory_format("%s opened %" PRIu64 " descriptors here and closed %" PRIu64
					": they pile up, %" PRIu64 " of them after half of the time, %" PRIu64
					" after three quarters, %" PRIu64 " %s, %" PRIu64
					" of them for objects it does not map%s (the latest of %s)",
					who, made, made - tally->outstanding, series_at(series, first + span / 2),
					series_at(series, first + span / 4 * 3), tally->outstanding, judge_end(process),
					parts->whole, share, judge_name_of(part->object));
	else
		message = memory_format("%s still had %" PRIu64 " descriptor%s opened here (%s%s) %s, after the last "
					"mapping went",
					who, part->count, part->count == 1 ? "" : "s",
					part->several ? "the latest of " : "of ", judge_name_of(part->object),
					judge_end(process));
	free(who);
	free(share);
	return message;
}

static void judge_tally(struct court *court, struct process *process, const struct tally *tally)
{
	bool grows = series_grows(&tally->series, process->ended_at) && idle_count(process, tally) >= SERIES_GROWS_MIN;
	bool ends = process->ended == ENDED_exit || process->ended == ENDED_unknown;
	struct role role = {"opened", {.process = process, .stack_id = tally->stack_id, .time = tally->last}};
	struct parts parts;

	if (!grows && !ends)
		return;
	parts = parts_of(court, process, tally, grows, &role);
	for (size_t i = 0; i < parts.count; i++)
		parts_find(court, &parts, i, message_of(process, tally, &parts, i), &role);
	parts_clear(&parts);
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
