/* memory-limit, when it was too late: a process that was killed while its memory cgroup counted kills for want of memory. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "judge.h"
#include "memory.h"

/* As the look at the end found it, or NULL: a size may be one of holes. */
static const struct leftover *look_at(const struct object *object)
{
	return object->kind == KIND_memfd ? NULL : object_leftover(object);
}

static uint64_t room_of(const struct object *object)
{
	return look_at(object) ? look_at(object)->blocks : object->size;
}

/* The largest object that the process maps. */
static const struct piece *largest(const struct process *process)
{
	const struct piece *found = NULL;

	for (size_t i = 0; i < process->holdings->piece_count; i++) {
		const struct piece *piece = &process->holdings->pieces[i];

		if (!piece->from->semaphore &&
		    (found == NULL || room_of(piece->from->object) > room_of(found->from->object)))
			found = piece;
	}
	return found;
}

static char *words_of(const struct object *object)
{
	const struct leftover *look = look_at(object);
	char *memory = judge_memory_of(look, object->size), *words;

	words = memory_format("%sthe largest object that it mapped, %s, has %" PRIu64 " %s%s", look ? "" : "by size ",
			      judge_name_of(object), object->size, judge_unit(object->size), memory);
	free(memory);
	return words;
}

static void oom_ending(struct court *court, struct process *process)
{
	const struct piece *piece = largest(process);
	struct finding finding = {.rule = RULE_memory_limit, .severity = SEVERITY_WARNING, .process = process};
	char *who, *what;

	if (process->recording->oom_kills == 0 || piece == NULL || process->ended != ENDED_signal ||
	    process->signal != SIGKILL)
		return;
	who = judge_process(process);
	finding.object = piece->from->object;
	finding.bytes = finding.object->size;
	what = words_of(finding.object);
	finding.message =
		memory_format("%s was killed by SIGKILL, and the memory cgroup counted %" PRIu64
			      " kill%s for want of memory meanwhile: shared memory counts against its limit, and %s",
			      who, process->recording->oom_kills, process->recording->oom_kills == 1 ? "" : "s", what);
	court_find(court, &finding, &(struct role){"mapped", piece->from->site}, 1);
	free(what);
	free(who);
}

const struct judge judge_oom = {.ending = oom_ending};
