#include "preload/silent.h"

#define SILENT_FUNCTION(event, channel)                                                                                \
	static void silent_##event(const struct event##_event *e)                                                      \
	{                                                                                                              \
		(void)e;                                                                                               \
	}
EVENTS(SILENT_FUNCTION)

static bool silent_enabled(void)
{
	return false;
}

static void silent_thread(void)
{
}

static void silent_fork(sigset_t *saved)
{
	(void)saved;
}

#define SILENT_POINTER(event, channel) .event = silent_##event,

const struct emit silent_emit = {
	EVENTS(SILENT_POINTER).enabled = silent_enabled,
	.thread = silent_thread,
	.abandoned = silent_thread,
	.fork_before = silent_fork,
	.fork_parent = silent_fork,
	.fork_child = silent_fork,
	.fork_inherits = silent_fork,
};
