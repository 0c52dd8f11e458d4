/*
 * Many may be inside at the same time, or one alone. Nobody waits for ever, since who is inside may have left by longjmp(3)
 * or not exist in this process: 50 us a try. Async-signal-safe; takes no lock.
 */
#ifndef SHMGUARD_GATE_H
#define SHMGUARD_GATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "preload/kernel.h"

enum { GATE_ALONE = -1, GATE_TRY = 50000 };

struct gate {
	atomic_int inside; /* how many; GATE_ALONE */
};

/* False: whoever is alone inside has not left; gate_leave() is not to be called then. */
static inline bool gate_enter(struct gate *gate, int tries)
{
	int seen = atomic_load(&gate->inside);

	while (tries > 0) {
		if (seen == GATE_ALONE) {
			kernel_rest(GATE_TRY);
			seen = atomic_load(&gate->inside);
			tries--;
		} else if (atomic_compare_exchange_weak(&gate->inside, &seen, seen + 1)) {
			return true;
		}
	}
	return false;
}

static inline void gate_leave(struct gate *gate)
{
	atomic_fetch_sub(&gate->inside, 1);
}

/* Enters alone. False: somebody is inside and has not left. */
static inline bool gate_claim(struct gate *gate, int tries)
{
	for (int nobody = 0; tries > 0; tries--, nobody = 0) {
		if (atomic_compare_exchange_strong(&gate->inside, &nobody, GATE_ALONE))
			return true;
		kernel_rest(GATE_TRY);
	}
	return false;
}

/* Ends being alone. In a child, where the others that were inside do not exist: nobody is. */
static inline void gate_clear(struct gate *gate)
{
	atomic_store(&gate->inside, 0);
}

#endif
