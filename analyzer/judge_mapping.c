/* mapping-leak: mappings that one place makes and never gives back. partial-unmap: of which a rest is kept. */
#include <inttypes.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* A process that was killed or goes on had no chance to unmap; exec unmaps for it. */
static bool could_have_released(const struct process *process)
{
	return process->ended == ENDED_exit || process->ended == ENDED_unknown;
}

static char *growth_of(const struct tally *tally, const struct process *process)
{
	const struct series *series = &tally->series;
	int64_t first = series_first(series), span = process->ended_at - first;

	return memory_format("%" PRIu64 " of them after half of the time, %" PRIu64 " after three quarters, %" PRIu64
			     " %s",
			     series_at(series, first + span / 2), series_at(series, first + span / 4 * 3),
			     tally->outstanding, judge_end(process));
}

static bool is_cut(const struct piece *piece)
{
	return piece->from->tally && piece->from->cut.process;
}

/* Whether a lower piece of the same mapping comes later in the list: then this one does not count. */
static bool comes_again(const struct holdings *holdings, size_t index)
{
	for (size_t i = index + 1; holdings->pieces[index].from->pieces > 1 && i < holdings->piece_count; i++) {
		if (holdings->pieces[i].from == holdings->pieces[index].from)
			return true;
		if (holdings->pieces[index].start - holdings->pieces[i].end > holdings->pieces[index].from->length)
			return false;
	}
	return false;
}

/* Where they do not pile up, one that was cut is partial-unmap's, but what is left of it is held here as well. */
static struct parts parts_of(const struct court *court, const struct process *process, const struct tally *tally,
			     bool grows, const struct role *role)
{
	const struct holdings *holdings = process->holdings;
	struct parts parts = {0};

	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct acquisition *from = holdings->pieces[i].from;
		struct finding finding = {.rule = RULE_mapping_leak, .bytes = from->bytes};

		if (from->tally != tally || comes_again(holdings, i))
			continue;
		finding.count = grows || !is_cut(&holdings->pieces[i]);
		finding.severity = grows ? SEVERITY_ERROR : SEVERITY_NOTE;
		finding.object = object_real(from->object);
		parts_add(court, &parts, &finding, role, from->site.time);
	}
	return parts;
}

static char *message_of(const struct process *process, const struct tally *tally, const struct parts *parts, size_t nth)
{
	const struct finding *part = &parts->all[nth].finding;
	uint64_t made = tally->made - tally->doubted;
	char *bytes = judge_bytes(part->bytes), *who = judge_process(process), *growth, *share, *message;

	if (part->severity == SEVERITY_ERROR) {
		growth = growth_of(tally, process);
		share = parts_share(part->count, parts->whole);
		message = memory_format("%s made %" PRIu64 " mappings here and unmapped %" PRIu64
					": they pile up, %s%s (%s; the latest of %s)",
					who, made, made - tally->outstanding, growth, share, bytes,
					judge_name_of(part->object));
		free(growth);
		free(share);
	} else {
		message = memory_format("%s still held %" PRIu64 " mapping%s made here (%s; the latest of %s) %s", who,
					part->count, part->count == 1 ? "" : "s", bytes, judge_name_of(part->object),
					judge_end(process));
	}
	free(bytes);
	free(who);
	return message;
}

static void judge_tally(struct court *court, struct process *process, const struct tally *tally)
{
	bool grows = series_grows(&tally->series, process->ended_at);
	struct role role = {"mapped", {.process = process, .stack_id = tally->stack_id, .time = tally->last}};
	struct parts parts;

	if (!grows && !could_have_released(process))
		return;
	parts = parts_of(court, process, tally, grows, &role);
	for (size_t i = 0; i < parts.count; i++)
		if (parts.all[i].finding.count)
			parts_find(court, &parts, i, message_of(process, tally, &parts, i), &role);
	parts_clear(&parts);
}

static void mapping_ending(struct court *court, struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;

		if (tally->of == TALLY_mapping && tally->outstanding)
			judge_tally(court, process, tally);
	}
}

static void partial_ending(struct court *court, struct process *process)
{
	const struct holdings *holdings = process->holdings;

	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct acquisition *from = holdings->pieces[i].from;
		struct role roles[] = {{"unmapped in part", from->cut}, {"mapped", from->site}};
		struct finding finding = {.rule = RULE_partial_unmap, .severity = SEVERITY_NOTE};
		char *gone, *whole, *rest;

		if (!is_cut(&holdings->pieces[i]) || comes_again(holdings, i))
			continue;
		gone = judge_bytes(from->length - from->bytes);
		whole = judge_bytes(from->length);
		rest = judge_bytes(from->bytes);
		finding.bytes = from->bytes;
		finding.object = from->object;
		finding.message = memory_format("of %s mapped from %s, %s were unmapped: %s stay mapped to the end",
						whole, judge_name_of(from->object), gone, rest);
		court_find(court, &finding, roles, 2);
		free(gone);
		free(whole);
		free(rest);
	}
}

const struct judge judge_mapping = {.ending = mapping_ending};
const struct judge judge_partial = {.ending = partial_ending};
