/* What a process maps and has open, as libshmguard.so's ledger has it and as /proc/self has it. */
#ifndef TESTS_LEDGER_H
#define TESTS_LEDGER_H

#include <stdint.h>

struct held {
	uint64_t start, end, offset; /* bytes; of a descriptor: start is its number, and end that + 1 */
	uint64_t dev, ino;
};

/* In the library that show.c is linked into beside all that libshmguard.so is made of. */
void ledger_show_descriptors(void (*show)(const struct held *));
/* The ledger forgets them thereby: for the end of a process alone. */
void ledger_show_mappings(void (*show)(const struct held *));
/* Calls that while the ledger is locked, as a signal handler may that interrupts us there. */
void ledger_show_locked(void (*handler)(void));

#endif
