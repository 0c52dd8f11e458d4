/*
 * Where LTTng comes up, and where a thread is prepared for it, memory is allocated and libraries are loaded. A signal's handler
 * may come in the midst of malloc(3) or dlopen(3), which it must not call then.
 */
#ifndef SHMGUARD_INTERRUPTED_H
#define SHMGUARD_INTERRUPTED_H

#include <stdbool.h>
#include <stdint.h>

/* As long as there is one thread, which runs none of the program's code yet. */
void interrupted_initialise(void);

/*
 * Is this thread in a handler that may have interrupted the allocator or the loader? By the frames that the kernel has laid
 * onto its stacks: since then more signals are blocked, and where it was interrupted tells in what. blocked: the thread's mask
 * as the program has it; NULL: as it is. False where that cannot be told (without /proc, on stacks of the program's own, on
 * aarch64). Of the stack that it is on it learns whether that is a small one, see small_stack.h.
 */
bool interrupted_amid_allocation(const uint64_t *blocked);

#endif
