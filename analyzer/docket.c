#include "docket.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "memory.h"
#include "pages.h"

/* A program that shrinks and then remaps does so at once. */
#define AT_ONCE 1000000000

enum waiting {
	WAITING_past_end, /* mapped past the end: that which ends last first */
	WAITING_shrunk,   /* under its own mapping, not long ago: that with the highest edge first */
	WAITING_full,     /* more than its file system has */
	WAITING_mapped,   /* shrunk under another's mapping, or longer ago: for a SIGBUS alone */
	WAITING_settled,  /* what became of it is known, but its call may still prove not to have been made */
	WAITING_COUNT
};

TAILQ_HEAD(charges, charge);

/* One process's charges at one object; there is at least one. */
struct docket {
	LIST_ENTRY(docket) of_object, of_process;
	const struct object *object;
	const struct process *process;
	struct charges waiting[WAITING_COUNT];
	uint32_t latest; /* none is of a later call */
};

LIST_HEAD(docket_list, docket);

struct dockets {
	struct docket_list list;
	uint64_t lowest; /* of an object: none that is past the end ends below that */
	size_t full;
};

/* Where in its list it belongs: pages that are touched in vain begin, or end, there. */
static uint64_t rank_of(const struct charge *charge)
{
	return charge->event.rule == RULE_shrink_under_map ? charge_edge(charge) : pages_up(charge->end);
}

static enum waiting waits_for(const struct charge *charge)
{
	if (charge->event.rule == RULE_shm_fs_full)
		return WAITING_full;
	if (charge->event.rule != RULE_shrink_under_map)
		return WAITING_past_end;
	return charge->event.other == 0 ? WAITING_shrunk : WAITING_mapped;
}

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

static void docket_leave(struct court *court, struct docket *docket)
{
	for (size_t i = 0; i < WAITING_COUNT; i++)
		if (!TAILQ_EMPTY(&docket->waiting[i]))
			return;
	LIST_REMOVE(docket, of_object);
	LIST_REMOVE(docket, of_process);
	map_remove(&court->dockets.by_both, (uintptr_t)docket->object, (uintptr_t)docket->process);
	drop_head(&court->dockets.by_object, docket->object);
	drop_head(&court->dockets.by_process, docket->process);
	free(docket);
}

/* Those that come one after the other mostly end alike, or further and further: at either end it is found at once. */
static void insert(struct charges *list, struct charge *charge)
{
	struct charge *before = TAILQ_LAST(list, charges), *next = TAILQ_FIRST(list);

	if (before && rank_of(before) >= rank_of(charge)) {
		TAILQ_INSERT_TAIL(list, charge, link);
		return;
	}
	while (next && rank_of(next) > rank_of(charge))
		next = TAILQ_NEXT(next, link);
	if (next)
		TAILQ_INSERT_BEFORE(next, charge, link);
	else
		TAILQ_INSERT_TAIL(list, charge, link);
}

static void lower(struct dockets *dockets, const struct docket *docket)
{
	const struct charge *last = TAILQ_LAST(&docket->waiting[WAITING_past_end], charges);

	if (last && rank_of(last) < dockets->lowest)
		dockets->lowest = rank_of(last);
}

void docket_add(struct court *court, struct charge *charge)
{
	struct docket *docket = map_get(&court->dockets.by_both, (uintptr_t)charge->object, (uintptr_t)charge->process);
	enum waiting waiting = waits_for(charge);
	struct dockets *dockets;

	if (docket == NULL)
		docket = docket_new(court, charge);
	dockets = dockets_of(&court->dockets.by_object, charge->object);
	insert(&docket->waiting[waiting], charge);
	lower(dockets, docket);
	dockets->full += waiting == WAITING_full;
	if (charge->event.of > docket->latest)
		docket->latest = charge->event.of;
	charge->object->charges++;
}

bool docket_knows_full(const struct court *court, const struct object *object)
{
	const struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);

	return dockets && dockets->full;
}

static void move(struct docket *docket, struct charge *charge, enum waiting from, enum waiting to)
{
	TAILQ_REMOVE(&docket->waiting[from], charge, link);
	TAILQ_INSERT_HEAD(&docket->waiting[to], charge, link);
}

/* It is in no list any more. */
static void dismiss(struct court *court, struct charge *charge, docket_close *close)
{
	charge->object->charges--;
	if (charge->event.rule == RULE_shm_fs_full)
		dockets_of(&court->dockets.by_object, charge->object)->full--;
	if (close)
		close(court, charge);
	free(charge);
}

static void dismiss_all(struct court *court, struct charges *list, docket_close *close)
{
	struct charge *next;

	for (struct charge *charge = TAILQ_FIRST(list); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		dismiss(court, charge, close);
	}
	TAILQ_INIT(list);
}

static void dismiss_but_full(struct court *court, struct docket *docket, docket_close *close)
{
	for (enum waiting from = 0; from < WAITING_COUNT; from++)
		if (from != WAITING_full)
			dismiss_all(court, &docket->waiting[from], close);
}

