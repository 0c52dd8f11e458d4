/*
 * The rules of sizes, as the processes found them broken at their calls. Some are no fault if the program makes up for
 * it in time: such a charge waits until it is resized, unmapped, touched in vain, or over.
 */
#include "judge_size.h"

#include <stdlib.h>

#include "memory.h"
#include "pages.h"

/* A program that shrinks and then remaps does so at once. */
#define AT_ONCE 1000000000
struct charges {
	struct charge *first;
	uint64_t lowest; /* none that is not covered ends below that: thousands need not be asked at each change */
};

static uint64_t round_up(uint64_t bytes)
{
	return bytes > UINT64_MAX - PAGES_SIZE ? bytes : pages_round(bytes);
}

uint64_t charge_edge(const struct charge *charge)
{
	const struct finding_event *e = &charge->event;
	uint64_t size = e->rule == RULE_shrink_under_map ? e->length : e->size;

	return round_up(size);
}

static bool maps_past_end(const struct charge *charge)
{
	return charge->event.rule == RULE_map_beyond_end || charge->event.rule == RULE_map_before_size ||
	       charge->event.rule == RULE_resize_failed_ignored;
}

static bool waits(const struct charge *charge)
{
	/* What was denied or fixed is no longer to be mended. */
	return charge->object && charge->event.response == RESPONSE_recorded &&
	       (maps_past_end(charge) || charge->event.rule == RULE_shrink_under_map ||
		charge->event.rule == RULE_shm_fs_full);
}

/* The latest that gave the object its size; what was only noticed names nobody. */
static struct change cause_of(const struct object *object, const struct charge *charge)
{
	bool refused = charge->event.rule == RULE_resize_failed_ignored;

	for (size_t i = object && object->changes ? object->change_count : 0; i > 0; i--) {
		const struct change *change = &object->changes[i - 1];

		if (change->site.process == charge->process && change->seq && change->seq == charge->event.of)
			continue;
		if (refused ? change->of == CHANGE_refused && change->site.process == charge->process
			    : change->of == CHANGE_resized || change->of == CHANGE_truncated)
			return *change;
	}
	return (struct change){0};
}

static void find_mapper(struct court *court, struct charge *charge)
{
	charge->other = court_mapper(court, charge->object, charge->process, charge_edge(charge));
	if (charge->other == NULL)
		return;
	charge->event.other = charge->other->pid;
	charge->event.limit = holdings_end(charge->other, charge->object);
}

/* The program's own look at /proc was cut short; the trace may know a mapper that it did not come to. */
static void find_unseen_mapper(struct court *court, struct charge *charge)
{
	find_mapper(court, charge);
	if (charge->other == NULL)
		return;
	charge->event.severity = SEVERITY_ERROR;
	charge->event.error = 0;
}

/* The program names the one that reaches furthest, and the reader may have asked for another. */
static void find_asked_mapper(struct court *court, struct charge *charge)
{
	struct charge asked = *charge;

	if (court_asks(court, charge->other))
		return;
	find_mapper(court, &asked);
	if (asked.other && court_asks(court, asked.other))
		*charge = asked;
}

/* Of a shrinking the message tells how far the other maps it: what it cannot touch, which is not known here, left out. */
static uint64_t reach_of(const struct charge *charge)
{
	bool told = charge->event.rule == RULE_shrink_under_map && charge->event.limit;

	return told ? charge->event.limit : holdings_end(charge->other, charge->object);
}

static void find_other(struct court *court, struct charge *charge)
{
	const struct object *object = charge->object;

	charge->other = world_process(court->world, charge->process, charge->event.other);
	/* In another pid namespace it has another number. */
	if (charge->event.rule == RULE_shrink_under_map && charge->event.other && !charge->other && object)
		charge->other = court_mapper(court, object, charge->process, charge_edge(charge));
	if (charge->event.rule == RULE_truncate_on_open && object)
		charge->other = court_mapper(court, object, charge->process, 0);
	if (charge->event.rule == RULE_shrink_under_map && charge->event.other && object)
		find_asked_mapper(court, charge);
	if (charge->event.rule == RULE_shrink_under_map && charge->event.other == 0)
		charge->other = charge->process;
	if (charge->event.rule == RULE_shrink_under_map && charge->event.limit == 0 && object)
		find_unseen_mapper(court, charge);
	if (charge->other && object)
		charge->other_mapped = holdings_mapped(charge->other, object, reach_of(charge));
}

