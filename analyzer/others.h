/* What else a finding stands for than what it tells of: the objects and processes of its other occurrences. */
#ifndef SHMGUARD_OTHERS_H
#define SHMGUARD_OTHERS_H

#include "map.h"
#include "world.h"

/* All zero is none. Of an object its number, as one of which no finding tells may be freed. */
struct others {
	struct map pairs; /* (number of the object or 0, process or 0) */
};

/* Of very many the first ones are kept. */
void others_add(struct others *others, const struct object *object, const struct process *process);
/* Takes over what is in `from`. */
void others_take(struct others *others, struct others *from);
void others_clear(struct others *others);

/* Each once, in the order in which the trace has them: numbers of objects, processes; to be freed. */
uint64_t *others_objects(const struct others *others, size_t *count);
const struct process **others_processes(const struct others *others, size_t *count);

#endif
