/* Who has which object open or mapped where, at a moment of the trace: by object, of which there may be thousands. */
#ifndef SHMGUARD_HOLDERS_H
#define SHMGUARD_HOLDERS_H

#include "world.h"
#include "world_holdings.h"

/* A descriptor or a mapping; one of the two pointers is NULL. */
struct holder {
	const struct object *object;
	const struct process *process;
	size_t nth; /* of the world's processes */
	const struct descriptor *descriptor;
	const struct piece *piece;
};

/* All zero: nobody. It refers to the world, and holds as long as that does not change. */
struct holders {
	struct holder *all;
	size_t count;
};

struct holders holders_collect(const struct world *world);
/* Those of the object, `count` of them: by process in the world's order, by descriptor, by address. */
const struct holder *holders_of(const struct holders *holders, const struct object *object, size_t *count);
void holders_free(struct holders *holders);

#endif