static uint64_t bytes_of(const struct finding_event *e)
{
	uint64_t end = (uint64_t)e->offset + e->length, past = end > e->size ? end - e->size : e->length;

	switch (e->rule) {
	case RULE_shm_fs_full:
	case RULE_memory_limit:
	case RULE_huge_page_unbacked:
	case RULE_map_beyond_end:
	case RULE_map_before_size:
	case RULE_resize_failed_ignored:
		return past < e->length ? past : e->length;
	case RULE_shrink_under_map:
		return e->limit > e->length ? e->limit - e->length : 0;
	case RULE_truncate_on_open:
		return e->size;
	default:
		return 0;
	}
}

/* From when on a call that is not in the trace could have made it less of a fault, or more; 0: none could. */
static int64_t hangs_on_calls(const struct charge *charge)
{
	/* Any call can have mapped it, or one since then unmapped it. */
	if (charge->event.rule == RULE_truncate_on_open)
		return charge->other && charge->other_mapped.time ? charge->other_mapped.time : 1;
	if (!waits(charge) || charge->faulted || size_severity(charge) != (enum severity)charge->event.severity)
		return 0;
	return charge->event.rule == RULE_shrink_under_map && charge->event.other ? 0 : charge->site.time;
}

static char *words_of(const void *of)
{
	const struct charge *charge = of;

	return judge_response(size_words(charge), &charge->event);
}

static void decide(struct court *court, const struct charge *charge)
{
	struct role roles[FINDING_STACKS_MAX] = {0};
	struct finding finding = {.rule = charge->event.rule,
				  .severity = size_severity(charge),
				  .response = charge->event.response,
				  .bytes = bytes_of(&charge->event),
				  .object = charge->object,
				  .victim = charge->other,
				  .hangs = hangs_on_calls(charge),
				  .told = charge->event.seq};

	court_find_often(court, &finding, roles, size_roles(charge, roles), &(struct words){words_of, charge});
}

/* A mapping of an object that was already said to be too large for its file system tells nothing new. */
static bool is_known(const struct court *court, const struct charge *charge)
{
	const struct charges *charges = map_get(&court->charges, (uintptr_t)charge->object, 0);

	if (charge->event.rule != RULE_shm_fs_full || charge->resizing)
		return false;
	for (const struct charge *other = charges ? charges->first : NULL; other; other = other->next)
		if (other->event.rule == RULE_shm_fs_full)
			return true;
	return false;
}

/* The process had forgotten that it made the object, as there were too many of them: the trace has not. */
static bool is_own(const struct charge *charge)
{
	return charge->event.rule == RULE_resize_by_attacher && charge->event.response == RESPONSE_recorded &&
	       charge->object && charge->object->created.process == charge->process;
}

static void size_found(struct court *court, struct process *process, struct object *object,
		       const struct finding_event *event, const struct site *site)
{
	struct charge charge = {.event = *event, .process = process, .object = object, .site = *site};
	const struct change *last = object && object->change_count ? &object->changes[object->change_count - 1] : NULL;
	struct charges *charges;
	struct charge *kept;

	if (event->rule >= RULE_COUNT || event->severity > SEVERITY_ERROR || event->response > RESPONSE_audit ||
	    rules[event->rule].group != GROUP_size)
		return;
	charge.end = (uint64_t)event->offset + event->length;
	charge.resizing = last && last->site.process == process && last->seq == event->of;
	charge.cause = cause_of(object, &charge);
	find_other(court, &charge);
	if (is_known(court, &charge) || is_own(&charge))
		return;
	if (!waits(&charge)) {
		decide(court, &charge);
		return;
	}
	charges = map_get(&court->charges, (uintptr_t)object, 0);
	if (charges == NULL) {
		charges = memory_new(1, sizeof(*charges));
		map_put(&court->charges, (uintptr_t)object, 0, charges);
	}
	kept = memory_new(1, sizeof(*kept));
	*kept = charge;
	kept->next = charges->first;
	charges->first = kept;
	if (round_up(kept->end) < charges->lowest)
		charges->lowest = round_up(kept->end);
	object->charges++;
}

/* Decides, or with `drop` forgets, those of the list for which `which` is true. */
static void settle(struct court *court, struct charges *charges, bool (*which)(struct charge *, const void *),
		   const void *argument, bool drop)
{
	if (!charges)
		return;
	for (struct charge **at = &charges->first; *at;) {
		struct charge *charge = *at;

		if (!which(charge, argument)) {
			at = &charge->next;
			continue;
		}
		*at = charge->next;
		charge->object->charges--;
		if (!drop)
			decide(court, charge);
		free(charge);
	}
}

