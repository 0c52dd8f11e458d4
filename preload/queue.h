/*
 * Events that cannot be settled at once: from a signal handler that interrupted our own code, or while another thread
 * loads the provider. Bounded, lock-free, first in first out; what finds it full is counted as lost.
 */
#ifndef SHMGUARD_QUEUE_H
#define SHMGUARD_QUEUE_H

#include <stdbool.h>

#include "preload/account.h"
#include "preload/enforce_room.h"
#include "preload/identity.h"
#include "preload/stack.h"

struct queued {
	enum event_id id;
	union any_event event;
	bool has_identity;
	struct identity identity;
	bool is_accounted; /* when it came, as `accounted` says; else it is to be */
	struct accounted accounted;
	const void *caller;       /* the program's return address */
	struct enforce_told told; /* by the policy */
	char text[3][256];        /* what the event's and the identity's texts point to */
	uint32_t frame_count;
	uint64_t frames[STACK_FRAMES];
};

/*
 * Copies the event, its texts cut to 255 bytes, and its stack, and takes what the policy has decided of the call. accounted: or
 * NULL. Async-signal-safe.
 */
bool queue_put(enum event_id id, const union any_event *event, const struct identity *identity,
	       const struct accounted *accounted, const void *caller, const uint64_t *frames, uint32_t frame_count);

bool queue_any(void);
/* Is no more room left than the queue has taken by now? */
bool queue_is_filling(void);
/* A number that tells the oldest entry from others, never 0. */
unsigned queue_oldest(void);

/* Hands the oldest entry to `settle` and frees it; false when there is none. One caller at a time. */
bool queue_settle(void (*settle)(struct queued *));

/* In a forked child: the entries are the parent's to settle. */
void queue_reset(void);

#endif
