/* What libshmguard-tracepoints.so offers the preload: one function an event, and LTTng's hooks around fork and threads. */
#ifndef SHMGUARD_EMIT_H
#define SHMGUARD_EMIT_H

#include <signal.h>
#include <stdbool.h>

#include "events.h"

#define EMIT_MEMBER(event, channel) void (*event)(const struct event##_event *);

struct emit {
	EVENTS(EMIT_MEMBER)
	/* Has a recording session taken this process? */
	bool (*enabled)(void);
	/* Makes the calling thread's first event free of allocations. */
	void (*thread)(void);
	/* A signal handler jumped out of an event: LTTng must not wait for this thread to come back from it. */
	void (*abandoned)(void);
	/* lttng_ust_before_fork and its kin: all signals are blocked between the two, as fork(2) needs for UST. */
	void (*fork_before)(sigset_t *saved);
	void (*fork_parent)(sigset_t *saved);
	void (*fork_child)(sigset_t *saved);
	/*
	 * Instead of fork_child: the child's events go into the parent's ring buffers, which all processes of a user share.
	 * It signs in with nobody, has none of LTTng's threads, and is not told when the session ends.
	 */
	void (*fork_inherits)(sigset_t *saved);
};

/* The one symbol looked up in the library. */
#define EMIT_SYMBOL "shmguard_emit"
extern const struct emit shmguard_emit;

#endif
