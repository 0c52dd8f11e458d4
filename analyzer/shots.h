/* --snapshot-on=error: when the calls that are kept in memory are written. */
#ifndef SHMGUARD_SHOTS_H
#define SHMGUARD_SHOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/notes.h"
#include "analyzer/session.h"

/* All zero to begin with. */
struct shots {
	int64_t due, pause; /* nanoseconds: of CLOCK_MONOTONIC, not before; until the next */
	bool wanted;        /* there was an error since the last one */
	bool errors;        /* there was one at all */
};

/*
 * Due every tenth of a second: has the calls written soon after an error, so that those which led to it are still there.
 * session NULL: it is over, only look whether there was an error.
 */
void shots_look(struct shots *shots, struct notes *notes, struct session *session);

#endif
