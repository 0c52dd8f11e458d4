/* What the registers say of a fault, in the context that its handler gets: the one place that knows the machine's. */
#ifndef SHMGUARD_FAULT_CONTEXT_H
#define SHMGUARD_FAULT_CONTEXT_H

#include <stdint.h>
#include <ucontext.h>

#include "tracepoints/events.h"

/* Addresses: of the instruction that faulted, and where the stack was then. */
uint64_t fault_context_instruction(const ucontext_t *context);
uintptr_t fault_context_stack(const ucontext_t *context);
/* ACCESS_unknown where the machine does not tell. */
enum access fault_context_access(const ucontext_t *context);

#endif
