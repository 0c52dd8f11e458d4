/*
 * A trace on disk as a sequence of events in the order of time. The analyzer sees a trace only through this interface,
 * which a second backend can implement.
 */
#ifndef SHMGUARD_TRACE_READER_H
#define SHMGUARD_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "tracepoints/events.h"

struct trace_event {
	enum event_id id;
	int64_t time;          /* nanoseconds since 1970 */
	const char *host;      /* name of the machine, "" if the trace has none; valid as long as the reading lasts */
	union any_event event; /* texts and frames are valid until the callback returns */
};

/* Returns 0, or a negative number to stop the reading. */
typedef int (*trace_callback)(void *context, const struct trace_event *event);

struct trace_totals {
	uint64_t events;  /* given to the callback */
	uint64_t foreign; /* of other recordings, skipped */
	uint64_t unknown; /* of an event class that this version does not know, skipped */
	uint64_t discarded_events;
	uint64_t discarded_packets;
	int64_t first, last; /* time of the first and the last event given; 0 when there was none */
	bool cut_short;      /* a stream ends in the middle of a packet: what is whole was read */
};

/*
 * Reads every CTF trace found at or below `dir`. `recording` 0 takes the events of all recordings. Returns 0; otherwise
 * a negative number, -ENOENT when there is no trace, and *error is one line for people, to be freed by the caller.
 */
int trace_read(const char *dir, uint32_t recording, trace_callback callback, void *context, struct trace_totals *totals,
	       char **error);

#endif
