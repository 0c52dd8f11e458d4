/* Objects: one for each (device, inode), whatever the ids and names that processes have for it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_names_inner.h"
#include "world_stacks.h"

struct object *object_real(const struct object *object)
{
	while (object && object->same)
		object = object->same;
	return (struct object *)(uintptr_t)object;
}

const char *object_name(const struct object *object)
{
	const struct name *last = NULL;

	for (size_t i = 0; i < object->name_count; i++) {
		if (object->names[i].until == 0)
			return object->names[i].text;
		if (last == NULL || object->names[i].until >= last->until)
			last = &object->names[i];
	}
	return last ? last->text : NULL;
}

bool object_has_name(const struct object *object)
{
	for (size_t i = 0; i < object->name_count; i++)
		if (object->names[i].until == 0)
			return true;
	return false;
}

bool object_is_called(const struct object *object, const char *text)
{
	return name_of(object, text) != NULL;
}

struct object_id object_id(const struct object *object)
{
	struct object_id id;

	snprintf(id.text, sizeof(id.text), "o%" PRIu64, object->number);
	return id;
}

const char *object_kind(const struct object *object)
{
	static const char *const names[] = {
#define KIND_NAME(name) [KIND_##name] = #name,
		KINDS(KIND_NAME)
#undef KIND_NAME
	};

	return object->kind_known ? names[object->kind] : NULL;
}

static struct object *object_new(struct world *world)
{
	struct object *object = world->private->spare;

	if (object) {
		world->private->spare = object->same;
		*object = (struct object){0};
	} else {
		object = memory_new(1, sizeof(*object));
	}
	object->recording = world->private->recording;
	object->number = ++world->private->objects_made;
	world->objects = memory_grow(world->objects, world->object_count, sizeof(struct object *));
	world->objects[world->object_count++] = object;
	return object;
}

static bool is_teller(const struct object *object, const struct recording *recording)
{
	for (size_t i = 0; i < object->teller_count; i++)
		if (object->tellers[i] == recording)
			return true;
	return false;
}

/* The look at the end is that of the recording which came to know it and took its own last. */
static struct object *known_to(struct object *object, const struct process *process)
{
	const struct recording *recording = process->recording;

	if (recording == object->recording || !object->defined)
		return object;
	if (recording_outlasts(recording, object->recording))
		object->recording = recording;
	if (object->teller_count <= TELLERS_MAX && !is_teller(object, recording) &&
	    object->teller_count++ < TELLERS_MAX)
		object->tellers[object->teller_count - 1] = recording;
	return object;
}

/* What the process, or a forefather before the fork, calls by this id. */
static struct object_entry *entry_of(const struct process *process, uint32_t id)
{
	uint32_t limit = UINT32_MAX;

	for (; process; limit = process->parent_seq, process = process->parent) {
		struct object_entry *entry = map_get(&process->definitions->objects, id, 0);

		if (entry && entry->seq && entry->seq <= limit)
			return entry;
		if (process->began == BEGAN_exec)
			return NULL;
	}
	return NULL;
}

static struct object_entry *entry_new(struct process *process, uint32_t id, uint32_t seq, struct object *object)
{
	struct object_entry *entry = memory_new(1, sizeof(*entry));

	*entry = (struct object_entry){seq, object};
	map_put(&process->definitions->objects, id, 0, entry);
	return entry;
}

struct object *object_of(struct world *world, struct process *process, uint32_t id)
{
	struct object_entry *entry;

	if (id == 0)
		return NULL;
	entry = map_get(&process->definitions->objects, id, 0);
	if (entry == NULL)
		entry = entry_of(process, id);
	/* Its definition is late, or lost. */
	if (entry == NULL)
		entry = entry_new(process, id, 0, object_new(world));
	return entry->object = known_to(object_real(entry->object), process);
}

static void site_earlier(struct site *to, const struct site *from)
{
	if (from->process && (to->process == NULL || from->time < to->time))
		*to = *from;
}

/* `late` was used before its definition told that it is `object`. */
static void merge(struct object *object, struct object *late)
{
	if (object == late)
		return;
	for (size_t i = 0; i < late->name_count; i++) {
		object->names = memory_grow(object->names, object->name_count, sizeof(*object->names));
		object->names[object->name_count++] = late->names[i];
	}
	free(late->names);
	late->names = NULL;
	late->name_count = 0;
	for (size_t i = 0; i < late->change_count; i++) {
		object->changes = memory_grow(object->changes, object->change_count, sizeof(*object->changes));
		object->changes[object->change_count++] = late->changes[i];
	}
	free(late->changes);
	late->changes = NULL;
	late->change_count = 0;
	for (size_t i = 0; i < late->lapse_count; i++)
		sizes_lapse(object, &late->lapses[i]);
	free(late->lapses);
	late->lapses = NULL;
	late->lapse_count = 0;
	site_earlier(&object->created, &late->created);
	site_earlier(&object->mapped, &late->mapped);
	if (late->unlinked.process)
		object->unlinked = late->unlinked;
	object->shared |= late->shared;
	object->touched |= late->touched;
	object->mappers += late->mappers;
	object->openers += late->openers;
	object->maps += late->maps;
	object->attachers += late->attachers;
	if (late->size_max > object->size_max)
		object->size_max = late->size_max;
	if (late->sized > object->sized)
		object->sized = late->sized;
	object->merged++;
	late->same = object;
}

