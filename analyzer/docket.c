#include "docket_inner.h"

#include <stdlib.h>

#include "heirs.h"
#include "memory.h"
#include "pages.h"

struct dockets *docket_list_of(struct map *map, const void *of)
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
	LIST_INSERT_HEAD(&docket_list_of(&court->dockets.by_object, charge->object)->list, docket, of_object);
	LIST_INSERT_HEAD(&docket_list_of(&court->dockets.by_process, charge->process)->list, docket, of_process);
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

void docket_leave_if_empty(struct court *court, struct docket *docket)
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

void docket_lower(struct dockets *dockets, const struct docket *docket)
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
	charge->whole = charge->end;
	dockets = docket_list_of(&court->dockets.by_object, charge->object);
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
	docket_lower(dockets, docket);
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
void docket_dismiss(struct court *court, struct charge *charge, docket_close *close)
{
	charge->object->charges--;
	if (charge->event.rule == RULE_shm_fs_full && !charge->undone)
		docket_list_of(&court->dockets.by_object, charge->object)->full--;
	if (!charge->undone)
		close(court, charge);
	free(charge);
}

void docket_dismiss_list(struct court *court, struct charges *list, docket_close *close)
{
	struct charge *next;

	for (struct charge *charge = TAILQ_FIRST(list); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		docket_dismiss(court, charge, close);
	}
	TAILQ_INIT(list);
}

void docket_take_all(struct shelves *shelves, struct charges *list)
{
	struct shelf *shelf;

	while ((shelf = shelves_lowest(shelves)))
		shelves_take(shelves, shelf, list);
}

void docket_dismiss_ordered(struct court *court, struct docket *docket, enum ordered from, docket_close *close)
{
	struct charges list = TAILQ_HEAD_INITIALIZER(list);

	docket_take_all(&docket->ordered[from], &list);
	docket_dismiss_list(court, &list, close);
}

void docket_dismiss_but_full(struct court *court, struct docket *docket, docket_close *close)
{
	for (enum ordered from = 0; from < ORDERED_COUNT; from++)
		docket_dismiss_ordered(court, docket, from, close);
	for (enum waiting from = WAITING_full + 1; from < WAITING_COUNT; from++)
		docket_dismiss_list(court, &docket->waiting[from], close);
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

	return lowest && lowest->rank <= after && heirs_until(court->world, docket->process, docket->object, 0);
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
		docket_lower(dockets, docket);
	}
}

static void fault_all(struct docket *docket, const struct process *process)
{
	struct charges faulted = TAILQ_HEAD_INITIALIZER(faulted);
	struct charge *charge;

	for (enum ordered from = 0; from < ORDERED_COUNT; from++)
		docket_take_all(&docket->ordered[from], &faulted);
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

static void undo(struct court *court, struct charge *charge, uint32_t of)
{
	if (charge->event.of != of || charge->undone)
		return;
	charge->undone = true;
	if (charge->event.rule == RULE_shm_fs_full)
		docket_list_of(&court->dockets.by_object, charge->object)->full--;
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

void docket_close_object(struct court *court, const struct object *object, docket_close *close)
{
	const struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_object);
		docket_dismiss_but_full(court, docket, close);
		docket_dismiss_list(court, &docket->waiting[WAITING_full], close);
		docket_leave_if_empty(court, docket);
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

		docket_dismiss_but_full(court, docket, close);
		docket_dismiss_list(court, &docket->waiting[WAITING_full], close);
		free(docket);
	}
	map_clear(&court->dockets.by_both);
	free_heads(&court->dockets.by_object);
	free_heads(&court->dockets.by_process);
}
