/* A recording read again, for what shows events in their order: the model at each of them. */
#ifndef SHMGUARD_REPLAY_H
#define SHMGUARD_REPLAY_H

#include "settle.h"
#include "trace_reader.h"
#include "world.h"

/* Any of the callbacks may be NULL. */
struct replay {
	void *context;
	/* The world has taken the event, which is of `process`, and what came of it. Negative: stop here. */
	int (*event)(void *context, struct world *world, struct process *process, const struct trace_event *event,
		     const struct outcome *outcome);
	/* The image ends at ended_at; its holdings are still there. */
	void (*ending)(void *context, struct world *world, struct process *process);
	/* The object is about to be freed: it was over, and there are too many. */
	void (*forgotten)(void *context, const struct object *object);
	/* The reading ended before the trace did, with `totals`, which tell why. `finish` follows. */
	void (*cut)(void *context, const struct trace_totals *totals);
	/* After the last event, or where it was stopped; the world lives until this returns. */
	void (*finish)(void *context, struct world *world);
	/* At the end as well, `finish` meets the world with what those processes hold that did not end. */
	bool stands;
	bool tell; /* what cannot be read, on stderr */
	/* Nothing that came later than `until`, nanoseconds after the start, is taken. */
	bool has_until;
	int64_t until;
};

/* 0; -1 and *error, one line to be freed by the caller. */
int replay(const char *dir, const struct replay *replay, char **error);
/* The same of one that is known: to find its parts takes a reading of each trace that lies alone. */
int replay_of(const struct recording *recording, const struct replay *replay, char **error);

/* The object by its id in the process; NULL for 0. */
struct object *replay_object_by(struct world *world, struct process *process, uint32_t id);
/* What the event is about; NULL if it names no object. */
struct object *replay_object(struct world *world, struct process *process, const struct trace_event *event);

#endif
