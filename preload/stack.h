/* Call stacks through libunwind, interned: a stack is defined once in the trace and referred to by id. */
#ifndef SHMGUARD_STACK_H
#define SHMGUARD_STACK_H

#include <stdbool.h>
#include <stdint.h>

enum { STACK_FRAMES = 64, STACK_ROOM = STACK_FRAMES + 8 };

/* Loads libunwind, apart from the program's own symbols; false without it: events then carry no stacks. */
bool stack_load(void);

/* Makes the calling thread's first capture free of allocations. */
void stack_prepare_thread(void);

/* Forgets what libunwind cached of modules: they changed. */
void stack_modules_changed(void);

/*
 * Id of the caller's stack, or of the one that a signal interrupted: context is then the handler's ucontext_t, and the
 * innermost frame the interrupted instruction itself, else NULL. 0 if it cannot be had. When it is new, *count is its number of frames and `frames` holds them,
 * innermost first, ours left out; else *count is 0.
 */
uint32_t stack_capture(void *context, uint64_t frames[static STACK_ROOM], uint32_t *count);

#endif
