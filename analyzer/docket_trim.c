/* What a process gives up of an object, and leaves to children, decides on its charges there. */
#include "docket_inner.h"
#include "heirs.h"
#include "pages.h"

/* A program that shrinks and then remaps does so at once. */
#define AT_ONCE 1000000000

/* A child has all of what the process has given up. */
static void inherit(struct docket *docket, struct charge *charge)
{
	charge->trimmed = charge->shut = false;
	charge->end = charge->whole;
	shelves_add(&docket->ordered[ORDERED_inherited], pages_up(charge->end), charge);
}

/* Up to which call does a child that is alive map the object past its end, as the process had it? 0: none does. */
static uint32_t past_end_until(const struct court *court, const struct docket *docket)
{
	return heirs_until(court->world, docket->process, docket->object, pages_up(docket->object->size));
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
			docket_dismiss(court, charge, close);
		else
			TAILQ_INSERT_HEAD(&docket->waiting[WAITING_mapped], charge, link);
	}
}

static void trim_past_end(const struct court *court, struct docket *docket, uint64_t end, bool shut)
{
	struct shelves *shelves = &docket->ordered[ORDERED_past_end];
	struct charges trimmed = TAILQ_HEAD_INITIALIZER(trimmed);
	struct charge *charge, *next;
	struct shelf *lowest;
	uint32_t until;

	shelves_clamp(shelves, pages_up(end));
	while ((lowest = shelves_lowest(shelves)) && docket->object->size &&
	       lowest->rank <= pages_up(docket->object->size))
		shelves_take(shelves, lowest, &trimmed);
	until = TAILQ_EMPTY(&trimmed) ? 0 : past_end_until(court, docket);
	for (charge = TAILQ_FIRST(&trimmed); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		if (charge->event.of <= until) {
			inherit(docket, charge);
			continue;
		}
		charge->trimmed = true;
		charge->shut = shut;
		shelves_add(&docket->ordered[ORDERED_trimmed], pages_up(charge->end), charge);
	}
}

static void bequeath_list(struct court *court, struct docket *docket, enum ordered from, uint32_t until,
			  docket_close *close)
{
	struct charges left = TAILQ_HEAD_INITIALIZER(left);
	struct charge *charge, *next;

	docket_take_all(&docket->ordered[from], &left);
	for (charge = TAILQ_FIRST(&left); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		if (charge->event.of <= until)
			inherit(docket, charge);
		else
			docket_dismiss(court, charge, close);
	}
}

/* The process has given up all of it: what children got may still be mended, the rest is closed. */
static void bequeath(struct court *court, struct docket *docket, uint32_t until, docket_close *close)
{
	if (docket->ordered[ORDERED_past_end].tree)
		bequeath_list(court, docket, ORDERED_past_end, until, close);
	if (docket->ordered[ORDERED_trimmed].tree)
		bequeath_list(court, docket, ORDERED_trimmed, past_end_until(court, docket), close);
	docket_dismiss_ordered(court, docket, ORDERED_shrunk, close);
	for (enum waiting from = WAITING_full + 1; from < WAITING_COUNT; from++)
		docket_dismiss_list(court, &docket->waiting[from], close);
}

/* Has the last child given up what it had? given_up: in time. */
static void close_inherited(struct court *court, struct docket *docket, bool given_up, docket_close *close)
{
	struct charges list = TAILQ_HEAD_INITIALIZER(list);
	struct charge *charge;

	if (!docket->ordered[ORDERED_inherited].tree || past_end_until(court, docket))
		return;
	docket_take_all(&docket->ordered[ORDERED_inherited], &list);
	TAILQ_FOREACH (charge, &list, link)
		charge->trimmed = given_up;
	docket_dismiss_list(court, &list, close);
}

static void trim_own(struct court *court, struct docket *docket, const struct site *site, uint64_t limit,
		     docket_close *close)
{
	const struct process *process = docket->process;
	const struct object *object = docket->object;
	uint64_t end;
	bool shut;

	end = holdings_end(process, object);
	shut = end > limit;
	end = shut ? limit : end;
	trim_shrunk(court, docket, site, end, close);
	if (holdings_maps(process, object)) {
		trim_past_end(court, docket, end, shut);
		docket_lower(docket_list_of(&court->dockets.by_object, object), docket);
	} else {
		uint32_t until = heirs_until(court->world, process, object, 0);

		if (until)
			bequeath(court, docket, until, close);
		else
			docket_dismiss_but_full(court, docket, close);
	}
	docket_leave_if_empty(court, docket);
}

void docket_trimmed(struct court *court, const struct process *process, const struct object *object,
		    const struct site *site, uint64_t limit, docket_close *close)
{
	struct docket *docket = map_get(&court->dockets.by_both, (uintptr_t)object, (uintptr_t)process);

	if (docket)
		trim_own(court, docket, site, limit, close);
	for (; process && process->began == BEGAN_fork; process = process->parent) {
		docket = map_get(&court->dockets.by_both, (uintptr_t)object, (uintptr_t)process->parent);
		if (docket == NULL)
			continue;
		if (process->parent->leaving)
			bequeath(court, docket, heirs_until(court->world, process->parent, NULL, 0), close);
		close_inherited(court, docket, true, close);
		docket_leave_if_empty(court, docket);
	}
}

/* What the process has given up the child had to its end. */
static void close_kept(struct court *court, struct docket *docket, const struct process *child, docket_close *close)
{
	struct charges list = TAILQ_HEAD_INITIALIZER(list);
	struct charge *charge, *next;

	if (!docket->ordered[ORDERED_trimmed].tree ||
	    holdings_end(child, docket->object) <= pages_up(docket->object->size))
		return;
	docket_take_all(&docket->ordered[ORDERED_trimmed], &list);
	for (charge = TAILQ_FIRST(&list); charge; charge = next) {
		next = TAILQ_NEXT(charge, link);
		charge->trimmed = charge->event.of > heirs_since(child, docket->process);
		if (charge->trimmed)
			shelves_add(&docket->ordered[ORDERED_trimmed], pages_up(charge->end), charge);
		else
			docket_dismiss(court, charge, close);
	}
}

/* child: by whose end something of the process may be decided; NULL: its own end. */
static void close_process(struct court *court, const struct process *process, const struct process *child,
			  docket_close *close)
{
	const struct dockets *dockets = map_get(&court->dockets.by_process, (uintptr_t)process, 0);
	/* An exec unmaps what it had from its parents. */
	const bool execs = child && child->ended == ENDED_exec;
	const uint32_t heirs = dockets && process->over ? heirs_until(court->world, process, NULL, 0) : 0;
	struct docket *next;

	for (struct docket *docket = dockets ? LIST_FIRST(&dockets->list) : NULL; docket; docket = next) {
		next = LIST_NEXT(docket, of_process);
		if (child && !execs)
			close_kept(court, docket, child, close);
		if (process->over)
			bequeath(court, docket, heirs, close);
		/* Of whose end nothing tells but that it was noticed, a child may have come after that. */
		close_inherited(court, docket, execs || (!child && heirs && !process->leaving), close);
		docket_leave_if_empty(court, docket);
	}
}

void docket_close_process(struct court *court, const struct process *process, docket_close *close)
{
	const struct process *child = process;

	close_process(court, process, NULL, close);
	for (; process->began == BEGAN_fork && process->parent; process = process->parent)
		close_process(court, process->parent, child, close);
}
