/*
 * Of a recording that kept the newest calls only, every definition of an object was kept: which of the objects the calls
 * speak of that are left. A first reading of the trace finds that out, so that the model need not keep the others.
 */
#ifndef SHMGUARD_MENTIONS_H
#define SHMGUARD_MENTIONS_H

#include "map.h"
#include "recording.h"

/* Findings speak of objects that were defined just before, of which no more than so many are new. */
#define MENTIONS_NEAR 500

/* The same id, or inode, of several processes and machines is one here: some are kept that need not be. */
struct mentions {
	struct map ids;    /* of objects, as of events */
	struct map inodes; /* of what programs began with, or were seen to use */
	bool cut;          /* the reading did not come to its end: others may be spoken of */
};

/*
 * NULL: the recording let nothing go, or nothing is known of what it left, which a second reading of it finds, too. `place`
 * as of trace_read().
 */
struct mentions *mentions_read(const struct recording *recording, const char *place);
void mentions_free(struct mentions *mentions);

#endif
