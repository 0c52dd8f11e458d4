#include "heirs.h"

#include "world_holdings.h"

/* As heirs_until(), of one. */
static uint32_t inherits(const struct process *heir, const struct process *from)
{
	for (; heir && heir->began == BEGAN_fork; heir = heir->parent)
		if (heir->parent == from)
			return heir->parent_seq ? heir->parent_seq : UINT32_MAX;
	return 0;
}

uint32_t heirs_until(const struct world *world, const struct process *process, const struct object *object)
{
	uint32_t until = 0;

	if (object && object->mappers == 0)
		return 0;
	for (size_t i = 0; i < world->process_count && until < UINT32_MAX; i++) {
		const struct process *heir = world->processes[i];
		uint32_t number = heir->over ? 0 : inherits(heir, process);

		if (number > until && (object == NULL || holdings_maps(heir, object)))
			until = number;
	}
	return until;
}
