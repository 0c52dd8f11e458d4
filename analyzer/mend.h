/*
 * Takes the holes out of a packet: room that a process which was killed had reserved for an event, and never committed.
 * How many bytes they are together is known, where they are is not; what lies in them is half an event, zeroes or what was
 * there before.
 */
#ifndef SHMGUARD_MEND_H
#define SHMGUARD_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/trace_layout.h"

struct mend_packet {
	const struct stream_layout *stream;
	const unsigned char *bytes;  /* the events, without the packet's header */
	size_t size, whole, missing; /* of the bytes: all, those before the first hole at least, those in holes */
	uint64_t begin, end;         /* values of the clock that no event lies before, and behind */
};

/*
 * Writes the events that were committed to `to`, which has room for packet->size bytes; answers how many bytes they are.
 * With *certain false what the answer covers is whole, and what followed, or an event that nobody finished, is not known.
 */
size_t mend_holes(const struct mend_packet *packet, unsigned char *to, bool *certain);

#endif
