/*
 * A futex lock for short stretches of our own memory work. Never held across a real call, an emission or a cancellation
 * point; a signal handler never takes it, since a visit (observe.h) that interrupts another is queued.
 */
#ifndef SHMGUARD_LOCK_H
#define SHMGUARD_LOCK_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "preload/kernel.h"

struct lock {
	atomic_int state; /* 0 free, 1 held, 2 held and waited for */
	atomic_uintptr_t owner;
};

/* Its address tells threads apart; set while this thread takes, holds or gives the lock. */
static __thread bool lock_self;

/* False when this very thread is at it already: the caller is a signal handler that interrupted it. */
static inline bool lock_take(struct lock *lock)
{
	int seen = 0;
	if (lock_self)
		return false;
	lock_self = true;
	atomic_signal_fence(memory_order_seq_cst);
	if (!atomic_compare_exchange_strong_explicit(&lock->state, &seen, 1, memory_order_acquire,
						     memory_order_relaxed))
		while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
			kernel_call(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, 2, 0, 0, 0);
	atomic_store_explicit(&lock->owner, (uintptr_t)&lock_self, memory_order_relaxed);
	return true;
}

/* For a handler that may have interrupted the holder itself: gives up after so many milliseconds. */
static inline bool lock_try(struct lock *lock, unsigned milliseconds)
{
	if (lock_self)
		return false;
	lock_self = true;
	for (int seen = 0;; seen = 0) {
		if (atomic_compare_exchange_strong_explicit(&lock->state, &seen, 1, memory_order_acquire,
							    memory_order_relaxed)) {
			atomic_store_explicit(&lock->owner, (uintptr_t)&lock_self, memory_order_relaxed);
			return true;
		}
		if (!milliseconds--) {
			lock_self = false;
			return false;
		}
		kernel_rest(1000000);
	}
}

static inline void lock_give(struct lock *lock)
{
	atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
	if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)
		kernel_call(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	atomic_signal_fence(memory_order_seq_cst);
	lock_self = false;
}

/* A signal handler jumped out of the code that held it, on this thread: nobody would ever give it back. */
static inline void lock_abandoned(struct lock *lock)
{
	if (atomic_load_explicit(&lock->owner, memory_order_relaxed) == (uintptr_t)&lock_self)
		lock_give(lock);
	lock_self = false;
}

/* In a forked child, where the holder may be a thread that does not exist there. */
static inline void lock_reset(struct lock *lock)
{
	atomic_store(&lock->owner, 0);
	atomic_store(&lock->state, 0);
	lock_self = false;
}

#endif
