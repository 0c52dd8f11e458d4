/* churn: the same made and given back over and over. size-disagreement: two ideas of one object's length. */
#include <inttypes.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* Cycles within a second from which a pool would pay: at 4 us a cycle for the calls alone, half a percent of a core. */
#define CHURN_MIN 1000

static bool object_churns(const struct process *process, uint64_t made)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;

		if (tally->of == TALLY_object && tally->busiest >= CHURN_MIN && tally->made >= made / 2)
			return true;
	}
	return false;
}

/*
 * The calls of a cycle: from the release, which is recorded before the call, to the next acquisition, recorded after it.
 * Where each object is mapped once, its mapping spans the least work of the program's own.
 */
static const struct tally *cycle_of(const struct process *process, const struct tally *tally)
{
	struct map_slot *slot;

	for (size_t cursor = 0; tally->of == TALLY_object && (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *other = slot->value;

		if (other->of == TALLY_mapping && other->made == tally->made && other->gaps_time > tally->gaps_time)
			return other;
	}
	return tally;
}

/* A new text; "" where too few cycles followed one another to tell. */
static char *saving_of(const struct tally *cycle, uint64_t count)
{
	char *each, *all, *text;

	if (cycle->gaps < CHURN_MIN / 2)
		return memory_text("");
	each = judge_time(cycle->gaps_time / (int64_t)cycle->gaps);
	all = judge_time((int64_t)((double)cycle->gaps_time / (double)cycle->gaps * (double)count));
	text = memory_format("; the calls from one to the next took %s, recording included, so a pool would save up to "
			     "%s",
			     each, all);
	free(each);
	free(all);
	return text;
}

static void churn_ending(struct court *court, struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;
		bool objects = tally->of == TALLY_object;
		struct role role = {objects ? "created" : "mapped", {process, tally->stack_id, tally->first}};
		struct finding finding = {.rule = RULE_churn,
					  .severity = SEVERITY_NOTE,
					  .object = tally->object,
					  .several = tally->several};
		char *who, *saving;

		if (tally->busiest < CHURN_MIN || tally->of == TALLY_descriptor)
			continue;
		/* A mapping of each of many short-lived objects is the same story. */
		if (!objects && object_churns(process, tally->made))
			continue;
		who = judge_process(process);
		finding.count = tally->made - tally->outstanding;
		saving = saving_of(cycle_of(process, tally), finding.count);
		finding.message = memory_format("%s %s %" PRIu64 " times here, up to %" PRIu64 " times within a "
						"second%s",
						who, objects ? "created and unlinked objects" : "mapped and unmapped",
						finding.count, tally->busiest, saving);
		free(saving);
		court_find(court, &finding, &role, 1);
		free(who);
	}
}

const struct judge judge_churn = {.ending = churn_ending};

/* The first process that was done with an object, and how it had mapped it. */
struct length {
	uint64_t bytes, size;
	struct site site;
	bool told;
};

/* Whoever was done with the object first is not therefore the one that mapped it first. */
static void length_disagree(struct court *court, const struct use *use, const struct length *done)
{
	const struct length own = {.bytes = use->longest, .site = use->longest_site};
	bool earlier = own.site.time < done->site.time;
	const struct length *first = earlier ? &own : done, *second = earlier ? done : &own;
	struct finding finding = {.rule = RULE_size_disagreement, .severity = SEVERITY_WARNING, .object = use->object};
	char *who = judge_process(second->site.process), *other = judge_process(first->site.process);

	finding.message = memory_format("%s maps %" PRIu64 " %s of %s, %s maps %" PRIu64 ", and it was %" PRIu64
					" %s long for both",
					who, second->bytes, judge_unit(second->bytes), judge_name_of(use->object),
					other, first->bytes, done->size, judge_unit(done->size));
	court_find(court, &finding, (struct role[]){{"mapped", second->site}, {"mapped before", first->site}}, 2);
	free(who);
	free(other);
}

static void length_used(struct court *court, struct process *process, const struct use *use)
{
	struct length *first = map_get(&court->lengths, (uintptr_t)use->object, 0);

	/* Whoever maps views of an object says nothing about its length, unless the longest is all of it. */
	if (use->longest == 0 || (use->views && use->longest < use->longest_size))
		return;
	if (first == NULL) {
		first = memory_new(1, sizeof(*first));
		*first = (struct length){use->longest, use->longest_size, use->longest_site, false};
		map_put(&court->lengths, (uintptr_t)use->object, 0, first);
		return;
	}
	/* After a resize they have every right to differ. */
	if (first->told || first->bytes == use->longest || first->size != use->longest_size ||
	    first->site.process == process)
		return;
	first->told = true;
	length_disagree(court, use, first);
}

const struct judge judge_length = {.used = length_used};
