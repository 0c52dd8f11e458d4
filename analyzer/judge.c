#include "judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "verdicts.h"

static const struct judge *const judges[] = {
	&judge_segment, &judge_mapping, &judge_descriptor, &judge_partial, &judge_unlink,
	&judge_name,    &judge_split,   &judge_churn,      &judge_length,  &judge_fault,
	&judge_oom,     &judge_size,    &judge_permission, &judge_zeroing, &judge_lifetime,
	&judge_start,   &judge_secret,  &judge_sharing,    &judge_memory,
};

#define JUDGES (sizeof(judges) / sizeof(*judges))

struct pending {
	struct finding finding; /* its count is 0: it was withdrawn */
	size_t earlier;         /* the one before it with the same key in court->places; 0: none */
	struct role roles[FINDING_STACKS_MAX];
	size_t role_count;
};

static void ending(void *context, struct process *process)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->ending)
			judges[i]->ending(context, process);
}

static void used(void *context, struct process *process, const struct use *use)
{
	const struct sieve *sieve = ((struct court *)context)->sieve;

	object_real(use->object)->asked |= sieve && sieve->wants(sieve->context, process);
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->used)
			judges[i]->used(context, process, use);
}

static void renewed(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->renewed)
			judges[i]->renewed(context, process, name, site);
}

static void missed(void *context, struct process *process, const struct name_state *name, const struct site *site)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->missed)
			judges[i]->missed(context, process, name, site);
}

static void unlink_missed(void *context, struct process *process, const struct name_state *name,
			  const struct site *site)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->unlink_missed)
			judges[i]->unlink_missed(context, process, name, site);
}

static void found(void *context, struct process *process, struct object *object, const struct finding_event *event,
		  const struct site *site)
{
	struct court *court = context;

	verdicts_told(court->verdicts, process, event->seq, (enum severity)event->severity);
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->found)
			judges[i]->found(context, process, object, event, site);
}

static void fault(void *context, struct process *process, struct object *object, const struct fault_event *event,
		  const struct site *site)
{
	struct court *court = context;

	verdicts_told(court->verdicts, process, event->seq, rules[RULE_sigbus_cause].severity);
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->fault)
			judges[i]->fault(context, process, object, event, site);
}

static void changed(void *context, struct object *object, const struct change *change)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->changed)
			judges[i]->changed(context, object, change);
}

static void trimmed(void *context, struct process *process, struct object *object, const struct site *site,
		    uint64_t end)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->trimmed)
			judges[i]->trimmed(context, process, object, site, end);
}

static void undone(void *context, struct process *process, uint32_t of)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->undone)
			judges[i]->undone(context, process, of);
}

static void over(void *context, struct object *object)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->over)
			judges[i]->over(context, object);
}

static void forgotten(void *context, const struct object *object)
{
	struct court *court = context;

	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->forgotten)
			judges[i]->forgotten(court, object);
	free(map_remove(&court->lengths, (uintptr_t)object, 0));
	map_remove(&court->vanished, (uintptr_t)object, 0);
}

void court_watch(struct court *court, struct watcher *watcher)
{
	*watcher = (struct watcher){.context = court,
				    .ending = ending,
				    .used = used,
				    .renewed = renewed,
				    .missed = missed,
				    .unlink_missed = unlink_missed,
				    .found = found,
				    .fault = fault,
				    .changed = changed,
				    .trimmed = trimmed,
				    .undone = undone,
				    .over = over,
				    .forgotten = forgotten};
}

static void sift(const struct court *court, struct finding *finding, const struct role *roles, size_t count)
{
	struct finding asked = *finding;

	if (court->sieve == NULL)
		return;
	for (size_t i = 0; i < count && asked.stack_count < FINDING_STACKS_MAX; i++) {
		if (roles[i].site.process == NULL)
			continue;
		if (asked.stack_count == 0 && asked.process == NULL)
			asked.process = roles[i].site.process;
		if (asked.stack_count == 0 && asked.time == 0)
			asked.time = roles[i].site.time;
		asked.stacks[asked.stack_count++].process = roles[i].site.process;
	}
	court->sieve->sift(court->sieve->context, &asked, *court->start);
	finding->unwanted = asked.unwanted;
	finding->suppression = asked.suppression;
	finding->apart = asked.apart;
}

