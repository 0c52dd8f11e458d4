/*
 * What the metadata says about the layout of a trace, if it is the one that LTTng-UST 2.13 gives it on a machine of 64
 * bits: packets of trace_packets.h, events with one of two headers, and fields that begin at bytes.
 */
#ifndef SHMGUARD_TRACE_LAYOUT_H
#define SHMGUARD_TRACE_LAYOUT_H

#include "trace_events.h"
#include "tracepoints/events.h"

enum piece_kind { PIECE_integer, PIECE_text, PIECE_frames };

/* A field as it lies in the trace, and where it goes. */
struct piece {
	enum piece_kind kind;
	uint8_t size;    /* bytes: of an integer; of the number of elements */
	uint8_t element; /* bytes: of an element */
	bool is_signed;  /* integer */
	bool wanted;     /* `to` is valid */
	struct trace_field to;
};

struct event_layout {
	bool described;
	enum event_id id; /* EVENT_COUNT: an event that this version does not know */
	bool ours;        /* it is shmguard's all the same */
	struct piece *pieces;
	size_t count;
	bool complete; /* every field of the event is in the trace */
};

struct stream_layout {
	bool described, large;       /* event_header_large, else event_header_compact */
	struct event_layout *events; /* by the number in the event's header */
	size_t count;
};

#define LAYOUT_STREAMS 64

struct layout {
	int64_t origin; /* of the clock, nanoseconds since 1970 */
	struct stream_layout streams[LAYOUT_STREAMS];
};

/* False: another layout, or one that it cannot be sure of. To be cleared in either case. */
bool layout_parse(const char *metadata, struct layout *layout);
void layout_clear(struct layout *layout);

#endif
