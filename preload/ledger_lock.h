/* The ledger's lock: for a moment each, and around fork(2). */
#ifndef SHMGUARD_LEDGER_LOCK_H
#define SHMGUARD_LEDGER_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* False when this very thread is at it already: a signal handler has interrupted it. */
bool ledger_lock_take(void);
/* For the handler of a fault: gives up after so many milliseconds. */
bool ledger_lock_soon(unsigned milliseconds);
void ledger_lock_give(void);

/* Around fork(2), signals being blocked, so that the child's copy is whole. */
void ledger_lock_hold(void);
void ledger_lock_free(void);
void ledger_lock_reset(void);

/* Is this thread at work with it? */
bool ledger_lock_busy(void);
/* This thread will never leave what it was doing here: a signal handler jumped out of it. */
void ledger_lock_abandoned(void);
/* It jumps to where the stack stands at that address, perhaps out of what it was doing here. */
void ledger_lock_left(uintptr_t stack);

#endif
