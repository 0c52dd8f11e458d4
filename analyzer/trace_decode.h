/* The events in a packet of a known layout. */
#ifndef SHMGUARD_TRACE_DECODE_H
#define SHMGUARD_TRACE_DECODE_H

#include "trace_layout.h"
#include "trace_reader.h"

#define DECODE_FRAMES_MAX 256

/* Reads a packet's content from `at` to `end`. Zeroed but for what is said to be set, it stands before the first event. */
struct decoding {
	const struct stream_layout *stream; /* to be set */
	const unsigned char *at, *end;      /* to be set */
	uint64_t clock;                     /* to be set: value at the packet's begin */
	uint64_t frames[DECODE_FRAMES_MAX];
};

enum decoded {
	DECODED_event,
	DECODED_unknown, /* an event of ours that this version does not know: only `clock` is its */
	DECODED_foreign, /* the same of another program */
	DECODED_end,
	DECODED_damaged, /* what follows in the packet cannot be read */
};

/* Texts of the event point into the packet, frames into `decoding`; clock is the value at the event. */
enum decoded decode_next(struct decoding *decoding, enum event_id *id, union any_event *event);

/* The header of an event, as which it is left behind: the event's number, and whether it tells the time in full. */
bool decode_header(struct decoding *decoding, uint64_t *number, bool *full);

/* Writes one that does; answers its length in bytes. */
#define ENCODED_HEADER_MAX 14
size_t encode_header(const struct stream_layout *stream, uint64_t number, uint64_t clock, unsigned char *to);

#endif
