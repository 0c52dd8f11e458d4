/*
 * A trace on disk as a sequence of events in the order of time. The analyzer sees a trace only through this interface.
 * The files are read in a child process, so that a damaged trace ends in a sentence, whatever it does to the decoder;
 * behind it are two decoders, trace_direct.c for the layout that LTTng gives our events, and babeltrace2 for any other.
 */
#ifndef SHMGUARD_TRACE_READER_H
#define SHMGUARD_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
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

/* What is of the traces of one owner, by its path. */
struct trace_share {
	char *path;
	uint64_t bytes;   /* of all streams' files, but for what is there twice */
	uint64_t missing; /* packets that others' numbers tell of */
	uint64_t skipped; /* events, of other recordings and other programs */
};

struct trace_totals {
	uint64_t events;  /* given to the callback */
	uint64_t foreign; /* of other recordings and other programs, skipped */
	struct trace_share *shares;
	size_t share_count;
	uint64_t unknown; /* of shmguard, but of a class that this version does not know, skipped */
	uint64_t discarded_events;
	uint64_t discarded_packets;
	uint64_t bytes;      /* of all streams' files, but for what is there twice */
	uint64_t bytes_lost; /* of streams, that could not be read */
	bool called;         /* a call was among the events given */
	char *cut;           /* why the reading ended before the trace did, in words; NULL: it did not */
	int64_t first, last; /* time of the first and the last event given; 0 when there was none */
	char **problems;     /* one line each on what was not read, bytes_lost included; the events given are right */
	size_t problem_count;
	char *refused; /* the first of them that is of what we may not read; or NULL */
	size_t strays; /* problems that are of files which were never a stream of the trace, as far as it shows */
};

/* The traces at or below `path` are of that recording; of 0 is what is of no other owner. */
struct trace_owner {
	char *path;
	uint32_t recording;
	char *host;   /* as it is called; NULL: as its traces call it */
	int64_t move; /* nanoseconds, to be added to the time of its events */
};

/* Whether the path is its own or lies below that, however many slashes are between the names. */
bool trace_owner_has(const struct trace_owner *owner, const char *path);

struct trace_scope {
	uint32_t recording; /* whose events are taken from traces that have no owner; 0: all */
	const char *host;   /* of those, as of an owner */
	const struct trace_owner *owners;
	size_t owner_count;
	bool part; /* others are read apart: --clock-offset may be of one of them */
};

/* A trace of LTTng lies seven directories deep in its session's, and recordings of a fleet in directories of their own. */
#define TRACE_DEPTH_MAX 12

/*
 * Reads every CTF trace found at or below `dir`, and of each the events that `scope` wants. Returns 0, also where a part
 * could not be read: see `problems`; otherwise a negative number, -ENOENT when there is no trace, -ENODATA when there is
 * none that can be read and no stream has a byte, and *error is one line for people, to be freed by the caller. *totals is
 * to be cleared in either case.
 */
int trace_read(const char *dir, const struct trace_scope *scope, trace_callback callback, void *context,
	       struct trace_totals *totals, char **error);
/* A new line for totals->problems, which takes it. */
void trace_problem(struct trace_totals *totals, char *text);
void trace_totals_clear(struct trace_totals *totals);

/*
 * From now on SIGINT ends the reading under way and not the program: what was read is reported as incomplete. Later readings,
 * which are of the same trace, give no more events and take no longer than that one. A second SIGINT is as it was before.
 */
void trace_interruptible(void);
bool trace_interrupted(void);

/* From now on no line tells how far a reading is, and what there is of one goes: the output itself comes there. */
void trace_silence(void);

#endif
