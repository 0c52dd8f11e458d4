/* The sizes that an object had: who changed them, and who found them changed. */
#include <string.h>

#include "memory.h"
#include "pages.h"
#include "world_holdings_inner.h"

/* Nanoseconds between what happens and what tells of it, on a busy machine. */
#define LOOK_TIME 1000000000

static void set_size(struct object *object, uint64_t size)
{
	object->size = size;
	if (size > object->size_max)
		object->size_max = size;
}

static void keep(struct object *object, const struct change *change)
{
	if (object->change_count < CHANGES_MAX)
		object->changes = memory_grow(object->changes, object->change_count++, sizeof(*change));
	else
		memmove(&object->changes[0], &object->changes[1], (CHANGES_MAX - 1) * sizeof(*change));
	object->changes[object->change_count - 1] = *change;
}

void sizes_lapse(struct object *object, const struct lapse *lapse)
{
	if (object->lapse_count < LAPSES_MAX) {
		object->lapses = memory_grow(object->lapses, object->lapse_count++, sizeof(*lapse));
	} else {
		object->lapses[1].from = object->lapses[0].from;
		memmove(&object->lapses[0], &object->lapses[1], (LAPSES_MAX - 1) * sizeof(*lapse));
	}
	object->lapses[object->lapse_count - 1] = *lapse;
}

/* At `time` it is found to have another size than the one it had when that was known last. */
static void doubt_until(struct object *object, int64_t time, uint64_t found)
{
	if (object->sized && object->sized < time && object->size != found)
		sizes_lapse(object, &(struct lapse){object->sized, time, object->size, found});
}

/* Others may find what a call has made of it before that is told. */
static bool explains(const struct change *change, const struct lapse *lapse)
{
	return lapse->was == change->before && lapse->found == change->after &&
	       change->site.time - lapse->until < LOOK_TIME;
}

static void weigh(struct object *object, const struct change *change)
{
	if (change->of == CHANGE_refused || change->of == CHANGE_punched)
		return;
	if (change->of == CHANGE_seen)
		doubt_until(object, change->site.time, change->after);
	else if (object->lapse_count && explains(change, &object->lapses[object->lapse_count - 1]))
		object->lapse_count--;
	else if (!sizes_outdated(object, change->before, change->site.time))
		doubt_until(object, change->site.time, change->before);
}

/*
 * Who resizes what it has not used before looks at it after the call, and its definition comes before the event: what was seen
 * then is what it has done itself.
 */
static void forget_own_look(struct object *object, const struct change *change)
{
	const struct change *latest = object->change_count ? &object->changes[object->change_count - 1] : NULL;

	if (latest && latest->of == CHANGE_seen && (change->of == CHANGE_resized || change->of == CHANGE_truncated) &&
	    latest->site.process == change->site.process && latest->before == change->before &&
	    latest->after == change->after && change->site.time - latest->site.time < LOOK_TIME)
		object->change_count--;
}

/* What takes pages away was told before it happened, and may yet fail. */
static void log_loss(struct object *object, const struct change *change)
{
	struct release release = {.of = RELEASE_size, .seq = change->seq};

	if (change->of != CHANGE_punched && (change->of != CHANGE_resized || change->after > change->before))
		return;
	release.descriptor.object = object;
	release_log(change->site.process->holdings, &release);
}

void sizes_change(struct world *world, struct object *object, const struct change *change)
{
	const struct watcher *watcher = world->private->watcher;

	if (object == NULL)
		return;
	weigh(object, change);
	forget_own_look(object, change);
	keep(object, change);
	if (change->of == CHANGE_refused)
		return;
	log_loss(object, change);
	/* What punches a hole does not tell the size. */
	if (change->of != CHANGE_punched) {
		set_size(object, change->after);
		object->sized = change->site.time;
	}
	if (watcher->changed)
		watcher->changed(watcher->context, object, change);
}

bool sizes_outdated(const struct object *object, uint64_t size, int64_t time)
{
	for (size_t i = object->change_count; i > 0; i--) {
		const struct change *change = &object->changes[i - 1];

		if (time - change->site.time > LOOK_TIME)
			return false;
		if ((change->of == CHANGE_resized || change->of == CHANGE_truncated) && change->before == size)
			return true;
	}
	return false;
}

bool sizes_found_order(struct object *object, uint64_t size)
{
	struct change *latest, *before, grown;

	if (object->change_count < 2)
		return false;
	latest = &object->changes[object->change_count - 1];
	before = latest - 1;
	if (latest->of != CHANGE_resized || before->of != CHANGE_resized || latest->after != object->size ||
	    latest->after < latest->before || latest->before == before->after ||
	    pages_round(before->after) != pages_round(size) || latest->site.time - before->site.time > LOOK_TIME)
		return false;
	grown = *latest;
	*latest = *before;
	*before = grown;
	set_size(object, latest->after);
	return true;
}

void sizes_seen(struct world *world, struct object *object, uint64_t size, const struct site *site)
{
	if (object && object->size != size && sizes_outdated(object, size, site->time))
		return;
	if (object && object->size != size)
		sizes_found_order(object, size);
	if (object && object->size != size)
		sizes_change(world, object,
			     &(struct change){.of = CHANGE_seen, .before = object->size, .after = size, .site = *site});
	if (object)
		object->sized = site->time;
}

void sizes_told(struct object *object, uint64_t size, int64_t time)
{
	doubt_until(object, time, size);
	set_size(object, size);
	object->sized = time;
}

/* The change that was made by the call of the finding, if its rule is told of such calls alone; else of nobody. */
static struct change change_told(const struct finding_event *e, const struct site *site)
{
	struct change change = {.before = e->size, .seq = e->of, .told = true, .site = *site};

	if (e->response != RESPONSE_recorded && e->response != RESPONSE_audit)
		return (struct change){0};
	switch (e->rule) {
	case RULE_shrink_under_map:
	case RULE_resize_by_attacher:
		change.of = CHANGE_resized;
		change.after = e->length;
		return change;
	case RULE_truncate_on_open:
		change.of = CHANGE_truncated;
		return change;
	default:
		return (struct change){0};
	}
}

void sizes_found(struct world *world, struct object *object, const struct finding_event *e, const struct site *site)
{
	struct change change = change_told(e, site);

	if (change.site.process == NULL || e->of == 0)
		return;
	for (size_t i = object->change_count; i > 0; i--) {
		const struct change *known = &object->changes[i - 1];

		if (known->site.process == site->process && known->seq == e->of)
			return;
	}
	sizes_told(object, change.before, site->time);
	sizes_change(world, object, &change);
}

void sizes_undo(const struct process *process, struct object *object, uint32_t seq)
{
	for (size_t i = object->change_count; i > 0; i--) {
		struct change *change = &object->changes[i - 1];

		if (change->site.process != process || change->seq != seq)
			continue;
		if (change->of == CHANGE_resized && object->size == change->after)
			object->size = change->before;
		change->of = CHANGE_refused;
		return;
	}
}
