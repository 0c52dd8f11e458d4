/* What the report makes of what processes told at their calls, where that is not the same: it knows what came of them. */
#ifndef SHMGUARD_VERDICTS_H
#define SHMGUARD_VERDICTS_H

#include <stdint.h>

#include "analyzer/map.h"
#include "analyzer/world.h"
#include "tracepoints/rules.h"

enum verdict {
	VERDICT_same,
	VERDICT_other, /* another severity */
	VERDICT_none,  /* it is not counted there */
};

/*
 * Of none, NULL, nothing is kept. The process told of it with its event number `seq`; until it is found, the report has it
 * not.
 */
void verdicts_told(struct map *verdicts, const struct process *process, uint32_t seq, enum severity severity);
void verdicts_found(struct map *verdicts, const struct process *process, uint32_t seq, enum severity severity);

/* The process may be the same one of another reading of the trace. *severity: as it was told, or of the report. */
enum verdict verdicts_of(const struct map *verdicts, const struct process *process, uint32_t seq,
			 enum severity *severity);

#endif
