#include "shelves.h"

#include <search.h>
#include <stdlib.h>

#include "memory.h"

/* tsearch(3) gives what is looked for first, and leads to the shelf that is next to it where there is none of that rank. */
static int compare(const void *wanted, const void *there)
{
	const struct shelf *a = wanted, *b = there;

	if (a->met)
		*a->met = (struct shelf *)(uintptr_t)there;
	return (a->rank > b->rank) - (a->rank < b->rank);
}

static struct shelf *next_to(const struct shelves *shelves, uint64_t rank)
{
	struct shelf *met = NULL;
	const struct shelf wanted = {.rank = rank, .met = &met};

	tfind(&wanted, &shelves->tree, compare);
	return met;
}

struct shelf *shelves_lowest(const struct shelves *shelves)
{
	return next_to(shelves, 0);
}

struct shelf *shelves_highest(const struct shelves *shelves)
{
	return next_to(shelves, UINT64_MAX);
}

static struct shelf *shelf_of(struct shelves *shelves, uint64_t rank)
{
	struct shelf *shelf = next_to(shelves, rank);

	if (shelf && shelf->rank == rank)
		return shelf;
	shelf = memory_new(1, sizeof(*shelf));
	shelf->rank = rank;
	TAILQ_INIT(&shelf->list);
	memory_checked(tsearch(shelf, &shelves->tree, compare));
	return shelf;
}

static void drop(struct shelves *shelves, struct shelf *shelf)
{
	tdelete(shelf, &shelves->tree, compare);
	free(shelf);
}

void shelves_add(struct shelves *shelves, uint64_t rank, struct charge *charge)
{
	TAILQ_INSERT_HEAD(&shelf_of(shelves, rank)->list, charge, link);
}

void shelves_take(struct shelves *shelves, struct shelf *shelf, struct charges *list)
{
	struct charge *charge;

	TAILQ_FOREACH (charge, &shelf->list, link)
		if (charge->end > shelf->rank)
			charge->end = shelf->rank;
	TAILQ_CONCAT(list, &shelf->list, link);
	drop(shelves, shelf);
}

void shelves_clamp(struct shelves *shelves, uint64_t rank)
{
	struct shelf *highest = shelves_highest(shelves), *onto;

	if (highest == NULL || highest->rank <= rank)
		return;
	onto = shelf_of(shelves, rank);
	while ((highest = shelves_highest(shelves)) != onto) {
		TAILQ_CONCAT(&onto->list, &highest->list, link);
		drop(shelves, highest);
	}
}

struct walk {
	void (*visit)(struct charge *charge, void *context);
	void *context;
};

static void walk_shelf(const void *node, VISIT which, void *closure)
{
	const struct shelf *shelf = *(struct shelf *const *)node;
	const struct walk *walk = closure;
	struct charge *charge;

	if (which != leaf && which != postorder)
		return;
	TAILQ_FOREACH (charge, &shelf->list, link)
		walk->visit(charge, walk->context);
}

void shelves_walk(const struct shelves *shelves, void (*visit)(struct charge *charge, void *context), void *context)
{
	twalk_r(shelves->tree, walk_shelf, &(struct walk){visit, context});
}
