/* How far into an object the mappings of a process reach. */
#include "world_holdings_inner.h"

/* NULL: of a semaphore, or nothing is kept of it. */
static struct use *kept_for(const struct process *process, const struct piece *piece)
{
	struct use *use = piece->from->semaphore ? NULL : holdings_use(process, object_real(piece->from->object));

	return use && use->reaching ? use : NULL;
}

static void reach_take(struct use *use, uint64_t end)
{
	if (use->reaching == 0 || end > use->reach) {
		use->reach = end;
		use->reaching = 0;
	}
	use->reaching += end == use->reach;
}

void reach_added(const struct process *process, const struct piece *piece)
{
	struct use *use = kept_for(process, piece);

	if (use)
		reach_take(use, piece->end - piece->from->base);
}

void reach_removed(const struct process *process, const struct piece *piece)
{
	struct use *use = kept_for(process, piece);

	if (use)
		use->reaching -= piece->end - piece->from->base == use->reach;
}

uint64_t holdings_end(const struct process *process, const struct object *object)
{
	const struct holdings *holdings = process->holdings;
	struct use *use = holdings_use(process, object), none = {0};

	if (use == NULL)
		use = &none;
	if (use->reaching && use->reach_merged == object->merged)
		return use->reach;
	use->reaching = 0;
	use->reach_merged = object->merged;
	for (size_t i = 0; i < holdings->piece_count; i++) {
		const struct piece *piece = &holdings->pieces[i];

		if (object_real(piece->from->object) == object && !piece->from->semaphore)
			reach_take(use, piece->end - piece->from->base);
	}
	return use->reaching ? use->reach : 0;
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
