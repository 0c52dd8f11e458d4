/*
 * What is stored behind an object's end, within its last page, and becomes readable as it grows. Whoever sees the new size
 * may write there at once: only bytes that were there before, and are so yet, are cleared after it.
 */
#ifndef SHMGUARD_TAIL_H
#define SHMGUARD_TAIL_H

#include "preload/identity.h"

struct tail {
	uint64_t from, length; /* of the object, bytes */
	char *memory;          /* of two pages */
	uint64_t page;
	const char *bytes; /* as they were */
	int fd;            /* the caller's */
};

/*
 * 1: there is a byte that is not zero, and tail_free() is to be called; 0: there is none; -errno: that cannot be known,
 * as where the object may not be written.
 */
long tail_keep(struct tail *tail, int fd, const struct identity *identity);
/* The object has grown. 0 or -errno. */
long tail_clear(struct tail *tail);
void tail_free(struct tail *tail);

#endif
