/*
 * Answers of the kernel's that a loop may use again, where an answer that is a few milliseconds old cannot be a wrong one: a
 * system call costs as much as all else that a visit does, and a loop asks the same thousands of times a second. From the
 * 17th time within a tick of the kernel's coarse clock (1 to 10 ms) the answer that was given in that tick may do.
 */
#ifndef SHMGUARD_RECENT_H
#define SHMGUARD_RECENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "preload/real.h"

enum { RECENT_ENOUGH = 16 };

struct recent {
	uint64_t tick; /* nanoseconds */
	unsigned times;
};

/* Nanoseconds. No system call: the vDSO reads it. */
static inline uint64_t recent_tick(void)
{
	struct timespec now = {0};

	LIBC(clock_gettime)(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Counts a question; may the last answer do? The caller clears `times` when the question is another one. */
static inline bool recent_enough(struct recent *recent)
{
	uint64_t tick = recent_tick();

	if (recent->tick != tick)
		*recent = (struct recent){.tick = tick};
	return recent->times++ >= RECENT_ENOUGH;
}

/* Is it a second since anybody was told so? For answers that cost too much to be asked more often. */
static inline bool recent_second(atomic_ullong *asked)
{
	unsigned long long last = atomic_load(asked), now = recent_tick();

	return (!last || now - last >= 1000000000) && atomic_compare_exchange_strong(asked, &last, now);
}

#endif
