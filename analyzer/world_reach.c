/* How far into an object the mappings of a process reach. */
#include "world_holdings_inner.h"

uint64_t holdings_end(const struct process *process, const struct object *object)
{
	const struct holdings *holdings = process->holdings;
	uint64_t end = 0;

	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct piece *piece = &holdings->pieces[i];

		if (object_real(piece->from->object) == object && !piece->from->semaphore &&
		    piece->end - piece->from->base > end)
			end = piece->end - piece->from->base;
	}
	return end;
}

struct site holdings_mapped(const struct process *process, const struct object *object, uint64_t end)
{
	const struct holdings *holdings = process->holdings;
	struct site site = {0};
	uint64_t nearest = UINT64_MAX;

	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct piece *piece = &holdings->pieces[i];
		uint64_t reached = piece->end - piece->from->base;

		if (object_real(piece->from->object) != object || piece->from->semaphore ||
		    piece->start - piece->from->base >= end || reached < end || reached > nearest ||
		    (reached == nearest && piece->from->site.time >= site.time))
			continue;
		nearest = reached;
		site = piece->from->site;
	}
	return site;
}
