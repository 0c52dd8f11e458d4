/* LTTng's indexes of packets, which babeltrace2 believes: an offset that lies outside of the stream ends it. */
#ifndef SHMGUARD_TRACE_INDEX_H
#define SHMGUARD_TRACE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "trace_packets.h"

/*
 * Whether the index of the stream `name` in `dir` tells of the packets that the stream's file has, of `size` bytes at `fd`, and
 * of nothing else; so does one that is not there. Without kind, of a stream that is not LTTng's, only that does.
 */
bool trace_index_agrees(const char *dir, const char *name, int fd, uint64_t size, const struct packet_kind *kind);

#endif
