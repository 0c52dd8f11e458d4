#include "docket.h"

#include <stdlib.h>

#include "heirs.h"
#include "memory.h"
#include "pages.h"
#include "shelves.h"

/* A program that shrinks and then remaps does so at once. */
#define AT_ONCE 1000000000

enum ordered {
	ORDERED_past_end,  /* mapped past the end, by where that ends */
	ORDERED_inherited, /* the same, which only children by fork have yet */
	ORDERED_trimmed,   /* the same, given up so far as it has no pages; a child may have it and touch it */
	ORDERED_shrunk,    /* under its own mapping, not long ago, by its edge */
	ORDERED_COUNT
};

enum waiting {
	WAITING_full,    /* more than its file system has */
	WAITING_mapped,  /* shrunk under another's mapping, or longer ago: for a SIGBUS alone */
	WAITING_settled, /* what became of it is known, but its call may still prove not to have been made */
	WAITING_COUNT
};

/* One process's charges at one object; there is at least one. */
struct docket {
	LIST_ENTRY(docket) of_object, of_process;
	const struct object *object;
	const struct process *process;
	struct shelves ordered[ORDERED_COUNT];
	struct charges waiting[WAITING_COUNT];
	uint32_t latest; /* none is of a later call */
};

LIST_HEAD(docket_list, docket);

struct dockets {
	struct docket_list list;
	uint64_t lowest; /* of an object: none that is past the end ends below that */
	size_t full;
};

static struct dockets *dockets_of(struct map *map, const void *of)
{
	struct dockets *dockets = map_get(map, (uintptr_t)of, 0);

	if (dockets == NULL) {
		dockets = memory_new(1, sizeof(*dockets));
		dockets->lowest = UINT64_MAX;
		map_put(map, (uintptr_t)of, 0, dockets);
	}
	return dockets;
}

static struct docket *docket_new(struct court *court, const struct charge *charge)
{
	struct docket *docket = memory_new(1, sizeof(*docket));

	docket->object = charge->object;
	docket->process = charge->process;
	for (size_t i = 0; i < WAITING_COUNT; i++)
		TAILQ_INIT(&docket->waiting[i]);
	LIST_INSERT_HEAD(&dockets_of(&court->dockets.by_object, charge->object)->list, docket, of_object);
	LIST_INSERT_HEAD(&dockets_of(&court->dockets.by_process, charge->process)->list, docket, of_process);
	map_put(&court->dockets.by_both, (uintptr_t)charge->object, (uintptr_t)charge->process, docket);
	return docket;
}

static void drop_head(struct map *map, const void *of)
{
	struct dockets *dockets = map_get(map, (uintptr_t)of, 0);

	if (LIST_EMPTY(&dockets->list))
		free(map_remove(map, (uintptr_t)of, 0));
}

static bool is_empty(const struct docket *docket)
{
	for (size_t i = 0; i < WAITING_COUNT; i++)
		if (!TAILQ_EMPTY(&docket->waiting[i]))
			return false;
	for (size_t i = 0; i < ORDERED_COUNT; i++)
		if (docket->ordered[i].tree)
			return false;
	return true;
}

static void leave_if_empty(struct court *court, struct docket *docket)
{
	if (!is_empty(docket))
		return;
	LIST_REMOVE(docket, of_object);
	LIST_REMOVE(docket, of_process);
	map_remove(&court->dockets.by_both, (uintptr_t)docket->object, (uintptr_t)docket->process);
	drop_head(&court->dockets.by_object, docket->object);
	drop_head(&court->dockets.by_process, docket->process);
	free(docket);
}

static void lower(struct dockets *dockets, const struct docket *docket)
{
	for (enum ordered from = ORDERED_past_end; from <= ORDERED_trimmed; from++) {
		const struct shelf *lowest = shelves_lowest(&docket->ordered[from]);

		if (lowest && lowest->rank < dockets->lowest)
			dockets->lowest = lowest->rank;
	}
}

void docket_add(struct court *court, struct charge *charge)
{
	struct docket *docket = map_get(&court->dockets.by_both, (uintptr_t)charge->object, (uintptr_t)charge->process);
	struct dockets *dockets;

	if (docket == NULL)
		docket = docket_new(court, charge);
	dockets = dockets_of(&court->dockets.by_object, charge->object);
	if (charge->event.rule == RULE_shm_fs_full) {
		TAILQ_INSERT_HEAD(&docket->waiting[WAITING_full], charge, link);
		dockets->full++;
	} else if (charge->event.rule != RULE_shrink_under_map) {
		shelves_add(&docket->ordered[ORDERED_past_end], pages_up(charge->end), charge);
	} else if (charge->event.other == 0) {
		shelves_add(&docket->ordered[ORDERED_shrunk], charge_edge(charge), charge);
	} else {
		TAILQ_INSERT_HEAD(&docket->waiting[WAITING_mapped], charge, link);
	}
	lower(dockets, docket);
	if (charge->event.of > docket->latest)
		docket->latest = charge->event.of;
	charge->object->charges++;
}

bool docket_knows_full(const struct court *court, const struct object *object)
{
	const struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);

	return dockets && dockets->full;
}

