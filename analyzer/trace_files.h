/*
 * Finds the CTF traces below a directory and looks at their files before babeltrace2 does: it spins for ever on
 * metadata that is cut short, and gives nothing of the whole graph when one stream is.
 */
#ifndef SHMGUARD_TRACE_FILES_H
#define SHMGUARD_TRACE_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct trace_files {
	char **dirs; /* directories safe to read, one CTF trace each */
	size_t count;
	char *copies;   /* private directory with what stands in for damaged traces, or NULL */
	bool cut_short; /* a stream had to be cut at its last whole packet */
};

/* Returns 0; otherwise a negative number, -ENOENT when there is no trace, and *error is one line to be freed. */
int trace_files_find(const char *dir, struct trace_files *files, char **error);
void trace_files_free(struct trace_files *files);

#endif