static void describe(struct object *object, struct process *process, const struct object_event *event)
{
	object->defined = true;
	object->finder = process;
	object->host = process->host;
	object->recording = object->tellers[0] = process->recording;
	object->teller_count = 1;
	object->kind = (enum kind)event->kind;
	object->kind_known = true;
	object->dev = event->dev;
	object->ino = event->ino;
	object->mode = event->mode;
	object->uid = event->uid;
	object->gid = event->gid;
	if (object->size == 0)
		object->size = event->size;
	if (object->size_max < event->size)
		object->size_max = event->size;
}

/* Several machines do not share inodes, nor do recordings that do not share their objects. */
static uint64_t device_key(uint64_t dev, const char *host, const struct recording *recording)
{
	if (recording && recording->ground)
		return dev ^ (uintptr_t)recording->ground * 31;
	return dev ^ ((uint64_t)(uintptr_t)host * 31 + (uint64_t)(uintptr_t)recording);
}

struct object *object_at(const struct world *world, const struct process *process, uint64_t dev, uint64_t ino)
{
	uint64_t device = device_key(dev, process->host, process->recording);

	return object_real(map_get(&world->private->objects, device, ino));
}

void object_define(struct world *world, struct process *process, const struct object_event *event)
{
	struct object_entry *entry = map_get(&process->definitions->objects, event->id, 0);
	uint64_t made = world->private->objects_made;
	uint64_t device = device_key(event->dev, process->host, process->recording);
	struct object *known = map_get(&world->private->objects, device, event->ino);
	struct object *late = entry && entry->seq == 0 ? object_real(entry->object) : NULL;
	struct object *object = object_real(known);

	if (object && object->kind != (enum kind)event->kind && object->kind != KIND_file && event->kind != KIND_file)
		object = NULL;
	if (object == NULL) {
		object = late && !late->defined ? late : object_new(world);
		describe(object, process, event);
		map_put(&world->private->objects, device, event->ino, object);
	} else if (late && !late->defined) {
		merge(object, late);
	}
	known_to(object, process);
	/* Whether it is still known here depends on what is found of it: a later reading is to count as this one. */
	if (world->private->mentions)
		world->private->objects_made = made + 1;
	object->told_of = ++world->private->definitions;
	/* A process that opens what shm_open made elsewhere through its path sees a file. */
	if (object->kind == KIND_file && event->kind != KIND_file)
		object->kind = (enum kind)event->kind;
	if (entry == NULL) {
		entry_new(process, event->id, event->seq, object);
		return;
	}
	/* What is told of again children have known since the first time. */
	if (entry->seq == 0 || entry->seq > event->seq || object_real(entry->object) != object)
		entry->seq = event->seq;
	entry->object = object;
}

/*
 * A tmpfs uses no inode number twice. Another file system, which may be mounted below /dev/shm, uses that of what is no more
 * again: from there on it is another object.
 */
static bool is_used_again(const struct object *object)
{
	return object->created.process && object->defined && object->name_count &&
	       strchr(object->names[0].text + 1, '/') && !object_has_name(object) && !object->openers;
}

static struct object *another_of(struct world *world, struct process *process, uint32_t id, const struct object *object)
{
	struct object *again = object_new(world);
	struct object_entry *entry = map_get(&process->definitions->objects, id, 0);

	again->defined = true;
	again->host = object->host;
	again->recording = again->tellers[0] = object->recording;
	again->teller_count = 1;
	again->kind = object->kind;
	again->kind_known = object->kind_known;
	again->dev = object->dev;
	again->ino = object->ino;
	again->mode = object->mode;
	again->uid = object->uid;
	again->gid = object->gid;
	map_put(&world->private->objects, device_key(again->dev, again->host, again->recording), again->ino, again);
	if (entry)
		entry->object = again;
	else
		entry_new(process, id, 1, again);
	return again;
}

bool object_note_created(struct world *world, struct process *process, uint32_t id, bool sure, const struct site *site)
{
	struct object *object = object_of(world, process, id);

	if (object == NULL)
		return false;
	if (is_used_again(object))
		object = another_of(world, process, id, object);
	/* An interposer that stands behind us may make the call by another, which is told as well. */
	else if (object->created.process && (!sure || object->created.process == process))
		return false;
	object->created = *site;
	return true;
}

static void parts_free(struct object *object)
{
	for (size_t i = 0; i < object->name_count; i++)
		free((void *)(uintptr_t)object->names[i].text);
	free(object->names);
	free(object->changes);
	free(object->lapses);
	free(object->rivals);
}

void object_free(struct world *world, struct object *object)
{
	parts_free(object);
	object->same = world->private->spare;
	world->private->spare = object;
}

void objects_free(struct world *world)
{
	for (size_t i = 0; i < world->private->objects_listed; i++) {
		parts_free(world->objects[i]);
		free(world->objects[i]);
	}
	while (world->private->spare) {
		struct object *next = world->private->spare->same;

		free(world->private->spare);
		world->private->spare = next;
	}
	free(world->objects);
}
