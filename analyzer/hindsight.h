/*
 * What the whole of a recording tells of the size that an object had at one moment of it, for what reads the recording again
 * and shows it in its order: calls that are missing may have changed what the events until then tell.
 */
#ifndef SHMGUARD_HINDSIGHT_H
#define SHMGUARD_HINDSIGHT_H

#include "analysis.h"

struct hindsight;

/* The analysis must outlive it; NULL: there was none. */
struct hindsight *hindsight_of(const struct analysis *analysis);
/* Of an object of replay()'s world, which stands at `time`; false: it is not known. */
bool hindsight_size(const struct hindsight *hindsight, const struct object *object, int64_t time, uint64_t *size);
void hindsight_free(struct hindsight *hindsight);

#endif
