/* Names: what each leads to, who made it so and who removed it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "deleted_mark.h"
#include "memory.h"
#include "world_names_inner.h"

/* An object that is renamed over and over keeps its latest names. */
#define NAMES_MAX 64

static const char directory[] = "/dev/shm/";

/* One spelling for "/x" of shm_open, "x" of a careless one, "/dev/shm/x" of open; and "/sem.x" of sem_open("/x"). */
char *name_canonical(const char *name, bool semaphore)
{
	if (strncmp(name, directory, sizeof(directory) - 1) == 0)
		name += sizeof(directory) - 2;
	while (name[0] == '/' && name[1] == '/')
		name++;
	if (semaphore)
		return memory_format("/sem.%s", name[0] == '/' ? name + 1 : name);
	if (name[0] == '/' || strchr(name, '/'))
		return memory_text(name);
	return memory_format("/%s", name);
}

bool name_is_way(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0;
}

static void names_drop_oldest(struct object *object)
{
	free((void *)(uintptr_t)object->names[0].text);
	memmove(&object->names[0], &object->names[1], (--object->name_count) * sizeof(*object->names));
}

struct name *name_of(const struct object *object, const char *text)
{
	for (size_t i = 0; i < object->name_count; i++)
		if (object->names[i].until == 0 && strcmp(object->names[i].text, text) == 0)
			return &object->names[i];
	return NULL;
}

bool call_ends_at_random(enum symbol symbol)
{
	return symbol == SYMBOL_mkstemp || symbol == SYMBOL_mkstemp64 || symbol == SYMBOL_mkostemp ||
	       symbol == SYMBOL_mkostemp64;
}

bool object_is_called_at_random(const struct object *object, const char *text)
{
	for (size_t i = 0; i < object->name_count; i++)
		if (object->names[i].random && strcmp(object->names[i].text, text) == 0)
			return true;
	return false;
}

void names_made_at_random(struct object *object, const char *text)
{
	char *canonical = name_canonical(text, false);
	struct name *name = name_of(object, canonical);

	if (name)
		name->random = true;
	free(canonical);
}

void names_add(struct object *object, const char *text, int64_t time)
{
	struct name *name = name_of(object, text);

	if (name) {
		name->told = true;
		name->seen = time;
		return;
	}
	if (object->name_count == NAMES_MAX)
		names_drop_oldest(object);
	object->names = memory_grow(object->names, object->name_count, sizeof(*object->names));
	object->names[object->name_count++] =
		(struct name){.text = memory_text(text), .from = time, .seen = time, .told = true};
}

static void names_end(struct object *object, const char *text, int64_t time, bool taken)
{
	struct name *name = name_of(object, text);

	if (name) {
		name->until = time;
		name->taken = taken;
	}
}

/* What O_TMPFILE makes is shown by its number, in the directory that was given. */
static bool is_stand_in(const struct object *object, const char *name)
{
	const char *slash = strrchr(name, '/');
	char *number = memory_format("/#%" PRIu64, object->ino);
	bool same = slash && strcmp(slash, number) == 0;

	free(number);
	return same;
}

/* `name` may be one that /proc/self/fd has: of a memfd, of an object that lost its name or never had one. */
void names_defined(struct object *object, const char *name, int64_t time)
{
	static const char memfd[] = "/memfd:";
	size_t end = deleted_mark(name);
	bool gone = name[end] != '\0';
	char *given, *text;

	if (object->name_count || name_is_way(name))
		return;
	given = memory_span(name, end);
	if (gone && is_stand_in(object, given)) {
		free(given);
		return;
	}
	if (strncmp(given, memfd, sizeof(memfd) - 1) == 0)
		text = memory_text(given + 1);
	else
		text = name_canonical(given, false);
	names_add(object, text, time);
	object->names[object->name_count - 1].told = false;
	if (gone && object->kind != KIND_memfd)
		names_end(object, text, time, false);
	free(text);
	free(given);
}

static void lead_to(struct world *world, struct name_state *state, struct object *object, const struct site *site)
{
	name_unqueue(world, state);
	name_changed(state, object, site);
	if (state->object && state->object != object)
		names_end(object_real(state->object), state->text, site->time, false);
	if (state->object)
		state->former = object_real(state->object);
	state->object = object;
	state->named = *site;
	names_add(object, state->text, site->time);
}

/* The object has lost the name; where that leads now is another thing. */
void name_lose(const struct name_state *state, struct object *object, const struct site *site)
{
	names_end(object, state->text, site->time, true);
	if (!object_has_name(object))
		object->unlinked = *site;
}

void name_removed(struct world *world, struct name_state *state, struct object *object, const struct site *site)
{
	name_changed(state, object, site);
	name_lose(state, object, site);
	state->owed = (struct site){0};
	state->removed = *site;
	state->former = object;
	state->object = NULL;
	name_enqueue(world, state);
}

/*
 * By another process, which found it before its maker could tell of it: inode numbers of a tmpfs are used once. It may have
 * another name by now.
 */
static bool is_removed_already(const struct name_state *state, const struct object *object)
{
	return state->object == NULL && object_real(state->former) == object && state->removed.process;
}

/*
 * It was found by the name before the removal, which is told before the call: an object gets a name back by link or rename
 * alone.
 */
static bool has_lost(const struct object *object, const char *text)
{
	bool lost = false;

	if (object->unlinked.process == NULL)
		return false;
	for (size_t i = 0; i < object->name_count; i++)
		if (strcmp(object->names[i].text, text) == 0)
			lost = object->names[i].until != 0;
	return lost;
}

bool names_lost(const struct object *object, const char *name)
{
	char *text = name_canonical(name, false);
	bool lost = has_lost(object, text);

	free(text);
	return lost;
}

