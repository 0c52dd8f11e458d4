/* LTTng's side of the contract: becomes libshmguard-tracepoints.so, which the preload loads when a recording is wanted. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "provider.h"

#include <lttng/ust-fork.h>
#include <lttng/ust-thread.h>
#include <lttng/urcu/urcu-ust.h>

#include "emit.h"

#define EMIT_FUNCTION(event, channel)                                                                                  \
	static void emit_##event(const struct event##_event *e)                                                        \
	{                                                                                                              \
		lttng_ust_tracepoint(shmguard, event, e);                                                              \
	}
EVENTS(EMIT_FUNCTION)

static bool emit_enabled(void)
{
	return lttng_ust_tracepoint_enabled(shmguard, process);
}

static void emit_abandoned(void)
{
	while (lttng_ust_urcu_read_ongoing())
		lttng_ust_urcu_read_unlock();
}

static void emit_fork_inherits(sigset_t *saved)
{
	lttng_ust_after_fork_parent(saved);
	/* The parent's other threads are not here, and must not be waited for at the end. */
	lttng_ust_urcu_before_fork();
	lttng_ust_urcu_after_fork_child();
}

#define EMIT_POINTER(event, channel) .event = emit_##event,

__attribute__((visibility("default"))) const struct emit shmguard_emit = {
	EVENTS(EMIT_POINTER).enabled = emit_enabled,
	.thread = lttng_ust_init_thread,
	.abandoned = emit_abandoned,
	.fork_before = lttng_ust_before_fork,
	.fork_parent = lttng_ust_after_fork_parent,
	.fork_child = lttng_ust_after_fork_child,
	.fork_inherits = emit_fork_inherits,
};
