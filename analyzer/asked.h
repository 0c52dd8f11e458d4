/* Which calls of a recording are of what --object asks for. */
#ifndef SHMGUARD_ASKED_H
#define SHMGUARD_ASKED_H

#include <stdbool.h>

#include "analyzer/map.h"
#include "analyzer/selection.h"
#include "analyzer/trace_events.h"
#include "analyzer/world.h"

struct asked {
	const struct selection *selection;
	struct map objects; /* (number of an object) -> it: those that have such a name at any time */
};

/* `world`, which is at its end and stays, is of an earlier reading of the same recording. Give it to asked_clear(). */
struct asked asked_of(const struct selection *selection, const struct world *world);
void asked_clear(struct asked *asked);

/* `object` is the call's, NULL: it is of none, and what it names in vain counts. */
bool asked_has(const struct asked *asked, const struct object *object, const struct trace_event *event);

#endif
