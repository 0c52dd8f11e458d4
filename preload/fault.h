/*
 * Explains a SIGBUS from its handler: which mapping and object was touched, and why there was no page. What the program
 * would have done with the signal, it then does; `survive` puts a zero page under the fault instead.
 */
#ifndef SHMGUARD_FAULT_H
#define SHMGUARD_FAULT_H

#include <stdbool.h>

/* The program has an object mapped: its next SIGBUS may be of interest. Costs a load after the first time. */
void fault_expect(void);

/* Did a handler of the program's own get a SIGBUS? */
bool fault_was_passed_on(void);

#endif
