/*
 * Findings that were made while the trace was read. What their stacks are is known when their processes are retired, at
 * the latest when all of the trace was read: then those of one fingerprint are one.
 */
#include <stdlib.h>

#include "judge.h"
#include "memory.h"
#include "verdicts.h"

struct pending {
	struct finding finding; /* its count is 0: it was withdrawn */
	size_t nth;             /* of all that were made */
	uint64_t place;         /* its key in court->places, with its process */
	size_t earlier;         /* the one before it with the same key; 0: none */
	struct role roles[FINDING_STACKS_MAX];
	size_t role_count;
};

void court_sift(const struct court *court, struct finding *finding, const struct role *roles, size_t count)
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
	for (size_t i = 0; i < (finding->parties ? 2 : 1); i++)
		if (pending->roles[i].site.process != roles[i].site.process ||
		    pending->roles[i].site.stack_id != roles[i].site.stack_id)
			return false;
	return pending->finding.count && pending->finding.rule == finding->rule &&
	       findings_sifted_alike(&pending->finding, finding) && pending->finding.severity == finding->severity &&
	       pending->finding.response == finding->response && pending->finding.kind == finding->kind &&
	       pending->finding.parties == finding->parties;
}

/* What the roles tell of it: whose it is is the first of them that is known. */
static void complete(struct finding *finding, const struct role *roles, size_t count)
{
	size_t first = 0;

	if (finding->count == 0)
		finding->count = 1;
	finding->largest = finding->bytes;
	while (first < count && first < FINDING_STACKS_MAX && roles[first].site.process == NULL)
		first++;
	if (first == count || first == FINDING_STACKS_MAX)
		return;
	if (finding->process == NULL)
		finding->process = roles[first].site.process;
	if (finding->time == 0)
		finding->time = roles[first].site.time;
}

static void take_roles(struct pending *pending, const struct role *roles, size_t count)
{
	pending->role_count = 0;
	for (size_t i = 0; i < count && i < FINDING_STACKS_MAX; i++)
		if (roles[i].site.process)
			pending->roles[pending->role_count++] = roles[i];
}

/* What is told of a place is told of what happened there first, in whatever order the judges come to it. */
static bool is_told_of(const struct finding *finding, const struct pending *pending)
{
	return finding->time < pending->finding.time;
}

static void pending_merge(struct pending *pending, struct finding *other, const struct role *roles, size_t count)
{
	if (is_told_of(other, pending)) {
		struct finding former = pending->finding;

		pending->finding = *other;
		take_roles(pending, roles, count);
		*other = former;
	}
	pending->finding.count += other->count;
	pending->finding.bytes += other->bytes;
	pending->finding.uncertain |= other->uncertain;
	if (other->hangs && (pending->finding.hangs == 0 || other->hangs < pending->finding.hangs))
		pending->finding.hangs = other->hangs;
	pending->finding.several |= other->several || other->object != pending->finding.object;
	others_take(&pending->finding.others, &other->others);
	others_add(&pending->finding.others, object_real(other->object), other->process);
	free(other->message);
}

/* The trace's own text does not last; of the occurrences of one place that is kept which is told of. */
static void keep_name(struct court *court, struct finding *finding)
{
	if (finding->name)
		finding->name = world_intern(court->world, finding->name);
}

size_t court_find(struct court *court, const struct finding *finding, const struct role *roles, size_t count)
{
	return court_find_often(court, finding, roles, count, NULL);
}

size_t court_find_often(struct court *court, const struct finding *found_now, const struct role *roles, size_t count,
			const struct words *words)
{
	struct finding finding = *found_now;
	const struct site site = count ? roles[0].site : (struct site){0};
	uint64_t place = (uint64_t)site.stack_id << 32 | finding.rule;
	struct pending *pending;
	size_t last;

	if (finding.told)
		verdicts_found(court->verdicts, site.process, finding.told, finding.severity);
	court_sift(court, &finding, roles, count);
	place = map_hash(findings_sifted(&finding), &place, sizeof(place));
	last = (size_t)map_get(&court->places, (uintptr_t)site.process, place);
	complete(&finding, roles, count);
	for (size_t i = site.stack_id ? last : 0; i && court->pending[i - 1]; i = court->pending[i - 1]->earlier) {
		pending = court->pending[i - 1];
		if (!same_place(pending, &finding, roles))
			continue;
		if (words && is_told_of(&finding, pending))
			finding.message = words->say(words->of);
		pending_merge(pending, &finding, roles, count);
		keep_name(court, &pending->finding);
		return i - 1;
	}
	if (words)
		finding.message = words->say(words->of);
	pending = memory_new(1, sizeof(*pending));
	*pending = (struct pending){.finding = finding, .nth = court->pending_count, .place = place, .earlier = last};
	take_roles(pending, roles, count);
	keep_name(court, &pending->finding);
	court->pending = memory_grow(court->pending, court->pending_count, sizeof(struct pending *));
	court->pending[court->pending_count++] = pending;
	map_put(&court->places, (uintptr_t)site.process, place, (void *)court->pending_count);
	return court->pending_count - 1;
}

static void withdraw(struct pending *pending, size_t count)
{
	pending->finding.count -= count;
	if (pending->finding.count == 0) {
		free(pending->finding.message);
		pending->finding.message = NULL;
	}
}