/* The same rule at the same place of the same process: counted at once, so that what waits stays few. */
static bool same_place(const struct pending *pending, const struct finding *finding, const struct role *roles)
{
	const struct site *a = &pending->roles[0].site, *b = &roles[0].site;

	return pending->finding.count && pending->finding.rule == finding->rule &&
	       findings_sifted_alike(&pending->finding, finding) && pending->finding.severity == finding->severity &&
	       pending->finding.response == finding->response && pending->finding.kind == finding->kind &&
	       a->process == b->process && a->stack_id == b->stack_id;
}

static struct pending pending_of(const struct finding *finding, const struct role *roles, size_t count)
{
	struct pending pending = {.finding = *finding};

	if (pending.finding.count == 0)
		pending.finding.count = 1;
	pending.finding.largest = finding->bytes;
	for (size_t i = 0; i < count && i < FINDING_STACKS_MAX; i++)
		if (roles[i].site.process)
			pending.roles[pending.role_count++] = roles[i];
	if (pending.role_count && pending.finding.process == NULL)
		pending.finding.process = pending.roles[0].site.process;
	if (pending.role_count && pending.finding.time == 0)
		pending.finding.time = pending.roles[0].site.time;
	return pending;
}

/* What is told of a place is told of what happened there first, in whatever order the judges come to it. */
static void pending_merge(struct pending *pending, struct pending other)
{
	if (other.finding.time < pending->finding.time) {
		struct pending former = *pending;

		*pending = other;
		pending->earlier = former.earlier;
		other = former;
	}
	pending->finding.count += other.finding.count;
	pending->finding.bytes += other.finding.bytes;
	pending->finding.uncertain |= other.finding.uncertain;
	if (other.finding.hangs && (pending->finding.hangs == 0 || other.finding.hangs < pending->finding.hangs))
		pending->finding.hangs = other.finding.hangs;
	pending->finding.several |= other.finding.several || other.finding.object != pending->finding.object;
	free(other.finding.message);
}

static void pending_keep(const struct pending *pending)
{
	if (pending->finding.object)
		((struct object *)(uintptr_t)pending->finding.object)->found = true;
}

size_t court_find(struct court *court, const struct finding *found_now, const struct role *roles, size_t count)
{
	struct finding finding = *found_now;
	const struct site site = count ? roles[0].site : (struct site){0};
	uint64_t place = (uint64_t)site.stack_id << 32 | finding.rule;
	struct pending pending;
	size_t last;

	if (finding.told)
		verdicts_found(court->verdicts, site.process, finding.told, finding.severity);
	sift(court, &finding, roles, count);
	place = map_hash(findings_sifted(&finding), &place, sizeof(place));
	last = (size_t)map_get(&court->places, (uintptr_t)site.process, place);
	pending = pending_of(&finding, roles, count);
	for (size_t i = site.stack_id ? last : 0; i; i = court->pending[i - 1].earlier) {
		if (!same_place(&court->pending[i - 1], &finding, roles))
			continue;
		pending_merge(&court->pending[i - 1], pending);
		pending_keep(&court->pending[i - 1]);
		return i - 1;
	}
	pending.earlier = last;
	pending_keep(&pending);
	court->pending = memory_grow(court->pending, court->pending_count, sizeof(*court->pending));
	court->pending[court->pending_count++] = pending;
	map_put(&court->places, (uintptr_t)site.process, place, (void *)court->pending_count);
	return court->pending_count - 1;
}

void court_withdraw(struct court *court, size_t place)
{
	struct finding *finding = &court->pending[place].finding;

	if (finding->count && --finding->count == 0) {
		free(finding->message);
		finding->message = NULL;
	}
}

