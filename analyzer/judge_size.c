/*
 * The rules of sizes, as the processes found them broken at their calls. Some are no fault if the program makes up for
 * it in time: such a charge waits until it is resized, unmapped, touched in vain, or over.
 */
#include "judge_size.h"

#include <stdlib.h>

#include "docket.h"
#include "memory.h"
#include "pages.h"

uint64_t charge_edge(const struct charge *charge)
{
	const struct finding_event *e = &charge->event;
	uint64_t size = e->rule == RULE_shrink_under_map ? e->length : e->size;

	return pages_up(size);
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

static void decide(struct court *court, struct charge *charge)
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
	return charge->event.rule == RULE_shm_fs_full && !charge->resizing && docket_knows_full(court, charge->object);
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
	kept = memory_new(1, sizeof(*kept));
	*kept = charge;
	docket_add(court, kept);
}

static void size_fault(struct court *court, struct process *process, struct object *object,
		       const struct fault_event *event, const struct site *site)
{
	(void)site;
	if (object)
		docket_faulted(court, process, object, event->cause == CAUSE_tmpfs_full);
}

static void size_trimmed(struct court *court, struct process *process, struct object *object, const struct site *site,
			 uint64_t limit)
{
	docket_trimmed(court, process, object, site, limit, decide);
}

static void size_ending(struct court *court, struct process *process)
{
	docket_close_process(court, process, decide);
}

/* Nobody holds its object any more, or the trace is at its end. */
static void close_at_end(struct court *court, struct charge *charge)
{
	charge->over = !charge->object->held;
	decide(court, charge);
}

/* Of what is known by hearsay a mapping may be left, of which the call was let go. */
static void size_over(struct court *court, struct object *object)
{
	if (!object_is_hearsay(object))
		docket_close_object(court, object, close_at_end);
}

static void size_finish(struct court *court)
{
	docket_close_all(court, close_at_end);
}

const struct judge judge_size = {.found = size_found,
				 .fault = size_fault,
				 .changed = docket_covered,
				 .trimmed = size_trimmed,
				 .undone = docket_undone,
				 .ending = size_ending,
				 .over = size_over,
				 .finish = size_finish};