bool names_open(struct world *world, struct process *process, const char *name, bool semaphore, struct object *object,
		bool created, const struct site *site)
{
	struct name_state *state;
	struct object *before;
	bool gone;
	char *text;

	if (name_is_way(name))
		return false;
	text = name_canonical(name, semaphore);
	state = name_state_of(world, process->place, text);
	before = object_real(state->object ? state->object : state->former);
	gone = state->object == NULL && state->removed.process;
	free(text);
	if (created && names_settled_unseen(world, state, object, site))
		return true;
	if (object_real(state->object) == object) {
		names_add(object, state->text, site->time);
		return false;
	}
	if (created && is_removed_already(state, object)) {
		if (object->name_count == 0)
			names_add(object, state->text, state->removed.time);
		names_end(object, state->text, state->removed.time, true);
		return true;
	}
	if (has_lost(object, state->text) || names_opened_late(object, state->text, site->time))
		return true;
	lead_to(world, state, object, site);
	if (before != object && (before || gone)) {
		state->former = before;
		world->private->watcher->renewed(world->private->watcher->context, process, state, site);
	}
	if (!created)
		state->named.process = NULL;
	return false;
}

void names_open_failed(struct world *world, struct process *process, const char *name, bool semaphore, int error,
		       const struct site *site)
{
	char *text = name_canonical(name, semaphore);
	struct name_state *state = name_state_find(world, process->place, text);

	free(text);
	if (state && error == ENOENT)
		world->private->watcher->missed(world->private->watcher->context, process, state, site);
}

struct name_change names_unlink(struct world *world, struct process *process, const char *name, bool semaphore,
				struct object *object, const struct site *site)
{
	char *text = name_canonical(name, semaphore);
	struct name_change change = {
		.text = memory_text(name), .semaphore = semaphore, .object = object, .site = *site};
	struct name_state *state = name_state_find(world, process->place, text);

	/* Known by a relative path only: an object with one name has lost that one. Of another it had a link. */
	if (object && state == NULL && *name != '/' && object->name_count == 1 && object->names[0].until == 0) {
		state = name_state_find(world, process->place, object->names[0].text);
		if (state == NULL)
			state = name_state_of(world, process->place, object->names[0].text);
	}
	if (object && state == NULL)
		state = name_state_of(world, process->place, text);
	free(text);
	/* Another who saw it was faster: if this one succeeds, it removes what has the name by then. */
	if (object && has_lost(object, state->text) && !object->presumed) {
		free(change.text);
		return names_unlink_unseen(world, process, name, semaphore, site);
	}
	change.state = state;
	if (state)
		change.state_before = state->removed;
	if (object == NULL || state == NULL)
		return change;
	change.before = object->unlinked;
	/* It was another that went before, then: what has the name by now is not this one. */
	if (object->presumed && state->object && object_real(state->object) != object)
		object->unlinked = *site;
	else
		name_removed(world, state, object, site);
	object->presumed = false;
	return change;
}

static void name_revive(struct world *world, struct name_state *state, struct object *object)
{
	name_unqueue(world, state);
	state->object = object;
	for (size_t i = object->name_count; i > 0; i--) {
		if (strcmp(object->names[i - 1].text, state->text) == 0) {
			object->names[i - 1].until = 0;
			break;
		}
	}
}

/* What it was to remove has not been told of, or was since, and then looks removed. */
static void unseen_failed(struct world *world, struct process *process, struct name_state *state,
			  const struct name_change *change)
{
	struct object *made = object_real(state->former);

	if (state->owed.process == process && state->owed.time == change->site.time) {
		state->removed = change->state_before;
		state->owed = (struct site){0};
	} else if (!change->object && !state->object && made && made->unlinked.process == process &&
		   made->unlinked.time == change->site.time) {
		made->unlinked = (struct site){0};
		state->removed = change->state_before;
		name_revive(world, state, made);
	}
}

/* It was seen, and is gone: by who removed another of the name just before, and may have removed this one instead. */
static bool was_removed_by(const struct object *object, const struct site *before)
{
	return before->process && !object->unlinked.process && !object_has_name(object) && object->created.process &&
	       before->time > object->created.time;
}

void names_unlink_failed(struct world *world, struct process *process, struct name_change *change, int error)
{
	char *text = name_canonical(change->text, change->semaphore);
	struct name_state *state = name_state_find(world, process->place, text);
	struct object *object = object_real(change->object);

	free(text);
	if (state && state == change->state)
		unseen_failed(world, process, state, change);
	if (object && state && state == change->state) {
		/* Who has renamed it meanwhile may have removed it since. */
		if (object->unlinked.process == process && object->unlinked.time == change->site.time)
			object->unlinked = change->before;
		if (error == ENOENT && was_removed_by(object, &change->state_before)) {
			object->unlinked = change->state_before;
			object->presumed = true;
		}
		state->removed = change->state_before;
		/* What was seen there was removed between the look and the call; or another has the name by now. */
		if ((error != ENOENT || change->unseen) && state->object == NULL)
			name_revive(world, state, object);
	}
	if (state && error == ENOENT)
		world->private->watcher->unlink_missed(world->private->watcher->context, process, state, &change->site);
}

void names_link(struct world *world, const char *name, struct object *object, const struct site *site)
{
	char *text = name_canonical(name, false);

	lead_to(world, name_state_of(world, site->process->place, text), object, site);
	free(text);
}

void names_linked(struct world *world, const char *name, struct object *object, const struct site *site)
{
	char *text = name_canonical(name, false);
	struct name_state *state = name_state_of(world, site->process->place, text);

	free(text);
	if (names_is_lost_early(world, object, name, site) || names_settled_unseen(world, state, object, site))
		return;
	lead_to(world, state, object, site);
}
