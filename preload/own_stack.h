/* A stack of our own, with room for LTTng and libunwind, for who comes on a small one: PTHREAD_STACK_MIN, sigaltstack(2). */
#ifndef SHMGUARD_OWN_STACK_H
#define SHMGUARD_OWN_STACK_H

#include <stdbool.h>

/* Runs the function there, in the same thread. False when there is no memory for it: it was not run. */
bool own_stack_run(void (*function)(void *), void *context);

/*
 * The same for what comes again and again: the stack is kept for the next time, up to four in a process. To map one takes
 * longer than the function; handlers that come fast would leave the program no time. With signals blocked, as who never comes
 * back from the function has that stack for good.
 */
bool own_stack_run_often(void (*function)(void *), void *context);
/* In a forked child: those that other threads of the parent are on are nobody's. */
void own_stack_fork_reset(void);

#endif
