/* The kinds of moments of a recording: at which something happened to an object or a process. */
#ifndef SHMGUARD_MOMENT_H
#define SHMGUARD_MOMENT_H

#include <stdbool.h>

#include "analyzer/replay.h"
#include "analyzer/trace_events.h"

#define MOMENTS(X)                                                                                                     \
	X(start)                                                                                                       \
	X(end)                                                                                                         \
	X(create)                                                                                                      \
	X(open)                                                                                                        \
	X(resize)                                                                                                      \
	X(map)                                                                                                         \
	X(unmap)                                                                                                       \
	X(unlink)                                                                                                      \
	X(sigbus)

enum moment_of {
#define MOMENT_ENUMERATOR(name) MOMENT_##name,
	MOMENTS(MOMENT_ENUMERATOR)
#undef MOMENT_ENUMERATOR
};

const char *moment_name(enum moment_of of);

/* Is the event one, and *of which kind? A call that failed is none. */
bool moment_is(const struct trace_event *event, const struct outcome *outcome, enum moment_of *of);

#endif
