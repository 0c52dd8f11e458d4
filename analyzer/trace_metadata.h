/* The metadata of a CTF 1.8 trace: its packets put together to a text, and what of that text a preflight needs. */
#ifndef SHMGUARD_TRACE_METADATA_H
#define SHMGUARD_TRACE_METADATA_H

#include "trace_packets.h"

struct metadata {
	char *text;
	size_t whole; /* bytes of the file that it is of: what is behind them, or of a packet that is cut short, is left out */
	bool lttng; /* written by LTTng-UST on a machine of 64 bits: `kind` is known */
	struct packet_kind kind;
	char *host; /* "" if the trace has none */
	bool empty; /* it describes no stream: nothing was recorded */
};

/* NULL when it can be read, else what is wrong with it, for people. To be cleared in either case. */
const char *metadata_parse(const void *bytes, size_t size, struct metadata *metadata);
void metadata_clear(struct metadata *metadata);

#endif
