/*
 * Calls that are told of before they are made, held back until it shows what came of them: until the next event of the
 * same thread. All events pass in their order, but for the end of a call that failed: it comes with it.
 */
#ifndef SHMGUARD_SETTLE_H
#define SHMGUARD_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace_reader.h"

/* All zero: what the event itself says. */
struct outcome {
	int error;       /* of a call that failed after its event */
	uint64_t result; /* of mremap */
	int64_t back;    /* when mremap came back; 0: that is not known */
	uint32_t answer; /* number of the event that ended the call, by which a finding may name it; 0: none */
	bool unknown;    /* whether exec or mremap succeeded: nothing tells */
	bool effect;     /* the mmap or dup2 after it did that, and nobody called it */
	bool told;       /* the end of a call whose own event came with this outcome */
};

/* Negative: no more of them. `answer`: what says that the call failed, or NULL. */
typedef int (*settled_event)(void *context, const struct trace_event *event, const struct outcome *outcome,
			     const struct trace_event *answer);

struct settle *settle_new(settled_event take, void *context);
/* Returns what `take` did; the event need not live longer than the call. */
int settle_add(struct settle *settle, const struct trace_event *event);
/* No event comes any more. */
int settle_end(struct settle *settle);
void settle_free(struct settle *settle);

#endif
