/* A stack of our own, with room for LTTng and libunwind, for who comes on a small one: PTHREAD_STACK_MIN, sigaltstack(2). */
#ifndef SHMGUARD_OWN_STACK_H
#define SHMGUARD_OWN_STACK_H

#include <stdbool.h>

/* Runs the function there, in the same thread. False when there is no memory for it: it was not run. */
bool own_stack_run(void (*function)(void *), void *context);

#endif
