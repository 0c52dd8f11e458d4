/*
 * The rules of permission, as the processes found them broken at their calls. A file in /dev/shm that was made by open
 * is shared memory only once somebody maps it so: until then what was found of it waits.
 */
#include <stdlib.h>

#include "judge_call.h"
#include "memory.h"

struct doubt {
	struct doubt *next; /* of the same object */
	struct finding_event event;
	struct object *object;
	struct site site;
	char *message; /* of then: it may get another name; NULL: it is told of at once */
};

static const char *role_of(const struct object *object, const struct finding_event *e, const struct site *site)
{
	switch (e->rule) {
	case RULE_exec_map:
		return "mapped";
	case RULE_memfd_unsealed_share:
		return "sent";
	case RULE_memfd_no_cloexec:
		return call_created(object, site) ? "created" : "duplicated";
	case RULE_world_writable:
	case RULE_world_readable:
		/* What was denied has made nothing; a name was given to what makes something. */
		return call_created(object, site) || *e->name ? "created" : "mode changed";
	default:
		return call_created(object, site) ? "created" : "opened";
	}
}

static char *words_of(const void *of)
{
	const struct doubt *doubt = of;

	if (doubt->message)
		return memory_text(doubt->message);
	return judge_response(permission_words(doubt->object, &doubt->event, &doubt->site), &doubt->event);
}

static void tell(struct court *court, const struct doubt *doubt)
{
	const struct object *object = doubt->object;
	struct role roles[] = {{role_of(object, &doubt->event, &doubt->site), doubt->site},
			       {"created", object ? object->created : (struct site){0}}};
	struct finding finding = call_finding(object, &doubt->event);

	court_find_often(court, &finding, roles, call_created(object, &doubt->site) ? 1 : 2,
			 &(struct words){words_of, doubt});
}

static void permission_found(struct court *court, struct process *process, struct object *object,
			     const struct finding_event *event, const struct site *site)
{
	struct doubt now = {.event = *event, .object = object, .site = *site}, *doubt;

	(void)process;
	if (!call_of(event, GROUP_permission))
		return;
	if (object == NULL || object->kind != KIND_file || object->shared || event->response != RESPONSE_recorded) {
		tell(court, &now);
		return;
	}
	now.message = words_of(&now);
	now.event.name = memory_text(event->name);
	now.next = map_get(&court->doubts, (uintptr_t)object, 0);
	doubt = memory_new(1, sizeof(*doubt));
	*doubt = now;
	map_put(&court->doubts, (uintptr_t)object, 0, doubt);
	object->charges++;
}

static void settle(struct court *court, struct doubt *doubt)
{
	for (struct doubt *next; doubt; doubt = next) {
		next = doubt->next;
		doubt->object->charges--;
		if (doubt->object->shared)
			tell(court, doubt);
		free(doubt->message);
		free((void *)(uintptr_t)doubt->event.name);
		free(doubt);
	}
}

/* Nobody can map it any more. */
static void permission_over(struct court *court, struct object *object)
{
	settle(court, map_remove(&court->doubts, (uintptr_t)object, 0));
}

static void permission_finish(struct court *court)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&court->doubts, &cursor));)
		settle(court, slot->value);
	map_clear(&court->doubts);
}

const struct judge judge_permission = {.found = permission_found, .over = permission_over, .finish = permission_finish};
