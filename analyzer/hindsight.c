#include "hindsight.h"

#include <stdlib.h>

#include "map.h"
#include "memory.h"

/* Between which times calls of a recording may be missing; `until` 0: none is. */
struct blank {
	const struct recording *recording;
	int64_t from, until;
};

struct hindsight {
	struct map objects; /* (number of an object) -> it, at the end of the recording */
	struct blank *blanks;
	size_t blank_count;
	struct blank widest; /* of objects that the analysis has forgotten */
};

static void widen(struct blank *blank, int64_t from, int64_t until)
{
	if (blank->until == 0 || from < blank->from)
		blank->from = from;
	if (until > blank->until)
		blank->until = until;
}

static struct blank *blank_of(struct hindsight *hindsight, const struct recording *recording)
{
	for (size_t i = 0; i < hindsight->blank_count; i++)
		if (hindsight->blanks[i].recording == recording)
			return &hindsight->blanks[i];
	hindsight->blanks = memory_grow(hindsight->blanks, hindsight->blank_count, sizeof(*hindsight->blanks));
	hindsight->blanks[hindsight->blank_count] = (struct blank){.recording = recording};
	return &hindsight->blanks[hindsight->blank_count++];
}

/* What a process lets go or loses without a number that shows it may have been at any time. */
static void find_blank(struct hindsight *hindsight, const struct analysis *analysis, const struct process *process)
{
	bool newest = process_keeps_newest(process);
	struct blank *blank = blank_of(hindsight, process->recording);

	if (analysis->doubtful || (process->lost && !process->whole_from))
		widen(blank, INT64_MIN, INT64_MAX);
	else if (process->lost || process->let_go)
		widen(blank, newest ? INT64_MIN : process->whole_until, process->whole_from);
	if (blank->until)
		widen(&hindsight->widest, blank->from, blank->until);
}

struct hindsight *hindsight_of(const struct analysis *analysis)
{
	struct hindsight *hindsight = memory_new(1, sizeof(*hindsight));

	for (size_t i = 0; analysis && i < analysis->world->process_count; i++)
		find_blank(hindsight, analysis, analysis->world->processes[i]);
	for (size_t i = 0; analysis && hindsight->widest.until && i < analysis->world->object_count; i++)
		map_put(&hindsight->objects, analysis->world->objects[i]->number, 0, analysis->world->objects[i]);
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
	const struct object *later = map_get(&hindsight->objects, object->number, 0);
	const struct blank *blank = &hindsight->widest;

	for (size_t i = 0; later && i < hindsight->blank_count; i++)
		if (hindsight->blanks[i].recording == later->recording)
			blank = &hindsight->blanks[i];
	*size = object->size;
	if (blank->until == 0 || time <= blank->from || object->sized >= blank->until || object->sized == time)
		return true;
	return time >= blank->until && later && hindsight_before(later, time, blank->until, size);
}

void hindsight_free(struct hindsight *hindsight)
{
	map_clear(&hindsight->objects);
	free(hindsight->blanks);
	free(hindsight);
}