/* It is in no list any more. */
static void dismiss(struct court *court, struct charge *charge, docket_close *close)
{
	charge->object->charges--;
	if (charge->event.rule == RULE_shm_fs_full && !charge->undone)
		dockets_of(&court->dockets.by_object, charge->object)->full--;
	if (!charge->undone)
		close(court, charge);
	free(charge);
}

static void dismiss_list(struct court *court, struct charges *list, docket_close *close)
{
	struct charge *next;

	for (struct charge *charge = TAILQ_FIRST(list); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		dismiss(court, charge, close);
	}
	TAILQ_INIT(list);
}

static void take_all(struct shelves *shelves, struct charges *list)
{
	struct shelf *shelf;

	while ((shelf = shelves_lowest(shelves)))
		shelves_take(shelves, shelf, list);
}

static void dismiss_ordered(struct court *court, struct docket *docket, enum ordered from, docket_close *close)
{
	struct charges list = TAILQ_HEAD_INITIALIZER(list);

	take_all(&docket->ordered[from], &list);
	dismiss_list(court, &list, close);
}

static void dismiss_but_full(struct court *court, struct docket *docket, docket_close *close)
{
	for (enum ordered from = 0; from < ORDERED_COUNT; from++)
		dismiss_ordered(court, docket, from, close);
	for (enum waiting from = WAITING_full + 1; from < WAITING_COUNT; from++)
		dismiss_list(court, &docket->waiting[from], close);
}

static void cover(struct docket *docket, enum ordered from, uint64_t after, const struct change *change)
{
	struct charges covered = TAILQ_HEAD_INITIALIZER(covered);
	struct charge *charge;
	struct shelf *lowest;

	while ((lowest = shelves_lowest(&docket->ordered[from])) && lowest->rank <= after)
		shelves_take(&docket->ordered[from], lowest, &covered);
	TAILQ_FOREACH (charge, &covered, link)
		if (!charge->trimmed)
			charge->cover = *change;
	TAILQ_CONCAT(&docket->waiting[WAITING_settled], &covered, link);
}

/* Is there any that a size up to `after` covers, which somebody has who is alive? */
static bool is_inherited(const struct court *court, const struct docket *docket, uint64_t after)
{
	const struct shelf *lowest = shelves_lowest(&docket->ordered[ORDERED_inherited]);

	return lowest && lowest->rank <= after && heirs_until(court->world, docket->process, docket->object);
}

void docket_covered(struct court *court, struct object *object, const struct change *change)
{
	struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	uint64_t after = pages_up(change->after);
	struct docket *docket;

	if (!dockets || after < dockets->lowest || change->site.process == NULL)
		return;
	dockets->lowest = UINT64_MAX;
	LIST_FOREACH (docket, &dockets->list, of_object) {
		cover(docket, ORDERED_past_end, after, change);
		cover(docket, ORDERED_trimmed, after, change);
		if (is_inherited(court, docket, after))
			cover(docket, ORDERED_inherited, after, change);
		lower(dockets, docket);
	}
}

static void fault_all(struct docket *docket, const struct process *process)
{
	struct charges faulted = TAILQ_HEAD_INITIALIZER(faulted);
	struct charge *charge;

	for (enum ordered from = 0; from < ORDERED_COUNT; from++)
		take_all(&docket->ordered[from], &faulted);
	TAILQ_CONCAT(&faulted, &docket->waiting[WAITING_mapped], link);
	/* What the process itself has given up it did not touch. */
	TAILQ_FOREACH (charge, &faulted, link)
		charge->faulted = !charge->trimmed || charge->shut || docket->process != process;
	TAILQ_CONCAT(&docket->waiting[WAITING_settled], &faulted, link);
}

void docket_faulted(struct court *court, const struct process *process, const struct object *object, bool full)
{
	struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	struct docket *docket;
	struct charge *charge;

	if (dockets == NULL)
		return;
	LIST_FOREACH (docket, &dockets->list, of_object) {
		if (!full)
			fault_all(docket, process);
		/* They stay where they are: as long as one waits, others tell nothing new. */
		else
			TAILQ_FOREACH (charge, &docket->waiting[WAITING_full], link)
				charge->faulted = true;
	}
}

static void trim_shrunk(struct court *court, struct docket *docket, const struct site *site, uint64_t end,
			docket_close *close)
{
	struct charges over = TAILQ_HEAD_INITIALIZER(over);
	struct charge *charge, *next;
	struct shelf *highest;

	while ((highest = shelves_highest(&docket->ordered[ORDERED_shrunk])) && highest->rank >= end)
		shelves_take(&docket->ordered[ORDERED_shrunk], highest, &over);
	for (charge = TAILQ_FIRST(&over); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		charge->trimmed = site->time - charge->site.time <= AT_ONCE;
		if (charge->trimmed)
			dismiss(court, charge, close);
		else
			TAILQ_INSERT_HEAD(&docket->waiting[WAITING_mapped], charge, link);
	}
}

