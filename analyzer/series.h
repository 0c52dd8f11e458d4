/*
 * How many things were outstanding over time, in bounded memory: exact while there are few changes, but for what lasted so
 * short that it cannot be seen; then thinned out.
 */
#ifndef SHMGUARD_SERIES_H
#define SHMGUARD_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_POINTS 512
/* The fraction of the time so far below which a rise or fall that is taken back leaves nothing: less than thinning keeps. */
#define SERIES_BLIP 512

struct series_point {
	int64_t time;
	uint64_t value;
};

/* All zero is an empty series. */
struct series {
	struct series_point *points; /* all but the last */
	struct series_point last;    /* within reach: most additions only change it */
	size_t count, room;          /* of points, the last not counted */
	bool begun;                  /* there is a last one */
	int64_t spacing;             /* points lie at least this far apart, nanoseconds */
};

/* Times must not decrease. */
void series_add(struct series *series, int64_t time, uint64_t value);
/* Time of the first point, 0 without. */
int64_t series_first(const struct series *series);
uint64_t series_at(const struct series *series, int64_t time);
void series_clear(struct series *series);

/*
 * The catalogue's definition of "grows": at least 10 outstanding at `end`, and strictly more than at 75 % of the time
 * from the first point to `end`, and there strictly more than at 50 %.
 */
#define SERIES_GROWS_MIN 10
bool series_grows(const struct series *series, int64_t end);

#endif
