/* Call stacks through libunwind, interned: a stack is defined once in the trace and referred to by id. */
#ifndef SHMGUARD_STACK_H
#define SHMGUARD_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "tracepoints/fields.h"

/* With our own, which are not recorded. */
enum { STACK_ROOM = STACK_FRAMES + 8 };

/* Loads libunwind, apart from the program's own symbols; false without it: events then carry no stacks. */
bool stack_load(void);

/* Makes the calling thread's first capture free of allocations. */
void stack_prepare_thread(void);

/*
 * Once loaded. False in a program with ThreadSanitizer: what allocates works in a thread there while the program's own code
 * runs in it, no sooner, and no handler of the program's interrupts an allocation.
 */
bool stack_prepares_early(void);

/* Forgets what libunwind cached of modules: they changed. reused: addresses mean something else, so no stack is a known one. */
void stack_modules_changed(bool reused);

/*
 * Return addresses of the caller's stack, innermost first, ours left out; answers how many, 0 if it cannot be had.
 * context: the ucontext_t of a signal handler, to walk the stack that was interrupted; first comes the address behind
 * the instruction's, so that it is found at one less as those of calls are.
 */
uint32_t stack_walk(void *context, uint64_t frames[static STACK_ROOM]);

/* Around what takes the loader's lock: nobody forks meanwhile, unless that takes too long (false). Not to be nested. */
bool stack_enter(void);
void stack_leave(void);

/*
 * Around fork(2): nobody walks meanwhile. stack_fork_end() gets what stack_fork_begin() answered; in a child, whoever made
 * it, true.
 */
bool stack_fork_begin(void);
void stack_fork_end(bool begun);
/* This thread will never leave what it was doing here: a signal handler jumped out of it. */
void stack_abandoned(void);

/* Id of a stack, 0 when there is no room for another, nor before stack_load(); *is_new: it has to be defined in the trace. */
uint32_t stack_intern(const uint64_t *frames, uint32_t count, bool *is_new);

#endif