static void trim_past_end(struct docket *docket, uint64_t end, bool shut)
{
	struct shelves *shelves = &docket->ordered[ORDERED_past_end];
	struct charges trimmed = TAILQ_HEAD_INITIALIZER(trimmed);
	struct charge *charge, *next;
	struct shelf *lowest;

	shelves_clamp(shelves, pages_up(end));
	while ((lowest = shelves_lowest(shelves)) && docket->object->size &&
	       lowest->rank <= pages_up(docket->object->size))
		shelves_take(shelves, lowest, &trimmed);
	for (charge = TAILQ_FIRST(&trimmed); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		charge->trimmed = true;
		charge->shut = shut;
		shelves_add(&docket->ordered[ORDERED_trimmed], pages_up(charge->end), charge);
	}
}

/* The process has given up all of it: what children got may still be mended, the rest is closed. */
static void bequeath(struct court *court, struct docket *docket, uint32_t until, docket_close *close)
{
	struct charges left = TAILQ_HEAD_INITIALIZER(left);
	struct charge *charge, *next;

	take_all(&docket->ordered[ORDERED_past_end], &left);
	for (charge = TAILQ_FIRST(&left); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		if (charge->event.of <= until)
			shelves_add(&docket->ordered[ORDERED_inherited], pages_up(charge->end), charge);
		else
			dismiss(court, charge, close);
	}
	dismiss_ordered(court, docket, ORDERED_shrunk, close);
	for (enum waiting from = WAITING_full + 1; from < WAITING_COUNT; from++)
		dismiss_list(court, &docket->waiting[from], close);
}

void docket_trimmed(struct court *court, const struct process *process, const struct object *object,
		    const struct site *site, uint64_t limit, docket_close *close)
{
	struct docket *docket = map_get(&court->dockets.by_both, (uintptr_t)object, (uintptr_t)process);
	uint64_t end;
	bool shut;

	if (docket == NULL)
		return;
	end = holdings_end(process, object);
	shut = end > limit;
	end = shut ? limit : end;
	trim_shrunk(court, docket, site, end, close);
	if (holdings_maps(process, object)) {
		trim_past_end(docket, end, shut);
		lower(dockets_of(&court->dockets.by_object, object), docket);
	} else {
		uint32_t until = heirs_until(court->world, process, object);

		if (until)
			bequeath(court, docket, until, close);
		else
			dismiss_but_full(court, docket, close);
	}
	leave_if_empty(court, docket);
}

static void undo(struct court *court, struct charge *charge, uint32_t of)
{
	if (charge->event.of != of || charge->undone)
		return;
	charge->undone = true;
	if (charge->event.rule == RULE_shm_fs_full)
		dockets_of(&court->dockets.by_object, charge->object)->full--;
}

struct undoing {
	struct court *court;
	uint32_t of;
};

static void undo_ordered(struct charge *charge, void *context)
{
	const struct undoing *undoing = context;

	undo(undoing->court, charge, undoing->of);
}

void docket_undone(struct court *court, struct process *process, uint32_t of)
{
	const struct dockets *dockets = map_get(&court->dockets.by_process, (uintptr_t)process, 0);
	struct undoing undoing = {court, of};
	struct docket *docket;
	struct charge *charge;

	for (docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = LIST_NEXT(docket, of_process)) {
		if (of > docket->latest)
			continue;
		for (enum ordered from = 0; from < ORDERED_COUNT; from++)
			shelves_walk(&docket->ordered[from], undo_ordered, &undoing);
		for (enum waiting from = 0; from < WAITING_COUNT; from++)
			TAILQ_FOREACH (charge, &docket->waiting[from], link)
				undo(court, charge, of);
	}
}

static void close_process(struct court *court, const struct process *process, docket_close *close)
{
	const struct dockets *dockets = map_get(&court->dockets.by_process, (uintptr_t)process, 0);
	uint32_t until = dockets ? heirs_until(court->world, process, NULL) : 0;
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_process);
		if (until)
			bequeath(court, docket, until, close);
		else
			dismiss_but_full(court, docket, close);
		leave_if_empty(court, docket);
	}
}

void docket_close_process(struct court *court, const struct process *process, docket_close *close)
{
	/* What it had from those that are over, it may have been the last to have. */
	for (; process; process = process->began == BEGAN_fork ? process->parent : NULL)
		if (process->over)
			close_process(court, process, close);
}

void docket_close_object(struct court *court, const struct object *object, docket_close *close)
{
	const struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_object);
		dismiss_but_full(court, docket, close);
		dismiss_list(court, &docket->waiting[WAITING_full], close);
		leave_if_empty(court, docket);
	}
}

static void free_heads(struct map *map)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(map, &cursor));)
		free(slot->value);
	map_clear(map);
}

void docket_close_all(struct court *court, docket_close *close)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&court->dockets.by_both, &cursor));) {
		struct docket *docket = slot->value;

		dismiss_but_full(court, docket, close);
		dismiss_list(court, &docket->waiting[WAITING_full], close);
		free(docket);
	}
	map_clear(&court->dockets.by_both);
	free_heads(&court->dockets.by_object);
	free_heads(&court->dockets.by_process);
}
