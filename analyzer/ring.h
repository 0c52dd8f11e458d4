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
	size_t skipped;   /* pieces that cannot be what they say */
};

/* A sub-buffer that LTTng has not handed out. */
struct ring_piece {
	const unsigned char *bytes; /* its packet, the header first */
	uint64_t size;              /* bytes that were reserved for header and events */
	uint64_t missing;           /* of them, those of events that were never committed */
	uint64_t whole;             /* all before this was committed */
	uint64_t begin;             /* of its packet: LTTng's clock */
	uint64_t number;            /* what its packet's number must be */
	const unsigned char *last;  /* the packet of before, whose header is there at least; NULL: there is none */
};

/* False: it cannot be read, or has another layout. */
bool ring_open(const char *path, struct ring *ring);
void ring_close(struct ring *ring);

/* False: there are no more. */
bool ring_next(struct ring *ring, struct ring_piece *piece);

/*
 * Is the first piece one that LTTng never hands out, as events are missing in it though the next one was begun before that
 * moment of LTTng's clock? Once the ring has come round to it, every event is lost.
 */
bool ring_is_stuck(const struct ring *ring, uint64_t before);

/*
 * Makes the first piece one that was handed out: LTTng goes on with the next, and writers may have its room again. False:
 * the ring is not as it has to be for that, and was not touched.
 */
bool ring_release(const char *path);

#endif
