/*
 * Who filled a file system. Only the kernel knows the pages: a size may be one of holes alone, and what write(2) made is in no
 * trace. What a look at the end found of an object tells, as long as no call has changed it since; of the others there is a
 * size, which is the most that they can take up, as it seems. Where that does not show who is the largest nobody is named.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge_fault.h"
#include "memory.h"
#include "pages.h"
#include "recording.h"

#define CROWD_MAX 16 /* of those that may be the largest */
#define NAMED 3

/* What lies on it. */
struct lodger {
	struct object *object; /* NULL: no call on it is in the trace */
	const struct leftover *leftover;
	uint64_t size;
	uint64_t room; /* bytes: not known: that it takes up at most */
	bool known;
	bool before; /* leftover: it was there when the recording started */
};

struct crowd {
	const struct world *world;
	const struct process *process; /* that touched it */
	uint64_t dev;
	int64_t time;
	bool blank; /* there was one of which nothing tells how large it was */
	struct lodger all[CROWD_MAX + 1];
	size_t count;
	uint64_t sum; /* of the room of those that were too many */
};

/* By room; of those that are too many the smallest goes. */
static void crowd_add(struct crowd *crowd, struct lodger lodger)
{
	size_t at = crowd->count;

	if (lodger.object)
		lodger.object->charges++;
	for (; at > 0 && crowd->all[at - 1].room < lodger.room; at--)
		crowd->all[at] = crowd->all[at - 1];
	crowd->all[at] = lodger;
	if (crowd->count < CROWD_MAX) {
		crowd->count++;
		return;
	}
	crowd->sum += crowd->all[CROWD_MAX].room;
	if (crowd->all[CROWD_MAX].object)
		crowd->all[CROWD_MAX].object->charges--;
}

static void crowd_empty(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++)
		if (crowd->all[i].object)
			crowd->all[i].object->charges--;
	crowd->count = 0;
}

static bool is_there(const struct object *object, const struct object *beside)
{
	bool alive = object->mappers || object->openers || object_has_name(object);

	return alive && object->same == NULL && object->kind != KIND_memfd && object->dev == beside->dev &&
	       object->host == beside->host;
}

struct crowd *crowd_new(const struct world *world, const struct process *process, const struct object *beside)
{
	struct crowd *crowd = memory_new(1, sizeof(*crowd));

	*crowd = (struct crowd){.world = world, .process = process, .dev = beside->dev, .time = world->now};
	for (size_t i = 0; i < world->object_count; i++) {
		struct object *object = world->objects[i];
		struct lodger lodger = {.object = object, .size = object->size};

		if (!is_there(object, beside))
			continue;
		lodger.leftover = object_leftover(object);
		lodger.room = pages_round(object->size);
		if (lodger.leftover && lodger.leftover->blocks > lodger.room)
			lodger.room = lodger.leftover->blocks;
		/* Written to, it may have any size; of many it would not be kept. */
		crowd->blank |= object->size == 0 && lodger.leftover == NULL;
		crowd_add(crowd, lodger);
	}
	return crowd;
}

void crowd_free(struct crowd *crowd)
{
	if (crowd)
		crowd_empty(crowd);
	free(crowd);
}

/* After that it may have taken up another room than the look has seen. */
static bool is_changed(const struct object *object, int64_t since)
{
	for (size_t i = object->change_count; i > 0; i--)
		if (object->changes[i - 1].site.time > since && object->changes[i - 1].of != CHANGE_refused)
			return true;
	return false;
}

static void settle(struct lodger *lodger, int64_t time)
{
	lodger->known = lodger->leftover && !is_changed(lodger->object, time);
	if (lodger->known)
		lodger->room = lodger->leftover->blocks;
	if (lodger->known && lodger->leftover->size > lodger->size)
		lodger->size = lodger->leftover->size;
}

static bool is_unseen(const struct crowd *crowd, const struct leftover *left)
{
	return left->dev == crowd->dev && !object_at(crowd->world, crowd->process, left->dev, left->ino);
}

