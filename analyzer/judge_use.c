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

/* A new text; "" where too few cycles followed one another to tell. partial: there may have been more of them. */
static char *saving_of(const struct tally *cycle, uint64_t count, bool partial)
{
	char *each, *all, *text;

	if (cycle->gaps < CHURN_MIN / 2)
		return memory_text("");
	each = judge_time(cycle->gaps_time / (int64_t)cycle->gaps);
	all = partial ? memory_text("that each time")
		      : judge_time((int64_t)((double)cycle->gaps_time / (double)cycle->gaps * (double)count));
	text = memory_format("; the calls from one to the next took %s, recording included, so a pool would save up to "
			     "%s",
			     each, all);
	free(each);
	free(all);
	return text;
}

static struct role role_of(const struct process *process, const struct tally *tally)
{
	return (struct role){tally->of == TALLY_object ? "created" : "mapped",
			     {.process = process, .stack_id = tally->stack_id, .time = tally->first}};
}

/* Not what brings findings together: most of such objects came once, and a record of each would grow with the trace. */
uint64_t churn_part(void *court, const struct process *process, const struct tally *tally, const struct object *object)
{
	const struct role role = role_of(process, tally);
	struct finding finding = {.rule = RULE_churn, .severity = SEVERITY_NOTE, .object = object};

	court_sift(court, &finding, &role, 1);
	return (uint64_t)finding.suppression << 1 | finding.unwanted;
}

static void churn_tell(struct court *court, const struct process *process, const struct tally *tally,
		       const struct share *share)
{
	const struct role role = role_of(process, tally);
	uint64_t whole = tally->made - tally->outstanding, count = tally->share_count > 1 ? share->count : whole;
	struct finding finding = {.rule = RULE_churn,
				  .severity = SEVERITY_NOTE,
				  .count = count,
				  .object = object_real(share->object),
				  .several = share->several};
	bool partial = court->doubtful || process_lacks_events(process);
	char *who = judge_process(process), *saving = saving_of(cycle_of(process, tally), whole, partial);
	char *of = parts_share(count, whole);

	finding.message = memory_format(
		"%s %s %s%" PRIu64 " times here, %s %" PRIu64 " times within a second%s%s", who,
		tally->of == TALLY_object ? "created and unlinked objects" : "mapped and unmapped",
		partial ? "at least " : "", whole, partial ? "at least" : "up to", tally->busiest, of, saving);
	court_find(court, &finding, &role, 1);
	free(who);
	free(saving);
	free(of);
}

static void churn_ending(struct court *court, struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->tallies, &cursor));) {
		const struct tally *tally = slot->value;

		if (tally->busiest < CHURN_MIN)
			continue;
		/* A mapping of each of many short-lived objects is the same story. */
		if (tally->of == TALLY_mapping && object_churns(process, tally->made))
			continue;
		for (size_t i = 0; i < tally->share_count; i++)
			if (tally->shares[i].count)
				churn_tell(court, process, tally, &tally->shares[i]);
	}
}

const struct judge judge_churn = {.ending = churn_ending};

/* What is kept of an object is enough for two that disagree to be the same ones in every run, unless very many map it. */
enum { MAPPERS_MAX = 32, ALIKE_MAX = 4 };

struct mapper {
	uint64_t bytes;
	struct site site;
};

/* How those that were done with an object had mapped it while it was `size` long. */
struct length {
	uint64_t size;
	struct mapper *mappers;
	size_t count;
	bool waits; /* two differ: it is told of once nobody else can come */
};

struct pair {
	const struct mapper *shorter, *longer;
};

/* Negative: `a` is rather to be told of, as these differ more, or by their places, which are known at the end. */
static int compare_pairs(const struct court *court, struct pair a, struct pair b, bool whole)
{
	uint64_t one = a.longer->bytes - a.shorter->bytes, other = b.longer->bytes - b.shorter->bytes;
	int order;

	if (one != other || !whole)
		return one > other ? -1 : one < other;
	order = court_compare(court, &a.shorter->site, &b.shorter->site);
	return order ? order : court_compare(court, &a.longer->site, &b.longer->site);
}

static bool differs(struct pair pair)
{
	return pair.shorter->bytes < pair.longer->bytes && pair.shorter->site.process != pair.longer->site.process;
}

static bool length_differs(const struct length *length)
{
	for (size_t i = 0; i < length->count; i++)
		for (size_t j = 0; j < length->count; j++)
			if (differs((struct pair){&length->mappers[i], &length->mappers[j]}))
				return true;
	return false;
}

