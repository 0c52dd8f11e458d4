/* name-vanished and split-brain: what two parties believe of one name. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "memory.h"

static bool other_namespace(const struct process *a, const struct process *b)
{
	return a->mount_namespace && b->mount_namespace && a->mount_namespace != b->mount_namespace;
}

static void find_vanished(struct court *court, struct object *object, const struct role *roles, size_t count,
			  const char *name, const char *how)
{
	struct finding finding = {.rule = RULE_name_vanished,
				  .severity = SEVERITY_WARNING,
				  .object = object,
				  .uncertain = object->contended};
	char *who = judge_process(object->created.process);

	if (map_get(&court->vanished, (uintptr_t)object, 0) == NULL)
		map_put(&court->vanished, (uintptr_t)object, 0, object);
	finding.message =
		memory_format("%s, created by %s, %s although nobody in the recording removed it%s%s", name, who, how,
			      object->contended ? " (but several changed its names at one time)" : "",
			      object->uid >= 1000 ? " (systemd-logind does that at the last logout: RemoveIPC)" : "");
	court_find(court, &finding, roles, count);
	free(who);
}

static void name_missed(struct court *court, struct process *process, const struct name_state *name,
			const struct site *site)
{
	struct object *object = object_real(name->object);

	if (object && object->created.process && !other_namespace(process, object->created.process))
		find_vanished(court, object, (struct role[]){{"opened", *site}, {"created", object->created}}, 2,
			      name->text, "is gone");
}

static bool is_not_removed(const struct object *object)
{
	return object->unlinked.process == NULL;
}

static void name_finish(struct court *court)
{
	/* Its removal may have a later time than who missed it: that of another clock, as in a time namespace. */
	court_reconsider(court, RULE_name_vanished, is_not_removed);
	/* Who removed it may stand in what was not read. */
	for (size_t i = 0; !court->cut && i < court->world->object_count; i++) {
		struct object *object = court->world->objects[i];

		if (!object_is_vanished(object) || object->created.process == NULL ||
		    (object->kind == KIND_file && !object->shared) || map_get(&court->vanished, (uintptr_t)object, 0))
			continue;
		find_vanished(court, object, &(struct role){"created", object->created}, 1, object_name_in_shm(object),
			      "was gone when the recording stopped,");
	}
}

const struct judge judge_name = {.missed = name_missed, .finish = name_finish};

static struct site mapping_site(const struct process *process, const struct object *object)
{
	const struct holdings *holdings = process->holdings;

	for (size_t i = 0; i < holdings->piece_count; i++)
		if (object_real(holdings->pieces[i].from->object) == object)
			return holdings->pieces[i].from->site;
	return (struct site){0};
}

static void split_renewed(struct court *court, struct process *process, const struct name_state *name,
			  const struct site *site)
{
	const struct object *old = name->former;
	const struct process *mapper = old ? court_mapper(court, old, process, 0) : NULL;
	struct finding finding = {.rule = RULE_split_brain, .severity = SEVERITY_WARNING, .object = name->object};
	char *who, *other;

	if (mapper == NULL || other_namespace(process, mapper))
		return;
	who = judge_process(process);
	other = judge_process(mapper);
	finding.victim = mapper;
	finding.message = memory_format("%s now leads %s to a new object while %s still maps the old one", name->text,
					who, other);
	court_find(
		court, &finding,
		(struct role[]){{"opened", *site}, {"mapped", mapping_site(mapper, old)}, {"unlinked", old->unlinked}},
		3);
	free(who);
	free(other);
}

const struct judge judge_split = {.renewed = split_renewed};
