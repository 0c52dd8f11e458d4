/* One line on stderr, where that is a terminal, for what takes longer than a second. */
#ifndef SHMGUARD_PROGRESS_H
#define SHMGUARD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown;
	int64_t began, next; /* monotonic nanoseconds */
};

/* silent: no line is wanted. */
void progress_begin(struct progress *progress, bool silent);
void progress_show(struct progress *progress, uint64_t done, uint64_t total);
/* Takes the line away, for good. */
void progress_end(struct progress *progress);

#endif
