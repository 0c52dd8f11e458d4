#include "mentions.h"

#include <stdlib.h>

#include "memory.h"
#include "trace_events.h"
#include "trace_reader.h"

struct reading {
	const struct recording *recording;
	struct mentions *mentions;
	struct map near; /* (process, id) that was defined latest */
	struct definition {
		uint64_t process, id;
	} ring[MENTIONS_NEAR];
	size_t defined;
};

static uint64_t process_of(const struct event_head *head)
{
	return (uint64_t)head->recording << 32 | (uint32_t)head->pid;
}

static void define(struct reading *reading, uint64_t process, uint64_t id)
{
	struct definition *definition = &reading->ring[reading->defined++ % MENTIONS_NEAR];

	map_remove(&reading->near, definition->process, definition->id);
	*definition = (struct definition){process, id};
	map_put(&reading->near, process, id, reading);
}

static void mention(struct reading *reading, int64_t id)
{
	if (id)
		map_put(&reading->mentions->ids, (uint64_t)id, 0, reading->mentions);
}

static int take(void *context, const struct trace_event *event)
{
	struct reading *reading = context;
	const struct event_head *head = &event->event.head;

	if (!recording_part(reading->recording, head->recording)->newest)
		return 0;
	if (event->id == EVENT_object) {
		define(reading, process_of(head), event->event.object.id);
		return 0;
	}
	if (!trace_event_is_call(event->id) &&
	    map_get(&reading->near, process_of(head), (uint64_t)trace_integer(event, "object", 0)))
		return 0;
	mention(reading, trace_integer(event, "object", 0));
	mention(reading, trace_integer(event, "replaced", 0));
	return 0;
}

static void mention_held(struct mentions *mentions, const struct recording *recording)
{
	for (size_t i = 0; i < recording->usage_count; i++)
		map_put(&mentions->inodes, recording->usages[i].ino, 0, mentions);
	for (size_t i = 0; i < recording->line_count; i++) {
		const char *at = recording->lines[i].type == LINE_holds ? recording->lines[i].holds : NULL;
		struct line_held held;

		while (at && line_held(&at, &held))
			map_put(&mentions->inodes, held.ino, 0, mentions);
	}
}

/* Without a look at what was left nobody knows which objects are over. */
static bool is_worth_it(const struct recording *recording)
{
	const struct recording *part;

	for (size_t i = 0; (part = recording_each(recording, i)); i++)
		if (part->newest && part->looked)
			return true;
	return false;
}

struct mentions *mentions_read(const struct recording *recording, const char *place)
{
	struct reading reading = {.recording = recording};
	struct trace_scope scope;
	struct trace_totals totals = {0};
	char *error = NULL;

	if (!is_worth_it(recording))
		return NULL;
	scope = recording_scope(recording);
	reading.mentions = memory_new(1, sizeof(*reading.mentions));
	/* What is wrong with the trace the reading after this one tells, which may come further. */
	reading.mentions->cut = trace_read(place, &scope, take, &reading, &totals, &error) || totals.cut;
	mention_held(reading.mentions, recording);
	trace_totals_clear(&totals);
	map_clear(&reading.near);
	free(error);
	return reading.mentions;
}

void mentions_free(struct mentions *mentions)
{
	if (mentions == NULL)
		return;
	map_clear(&mentions->ids);
	map_clear(&mentions->inodes);
	free(mentions);
}
