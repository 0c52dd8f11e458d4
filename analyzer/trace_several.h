/* Of several traces those that babeltrace2 can read together. In the reading child. */
#ifndef SHMGUARD_TRACE_SEVERAL_H
#define SHMGUARD_TRACE_SEVERAL_H

#include "trace_job.h"

/*
 * One that it cannot read, or not beside others, would take all of them with it: the files of the job are found again
 * without those, as what was a copy of one of their streams is none then. Returns as trace_files_find().
 */
int trace_several_find(const struct trace_job *job, const char *dir, const struct trace_look *look, char **error);

#endif
