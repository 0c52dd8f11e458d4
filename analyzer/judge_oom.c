/* memory-limit, when it was too late: a process that was killed while its memory cgroup counted kills for want of memory. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* The largest object that the process maps. */
static const struct piece *largest(const struct process *process)
{
	const struct piece *found = NULL;

	for (size_t i = 0; i < process->holdings->piece_count; i++) {
		const struct piece *piece = &process->holdings->pieces[i];

		if (!piece->from->semaphore && (found == NULL || piece->from->object->size > found->from->object->size))
			found = piece;
	}
	return found;
}

static void oom_ending(struct court *court, struct process *process)
{
	const struct piece *piece = largest(process);
	struct finding finding = {.rule = RULE_memory_limit, .severity = SEVERITY_WARNING, .process = process};
	char *who;

	if (process->recording->oom_kills == 0 || piece == NULL || process->ended != ENDED_signal ||
	    process->signal != SIGKILL)
		return;
	who = judge_process(process);
	finding.object = piece->from->object;
	finding.bytes = finding.object->size;
	finding.message =
		memory_format("%s was killed by SIGKILL, and the memory cgroup counted %" PRIu64
			      " kill%s for want of memory meanwhile: shared memory counts against its limit, and "
			      "the largest object that it mapped, %s, has %" PRIu64 " %s",
			      who, process->recording->oom_kills, process->recording->oom_kills == 1 ? "" : "s",
			      judge_name_of(finding.object), finding.object->size, judge_unit(finding.object->size));
	court_find(court, &finding, &(struct role){"mapped", piece->from->site}, 1);
	free(who);
}

const struct judge judge_oom = {.ending = oom_ending};
