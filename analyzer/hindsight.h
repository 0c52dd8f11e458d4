/*
 * What the whole of a recording tells of the size that an object had at one moment of it, for what reads the recording again
 * and shows it in its order: calls that are missing, and what no call tells of, as write(2), may have changed what the events
 * until then tell.
 */
#ifndef SHMGUARD_HINDSIGHT_H
#define SHMGUARD_HINDSIGHT_H

#include "analysis.h"

struct hindsight;

/* The analysis must outlive it; NULL: there was none. */
struct hindsight *hindsight_of(const struct analysis *analysis);
/* Of an object of replay()'s world, which stands at `time`; false: it is not known. */
bool hindsight_size(const struct hindsight *hindsight, const struct object *object, int64_t time, uint64_t *size);
/*
 * Of an object as it was at the end of the recording, with no call missing since `time` nor from `until` on: its size at
 * `time`, which it had until the next call on it found it, or to the end; false: it is not known.
 */
bool hindsight_before(const struct object *later, int64_t time, int64_t until, uint64_t *size);
/* Of such an object the lapse that holds `time`, and that no call explains which is missing between the others; or NULL. */
const struct lapse *hindsight_lapse(const struct object *later, int64_t time, int64_t missing_from,
				    int64_t missing_until);
/* Does it, or NULL, hold of the size that an object has in replay()'s world, which stands at such a time? */
bool hindsight_counts(const struct lapse *lapse, const struct object *object);
void hindsight_free(struct hindsight *hindsight);

#endif
