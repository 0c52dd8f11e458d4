/* The stream files of one trace: which files are such, and which of their packets are whole. */
#ifndef SHMGUARD_TRACE_STREAMS_H
#define SHMGUARD_TRACE_STREAMS_H

#include "map.h"
#include "trace_files.h"

/* seen: packets of whatever was looked at before: a copy's are not read. Fills `dir` and what `files` counts. */
void trace_streams_look(struct trace_files *files, struct trace_dir *dir, struct map *seen,
			const struct trace_look *look);

/* LTTng calls them CHANNEL_CPU, and CHANNEL_CPU_NUMBER where a file has a limit. */
bool trace_streams_named(const char *name);
/* Are its first bytes those of a packet? */
bool trace_streams_begins(int fd);

#endif
