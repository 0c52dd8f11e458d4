/*
 * What LTTng did not hand out of its ring buffers, as it hands out no more of a buffer from where a process was killed in
 * the midst of writing an event: everything else is there, and becomes a trace.
 */
#ifndef SHMGUARD_SALVAGE_H
#define SHMGUARD_SALVAGE_H

#include <stdbool.h>

struct salvage {
	const char *buffers; /* absolute directory of a stopped session's ring buffers */
	const char *into; /* absolute directory that a trace of the rest is made in, if there is any; not there yet */
};

/* For limited(): `context` is a struct salvage. 0 when all that was written is in a trace. */
int salvage_rest(const void *context, char *error);

/*
 * The same while the session goes on, for what LTTng has not handed out for seconds: it has the room again. Is there such in
 * these buffers?
 */
int salvage_stuck(const void *context, char *error);
bool salvage_wanted(const char *buffers);

#endif