void docket_covered(struct court *court, struct object *object, const struct change *change)
{
	struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	uint64_t after = pages_up(change->after);
	struct docket *docket;
	struct charge *last;

	if (!dockets || after < dockets->lowest || change->site.process == NULL)
		return;
	dockets->lowest = UINT64_MAX;
	LIST_FOREACH(docket, &dockets->list, of_object)
	{
		while ((last = TAILQ_LAST(&docket->waiting[WAITING_past_end], charges)) && rank_of(last) <= after) {
			last->cover = *change;
			move(docket, last, WAITING_past_end, WAITING_settled);
		}
		lower(dockets, docket);
	}
}

/* Those of full file systems stay where they are: as long as one waits, others tell nothing new. */
static void fault_all(struct docket *docket, enum waiting from)
{
	struct charge *next;

	for (struct charge *charge = TAILQ_FIRST(&docket->waiting[from]); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		charge->faulted = true;
		if (from != WAITING_full)
			move(docket, charge, from, WAITING_settled);
	}
}

void docket_faulted(struct court *court, const struct object *object, bool full)
{
	struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	struct docket *docket;

	if (dockets == NULL)
		return;
	LIST_FOREACH(docket, &dockets->list, of_object)
	for (enum waiting from = 0; from < WAITING_settled; from++)
		if (full == (from == WAITING_full))
			fault_all(docket, from);
}

static void trim_shrunk(struct court *court, struct docket *docket, const struct site *site, uint64_t end,
			docket_close *close)
{
	struct charge *charge = TAILQ_FIRST(&docket->waiting[WAITING_shrunk]), *next;

	for (; charge && rank_of(charge) >= end; charge = next) {
		next = TAILQ_NEXT(charge, link);
		charge->trimmed = site->time - charge->site.time <= AT_ONCE;
		if (!charge->trimmed) {
			move(docket, charge, WAITING_shrunk, WAITING_mapped);
			continue;
		}
		TAILQ_REMOVE(&docket->waiting[WAITING_shrunk], charge, link);
		dismiss(court, charge, close);
	}
}

static void trim_past_end(struct docket *docket, uint64_t end)
{
	struct charges *list = &docket->waiting[WAITING_past_end];
	struct charge *charge;

	for (charge = TAILQ_FIRST(list); charge && charge->end > end; charge = TAILQ_NEXT(charge, link))
		charge->end = end;
	while ((charge = TAILQ_LAST(list, charges)) && docket->object->size &&
	       rank_of(charge) <= pages_up(docket->object->size)) {
		charge->trimmed = true;
		move(docket, charge, WAITING_past_end, WAITING_settled);
	}
}

void docket_trimmed(struct court *court, const struct process *process, const struct object *object,
		    const struct site *site, uint64_t limit, docket_close *close)
{
	struct docket *docket = map_get(&court->dockets.by_both, (uintptr_t)object, (uintptr_t)process);
	uint64_t end;

	if (docket == NULL)
		return;
	end = holdings_end(process, object);
	if (end > limit)
		end = limit;
	trim_shrunk(court, docket, site, end, close);
	if (holdings_maps(process, object)) {
		trim_past_end(docket, end);
		lower(dockets_of(&court->dockets.by_object, object), docket);
	} else {
		dismiss_but_full(court, docket, close);
	}
	docket_leave(court, docket);
}

static void undo(struct court *court, struct docket *docket, uint32_t of)
{
	struct charge *charge, *next;

	for (enum waiting from = 0; from < WAITING_COUNT; from++)
		for (charge = TAILQ_FIRST(&docket->waiting[from]); charge; charge = next) {
			next = TAILQ_NEXT(charge, link);
			if (charge->event.of != of)
				continue;
			TAILQ_REMOVE(&docket->waiting[from], charge, link);
			dismiss(court, charge, NULL);
		}
	docket_leave(court, docket);
}

void docket_undone(struct court *court, struct process *process, uint32_t of)
{
	const struct dockets *dockets = map_get(&court->dockets.by_process, (uintptr_t)process, 0);
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_process);
		if (of <= docket->latest)
			undo(court, docket, of);
	}
}

void docket_close_process(struct court *court, const struct process *process, docket_close *close)
{
	const struct dockets *dockets = map_get(&court->dockets.by_process, (uintptr_t)process, 0);
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_process);
		dismiss_but_full(court, docket, close);
		docket_leave(court, docket);
	}
}

void docket_close_object(struct court *court, const struct object *object, docket_close *close)
{
	const struct dockets *dockets = map_get(&court->dockets.by_object, (uintptr_t)object, 0);
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_object);
		for (enum waiting from = 0; from < WAITING_COUNT; from++)
			dismiss_all(court, &docket->waiting[from], close);
		docket_leave(court, docket);
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

		for (enum waiting from = 0; from < WAITING_COUNT; from++)
			dismiss_all(court, &docket->waiting[from], close);
		free(docket);
	}
	map_clear(&court->dockets.by_both);
	free_heads(&court->dockets.by_object);
	free_heads(&court->dockets.by_process);
}
