#include "preload/ledger_lock.h"

#include "preload/lock.h"
#include "preload/recorder.h"
#include "preload/signals.h"

static struct lock lock;

/* What the thread that has the lock blocked for it. */
static __thread struct {
	bool blocks;
	uint64_t mask;
} blocking;

/* A policy asks outside visits, too: in a program that jumps out of handlers none is to interrupt it here. */
bool ledger_lock_take(void)
{
	bool blocks = atomic_load_explicit(&recorder_blocks, memory_order_relaxed) && !recorder_thread.blocks;
	uint64_t mask = blocks ? signals_block() : 0;
	bool taken = lock_take(&lock);

	if (taken) {
		blocking.blocks = blocks;
		blocking.mask = mask;
	} else if (blocks) {
		signals_restore(mask);
	}
	return taken;
}

bool ledger_lock_soon(unsigned milliseconds)
{
	bool taken = lock_try(&lock, milliseconds);

	if (taken)
		blocking.blocks = false;
	return taken;
}

void ledger_lock_give(void)
{
	bool blocks = blocking.blocks;
	uint64_t mask = blocking.mask;

	lock_give(&lock);
	if (blocks)
		signals_restore(mask);
}

void ledger_lock_hold(void)
{
	lock_take(&lock);
}

void ledger_lock_free(void)
{
	lock_give(&lock);
}

void ledger_lock_reset(void)
{
	lock_reset(&lock);
}

bool ledger_lock_busy(void)
{
	return lock_self != 0;
}

void ledger_lock_abandoned(void)
{
	lock_abandoned(&lock);
}

void ledger_lock_left(uintptr_t stack)
{
	lock_left(&lock, stack);
}
