/* Charges by a number of bytes, their rank: the lowest and the highest are found at once, whatever order they come in. */
#ifndef SHMGUARD_SHELVES_H
#define SHMGUARD_SHELVES_H

#include "judge_size.h"

TAILQ_HEAD(charges, charge);

/* Charges of one rank; there is at least one. */
struct shelf {
	uint64_t rank;
	struct charges list;
	struct shelf **met; /* of what is looked for: where the shelf goes that was met last */
};

/* All zero: there is none. */
struct shelves {
	void *tree; /* of tsearch(3) */
};

void shelves_add(struct shelves *shelves, uint64_t rank, struct charge *charge);
/* NULL: there is none. */
struct shelf *shelves_lowest(const struct shelves *shelves);
struct shelf *shelves_highest(const struct shelves *shelves);
/* Puts those of the shelf, which goes, behind the others of the list. None ends behind its rank any more. */
void shelves_take(struct shelves *shelves, struct shelf *shelf, struct charges *list);
/* No rank is higher any more. */
void shelves_clamp(struct shelves *shelves, uint64_t rank);
void shelves_walk(const struct shelves *shelves, void (*visit)(struct charge *charge, void *context), void *context);

#endif
