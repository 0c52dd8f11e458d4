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
	uint64_t byte;
	uint64_t mask;
};

/* False: it cannot be claimed, and is not to be wiped. */
bool claim_take(struct claim *claim, const struct identity *identity);
void claim_give(const struct claim *claim);
/*
 * For who is to be told apart from users of the object while it only looks at it: of such threads, in all processes, one at a
 * time has the turn, until it calls claim_give(). False: it does not come within a second, or cannot be had, and nothing is
 * to be given.
 */
bool claim_turn(struct claim *claim, const struct identity *identity);
/* The process leaves the object: who maps it from now on, a thread of its own as well, waits until it is gone. */
void claim_hold(const struct claim *claim, const struct identity *identity);

/*
 * This process, which may map the object or hold it yet, is about to end: to whoever looks for users of it from now on it is
 * none, until it is gone. Of those that end at one moment so the last one sees that it is alone.
 */
void claim_leave(const struct identity *identity);

/* Is that so of the process with that number in this pid namespace? */
bool claim_is_left(const struct identity *identity, uint64_t pid);

/*
 * After a look for users that found none, where the kernel says that the object is in use yet. alone: no other leaves it.
 * outlived: those who did are gone now. handed: this process leaves it, too, and one of them waits for its end, and looks
 * after the object then. late: they take more than a quarter of a second.
 */
enum claim_last { CLAIM_alone, CLAIM_outlived, CLAIM_handed, CLAIM_late };
enum claim_last claim_outlive(const struct identity *identity);

/* It does not end after all. In a forked child: it is its parent that ends. */
void claim_stay(void);

/* The object was mapped: waits for the end of claims from before, for a second at most. */
void claim_await(const struct identity *identity);

#endif
