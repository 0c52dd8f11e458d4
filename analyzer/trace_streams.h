/* The stream files of one trace: which files are such, and which of their packets are whole. */
#ifndef SHMGUARD_TRACE_STREAMS_H
#define SHMGUARD_TRACE_STREAMS_H

#include "map.h"
#include "trace_files.h"

/* What was looked at before, of whatever trace. */
struct trace_seen {
	struct map packets;
	struct map instances; /* the buffers of LTTng that made them */
};

/* Packets that were seen before are not read. Fills `dir` and what `files` counts. */
void trace_streams_look(struct trace_files *files, struct trace_dir *dir, struct trace_seen *seen,
			const struct trace_look *look);
/* After all of them: what is missing. Frees what was seen. */
void trace_streams_sum_up(struct trace_files *files, struct trace_seen *seen);

/* LTTng calls them CHANNEL_CPU, and CHANNEL_CPU_NUMBER where a file has a limit. */
bool trace_streams_named(const char *name);
/* Are its first bytes those of a packet? */
bool trace_streams_begins(int fd);

#endif
