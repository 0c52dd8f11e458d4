/* The processes that a page shows: of a recording of any length so many that a page can have them. */
#ifndef SHMGUARD_REPORT_CAST_H
#define SHMGUARD_REPORT_CAST_H

#include "analyzer/map.h"
#include "analyzer/report.h"

struct cast {
	bool all; /* there are few enough */
	struct map shown;
	uint64_t left_out; /* of those that were asked for */
};

/*
 * Those first that one of the first `findings` tells of; then, of what was asked for, who did not end, or by a signal, who made
 * what is left behind, who has events, and the others: where these are too many, some of the whole time.
 */
struct cast cast_of(const struct report *report, size_t findings);
bool cast_shows(const struct cast *cast, const struct process *process);
void cast_clear(struct cast *cast);

#endif
