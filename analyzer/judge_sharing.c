/* unsynchronised-sharing: two processes write one object, and nothing is seen by which they take turns. */
#include <stdlib.h>

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

		if (use->inherited.process == NULL || object->rivals[0].process ||
		    !lived_together(court, use->inherited.process, process))
			continue;
		object->rivals[0] = use->inherited;
		object->rivals[1] = (struct site){process, 0, process->began_at};
	}
}

static void judge_object(struct court *court, const struct object *object, bool stays)
{
	const struct site *a = &object->rivals[0], *b = &object->rivals[1];
	struct finding finding = {.rule = RULE_unsynchronised_sharing, .severity = SEVERITY_NOTE};
	struct role roles[] = {{"mapped", *a}, {"mapped as well", *b}};
	char *first, *second;

	/* Recordings of earlier versions do not tell. */
	if (a->process == NULL || !a->process->recording->turns)
		return;
	if (object->kind == KIND_semaphore || takes_turns(a->process) || takes_turns(b->process))
		return;
	first = judge_process(a->process);
	second = judge_process(b->process);
	finding.object = stays ? object : NULL;
	finding.victim = b->process;
	finding.message = memory_format("%s and %s could both write %s at one time, and no process-shared mutex, "
					"semaphore or futex of theirs was seen, nor a lock on a file: unless it is "
					"meant to do without (lock-free), one overwrites what the other works on",
					first, second, judge_name_of(object));
	court_find(court, &finding, roles, b->stack_id ? 2 : 1);
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
