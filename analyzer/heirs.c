#include "heirs.h"

#include "world_holdings.h"

uint32_t heirs_since(const struct process *heir, const struct process *from)
{
	for (; heir && heir->began == BEGAN_fork; heir = heir->parent)
		if (heir->parent == from)
			return heir->parent_seq ? heir->parent_seq : UINT32_MAX;
	return 0;
}

/* What it has is known once it has told of itself, which it does when its parent has gone on. */
static bool maps(const struct process *heir, const struct object *object, uint64_t beyond)
{
	return object == NULL || !heir->announced || holdings_end(heir, object) > beyond;
}

uint32_t heirs_until(const struct world *world, const struct process *process, const struct object *object,
		     uint64_t beyond)
{
	uint32_t until = 0;

	for (size_t i = 0; i < world->process_count && until < UINT32_MAX; i++) {
		const struct process *heir = world->processes[i];
		uint32_t number = heir->over ? 0 : heirs_since(heir, process);

		if (number > until && maps(heir, object, beyond))
			until = number;
	}
	return until;
}
