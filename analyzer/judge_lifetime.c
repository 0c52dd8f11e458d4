/* The rules of lifetime that a process sees at one call; the recording tells who else was concerned. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge_call.h"
#include "memory.h"
#include "verdicts.h"

/* The latest removal found of a process: the call may still fail. */
struct stranger {
	uint32_t of, told;
	enum severity severity;
	size_t place; /* of court_find() */
};

static const struct process *first_image(const struct process *process)
{
	while (process && process->previous)
		process = process->previous;
	return process;
}

/* The eldest one that is in a recording. From one to another it goes back in time, whatever their clocks say. */
static const struct process *ancestor_of(const struct process *process)
{
	const struct process *first = first_image(process);
	int64_t time = INT64_MAX;

	while (first->parent || (first->elsewhere && first->elsewhere->began_at < time)) {
		if (first->parent == NULL)
			time = first->elsewhere->began_at;
		first = first_image(first->parent ? first->parent : first->elsewhere);
	}
	return first;
}

/* Orphans come to `run`, whose child the command is; init(1) is no relation. */
static bool are_siblings(const struct process *a, const struct process *b)
{
	return a == b || (a->place == b->place && a->ppid == b->ppid && a->ppid > 1);
}

/* Of one family, however far off, or of one program: workers come from a parent that may not be in the recording. */
static bool are_related(const struct process *a, const struct process *b)
{
	return are_siblings(ancestor_of(a), ancestor_of(b)) || strcmp(a->exe, b->exe) == 0;
}

static char *stranger_words(const struct object *object, const struct finding_event *e, const char *who)
{
	const struct process *creator = object ? object->created.process : NULL;
	char *other = creator ? judge_process(creator) : judge_nobody(object);
	char *words = memory_format("%s removes %s, which %s created and uid %" PRId64 " owns", who,
				    call_name(object, e), other, e->offset);

	free(other);
	return words;
}

static void stranger_found(struct court *court, struct process *process, struct object *object,
			   const struct finding_event *event, const struct site *site)
{
	const struct process *creator = object ? object->created.process : NULL;
	struct role roles[] = {{"unlinked", *site}, {"created", object ? object->created : (struct site){0}}};
	struct finding finding = call_finding(object, event);
	struct stranger *stranger;
	size_t place;
	char *who;

	/* Of the same user: a note for relatives, and nothing where nobody knows who made it. */
	if (event->severity < SEVERITY_WARNING && event->response == RESPONSE_recorded) {
		if (creator == NULL || first_image(creator) == first_image(process))
			return;
		if (!are_related(creator, process))
			finding.severity = SEVERITY_WARNING;
	}
	who = judge_process(process);
	finding.message = judge_response(
		call_is_bare(event) ? call_bare_words(object, event, who) : stranger_words(object, event, who), event);
	place = court_find(court, &finding, roles, 2);
	free(who);
	stranger = map_get(&court->strangers, (uintptr_t)process, 0);
	if (stranger == NULL) {
		stranger = memory_new(1, sizeof(*stranger));
		map_put(&court->strangers, (uintptr_t)process, 0, stranger);
	}
	*stranger = (struct stranger){event->of, event->seq, event->severity, place};
}

static char *limit_words(const struct finding_event *e, const char *who)
{
	bool maps = e->error == ENOMEM;

	return memory_format("%s uses %" PRIu64 " of %" PRIu64 " %s%s", who, e->length, e->limit,
			     maps ? "mappings (vm.max_map_count)" : "descriptors (RLIMIT_NOFILE)",
			     maps       ? ": mmap failed with ENOMEM"
			     : e->error ? ": the open failed with EMFILE"
					: "");
}

static void lifetime_found(struct court *court, struct process *process, struct object *object,
			   const struct finding_event *event, const struct site *site)
{
	struct role roles[] = {{"opened", *site}, {"created", object ? object->created : (struct site){0}}};
	struct finding finding;
	char *who;

	if (!call_of(event, GROUP_lifetime))
		return;
	if (event->rule == RULE_unlink_by_stranger) {
		stranger_found(court, process, object, event, site);
		return;
	}
	if (event->rule == RULE_stale_reattach && event->response == RESPONSE_recorded && !call_stale(object, process))
		return;
	finding = call_finding(object, event);
	who = judge_process(process);
	switch (event->rule) {
	case RULE_stale_reattach:
		finding.bytes = event->size;
		finding.message = memory_format("%s opens %s with O_CREAT and gets what an ended process left: %" PRIu64
						" %s that nobody maps",
						who, call_name(object, event), event->size, judge_unit(event->size));
		break;
	case RULE_name_collision:
		finding.message = memory_format("%s wants to create %s, a name made of its own pid, and it exists "
						"already (EEXIST)",
						who, call_name(object, event));
		break;
	case RULE_descriptor_exhaustion:
		if (event->error == ENOMEM)
			roles[0].role = "mapped";
		finding.message = limit_words(event, who);
		break;
	case RULE_lock_not_robust:
		roles[0].role = "initialised";
		finding.message =
			memory_format("%s makes a process-shared mutex in %s that is not robust: if its owner "
				      "dies, all others wait for ever",
				      who, call_name(object, event));
		break;
	default:
		finding.message = call_bare_words(object, event, who);
		break;
	}
	finding.message = judge_response(finding.message, event);
	court_find(court, &finding, roles, event->rule == RULE_stale_reattach ? 2 : 1);
	free(who);
}

static void lifetime_undone(struct court *court, struct process *process, uint32_t of)
{
	const struct stranger *stranger = map_get(&court->strangers, (uintptr_t)process, 0);

	if (!stranger || stranger->of != of)
		return;
	court_withdraw(court, stranger->place);
	verdicts_told(court->verdicts, process, stranger->told, stranger->severity);
}

static void lifetime_finish(struct court *court)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&court->strangers, &cursor));)
		free(slot->value);
	map_clear(&court->strangers);
}

const struct judge judge_lifetime = {.found = lifetime_found, .undone = lifetime_undone, .finish = lifetime_finish};
