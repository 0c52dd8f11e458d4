/* What LTTng could not hand out of its ring buffers, by lttng-crash(1). */
#ifndef SHMGUARD_SALVAGE_H
#define SHMGUARD_SALVAGE_H

#include <stdbool.h>

struct salvage {
	const char *buffers; /* absolute directory of a stopped session's ring buffers */
	const char *into;    /* absolute directory that a trace of the rest is made in, not there yet */
};

/* For limited(): `context` is a struct salvage. 0 when all is done; then the trace may be empty. */
int salvage_rest(const void *context, char *error);
bool salvage_is_empty(const char *trace);

#endif
