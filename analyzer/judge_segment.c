/* segment-leak: made in the trace, still has its name, and nobody uses it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "memory.h"

#define NAMES_TOLD 3

/* It came while this was recorded, and the call that made it is older than what the recording keeps. */
static bool came_unseen(const struct recording *recording, const struct object *object)
{
	return recording->lets_go && recording->looked && !object->created.process && object->finder &&
	       object->finder->let_go && !object_before(object);
}

static bool counts(const struct recording *recording, const struct object *object)
{
	if (object->kind == KIND_memfd || (!object->created.process && !came_unseen(recording, object)))
		return false;
	/* Builds put ordinary files into /dev/shm. */
	return object->kind != KIND_file || object->shared;
}

static char *fate_of(const struct process *creator)
{
	const char *name;

	switch (creator->ended) {
	case ENDED_signal:
		name = sigabbrev_np(creator->signal);
		return name ? memory_format("killed by SIG%s", name)
			    : memory_format("killed by signal %d", creator->signal);
	case ENDED_exit:
		return memory_format("exited with status %d", creator->status);
	case ENDED_exec:
		return memory_text("went on to run another program");
	case ENDED_running:
		return memory_text("which was still running");
	default:
		return memory_text("it is not known how it ended");
	}
}

/* Nobody looked at what it left, and it may yet unlink it. */
static bool may_go_on(const struct object *object, const struct leftover *leftover)
{
	const struct process *creator = object->created.process;
	const struct recording *recording = object->recording;

	if (leftover || !creator)
		return false;
	return creator->ended == ENDED_running ||
	       (creator->ended == ENDED_unknown && recording->described && !recording->ended);
}

/* What it has besides `name`, as ", also /y"; a new text. */
static char *other_names(const struct object *object, const char *name)
{
	char *all = memory_text(""), *more;
	size_t count = 0;

	for (size_t i = 0; i < object->name_count; i++) {
		const char *other = object->names[i].text;

		if (object->names[i].until || strcmp(other, name) == 0 || count++ >= NAMES_TOLD)
			continue;
		more = memory_format("%s%s%s", all, count > 1 ? ", " : ", also ", other);
		free(all);
		all = more;
	}
	if (count <= NAMES_TOLD)
		return all;
	more = memory_format("%s and %zu more", all, count - NAMES_TOLD);
	free(all);
	return more;
}

static void find_leak(struct court *court, struct object *object, const struct leftover *leftover)
{
	const char *name =
		leftover && !object_is_called(object, leftover->name) ? leftover->name : judge_name_of(object);
	char *others = other_names(object, name), *size = judge_bytes(leftover ? leftover->size : object->size);
	char *bytes = memory_format("%s%s", size, others);
	const struct site *made = object->created.process ? &object->created : &object->told;
	const struct process *process = made->process ? made->process : object->finder;
	char *creator = judge_process(process), *fate = fate_of(process);
	struct role role = {made->process ? "created" : "seen first",
			    {.process = process, .stack_id = made->stack_id, .time = made->time}};
	struct finding finding = {.rule = RULE_segment_leak, .severity = SEVERITY_ERROR, .object = object};

	object->leaked = !may_go_on(object, leftover);
	if (!object->leaked)
		finding.severity = SEVERITY_NOTE;
	finding.bytes = leftover ? leftover->size : object->size;
	/* Another user's process may hold it, if its mode lets one. */
	finding.uncertain = leftover ? !leftover->holders_complete && leftover->mode & 066 : true;
	if (!made->process) {
		finding.uncertain = true;
		finding.message =
			memory_format("%s (%s) still exists and nobody uses it: it came while this was recorded, "
				      "seen first by %s, %s; the call that created it was let go",
				      name, bytes, creator, fate);
	} else if (leftover && !object_has_name(object)) {
		finding.message =
			memory_format("%s (%s) still existed when its recording ended and nobody used it: created "
				      "by %s, %s, never unlinked; it is gone since, by nobody who was recorded",
				      name, bytes, creator, fate);
	} else if (leftover) {
		finding.message = memory_format("%s (%s) still exists and nobody uses it: created by %s, %s, never "
						"unlinked",
						name, bytes, creator, fate);
	} else {
		finding.message = memory_format("%s (%s) was created by %s, %s, and never unlinked; by the trace "
						"alone nobody uses it any more",
						name, bytes, creator, fate);
	}
	court_find(court, &finding, &role, 1);
	free(bytes);
	free(creator);
	free(fate);
	free(size);
	free(others);
}

static void finish(struct court *court)
{
	for (size_t i = 0; i < court->world->object_count; i++) {
		struct object *object = court->world->objects[i];
		const struct recording *recording = object->recording;
		const struct leftover *leftover;

		if (!counts(recording, object))
			continue;
		leftover = object_leftover(object);
		if (recording->looked) {
			/* One that outlived the recording may have removed it after the look. */
			if (leftover && leftover->holder_count == 0 && !object->unlinked.process)
				find_leak(court, object, leftover);
		} else if (object_has_name(object) && !object->held) {
			find_leak(court, object, NULL);
		}
	}
}

const struct judge judge_segment = {.finish = finish};
