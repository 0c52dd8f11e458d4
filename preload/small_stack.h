/*
 * Stacks with too little room for LTTng and libunwind in every call: smallest threads' (PTHREAD_STACK_MIN) and alternate ones
 * (sigaltstack(2)). Calls that are made there are queued, as those of a visit that interrupts another are.
 */
#ifndef SHMGUARD_SMALL_STACK_H
#define SHMGUARD_SMALL_STACK_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* A thread begins here, on a stack of so many bytes; 0: it is not known. */
void small_stack_begun(size_t size);

/* The first call of this thread, or one of the first, is made at that place of a mapping that begins there. */
void small_stack_found(uintptr_t at, uintptr_t lowest);

/* The thread's handlers may run there from now on: it takes the place of what was known of the thread's own stack. */
void small_stack_alternate(const stack_t *stack);

#endif