/* What a look found and no call is of. That it was gone in the end leaves open whether it was there. */
static void add_unseen(struct crowd *crowd)
{
	const struct recording *recording = crowd->process->recording;
	const struct leftover *left;

	for (size_t i = 0; recording && i < recording->leftover_count; i++) {
		left = &recording->leftovers[i];
		if (is_unseen(crowd, left) && recording_leftover(recording, left->dev, left->ino) == left)
			crowd_add(crowd, (struct lodger){.leftover = left,
							 .size = left->size,
							 .room = left->blocks,
							 .known = true,
							 .before = recording_before(recording, left->dev, left->ino)});
	}
	for (size_t i = 0; recording && i < recording->before_count; i++) {
		left = &recording->before[i];
		if (is_unseen(crowd, left) && recording_before(recording, left->dev, left->ino) == left &&
		    !recording_leftover(recording, left->dev, left->ino))
			crowd_add(crowd, (struct lodger){.leftover = left,
							 .size = left->size,
							 .room = left->blocks,
							 .known = !recording->looked,
							 .before = true});
	}
}

/* Of the whole file system; 0: not known. */
static uint64_t room_of(const struct crowd *crowd)
{
	const struct recording *recording = crowd->process->recording;

	return recording && recording->mount.known && recording->device == crowd->dev ? recording->mount.size : 0;
}

/* Whether it shows who is the largest. Of what nobody told of there may be more than there is of the largest. */
static bool shows_largest(const struct crowd *crowd)
{
	const struct lodger *top = &crowd->all[0];
	uint64_t all = room_of(crowd), sum = crowd->sum;

	if (crowd->count == 0 || top->room == 0)
		return false;
	if (all && top->known && top->room >= all / 2)
		return true;
	for (size_t i = 0; i < crowd->count; i++)
		sum += crowd->all[i].room;
	return !crowd->blank && (!all || (top->room <= all && (sum >= all || all - sum <= top->room)));
}

static char *maker(const struct lodger *lodger)
{
	if (lodger->object && lodger->object->created.process)
		return judge_process(lodger->object->created.process);
	if (lodger->object)
		return judge_nobody(lodger->object);
	return memory_text(lodger->before ? "somebody before the recording began"
					  : "somebody whose call is not in the trace");
}

static char *lodger_words(const struct lodger *lodger)
{
	const char *name = lodger->object ? judge_name_of(lodger->object) : lodger->leftover->name;
	char *who = maker(lodger), *room = judge_memory_of(lodger->known ? lodger->leftover : NULL, lodger->size),
	     *words;

	words = memory_format("%s of %" PRIu64 " %s%s, created by %s", name, lodger->size, judge_unit(lodger->size),
			      room, who);
	free(who);
	free(room);
	return words;
}

/* As the looks have them; a size tells nothing beside what is known to be there. */
static struct crowd settled(const struct crowd *crowd)
{
	struct crowd all = *crowd;

	all.count = 0;
	for (size_t i = 0; i < crowd->count; i++) {
		struct lodger lodger = crowd->all[i];

		settle(&lodger, crowd->time);
		all.blank |= !lodger.known && lodger.size == 0;
		crowd_add(&all, lodger);
	}
	add_unseen(&all);
	return all;
}

static bool is_named(const struct crowd *crowd, size_t nth)
{
	return crowd->all[nth].room && (crowd->all[nth].known || !crowd->all[0].known);
}

char *crowd_words(const struct crowd *crowd, const struct object *beside, struct site *filled)
{
	struct crowd all = settled(crowd);
	char *words = memory_text("");
	size_t named = 0;

	for (size_t i = 0; shows_largest(&all) && i < all.count && named < NAMED; i++) {
		const struct lodger *lodger = &all.all[i];
		char *one, *more;

		if (!is_named(&all, i))
			continue;
		one = lodger_words(lodger);
		more = memory_format("%s; %s%s", words,
				     named++         ? ""
				     : lodger->known ? "the largest on it: "
						     : "by size the largest on it: ",
				     one);
		free(one);
		free(words);
		words = more;
		if (filled->process == NULL && lodger->object && lodger->object != beside)
			*filled = lodger->object->created;
	}
	crowd_empty(&all);
	return words;
}
