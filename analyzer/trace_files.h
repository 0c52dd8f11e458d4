/*
 * Finds the CTF traces below a directory and looks at their files before a decoder does: babeltrace2 spins for ever on
 * metadata that is cut short, and gives nothing of the whole graph when one stream is damaged.
 */
#ifndef SHMGUARD_TRACE_FILES_H
#define SHMGUARD_TRACE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "trace_layout.h"
#include "trace_metadata.h"

struct trace_stream {
	char *name;
	uint64_t size;               /* of the file */
	struct packet_ranges ranges; /* what is to be read of it */
	bool stray;                  /* it is none */
};

/* One CTF trace. */
struct trace_dir {
	char *path;
	uint32_t recording; /* whose events are wanted of it; 0: all. Set by the reader */
	const char *owner;  /* the path of that, or NULL: it has none. As well */
	const char *host;   /* of which it is; as well */
	int64_t move;       /* nanoseconds, to be added to the time of its events. As well */
	uint64_t foreign;   /* events of it that are not wanted */
	struct metadata metadata;
	uint64_t metadata_size; /* of the file */
	struct layout layout;
	bool known; /* `layout` is that of the trace */
	struct trace_stream *streams;
	size_t stream_count;
	uint64_t size;    /* of its streams' files, but for what is there twice */
	uint64_t lost;    /* bytes of its streams that are in no whole packet */
	uint64_t missing; /* packets of streams that were first found here */
	bool as_it_is;    /* every byte of its metadata and streams can be given to babeltrace2 */
};

struct trace_files {
	struct trace_dir *dirs;
	size_t count;
	uint64_t bytes;   /* to be read */
	uint64_t size;    /* of all streams' files, but for what is there twice */
	uint64_t packets; /* the same, where it is known */
	uint64_t lost;    /* bytes of streams that are in no whole packet */
	/* Of streams of LTTng: packets that others' numbers tell of, events that the tracer had no room for. */
	uint64_t missing, discarded;
	size_t strays;   /* problems that are of files which were never a stream of the trace */
	char **problems; /* one line each on what cannot be read */
	size_t problem_count;
	const char *refused; /* the first of them that is of what we may not read; or NULL */
	bool streams;        /* one of the files that are named as streams is not empty */
	char *copies;        /* private directory with what stands in for damaged traces, or NULL */
};

/* tick is called now and then while it lasts. */
struct trace_look {
	void *context;
	void (*tick)(void *context);
	char **left_out; /* the paths of traces that are not to be read */
	size_t left_out_count;
};

/*
 * Returns 0; -ENOENT when there is no trace, -ENODATA when there is none that can be read, no stream has a byte and all may be
 * read, another negative number when there is none that can be read, and *error is one line to be freed.
 */
int trace_files_find(const char *dir, const struct trace_look *look, struct trace_files *files, char **error);
void trace_files_free(struct trace_files *files);

/* Bytes of all streams' files at or below `dir`. */
uint64_t trace_files_size(const char *dir);

/*
 * A directory, to be freed, with what is whole of the trace number `index` and nothing else; its own where that is so.
 * made: is told the private directory before anything is put into it. NULL with errno set on failure.
 */
char *trace_stand_in(struct trace_files *files, size_t index, void (*made)(void *context, const char *copies),
		     void *context);
/* Removes what stood in. */
void trace_stand_in_remove(const char *copies);

char *trace_path(const char *dir, const char *name);

/* Takes the text, one line. */
void trace_files_problem(struct trace_files *files, char *text);
/* What is at the path cannot be read, and why. */
void trace_files_failed(struct trace_files *files, const char *path, int error);

/* The whole of a regular file of metadata, to be freed; NULL, with errno, if it cannot be read or is far too large. */
char *trace_file_read(const char *path, size_t *size);

#endif