/* What is told from other sources than the events, or would only be more with those that are missing. */
static bool stands(enum rule_id rule)
{
	static const enum rule_id rules_that_stand[] = {RULE_segment_leak, RULE_churn, RULE_weak_mount,
							RULE_stale_at_start, RULE_predictable_name};

	for (size_t i = 0; i < sizeof(rules_that_stand) / sizeof(rules_that_stand[0]); i++)
		if (rule == rules_that_stand[i])
			return true;
	return false;
}

/* Whether events that are missing could have changed the verdict. */
static bool doubtful(const struct court *court, const struct finding *finding)
{
	if (finding->rule == RULE_mapping_leak || finding->rule == RULE_fd_leak || finding->rule == RULE_partial_unmap)
		return court->doubtful || (finding->process && (finding->process->lost || finding->process->let_go));
	/* What was let go is older than what is left: what a process saw at a call stands. */
	if (rules[finding->rule].seen == SEEN_trace && court->world->let_go)
		return !stands(finding->rule);
	if (finding->hangs && finding->hangs < world_let_go_until(court->world, finding->process->recording))
		return true;
	return !stands(finding->rule) && (court->doubtful || court->world->lost);
}

static void hand_in(struct court *court, struct pending *pending)
{
	struct finding *finding = &pending->finding;

	for (size_t i = 0; i < pending->role_count; i++) {
		const struct role *role = &pending->roles[i];
		const struct stack *stack = world_stack(court->world, role->site.process, role->site.stack_id);

		finding->stacks[finding->stack_count++] = (struct finding_stack){role->role, role->site.process, stack};
	}
	finding->object = object_real(finding->object);
	finding->uncertain |= doubtful(court, finding);
	/* An object may have got its name, or another, since. */
	if (!finding->several)
		sift(court, finding, NULL, 0);
	findings_add(court->findings, finding);
}

static int by_time(const void *a, const void *b)
{
	const struct pending *x = *(struct pending *const *)a, *y = *(struct pending *const *)b;

	if (x->finding.time != y->finding.time)
		return x->finding.time < y->finding.time ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void hand_in_all(struct court *court)
{
	struct pending **all = memory_new(court->pending_count + 1, sizeof(struct pending *));

	for (size_t i = 0; i < court->pending_count; i++)
		all[i] = &court->pending[i];
	qsort(all, court->pending_count, sizeof(struct pending *), by_time);
	for (size_t i = 0; i < court->pending_count; i++)
		if (all[i]->finding.count)
			hand_in(court, all[i]);
	free(all);
	court->pending_count = 0;
}

void court_finish(struct court *court)
{
	for (size_t i = 0; i < JUDGES; i++)
		if (judges[i]->finish)
			judges[i]->finish(court);
	hand_in_all(court);
	findings_sort(court->findings);
}

void court_free(struct court *court)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&court->lengths, &cursor));)
		free(slot->value);
	map_clear(&court->lengths);
	map_clear(&court->vanished);
	map_clear(&court->secrets);
	map_clear(&court->places);
	for (size_t i = 0; i < court->pending_count; i++)
		free(court->pending[i].finding.message);
	free(court->pending);
}

bool court_asks(const struct court *court, const struct process *process)
{
	return court->sieve == NULL || court->sieve->wants(court->sieve->context, process);
}

const struct process *court_mapper(const struct court *court, const struct object *object, const struct process *except,
				   uint64_t edge)
{
	const struct process *found = NULL;
	bool found_asked = false;
	uint64_t furthest = 0;

	for (size_t i = 0; i < court->world->process_count; i++) {
		const struct process *process = court->world->processes[i];
		bool asked;
		uint64_t end;

		if (process == except || process->over || process->leaving || !holdings_maps(process, object))
			continue;
		end = holdings_end(process, object);
		asked = court_asks(court, process);
		if ((edge && end <= edge) || (found && asked < found_asked) ||
		    (found && asked == found_asked && end <= furthest))
			continue;
		found = process;
		found_asked = asked;
		furthest = end;
	}
	return found;
}
