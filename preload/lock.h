/*
 * A futex lock for short stretches of our own memory work. Never held across a real call, an emission or a cancellation
 * point; a signal handler never takes it, since a visit (observe.h) that interrupts another is queued.
 */
#ifndef SHMGUARD_LOCK_H
#define SHMGUARD_LOCK_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "preload/kernel.h"

struct lock {
	atomic_uint state; /* 0 free, else the holder's mark, and LOCK_AWAITED if anybody waits */
};

enum { LOCK_AWAITED = 1, LOCK_WAIT = 10000000 };

/* Where this thread's stack stood when it came to take the lock; 0 once it was given, or where it was not to be had. */
static __thread uintptr_t lock_self;

/* Tells threads apart: their memory lies far from one another. */
static inline unsigned lock_mark(void)
{
	return ((unsigned)((uintptr_t)&lock_self >> 2) | 2u) & ~(unsigned)LOCK_AWAITED;
}

static inline bool lock_change(struct lock *lock, unsigned from, unsigned to)
{
	return atomic_compare_exchange_strong_explicit(&lock->state, &from, to, memory_order_acquire,
						       memory_order_relaxed);
}

/* Who is to wake the others may be left for good before: nobody waits without looking again. */
static inline void lock_wait(struct lock *lock)
{
	const struct timespec limit = {.tv_nsec = LOCK_WAIT};
	unsigned seen;

	while (!lock_change(lock, 0, lock_mark() | LOCK_AWAITED)) {
		seen = atomic_load_explicit(&lock->state, memory_order_relaxed);
		if (seen && ((seen & LOCK_AWAITED) || lock_change(lock, seen, seen | LOCK_AWAITED)))
			kernel_call(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, (long)(seen | LOCK_AWAITED),
				    (long)&limit, 0, 0);
	}
}

/* False when this very thread is at it already: the caller is a signal handler that interrupted it. */
static inline bool lock_take(struct lock *lock)
{
	if (lock_self)
		return false;
	lock_self = (uintptr_t)__builtin_frame_address(0);
	atomic_signal_fence(memory_order_seq_cst);
	if (!lock_change(lock, 0, lock_mark()))
		lock_wait(lock);
	return true;
}

/* For a handler that may have interrupted the holder itself: gives up after so many milliseconds. */
static inline bool lock_try(struct lock *lock, unsigned milliseconds)
{
	if (lock_self)
		return false;
	lock_self = (uintptr_t)__builtin_frame_address(0);
	while (!lock_change(lock, 0, lock_mark())) {
		if (!milliseconds--) {
			lock_self = 0;
			return false;
		}
		kernel_rest(1000000);
	}
	return true;
}

static inline void lock_give(struct lock *lock)
{
	if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) & LOCK_AWAITED)
		kernel_call(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	atomic_signal_fence(memory_order_seq_cst);
	lock_self = 0;
}

/* A signal handler jumped out of the code that held it, on this thread: nobody would ever give it back. */
static inline void lock_abandoned(struct lock *lock)
{
	if ((atomic_load_explicit(&lock->state, memory_order_relaxed) & ~(unsigned)LOCK_AWAITED) == lock_mark())
		lock_give(lock);
	lock_self = 0;
}

/* The same on a jump to where the stack stands at that address: it leaves what was called from further down. */
static inline void lock_left(struct lock *lock, uintptr_t stack)
{
	if (lock_self && lock_self < stack)
		lock_abandoned(lock);
}

/* In a forked child, where the holder may be a thread that does not exist there. */
static inline void lock_reset(struct lock *lock)
{
	atomic_store(&lock->state, 0);
	lock_self = 0;
}

#endif
