/* What a decoder gets and gives; both run in the reading child. */
#ifndef SHMGUARD_TRACE_JOB_H
#define SHMGUARD_TRACE_JOB_H

#include "trace_files.h"
#include "trace_reader.h"

/* What babeltrace2 needs for a trace with all of our events was measured at 2.4 MB. */
#define MEMORY_OF_TRACE (4u << 20)

struct trace_job {
	struct trace_files *files;
	const struct trace_scope *scope;
	struct trace_totals *totals;
	void *context;
	void (*event)(void *context, const struct trace_event *event);
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void (*copies)(void *context, const char *directory); /* see trace_stand_in() */
};

/* Counts the event of that trace, and passes it on if it is of the recording that is wanted of it. */
void trace_deliver(const struct trace_job *job, struct trace_dir *dir, const struct trace_event *event);
/* Counts an event that is not to be passed on: of shmguard, but unknown to this version, or of another program. */
void trace_count_other(const struct trace_job *job, struct trace_dir *dir, bool ours);

/*
 * The decoders. Events come in the order of time, whatever trace they are of. 0; or -1 and *error is one line to be
 * freed: what was given before is right all the same.
 */
int trace_babeltrace_read(const struct trace_job *job, char **error);
int trace_direct_read(const struct trace_job *job, char **error);

/* Every trace has the layout that trace_direct_read() can decode. */
bool trace_direct_knows(const struct trace_files *files);

#endif
