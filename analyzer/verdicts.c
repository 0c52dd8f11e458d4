#include "verdicts.h"

/* Values of the map: with what severity it was told, or is in the report. */
enum { TOLD = 1, FOUND = 16 };

static void put(struct map *verdicts, const struct process *process, uint32_t seq, uintptr_t value)
{
	map_put(verdicts, process_key(process), seq, (void *)value);
}

void verdicts_told(struct map *verdicts, const struct process *process, uint32_t seq, enum severity severity)
{
	if (verdicts)
		put(verdicts, process, seq, TOLD + (uintptr_t)severity);
}

void verdicts_found(struct map *verdicts, const struct process *process, uint32_t seq, enum severity severity)
{
	if (!verdicts)
		return;
	if ((uintptr_t)map_get(verdicts, process_key(process), seq) == TOLD + (uintptr_t)severity)
		map_remove(verdicts, process_key(process), seq);
	else
		put(verdicts, process, seq, FOUND + (uintptr_t)severity);
}

enum verdict verdicts_of(const struct map *verdicts, const struct process *process, uint32_t seq,
			 enum severity *severity)
{
	uintptr_t value = (uintptr_t)map_get(verdicts, process_key(process), seq);

	if (value >= FOUND)
		*severity = (enum severity)(value - FOUND);
	return value >= FOUND ? VERDICT_other : value ? VERDICT_none : VERDICT_same;
}
