/*
 * LTTng-UST's ring buffers as files (a session's shm path), by the description of their layout that stands in each for
 * lttng-crash(1). Nothing here trusts a byte of the file: any recorded process can write to it.
 */
#ifndef SHMGUARD_RING_H
#define SHMGUARD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	const unsigned char *bytes;
	size_t length;
	uint64_t subbuffer, count; /* bytes of one, how many */
	uint64_t at, end; /* positions that LTTng counts without wrapping: of the next piece, and where no more is */
};

/* A sub-buffer that LTTng has not handed out. */
struct ring_piece {
	const unsigned char *bytes; /* its packet, the header first */
	uint64_t size;              /* bytes that were reserved for header and events */
	uint64_t missing;           /* of them, those of events that were never committed */
	uint64_t whole;             /* all before this was committed */
};

/* False: it cannot be read, or has another layout. */
bool ring_open(const char *path, struct ring *ring);
void ring_close(struct ring *ring);

/* False: there are no more. */
bool ring_next(struct ring *ring, struct ring_piece *piece);

#endif
