/* secret-left, of those who could not wipe: a killed process's secret still has its name and its contents, and no user. */
#include <stdlib.h>

#include "judge.h"
#include "memory.h"
#include "secrets.h"

enum { LAST_USER, TOLD }; /* court->secrets: (object, one of these) -> process */

/* Those for whom the object is a secret end one after the other: the last one stays. */
static void used(struct court *court, struct process *process, const struct use *use)
{
	const struct recording *recording = use->object->recording;

	if (recording->secrets && use->object->kind != KIND_memfd &&
	    secrets_hold(recording->secrets, judge_name_of(use->object), process->exe, (uint32_t)process->euid))
		map_put(&court->secrets, (uintptr_t)use->object, LAST_USER, process);
}

/* What the process itself saw when it left is not told twice. */
static void found(struct court *court, struct process *process, struct object *object,
		  const struct finding_event *event, const struct site *site)
{
	(void)site;
	if (event->rule == RULE_secret_left && object)
		map_put(&court->secrets, (uintptr_t)object, TOLD, process);
}

static void find_left(struct court *court, struct object *object, const struct leftover *leftover)
{
	struct process *keeper = map_get(&court->secrets, (uintptr_t)object, LAST_USER);
	struct role roles[] = {{"created", object->created}, {"mapped", object->mapped}};
	struct finding finding = {.rule = RULE_secret_left,
				  .severity = SEVERITY_WARNING,
				  .object = object,
				  .process = keeper,
				  .bytes = leftover->size};

	if (keeper == NULL || map_get(&court->secrets, (uintptr_t)object, TOLD))
		return;
	char *who = judge_process(keeper), *bytes = judge_bytes(leftover->size);
	finding.uncertain = !leftover->holders_complete && leftover->mode & 066;
	finding.message =
		memory_format("%s (%s), a secret by the policy, still holds data and nobody uses it: %s did not "
			      "wipe it %s",
			      leftover->name, bytes, who, judge_end(keeper));
	court_find(court, &finding, object->created.process ? roles : roles + 1, object->created.process ? 2 : 1);
	free(who);
	free(bytes);
}

static void finish(struct court *court)
{
	for (size_t i = 0; i < court->world->object_count; i++) {
		struct object *object = court->world->objects[i];
		const struct leftover *leftover = object->recording->secrets ? object_leftover(object) : NULL;

		if (leftover && leftover->data && leftover->holder_count == 0)
			find_left(court, object, leftover);
	}
}

/* Another one may come to be at its address. */
static void forgotten(struct court *court, const struct object *object)
{
	map_remove(&court->secrets, (uintptr_t)object, LAST_USER);
	map_remove(&court->secrets, (uintptr_t)object, TOLD);
}

const struct judge judge_secret = {.used = used, .found = found, .forgotten = forgotten, .finish = finish};