void court_withdraw(struct court *court, size_t place)
{
	struct pending *pending = court->pending[place];

	/* Its process may be retired. */
	if (pending && pending->finding.count)
		withdraw(pending, 1);
}

void court_reconsider(struct court *court, enum rule_id rule, bool (*holds)(const struct object *object))
{
	for (size_t i = 0; i < court->pending_count; i++) {
		struct pending *pending = court->pending[i];

		if (pending && pending->finding.count && pending->finding.rule == rule && !pending->finding.several &&
		    !holds(object_real(pending->finding.object)))
			withdraw(pending, pending->finding.count);
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

int court_compare(const struct court *court, const struct site *a, const struct site *b)
{
	return stack_compare(world_stack(court->world, a->process, a->stack_id),
			     world_stack(court->world, b->process, b->stack_id));
}

static void put_in_order(const struct court *court, struct pending *pending)
{
	struct site *first = &pending->roles[0].site, *second = &pending->roles[1].site, former = *first;

	if (court_compare(court, first, second) <= 0)
		return;
	*first = *second;
	*second = former;
	pending->finding.process = first->process;
	pending->finding.victim = second->process;
}

static void hand_in(struct court *court, struct pending *pending)
{
	struct finding *finding = &pending->finding;

	if (finding->parties == PARTIES_alike)
		put_in_order(court, pending);
	for (size_t i = 0; i < pending->role_count; i++) {
		const struct role *role = &pending->roles[i];
		const struct stack *stack = world_stack(court->world, role->site.process, role->site.stack_id);

		finding->stacks[finding->stack_count++] = (struct finding_stack){role->role, role->site.process, stack};
	}
	finding->object = object_real(finding->object);
	/* An object may have got its name, or another, since. */
	if (!finding->several)
		court_sift(court, finding, NULL, 0);
	findings_add(court->findings, finding);
}

static int by_time(const void *a, const void *b)
{
	const struct pending *x = *(struct pending *const *)a, *y = *(struct pending *const *)b;

	if (x->finding.time != y->finding.time)
		return x->finding.time < y->finding.time ? -1 : 1;
	return x->nth < y->nth ? -1 : x->nth > y->nth;
}

/* Hands it in and frees it, or leaves NULL of what was withdrawn. */
static void settle(struct court *court, size_t nth)
{
	struct pending *pending = court->pending[nth];

	if (pending->finding.count)
		hand_in(court, pending);
	else
		others_clear(&pending->finding.others);
	free(pending);
	court->pending[nth] = NULL;
}

/* No event of it is missing, and none was let go: what is found at the end to be in doubt has other reasons. */
static bool is_whole(const struct process *process)
{
	return process->missing == 0 && process->told_lost == 0 && process->leap.seq == 0 &&
	       !process_keeps_newest(process);
}

/* Another role's process may live, and tell of its stack a moment later. */
static bool has_stacks(const struct court *court, const struct pending *pending)
{
	for (size_t i = 0; i < pending->role_count; i++) {
		const struct site *site = &pending->roles[i].site;

		if ((i == 0 || site->stack_id) && !world_stack(court->world, site->process, site->stack_id))
			return false;
	}
	return true;
}

void court_fold(void *context)
{
	struct court *court = context;

	for (size_t i = 0; i < court->pending_count; i++) {
		const struct pending *pending = court->pending[i];
		const struct process *process = pending && pending->role_count ? pending->roles[0].site.process : NULL;

		if (process == NULL || !process->retired || !is_whole(process) || pending->finding.process != process ||
		    !has_stacks(court, pending))
			continue;
		map_remove(&court->places, (uintptr_t)process, pending->place);
		settle(court, i);
	}
}

void court_concern(void *context, void (*concern)(struct object *object))
{
	const struct court *court = context;

	for (size_t i = 0; i < court->pending_count; i++)
		if (court->pending[i] && court->pending[i]->finding.count)
			concern((struct object *)(uintptr_t)court->pending[i]->finding.object);
	for (size_t i = 0; i < court->findings->count; i++)
		concern((struct object *)(uintptr_t)court->findings->all[i].object);
}

void court_hand_in(struct court *court)
{
	struct findings *findings = court->findings;
	size_t left = 0;

	for (size_t i = 0; i < court->pending_count; i++)
		if (court->pending[i])
			court->pending[left++] = court->pending[i];
	court->pending_count = left;
	if (left)
		qsort(court->pending, left, sizeof(struct pending *), by_time);
	for (size_t i = 0; i < left; i++) {
		court->pending[i]->finding.uncertain |= doubtful(court, &court->pending[i]->finding);
		settle(court, i);
	}
	court->pending_count = 0;
	for (size_t i = 0; i < findings->count; i++) {
		findings->all[i].object = object_real(findings->all[i].object);
		if (doubtful(court, &findings->all[i])) {
			findings->all[i].uncertain = true;
			findings->all[i].doubts = findings->all[i].count;
		}
	}
}

void court_drop(struct court *court)
{
	for (size_t i = 0; i < court->pending_count; i++) {
		if (court->pending[i])
			free(court->pending[i]->finding.message);
		free(court->pending[i]);
	}
	free(court->pending);
}
