#include "judge_call.h"

#include <string.h>

#include "memory.h"

bool call_of(const struct finding_event *event, enum rule_group group)
{
	return event->rule < RULE_COUNT && event->severity <= SEVERITY_ERROR && event->response <= RESPONSE_audit &&
	       rules[event->rule].group == group;
}

bool call_created(const struct object *object, const struct site *site)
{
	return object && object->created.process == site->process && object->created.stack_id == site->stack_id;
}

const char *call_name(const struct object *object, const struct finding_event *event)
{
	static const char directory[] = "/dev/shm/";

	if (object && object_name(object))
		return object_name(object);
	if (strncmp(event->name, directory, sizeof(directory) - 1) == 0)
		return event->name + sizeof(directory) - 2;
	return *event->name ? event->name : judge_name_of(object);
}

struct finding call_finding(const struct object *object, const struct finding_event *event)
{
	return (struct finding){.rule = event->rule,
				.severity = event->severity,
				.response = event->response,
				.object = object,
				.name = object || !*event->name ? NULL : call_name(object, event),
				.told = event->seq};
}

bool call_is_bare(const struct finding_event *event)
{
	return event->response != RESPONSE_recorded && event->offset == 0 && event->length == 0 && event->limit == 0;
}

char *call_bare_words(const struct object *object, const struct finding_event *event, const char *who)
{
	return memory_format("%s, %s: %s", who, call_name(object, event), rules[event->rule].summary);
}

/* Has the process ended, whatever program it was running by then? */
static bool has_ended(const struct process *process)
{
	while (process->next)
		process = process->next;
	return process->over || process->leaving;
}

/* Made before the recording began, or by a process that is not in it: was it held by nobody when the recording began? */
static bool was_unheld(const struct object *object)
{
	const struct leftover *before = object_before(object);

	return before && before->holder_count == 0 && before->holders_complete;
}

bool call_stale(const struct object *object, const struct process *process)
{
	const struct process *creator = object ? object->created.process : NULL;

	if (object == NULL || object->mappers)
		return false;
	return creator ? creator != process && has_ended(creator) : was_unheld(object);
}
