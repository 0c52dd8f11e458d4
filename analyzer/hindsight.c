#include "hindsight.h"

#include <stdlib.h>

#include "map.h"
#include "memory.h"

/* Between which times calls of a recording may be missing; `until` 0: none is. */
struct hole {
	const struct recording *recording;
	int64_t from, until;
};

struct hindsight {
	struct map objects; /* (number of an object) -> it, at the end of the recording */
	struct hole *holes;
	size_t hole_count;
	struct hole widest; /* of objects that the analysis has forgotten */
};

static uint64_t number_of(const struct object *object)
{
	return strtoull(object->id + 1, NULL, 10);
}

static void widen(struct hole *hole, int64_t from, int64_t until)
{
	if (hole->until == 0 || from < hole->from)
		hole->from = from;
	if (until > hole->until)
		hole->until = until;
}

static struct hole *hole_of(struct hindsight *hindsight, const struct recording *recording)
{
	for (size_t i = 0; i < hindsight->hole_count; i++)
		if (hindsight->holes[i].recording == recording)
			return &hindsight->holes[i];
	hindsight->holes = memory_grow(hindsight->holes, hindsight->hole_count, sizeof(*hindsight->holes));
	hindsight->holes[hindsight->hole_count] = (struct hole){.recording = recording};
	return &hindsight->holes[hindsight->hole_count++];
}

/* What a process lets go or loses without a number that shows it may have been at any time. */
static void find_hole(struct hindsight *hindsight, const struct analysis *analysis, const struct process *process)
{
	bool newest = process->recording && process->recording->newest;
	struct hole *hole = hole_of(hindsight, process->recording);

	if (analysis->doubtful || (process->lost && !process->whole_from))
		widen(hole, INT64_MIN, INT64_MAX);
	else if (process->lost || process->let_go)
		widen(hole, newest ? INT64_MIN : process->whole_until, process->whole_from);
	if (hole->until)
		widen(&hindsight->widest, hole->from, hole->until);
}

struct hindsight *hindsight_of(const struct analysis *analysis)
{
	struct hindsight *hindsight = memory_new(1, sizeof(*hindsight));

	for (size_t i = 0; analysis && i < analysis->world->process_count; i++)
		find_hole(hindsight, analysis, analysis->world->processes[i]);
	for (size_t i = 0; analysis && hindsight->widest.until && i < analysis->world->object_count; i++)
		map_put(&hindsight->objects, number_of(analysis->world->objects[i]), 0, analysis->world->objects[i]);
	return hindsight;
}

bool hindsight_before(const struct object *later, int64_t time, int64_t until, uint64_t *size)
{
	for (size_t i = 0; i < later->change_count; i++) {
		const struct change *change = &later->changes[i];

		if (change->site.time <= time || change->of == CHANGE_punched)
			continue;
		/* What a process found otherwise than it had been was so already, by what is missing. */
		*size = change->of == CHANGE_seen ? change->after : change->before;
		/* Another one before it may have been forgotten. */
		return i > 0 || later->change_count < CHANGES_MAX;
	}
	*size = later->size;
	return later->sized && later->sized >= until;
}

bool hindsight_size(const struct hindsight *hindsight, const struct object *object, int64_t time, uint64_t *size)
{
	const struct object *later = map_get(&hindsight->objects, number_of(object), 0);
	const struct hole *hole = &hindsight->widest;

	for (size_t i = 0; later && i < hindsight->hole_count; i++)
		if (hindsight->holes[i].recording == later->recording)
			hole = &hindsight->holes[i];
	*size = object->size;
	if (hole->until == 0 || time <= hole->from || object->sized >= hole->until || object->sized == time)
		return true;
	return time >= hole->until && later && hindsight_before(later, time, hole->until, size);
}

void hindsight_free(struct hindsight *hindsight)
{
	map_clear(&hindsight->objects);
	free(hindsight->holes);
	free(hindsight);
}
