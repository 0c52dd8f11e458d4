/*
 * Names that somebody took away without a look at what had them: it was made between his look, which found nothing, and his
 * call. Its maker may tell of it before, or after.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_names_inner.h"

/* So long a maker may be held up between the call and its telling (nanoseconds). */
#define HELD_UP INT64_C(1000000000)

/* Changes that come so shortly after each other may be told in another order (nanoseconds). */
#define CONTENTION INT64_C(10000000)

static bool is_recent(const struct site *site, int64_t now)
{
	return site->process && now - site->time <= HELD_UP;
}

/* What a thread tells comes in its order. */
static bool is_by_same(const struct site *a, const struct site *b)
{
	return a->process == b->process && a->tid == b->tid;
}

void name_changed(struct name_state *state, struct object *object, const struct site *site)
{
	struct object *leads = object_real(state->object);

	if (state->changed.process && !is_by_same(&state->changed, site) &&
	    site->time - state->changed.time < CONTENTION) {
		object->contended = true;
		if (leads)
			leads->contended = true;
	}
	state->changed = *site;
}

/*
 * What the name leads to was told of by an opener, if it was removed, or else is what took the place. Who gave the name to
 * that has made none by it since that he did not tell of.
 */
static bool is_owed(const struct name_state *state, const struct object *object, const struct site *made)
{
	if (!is_recent(&state->owed, made->time))
		return false;
	if (state->object == NULL)
		return true;
	return object_real(state->object) == object ? state->named.time > state->owed.time
						    : !is_by_same(&state->owed, made);
}

bool names_opened_late(const struct object *object, const char *text, int64_t now)
{
	bool late = false;

	for (size_t i = 0; i < object->name_count; i++) {
		const struct name *name = &object->names[i];

		if (strcmp(name->text, text) == 0)
			late = name->until && name->taken && now - name->until <= HELD_UP;
	}
	return late;
}

bool names_settled_unseen(struct world *world, struct name_state *state, struct object *object, const struct site *made)
{
	struct site owed = state->owed;
	bool replaced = state->object && object_real(state->object) != object;

	if (!is_owed(state, object, made))
		return false;
	names_add(object, state->text, owed.time);
	object->presumed = true;
	if (replaced) {
		name_lose(state, object, &owed);
		state->former = object;
		state->owed = (struct site){0};
		return true;
	}
	if (state->object == NULL)
		world->private->watcher->renewed(world->private->watcher->context,
						 (struct process *)(uintptr_t)made->process, state, made);
	name_removed(world, state, object, &owed);
	return true;
}

/* Somebody made the next of that name: it had lost it by then, of which nobody has told. */
static bool was_lost_unseen(const struct name_state *state, const struct object *former, int64_t now)
{
	return state->object && former && former != object_real(state->object) && !former->unlinked.process &&
	       !object_has_name(former) && is_recent(&state->named, now);
}

struct name_change names_unlink_unseen(struct world *world, struct process *process, const char *name, bool semaphore,
				       const struct site *site)
{
	char *text = name_canonical(name, semaphore);
	struct name_state *state = name_state_of(world, process->place, text);
	struct object *object = object_real(state->object), *former = object_real(state->former);
	struct name_change change = {.text = memory_text(name),
				     .semaphore = semaphore,
				     .unseen = true,
				     .state = state,
				     .state_before = state->removed,
				     .site = *site};

	free(text);
	if (was_lost_unseen(state, former, site->time)) {
		former->unlinked = *site;
		former->presumed = true;
		change.object = former;
	} else if (object) {
		change.before = object->unlinked;
		change.object = object;
		object->presumed = true;
		name_removed(world, state, object, site);
	} else {
		state->removed = *site;
		if (is_recent(&state->untold, site->time))
			state->untold = (struct site){0};
		else
			state->owed = *site;
		name_enqueue(world, state);
	}
	return change;
}

void names_made_unseen(struct world *world, const char *name, bool semaphore, const struct site *site)
{
	char *text = name_canonical(name, semaphore);
	struct name_state *state = name_state_of(world, site->process->place, text);
	const struct object *former = object_real(state->former);

	free(text);
	if (is_recent(&state->owed, site->time))
		state->owed = (struct site){0};
	else if (state->object || !former || former->created.process || !is_recent(&state->removed, site->time))
		state->untold = *site;
	if (state->object == NULL)
		name_enqueue(world, state);
}

struct object *names_leads(const struct world *world, const char *name, const struct site *site)
{
	char *text = name_canonical(name, false);
	const struct name_state *state = name_state_find(world, site->process->place, text);

	free(text);
	return state ? object_real(state->object) : NULL;
}

static bool was_called(const struct object *object, const char *text)
{
	for (size_t i = 0; i < object->name_count; i++)
		if (strcmp(object->names[i].text, text) == 0)
			return true;
	return false;
}

bool names_is_next(const struct world *world, const char *name, const struct object *seen, const struct object *after,
		   const struct site *site)
{
	char *text = name_canonical(name, false);
	bool lost = was_called(seen, text) && !object_is_called(seen, text);
	bool next = names_leads(world, name, site) == after || (lost && (!after->touched || was_called(after, text)));

	free(text);
	return next;
}

static void lose_to_another(const struct name_state *state, struct object *object, const struct site *site)
{
	if (!object->unlinked.process)
		name_lose(state, object, site);
}

void names_replaced(const struct world *world, const char *name, struct object *object, const struct site *site)
{
	char *text = name_canonical(name, false);
	const struct name_state *state = name_state_find(world, site->process->place, text);

	free(text);
	if (state)
		lose_to_another(state, object, site);
}

void names_lost_early(const struct world *world, const char *name, struct object *object, const struct site *site)
{
	char *text = name_canonical(name, false);
	const struct name_state *state = name_state_find(world, site->process->place, text);
	struct object *before = state ? object_real(state->object) : NULL;
	struct name *untold = name_of(object, text);

	if (untold && untold->told)
		untold = NULL;
	if (!untold && state && !was_called(object, text)) {
		names_add(object, text, site->time);
		untold = &object->names[object->name_count - 1];
		untold->until = site->time;
	}
	if (untold)
		untold->early = true;
	if (untold && before && before != object)
		lose_to_another(state, before, site);
	free(text);
}

bool names_is_lost_early(const struct world *world, const struct object *object, const char *name,
			 const struct site *site)
{
	char *text = name_canonical(name, false);
	const struct name_state *state = name_state_find(world, site->process->place, text);
	bool lost = false;

	for (size_t i = 0; i < object->name_count; i++) {
		const struct name *of = &object->names[i];

		if (of->until && strcmp(of->text, text) == 0)
			lost = of->early && site->time - of->until <= HELD_UP;
	}
	free(text);
	return lost && state && !is_by_same(&state->removed, site);
}

struct object *names_just_made(const struct world *world, const char *name, const struct site *site)
{
	char *text = name_canonical(name, false);
	const struct name_state *state = name_state_find(world, site->process->place, text);

	free(text);
	return state && is_recent(&state->named, site->time) ? object_real(state->object) : NULL;
}

void names_replaced_unseen(struct world *world, const char *name, const struct site *site)
{
	char *text = name_canonical(name, false);

	name_state_of(world, site->process->place, text)->owed = *site;
	free(text);
}
