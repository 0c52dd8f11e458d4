/*
 * Explains a SIGBUS from its handler: which mapping and object was touched, and why there was no page. What the program
 * would have done with the signal, it then does; `survive` puts a zero page under the fault instead.
 */
#ifndef SHMGUARD_FAULT_H
#define SHMGUARD_FAULT_H

#include <stdint.h>

/* The program has an object mapped: its next SIGBUS may be of interest. Costs a load after the first time. */
void fault_expect(void);

/* Is the program's own handler of a SIGBUS still running on this thread? Then the instruction that faulted, else 0. */
uint64_t fault_being_handled(void);

#endif
