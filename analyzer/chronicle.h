/*
 * What a recording shows over time: moments at which something happened to an object or a process, how long each object
 * was there, and what every stack left behind.
 */
#ifndef SHMGUARD_CHRONICLE_H
#define SHMGUARD_CHRONICLE_H

#include "analyzer/moment.h"
#include "analyzer/report.h"
#include "analyzer/spots.h"

struct moment {
	enum moment_of of;
	int64_t time;
	const struct process *process;
	pid_t thread;
	const struct object *object; /* NULL: start and end of a process */
	uint64_t offset, length;     /* bytes, of map and unmap */
	uint64_t size;               /* bytes, the object's after it */
	bool sized;                  /* that is known, or there is no object */
	bool asked;                  /* the reader asked for its process, object and time */
};

/* From when to when an object was there: it had a name, or a process of the trace that was asked for held it. */
struct span {
	const struct object *object;
	int64_t from, until;
	uint64_t size; /* bytes, at the end */
	bool sized;    /* that is known */
};

/* What a stack of a program had not given back when its processes ended, as far as it was asked for. */
struct leaving {
	const char *program; /* the executable's name without directories */
	const struct stack *stack;
	uint64_t bytes, mappings; /* left mapped */
	uint64_t made;            /* mappings ever */
};

struct chronicle {
	void *context;
	/* In the order of time; may be NULL. */
	void (*moment)(void *context, const struct moment *moment);
	/* After all of them. All that it is given is gone when it returns. */
	void (*finish)(void *context, const struct world *world, const struct span *spans, size_t span_count,
		       const struct leaving *leavings, size_t leaving_count);
	/* From `time` on a process that was asked for has so many bytes mapped of the objects that were; may be NULL. */
	void (*mapped)(void *context, const struct process *process, int64_t time, uint64_t bytes);
	/* Once, the world as it is at the time `at`: what ends then has not ended yet. May be NULL. */
	void (*stand)(void *context, const struct world *world);
	int64_t at;
};

/*
 * Reads the report's recording again; sets *report->missing where that came less far than the reading for the report, which
 * was of the same trace: it was interrupted, the decoder stood still or died, or the trace is gone by now.
 */
void chronicle_read(const struct report *report, const struct chronicle *chronicle);

#endif
