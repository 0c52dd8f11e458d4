/*
 * By what the program has of an object already: its mode, or the user that the program has become, may forbid to open it anew,
 * while what was opened or mapped before is as good as it was.
 */
#ifndef SHMGUARD_HELD_H
#define SHMGUARD_HELD_H

#include <fcntl.h>

#include "preload/identity.h"
#include "preload/kernel.h"

/* May it be read (O_RDONLY), or written (O_WRONLY), by that descriptor itself? One of O_PATH may neither. */
bool held_allows(int fd, int access);

/* What was opened in its place, if anything, is closed. */
static inline void held_done(long own, int fd)
{
	if (own >= 0 && own != fd)
		kernel_close((int)own);
}

/* A descriptor of the program's that leads to the object and allows that; -1: there is none. Its offset is the program's. */
int held_descriptor(const struct identity *identity, int access);

/* Frees [from, to) of the object by mappings that the program has of it; -errno: not all of that. */
long held_punch(const struct identity *identity, uint64_t from, uint64_t to);

/* Does either lead to what the descriptor, of whatever kind, does? */
bool held_reaches(int fd);

#endif
