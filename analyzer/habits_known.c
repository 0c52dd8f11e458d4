/* By which names a policy knows the object of a call, so that what is learned of it is learned of those. */
#include <stdlib.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"
#include "tracepoints/policy.h"

static struct known *known_of(struct gathering *gathering, const struct scene *scene)
{
	uint64_t object = (uintptr_t)scene->object, habit = (uintptr_t)scene->runner->habit;
	struct known *known = scene->object ? map_get(&gathering->known, object, habit) : NULL;

	if (!known && scene->object) {
		map_put(&gathering->known, object, habit, known = memory_new(1, sizeof(*known)));
		known->users = 1;
	}
	return known;
}

static void known_put(struct known *known)
{
	if (!known || --known->users)
		return;
	free(known->places);
	free(known);
}

static bool is_known(const struct habit *habit, const struct known *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (policy_glob(habit->seen[known->places[i]].glob, name))
			return true;
	return false;
}

/*
 * A policy goes by the name that a call gives. By a descriptor it goes by one that the object has: it may be one by which
 * the program never called it, and of what has none any more, or is known by its address alone, nobody may know which it
 * was.
 */
static bool is_unnamed(const struct call *call, const struct scene *scene, const struct trace_event *event)
{
	const struct object *object = scene->object;
	bool unnamed = !object || object->kind == KIND_memfd || !object_has_name(object) || event->id == EVENT_mprotect;

	if (call->name_count)
		return false;
	for (size_t i = 0; !unnamed && i < object->name_count; i++) {
		if (object->names[i].until)
			continue;
		char *name = habits_object(object->names[i].text, object->kind == KIND_semaphore);

		unnamed = !is_known(call->runner->habit, call->known, name);
		free(name);
	}
	return unnamed;
}

static void remember(struct known *known, size_t place)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->places[i] == place)
			return;
	known->places = memory_grow(known->places, known->count, sizeof(*known->places));
	known->places[known->count++] = place;
}

static void see_names(struct call *call, struct habit *habit, struct known *known)
{
	bool named = !call->found[RULE_name_not_allowed][RESPONSE_denied];

	for (size_t i = 0; i < call->name_count; i++)
		if (named)
			remember(known, habits_see(habit, call->names[i]));
		else
			habits_name_free(&call->names[i]);
	free(call->names);
	call->names = NULL;
	call->name_count = 0;
}

/*
 * What succeeded was not refused for its names: other threads and children use the object by them before anything else is
 * known of the call.
 */
void habits_know(struct gathering *gathering, struct call *call, const struct scene *scene,
		 const struct trace_event *event)
{
	call->known = known_of(gathering, scene);
	if (call->known)
		call->known->users++;
	call->unnamed = is_unnamed(call, scene, event);
	if (call->known && !call->error)
		see_names(call, call->runner->habit, call->known);
}

/* By whichever of the object's names a policy goes, or by all, each must let it be. */
void habits_settle_names(struct call *call)
{
	struct habit *habit = call->runner->habit;
	struct known own = {0}, *known = call->known ? call->known : &own;

	see_names(call, habit, known);
	for (size_t i = 0; i < known->count; i++)
		habits_needs_join(&habit->seen[known->places[i]].needs, &call->needs);
	if (call->unnamed || !known->count)
		habits_needs_join(&habit->unnamed, &call->needs);
	free(own.places);
	known_put(call->known);
}

void habits_known_forget(struct gathering *gathering, const struct object *object)
{
	const struct habits *habits = gathering->habits;

	for (size_t i = 0; i < habits->count; i++)
		known_put(map_remove(&gathering->known, (uintptr_t)object, (uintptr_t)habits->all[i]));
}

void habits_known_end(struct gathering *gathering)
{
	struct map_slot *slot;
	size_t cursor = 0;

	while ((slot = map_next(&gathering->known, &cursor)))
		known_put(slot->value);
	map_clear(&gathering->known);
}
