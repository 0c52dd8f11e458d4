#include "analyzer/asked.h"

#include <stdlib.h>

#include "analyzer/escape.h"

struct asked asked_of(const struct selection *selection, const struct world *world)
{
	struct asked asked = {.selection = selection};

	for (size_t i = 0; selection->object && i < world->object_count; i++)
		if (selection_has_object(selection, world->objects[i]))
			map_put(&asked.objects, world->objects[i]->number, 0, world->objects[i]);
	return asked;
}

void asked_clear(struct asked *asked)
{
	map_clear(&asked->objects);
}

static bool is_asked(const struct asked *asked, const char *name, bool semaphore)
{
	char *text = name_canonical(name, semaphore);
	bool is = escape_matches(asked->selection->object, text);

	free(text);
	return is;
}

static bool names_it(const struct asked *asked, const struct trace_event *event)
{
	switch (event->id) {
	case EVENT_shm_open:
		return is_asked(asked, event->event.shm_open.name, false);
	case EVENT_open:
		return is_asked(asked, event->event.open.name, false);
	case EVENT_sem_open:
		return is_asked(asked, event->event.sem_open.name, true);
	case EVENT_unlink:
		return is_asked(asked, event->event.unlink.name, event->event.unlink.symbol == SYMBOL_sem_unlink);
	case EVENT_rename:
		return is_asked(asked, event->event.rename.from, false) ||
		       is_asked(asked, event->event.rename.to, false);
	case EVENT_link:
		return is_asked(asked, event->event.link.from, false) || is_asked(asked, event->event.link.to, false);
	case EVENT_finding:
		return is_asked(asked, event->event.finding.name, false);
	default:
		return false;
	}
}

bool asked_has(const struct asked *asked, const struct object *object, const struct trace_event *event)
{
	if (object == NULL)
		return !asked->selection->object || names_it(asked, event);
	return selection_has_object(asked->selection, object) || map_get(&asked->objects, object->number, 0);
}
