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
	struct map objects; /* (number of an object) -> it, at the end of the recording; those that can matter */
	const struct lapse *forgotten;
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
	const struct world *world = analysis ? analysis->world : NULL;

	if (world == NULL)
		return hindsight;
	hindsight->forgotten = &world->forgotten;
	for (size_t i = 0; i < world->process_count; i++)
		find_blank(hindsight, analysis, world->processes[i]);
	bool all = hindsight->widest.until || world->forgotten.until;
	for (size_t i = 0; i < world->object_count; i++)
		if (all || world->objects[i]->lapse_count)
			map_put(&hindsight->objects, world->objects[i]->number, 0, world->objects[i]);
	return hindsight;
}

/* A call that is missing may have changed it as well, and is heeded elsewhere. */
static bool is_within(const struct lapse *lapse, int64_t time, int64_t missing_from, int64_t missing_until)
{
	bool explained = missing_until && lapse->from < missing_until && lapse->until > missing_from;

	return !explained && time > lapse->from && time <= lapse->until;
}

const struct lapse *hindsight_lapse(const struct object *later, int64_t time, int64_t missing_from,
				    int64_t missing_until)
{
	for (size_t i = 0; i < later->lapse_count; i++)
		if (is_within(&later->lapses[i], time, missing_from, missing_until))
			return &later->lapses[i];
	return NULL;
}

/* The look at the end, which found it, has told a world that has come there. */
bool hindsight_counts(const struct lapse *lapse, const struct object *object)
{
	return lapse && (object->sized <= lapse->from || lapse->until != INT64_MAX);
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

static bool is_doubtful(const struct hindsight *hindsight, const struct object *later, const struct object *object,
			int64_t time, const struct blank *blank)
{
	const struct lapse *forgotten = hindsight->forgotten;

	if (later)
		return hindsight_counts(hindsight_lapse(later, time, blank->from, blank->until), object);
	return forgotten && forgotten->until && is_within(forgotten, time, blank->from, blank->until);
}

bool hindsight_size(const struct hindsight *hindsight, const struct object *object, int64_t time, uint64_t *size)
{
	const struct object *later = map_get(&hindsight->objects, object->number, 0);
	const struct blank *blank = &hindsight->widest;

	for (size_t i = 0; later && i < hindsight->blank_count; i++)
		if (hindsight->blanks[i].recording == later->recording)
			blank = &hindsight->blanks[i];
	*size = object->size;
	if (object->sized == time)
		return true;
	if (is_doubtful(hindsight, later, object, time, blank))
		return false;
	if (blank->until == 0 || time <= blank->from || object->sized >= blank->until)
		return true;
	return time >= blank->until && later && hindsight_before(later, time, blank->until, size);
}

void hindsight_free(struct hindsight *hindsight)
{
	map_clear(&hindsight->objects);
	free(hindsight->blanks);
	free(hindsight);
}
