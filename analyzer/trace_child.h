/* The child process that decodes a trace, and the watch over it. */
#ifndef SHMGUARD_TRACE_CHILD_H
#define SHMGUARD_TRACE_CHILD_H

#include <signal.h>

#include "trace_wire.h"

enum child_end {
	CHILD_exited,      /* status: of wait(2) */
	CHILD_stopped,     /* `event` returned a negative number */
	CHILD_interrupted, /* *interrupted was set by a signal handler */
	CHILD_stalled,     /* it told nothing for `patience` */
	CHILD_nonsense,    /* what it told cannot be */
	CHILD_none,        /* it could not be started: errno */
};

struct child_work {
	void (*work)(void *context, struct wire_out *out); /* in the child, with CHILD_MEMORY */
	void *context;
	int64_t patience; /* nanoseconds */
	const volatile sig_atomic_t *interrupted;
};

/*
 * Takes what the child tells, until it ends; it is gone when this returns. What it had gathered when it crashed or was
 * given up comes first, if it can still send it.
 */
enum child_end trace_child(const struct child_work *work, const struct wire_taker *taker, int *status);

/* In the child: so many bytes of private memory may be had from now on. */
#define CHILD_MEMORY ((uint64_t)512 << 20)
void trace_child_allow(uint64_t bytes);

/* What became of it, in words, to be freed. */
char *trace_child_words(enum child_end end, int status);

#endif
