/*
 * How a wipe and a new mapping of the same object keep out of each other's way, across processes. Who wipes claims the
 * object first, and looks for its mappers then; who has mapped it asks afterwards whether it was claimed by then, and hands
 * the mapping out once that claim is given up. So either the mapping is seen or the claim is, and nothing is lost that was
 * written through the mapping.
 *
 * A claim is a lock on a byte of the directory /dev/shm, of an open file description of its own: no lock of the program's
 * meets it, whoever may list the directory can make one, and it ends with the process.
 */
#ifndef SHMGUARD_CLAIM_H
#define SHMGUARD_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/identity.h"

/* Opens the directory, before the program can change its root. */
void claim_initialise(void);

/* The directory /dev/shm as it was at the start, for openat(2); -1: there is none. */
int claim_directory(void);

/* Signals are blocked until claim_give(), so that no handler maps the object in between, nor jumps out. */
struct claim {
	int fd;
	uint64_t mask;
};

/* False: it cannot be claimed, and is not to be wiped. */
bool claim_take(struct claim *claim, const struct identity *identity);
void claim_give(const struct claim *claim);

/* The object was mapped: waits for the end of claims from before, for a second at most. */
void claim_await(const struct identity *identity);

#endif
