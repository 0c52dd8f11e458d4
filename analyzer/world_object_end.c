/*
 * Objects when the whole trace was read: what the look at /dev/shm tells of them that no event did, and what can be said of
 * them by that.
 */
#include <string.h>

#include "world_inner.h"

const struct leftover *object_leftover(const struct object *object)
{
	return object->recording ? recording_leftover(object->recording, object->dev, object->ino) : NULL;
}

static const struct recording *first_to_tell(const struct object *object)
{
	return object->finder ? object->finder->recording : object->recording;
}

const struct leftover *object_before(const struct object *object)
{
	const struct recording *recording = first_to_tell(object);

	return recording ? recording_before(recording, object->dev, object->ino) : NULL;
}

void object_finish(struct world *world)
{
	size_t kept = 0;

	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (!object->same && !object->host && object->created.process)
			object->host = object->created.process->host;
		if (!object->host)
			object->host = "";
		object->unsized = !object->sized;
	}
	/* Those that were merged stay referred to until the world ends: they go to the end of the list. */
	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (object->same)
			continue;
		world->objects[i] = world->objects[kept];
		world->objects[kept++] = object;
	}
	world->private->objects_listed = world->object_count;
	world->object_count = kept;
}

bool object_is_hearsay(const struct object *object)
{
	return object->recording && object->recording->lets_go && !object->touched && !object_leftover(object);
}

const char *object_name_in_shm(const struct object *object)
{
	for (size_t i = 0; i < object->name_count; i++)
		if (object->names[i].until == 0 && object->names[i].text[0] == '/' &&
		    strchr(object->names[i].text + 1, '/') == NULL)
			return object->names[i].text;
	return NULL;
}

bool object_is_vanished(const struct object *object)
{
	const struct recording *recording = object->recording;

	return recording && recording->looked && object->kind != KIND_memfd && object->dev == recording->device &&
	       !object->unlinked.process && object_name_in_shm(object) && !object_leftover(object);
}

enum origin object_origin(const struct object *object)
{
	const struct recording *recording = first_to_tell(object);

	if (object->created.process)
		return ORIGIN_traced;
	if (object_before(object))
		return ORIGIN_before;
	/* The looks tell of names in /dev/shm alone. */
	return recording && recording->looked_first && object->dev == recording->device && object->kind != KIND_memfd
		       ? ORIGIN_unrecorded
		       : ORIGIN_unknown;
}

/* Did a call change it after the look was taken, as of a process that outlived the recording? */
static bool is_newer(const struct object *object, int64_t looked)
{
	bool newer = object->sized > looked;

	for (size_t i = 0; i < object->name_count; i++)
		newer |= object->names[i].seen > looked || object->names[i].until > looked;
	return newer;
}

static bool lacks_calls(const struct world *world, const struct recording *recording)
{
	return recording->lets_go && world->let_go;
}

/* Where the look found another one, none is known up to the end: of what came behind it no call tells. */
static void tell_size(struct object *object, uint64_t size, int64_t time)
{
	bool lapsed = object->sized && object->sized < time && object->size != size;

	sizes_told(object, size, time);
	if (lapsed)
		object->lapses[object->lapse_count - 1].until = INT64_MAX;
}

/*
 * What unlinked, linked, renamed, resized it or changed its mode may be a call that was let go, or nobody's who was recorded:
 * the look at the end knows better. That it found none of an object proves that it is gone where calls were let go alone; else
 * it has vanished, which is told.
 */
static void settle(const struct world *world, struct object *object, const struct recording *recording)
{
	const struct leftover *first, *left;
	uint64_t names = 0;

	if (!recording->looked || object->kind == KIND_memfd || object->dev != recording->device)
		return;
	first = object_leftover(object);
	if (first && object->unlinked.time <= recording->looked_at)
		object->unlinked = (struct site){0};
	if (!lacks_calls(world, recording) && (first == NULL || is_newer(object, recording->looked_at)))
		return;
	if (first) {
		tell_size(object, first->size, world->now > recording->looked_at ? world->now : recording->looked_at);
		object->mode = first->mode;
	}
	for (left = first; left; left = recording_leftover_next(recording, left), names++)
		names_add(object, left->name, world->now);
	/* There are directories that the look may not read. */
	if (first && names < first->links)
		return;
	for (size_t i = 0; i < object->name_count; i++)
		if (object->names[i].until == 0 && object->names[i].seen != world->now)
			object->names[i].until = world->now;
}

void object_settle(struct world *world)
{
	const struct recording *recording = NULL;
	int64_t let_go_until = 0;

	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];

		if (!object->recording)
			continue;
		settle(world, object, object->recording);
		if (!lacks_calls(world, object->recording))
			continue;
		if (object->recording != recording)
			let_go_until = object_let_go_until(world, object->recording);
		recording = object->recording;
		object->unsized |= object->sized < let_go_until;
	}
}
