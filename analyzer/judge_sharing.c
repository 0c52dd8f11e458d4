/* unsynchronised-sharing: two processes write one object, and nothing is seen by which they take turns. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "memory.h"

/*
 * Nanoseconds for which a process and its fork must both go on, to be believed that both write: one forks to run another
 * program, or to become a daemon, and ends.
 */
#define TOGETHER_MIN 100000000

/* By fork a process gets its parent's locks along with the memory where they are. */
static bool takes_turns(const struct process *process)
{
	for (; process; process = process->began == BEGAN_exec ? NULL : process->parent)
		if (process->takes_turns)
			return true;
	return false;
}

static int64_t end_of(const struct court *court, const struct process *process)
{
	return process->over ? process->ended_at : court->world->now;
}

static bool lived_together(const struct court *court, const struct process *parent, const struct process *child)
{
	int64_t parents = end_of(court, parent), childs = end_of(court, child);

	return (parents < childs ? parents : childs) - child->began_at >= TOGETHER_MIN;
}

/* What came to it by a fork, and was not left for another program, it shares with who made it. */
static void sharing_ending(struct court *court, struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; process->ended != ENDED_exec && (slot = map_next(&process->holdings->uses, &cursor));) {
		const struct use *use = slot->value;
		struct object *object = object_real(use->object);

		if (use->inherited.process && object->rival_count == 0 &&
		    lived_together(court, use->inherited.process, process))
			writers_meet(object, &use->inherited,
				     &(struct site){.process = process, .stack_id = 0, .time = process->began_at});
	}
}

/* Of several pairs the one that another run tells of as well. */
static struct rivals rivals_of(const struct court *court, const struct object *object)
{
	struct rivals best = object->rivals[0];

	for (size_t i = 0; i < object->rival_count; i++) {
		struct rivals rivals = object->rivals[i];
		int order;

		if (court_compare(court, &rivals.of[0], &rivals.of[1]) > 0)
			rivals = (struct rivals){{rivals.of[1], rivals.of[0]}};
		order = i ? court_compare(court, &rivals.of[0], &best.of[0]) : -1;
		if (order < 0 || (order == 0 && court_compare(court, &rivals.of[1], &best.of[1]) < 0))
			best = rivals;
	}
	return best;
}

static bool named_before(const struct process *a, const struct process *b)
{
	const char *one = strrchr(a->exe, '/'), *other = strrchr(b->exe, '/');
	int order = strcmp(one ? one : a->exe, other ? other : b->exe);

	return order ? order < 0 : a->pid < b->pid;
}

/* whole: the trace was read to its end, and the stacks are known. */
static void judge_object(struct court *court, const struct object *object, bool whole)
{
	struct finding finding = {.rule = RULE_unsynchronised_sharing, .severity = SEVERITY_NOTE};
	struct rivals rivals;
	const struct process *a, *b;
	char *first, *second;

	if (object->rival_count == 0 || object->kind == KIND_semaphore)
		return;
	rivals = whole ? rivals_of(court, object) : object->rivals[0];
	a = rivals.of[0].process;
	b = rivals.of[1].process;
	/* Recordings of earlier versions do not tell. */
	if (!a->recording->turns || takes_turns(a) || takes_turns(b))
		return;
	first = judge_process(named_before(a, b) ? a : b);
	second = judge_process(named_before(a, b) ? b : a);
	finding.object = whole ? object : NULL;
	finding.victim = b;
	finding.time = rivals.of[rivals.of[1].time < rivals.of[0].time].time;
	finding.message = memory_format("%s and %s could both write %s at one time, and no process-shared mutex, "
					"semaphore or futex of theirs was seen, nor a lock on a file: unless it is "
					"meant to do without (lock-free), one overwrites what the other works on",
					first, second, judge_name_of(object));
	/* What came by a fork was made at one place. */
	finding.parties = rivals.of[1].stack_id ? PARTIES_alike : PARTIES_unlike;
	court_find(court, &finding, (struct role[]){{"mapped", rivals.of[0]}, {"mapped as well", rivals.of[1]}},
		   rivals.of[1].stack_id ? 2 : 1);
	free(first);
	free(second);
}

static void sharing_forgotten(struct court *court, const struct object *object)
{
	judge_object(court, object, false);
}

static void sharing_finish(struct court *court)
{
	for (size_t i = 0; i < court->world->object_count; i++)
		if (court->world->objects[i]->same == NULL)
			judge_object(court, court->world->objects[i], true);
}

const struct judge judge_sharing = {.ending = sharing_ending, .forgotten = sharing_forgotten, .finish = sharing_finish};
