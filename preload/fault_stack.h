/*
 * Stacks of our own for the handler: the program's thread may have a few kilobytes left, and its alternate stack may be
 * made for less than an unwinding and an emission take.
 */
#ifndef SHMGUARD_FAULT_STACK_H
#define SHMGUARD_FAULT_STACK_H

#include <stdbool.h>

/* False without memory. May be called again. */
bool fault_stack_make(void);

/* Calls the function on one of them; does not when all stay taken. With all signals blocked. */
bool fault_stack_run(void (*function)(void *), void *argument);

#endif