static void size_changed(struct court *court, struct object *object, const struct change *change)
{
	struct charges *charges = map_get(&court->charges, (uintptr_t)object, 0);
	uint64_t after = round_up(change->after), end;

	if (!charges || after < charges->lowest)
		return;
	charges->lowest = UINT64_MAX;
	for (struct charge *charge = charges->first; charge; charge = charge->next) {
		if (!maps_past_end(charge) || charge->cover.site.process)
			continue;
		end = round_up(charge->end);
		if (after >= end)
			charge->cover = *change;
		if (!charge->cover.site.process && end < charges->lowest)
			charges->lowest = end;
	}
}

static void size_fault(struct court *court, struct process *process, struct object *object,
		       const struct fault_event *event, const struct site *site)
{
	struct charges *charges = object ? map_get(&court->charges, (uintptr_t)object, 0) : NULL;

	(void)process;
	(void)site;
	for (struct charge *charge = charges ? charges->first : NULL; charge; charge = charge->next) {
		if (charge->cover.site.process)
			continue;
		if (event->cause == CAUSE_tmpfs_full ? charge->event.rule == RULE_shm_fs_full
						     : charge->event.rule != RULE_shm_fs_full)
			charge->faulted = true;
	}
}

struct trim {
	const struct process *process;
	const struct site *site;
	bool maps;
	uint64_t end;
};

static bool is_trimmed(struct charge *charge, const void *argument)
{
	const struct trim *trim = argument;

	if (charge->process != trim->process || charge->event.rule == RULE_shm_fs_full)
		return false;
	if (charge->event.rule == RULE_shrink_under_map && charge->event.other == 0 && !charge->faulted &&
	    trim->end <= charge_edge(charge) && trim->site->time - charge->site.time <= AT_ONCE) {
		charge->trimmed = true;
		return true;
	}
	if (maps_past_end(charge) && trim->maps && !charge->faulted) {
		charge->end = trim->end < charge->end ? trim->end : charge->end;
		charge->trimmed = charge->object->size && round_up(charge->end) <= round_up(charge->object->size);
	}
	return !trim->maps;
}

static void size_trimmed(struct court *court, struct process *process, struct object *object, const struct site *site,
			 uint64_t end)
{
	struct charges *charges = map_get(&court->charges, (uintptr_t)object, 0);

	if (!charges || !charges->first)
		return;
	settle(court, charges, is_trimmed, &(struct trim){process, site, holdings_maps(process, object), end}, false);
	/* What was given up in part ends earlier. */
	charges->lowest = 0;
}

struct undoing {
	const struct process *process;
	uint32_t of;
};

static bool is_undone(struct charge *charge, const void *argument)
{
	const struct undoing *undoing = argument;

	return charge->process == undoing->process && charge->event.of == undoing->of;
}

static void settle_all(struct court *court, bool (*which)(struct charge *, const void *), const void *argument,
		       bool drop)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&court->charges, &cursor));)
		settle(court, slot->value, which, argument, drop);
}

static void size_undone(struct court *court, struct process *process, uint32_t of)
{
	settle_all(court, is_undone, &(struct undoing){process, of}, true);
}

static bool is_of(struct charge *charge, const void *argument)
{
	return charge->process == argument && charge->event.rule != RULE_shm_fs_full;
}

static void size_ending(struct court *court, struct process *process)
{
	settle_all(court, is_of, process, false);
}

static bool is_any(struct charge *charge, const void *argument)
{
	(void)argument;
	charge->over = !charge->object->held;
	return true;
}

/* Of what is known by hearsay a mapping may be left, of which the call was let go. */
static void size_over(struct court *court, struct object *object)
{
	if (!object_is_hearsay(object))
		settle(court, map_get(&court->charges, (uintptr_t)object, 0), is_any, NULL, false);
}

static void size_finish(struct court *court)
{
	struct map_slot *slot;

	settle_all(court, is_any, NULL, false);
	for (size_t cursor = 0; (slot = map_next(&court->charges, &cursor));)
		free(slot->value);
	map_clear(&court->charges);
}

static void size_forgotten(struct court *court, const struct object *object)
{
	free(map_remove(&court->charges, (uintptr_t)object, 0));
}

const struct judge judge_size = {.found = size_found,
				 .fault = size_fault,
				 .changed = size_changed,
				 .trimmed = size_trimmed,
				 .undone = size_undone,
				 .ending = size_ending,
				 .over = size_over,
				 .forgotten = size_forgotten,
				 .finish = size_finish};