/* Of one that differs. */
static struct pair length_pair(const struct court *court, const struct length *length, bool whole)
{
	struct pair best = {length->mappers, length->mappers};

	for (size_t i = 0; i < length->count; i++) {
		for (size_t j = 0; j < length->count; j++) {
			struct pair pair = {&length->mappers[i], &length->mappers[j]};

			if (differs(pair) && (!differs(best) || compare_pairs(court, pair, best, whole) < 0))
				best = pair;
		}
	}
	return best;
}

enum stage { STAGE_over, STAGE_forgotten, STAGE_finish };

static void length_tell(struct court *court, const struct object *object, const struct length *length, enum stage stage)
{
	struct pair pair = length_pair(court, length, stage == STAGE_finish);
	const struct site *shorter = &pair.shorter->site, *longer = &pair.longer->site;
	struct finding finding = {.rule = RULE_size_disagreement,
				  .severity = SEVERITY_WARNING,
				  .parties = PARTIES_equal,
				  .object = stage == STAGE_forgotten ? NULL : object,
				  .time = shorter->time > longer->time ? shorter->time : longer->time};
	char *who = judge_process(shorter->process), *other = judge_process(longer->process);

	finding.message = memory_format(
		"%s maps %" PRIu64 " %s of %s, %s maps %" PRIu64 ", and it was %" PRIu64 " %s long for both", who,
		pair.shorter->bytes, judge_unit(pair.shorter->bytes), judge_name_of(object), other, pair.longer->bytes,
		length->size, judge_unit(length->size));
	court_find(court, &finding, (struct role[]){{"mapped", *shorter}, {"mapped as well", *longer}}, 2);
	free(who);
	free(other);
}

void length_free(struct length *length)
{
	if (length)
		free(length->mappers);
	free(length);
}

static void length_add(struct length *length, uint64_t bytes, const struct site *site)
{
	size_t alike = 0, own = 0;

	for (size_t i = 0; i < length->count; i++) {
		const struct mapper *mapper = &length->mappers[i];

		if (mapper->bytes == bytes && mapper->site.process == site->process &&
		    mapper->site.stack_id == site->stack_id)
			return;
		alike += mapper->bytes == bytes;
		own += mapper->site.process == site->process;
	}
	if (alike == ALIKE_MAX || own == ALIKE_MAX || length->count == MAPPERS_MAX)
		return;
	length->mappers = memory_grow(length->mappers, length->count, sizeof(*length->mappers));
	length->mappers[length->count++] = (struct mapper){bytes, *site};
}

static void length_used(struct court *court, struct process *process, const struct use *use)
{
	struct length *length = map_get(&court->lengths, (uintptr_t)use->object, 0);

	(void)process;
	/* Whoever maps views of an object says nothing about its length, unless the longest is all of it. */
	if (use->longest == 0 || (use->views && use->longest < use->longest_size))
		return;
	if (length == NULL) {
		length = memory_new(1, sizeof(*length));
		length->size = use->longest_size;
		map_put(&court->lengths, (uintptr_t)use->object, 0, length);
	}
	/* After a resize they have every right to differ. */
	if (length->size != use->longest_size)
		return;
	length_add(length, use->longest, &use->longest_site);
	if (length->waits || !length_differs(length))
		return;
	length->waits = true;
	use->object->charges++;
}

static void length_over(struct court *court, struct object *object)
{
	struct length *length = map_get(&court->lengths, (uintptr_t)object, 0);

	if (!length || !length->waits)
		return;
	length_tell(court, object, length, STAGE_over);
	object->charges--;
	length_free(map_remove(&court->lengths, (uintptr_t)object, 0));
}

static void length_forgotten(struct court *court, const struct object *object)
{
	struct length *length = map_remove(&court->lengths, (uintptr_t)object, 0);

	if (length && length->waits)
		length_tell(court, object, length, STAGE_forgotten);
	length_free(length);
}

static void length_finish(struct court *court)
{
	for (size_t i = 0; i < court->world->object_count; i++) {
		const struct object *object = court->world->objects[i];
		const struct length *length = map_get(&court->lengths, (uintptr_t)object, 0);

		if (length && length->waits)
			length_tell(court, object, length, STAGE_finish);
	}
}

const struct judge judge_length = {
	.used = length_used, .over = length_over, .forgotten = length_forgotten, .finish = length_finish};
