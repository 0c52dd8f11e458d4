/* What each call asks for: names, modes, sizes, and what a policy could refuse of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"
#include "analyzer/pages.h"
#include "analyzer/replay.h"
#include "tracepoints/policy.h"

static void mark(struct map *map, const struct object *object)
{
	if (object && !map_get(map, (uintptr_t)object, 0))
		map_put(map, (uintptr_t)object, 0, (void *)(uintptr_t)object);
}

/* Which rule a mapping past the end breaks depends on whether a resize is remembered that failed. */
static enum rule_id past_end(uint64_t size)
{
	return size ? RULE_map_beyond_end : RULE_map_before_size;
}

/* Nothing refused or mended it. */
static bool was_done(const struct finding_event *e)
{
	return e->response == RESPONSE_recorded || e->response == RESPONSE_audit;
}

/* As the check told it, or a policy that only said what it would have done. */
static uint32_t owner_of(const struct finding_event *e)
{
	return e->response == RESPONSE_audit ? (uint32_t)e->other : (uint32_t)e->offset;
}

/* A policy refuses the removal of what another user owns; that it was made by another process is no matter. */
static bool is_harmless(const struct finding_event *e)
{
	return e->rule == RULE_unlink_by_stranger && was_done(e) && (e->severity == SEVERITY_NOTE || owner_of(e) == 0);
}

static void take_finding(struct gathering *gathering, const struct scene *scene, struct call *call,
			 const struct finding_event *e)
{
	struct habit *habit = scene->runner->habit;
	bool of_call = call && call->runner && call->seq == e->of;
	struct habits_needs *needs = of_call ? &call->needs : &habit->unnamed;

	if (e->rule >= RULE_COUNT || e->response >= HABITS_RESPONSES || is_harmless(e))
		return;
	if (e->rule == RULE_world_writable || e->rule == RULE_world_readable)
		mark(&gathering->wide, scene->object);
	if (e->rule == RULE_huge_page_misaligned)
		habits_huge_told(gathering, scene->object, e->limit);
	if (e->rule == RULE_foreign_owner && was_done(e))
		habits_users_add(&needs->owners, owner_of(e));
	if (e->rule == RULE_resize_failed_ignored && e->response != RESPONSE_denied) {
		needs->done[past_end(e->size)]++;
		habit->told[past_end(e->size)][RESPONSE_recorded] += !of_call;
	}
	if (!of_call) {
		needs->done[e->rule] += was_done(e);
		habit->told[e->rule][e->response]++;
		return;
	}
	call->found[e->rule][e->response]++;
	if (e->response == RESPONSE_fixed &&
	    (e->rule == RULE_world_writable || e->rule == RULE_world_readable || e->rule == RULE_mode_too_open))
		call->taken |= (uint32_t)(e->length & ~e->limit);
}

/* Right in /dev/shm, which everybody can search. */
static bool is_direct(const char *name, bool semaphore)
{
	char *object = habits_object(name, semaphore);
	bool direct = !strchr(object + 1, '/');

	free(object);
	return direct;
}

/* Takes over the texts. */
static void keep_name(struct call *call, char *glob, char *sample)
{
	call->names = memory_grow(call->names, call->name_count, sizeof(*call->names));
	call->names[call->name_count++] = (struct habits_name){
		.glob = glob, .sample = sample, .pids = call->runner->pids, .recording = call->runner->recording};
}

/* The directory itself is no name in it. */
static bool is_name(const char *object)
{
	return strcmp(object, "/dev/shm") != 0;
}

/* Its word may look like a number, or like a word of a language. */
static bool is_temporary(const struct habit *habit, const char *name)
{
	for (size_t i = 0; i < habit->template_count; i++)
		if (policy_glob(habit->templates[i], name))
			return true;
	return false;
}

static void add_name(struct call *call, const char *name, bool semaphore)
{
	char *object = habits_object(name, semaphore);

	if (is_name(object) && !is_temporary(call->runner->habit, object))
		keep_name(call, habits_glob(object, &call->runner->pids), memory_text(object));
	free(object);
}

static void add_temporary(struct call *call, const char *name)
{
	struct habit *habit = call->runner->habit;
	char *object = habits_object(name, false);

	keep_name(call, habits_temporary(object, &call->runner->pids), NULL);
	habits_keep(&habit->templates, &habit->template_count, habits_temporary(object, &call->runner->pids));
	free(object);
}

/* A call that gives the path alone is held to the names that lead to the object. */
static void add_names_of(struct call *call, const struct object *object)
{
	for (size_t i = 0; object && object->kind != KIND_memfd && i < object->name_count; i++)
		if (!object->names[i].until)
			add_name(call, object->names[i].text, object->kind == KIND_semaphore);
}

static void take_created(struct runner *runner, const struct object *object)
{
	runner->own = memory_grow(runner->own, runner->own_count, sizeof(*runner->own));
	runner->own[runner->own_count++] = object ? object->number : 0;
	habits_raise(&runner->habit->peak, runner->inherited + runner->own_count);
}

/* A name of it is gone; there may be others, whoever gave it those. */
static void take_lost(struct runner *runner, const struct object *object)
{
	if (!object || object_has_name(object))
		return;
	for (size_t i = 0; i < runner->own_count; i++) {
		if (runner->own[i] != object->number)
			continue;
		runner->own[i] = runner->own[--runner->own_count];
		break;
	}
}

/* What the kernel says of the names comes before what a policy says of what would be made, and EACCES it says, too. */
static bool fails_before(int error)
{
	return error == EEXIST || error == EACCES || error == ENOENT || error == ENOTDIR || error == EISDIR ||
	       error == ELOOP || error == EFAULT;
}

/* An object that another user owns: foreign-owner and unlink-by-stranger, where they are asked without being told of. */
static bool is_foreign(const struct process *process, const struct object *object)
{
	return object && object->uid != 0 && object->uid != process->euid && object->uid != process->uid;
}

static bool made_it(const struct scene *scene)
{
	return scene->object && scene->object->created.process == scene->process;
}

struct opening {
	enum symbol symbol;
	const char *name;
	bool semaphore, created;
	uint32_t flags, mode;
	int error;
};

/* By an earlier run: of shared memory a finding tells that, and a policy asks it of every object that is not empty. */
static bool may_be_left(const struct opening *o, const struct scene *scene)
{
	return scene->object && !o->semaphore && (o->flags & O_CREAT) && !o->created && !o->error &&
	       (scene->object->size || (o->flags & O_TRUNC)) && !made_it(scene);
}

static void take_opening(struct call *call, const struct scene *scene, const struct opening *o)
{
	struct runner *runner = call->runner;
	bool fails = o->error && (o->flags & O_CREAT);

	/* The directory of what has no name yet is no name. */
	if (name_is_way(o->name))
		add_names_of(call, scene->object);
	else if (call_ends_at_random(o->symbol))
		add_temporary(call, o->name);
	else if ((o->flags & O_TMPFILE) != O_TMPFILE)
		add_name(call, o->name, o->semaphore);
	if (scene->object && scene->object->kind == KIND_memfd)
		return;
	call->error = o->error;
	call->flags = o->flags;
	call->foreign = is_foreign(scene->process, scene->object);
	call->owner = scene->object ? scene->object->uid : 0;
	call->reachable = is_direct(o->name, o->semaphore);
	call->met[RULE_stale_reattach] = may_be_left(o, scene);
	if (o->created)
		take_created(runner, scene->object);
	if (o->created && scene->object) {
		call->has_mode = true;
		call->mode = scene->object->mode & 07777;
		call->asked = o->mode;
	} else if (fails) {
		call->has_mode = call->makes = true;
		call->moot = fails_before(o->error);
		call->mode = o->mode & 07777 & ~runner->masked;
		call->count = runner->inherited + runner->own_count + 1;
	}
}

static void take_mode(struct call *call, uint32_t mode)
{
	call->has_mode = true;
	call->mode |= mode & 07777;
}

/* What has a new name is as open as what is made there. */
static void take_naming(const struct gathering *gathering, struct call *call, const struct object *object,
			const char *name)
{
	if (!object || object->kind == KIND_memfd)
		return;
	take_mode(call, object->mode);
	call->reachable |=
		is_direct(name, false) || map_get(&gathering->wide, (uintptr_t)object, 0) || !object->created.process;
}

static void take_rename(const struct gathering *gathering, struct call *call, const struct scene *scene,
			const struct rename_event *e)
{
	const struct object *replaced =
		e->flags & RENAME_ANOTHER ? NULL : replay_object_by(scene->world, scene->process, e->replaced);
	bool exchanges = e->flags & RENAME_EXCHANGE;

	call->error = e->error;
	add_name(call, e->from, false);
	add_name(call, e->to, false);
	take_naming(gathering, call, scene->object, e->to);
	if (exchanges)
		take_naming(gathering, call, replaced, e->from);
	call->met[RULE_unlink_by_stranger] =
		is_foreign(scene->process, scene->object) || is_foreign(scene->process, replaced);
	if (!e->error && !exchanges && replaced != scene->object)
		take_lost(call->runner, replaced);
}

static void take_link(const struct gathering *gathering, struct call *call, const struct scene *scene,
		      const struct link_event *e)
{
	call->error = e->error;
	if (!name_is_way(e->from) && *e->from)
		add_name(call, e->from, false);
	add_name(call, e->to, false);
	take_naming(gathering, call, scene->object, e->to);
	if (e->error || !scene->object)
		return;
	/* What O_TMPFILE made counts from its first name on. */
	if (scene->object->name_count == 1 && (name_is_way(e->from) || !*e->from))
		take_created(call->runner, scene->object);
}

static void take_chmod(const struct gathering *gathering, struct call *call, const struct scene *scene,
		       const struct chmod_event *e)
{
	const struct object *object = scene->object;

	call->error = e->error;
	call->moot = e->error == EACCES;
	if (e->fd < 0)
		add_names_of(call, object);
	if (!object || object->kind == KIND_memfd)
		return;
	take_mode(call, e->mode);
	call->reachable = map_get(&gathering->wide, (uintptr_t)object, 0) ||
			  (object_name(object) && is_direct(object_name(object), object->kind == KIND_semaphore));
}

static void take_size(struct call *call, uint64_t asked, uint64_t before, uint64_t after)
{
	call->size = asked > before && asked > after ? asked : after;
}

static void take_resize(struct call *call, const struct scene *scene, const struct ftruncate_event *e)
{
	uint64_t length = e->length < 0 ? 0 : (uint64_t)e->length;

	call->error = e->error;
	take_size(call, length, e->size_before, e->error ? 0 : e->size);
	call->grows = length > e->size_before;
	call->met[RULE_resize_by_attacher] =
		e->length >= 0 && e->size_before && length != e->size_before && !made_it(scene);
	if (e->fd >= 0)
		return;
	add_names_of(call, scene->object);
	call->met[RULE_foreign_owner] = is_foreign(scene->process, scene->object);
	call->owner = scene->object ? scene->object->uid : 0;
}

static void take_allocation(struct call *call, const struct fallocate_event *e)
{
	bool sizes = e->offset >= 0 && e->length > 0 && !(e->mode & FALLOC_FL_PUNCH_HOLE);

	call->error = e->error;
	take_size(call, sizes ? (uint64_t)e->offset + (uint64_t)e->length : 0, e->size_before, e->error ? 0 : e->size);
}

static void take_mapping(const struct gathering *gathering, struct call *call, const struct scene *scene,
			 const struct mmap_event *e)
{
	uint64_t end = (uint64_t)e->offset + e->length;

	if (!scene->object)
		return;
	call->error = e->error;
	/* Also of what is sealed against writing, of which nothing is told. */
	call->met[RULE_exec_map] = e->prot & PROT_EXEC;
	call->unreserved = (e->flags & MAP_NORESERVE) && e->prot != PROT_NONE;
	habits_huge_mapped(gathering, call, scene->object, (uint64_t)e->offset | e->length);
	if (e->error && e->prot != PROT_NONE && end > pages_round(e->size))
		call->met[past_end(e->size)] = true;
}

static bool begin(struct gathering *gathering, struct call *call, const struct scene *scene,
		  const struct trace_event *event)
{
	const union any_event *any = &event->event;

	switch (event->id) {
#define OPENING(e, by, is_semaphore)                                                                                   \
	&(struct opening)                                                                                              \
	{                                                                                                              \
		.symbol = (by), .name = (e).name, .semaphore = (is_semaphore), .created = (e).created,                 \
		.flags = (e).flags, .mode = (e).mode, .error = (e).error                                               \
	}
	case EVENT_shm_open:
		take_opening(call, scene, OPENING(any->shm_open, SYMBOL_shm_open, false));
		return true;
	case EVENT_open:
		take_opening(call, scene, OPENING(any->open, (enum symbol)any->open.symbol, false));
		return true;
	case EVENT_sem_open:
		take_opening(call, scene, OPENING(any->sem_open, SYMBOL_sem_open, true));
		return true;
	case EVENT_unlink:
		call->error = any->unlink.error ? any->unlink.error : scene->error;
		add_name(call, any->unlink.name, any->unlink.symbol == SYMBOL_sem_unlink);
		/* Where a policy has turned the rule off, that comes without a finding. */
		call->met[RULE_unlink_by_stranger] =
			!call->error && is_foreign(scene->process, scene->object) && !made_it(scene);
		if (!call->error)
			take_lost(call->runner, scene->object);
		return true;
	case EVENT_rename:
		take_rename(gathering, call, scene, &any->rename);
		return true;
	case EVENT_link:
		take_link(gathering, call, scene, &any->link);
		return true;
	case EVENT_ftruncate:
		take_resize(call, scene, &any->ftruncate);
		return true;
	case EVENT_fallocate:
		take_allocation(call, &any->fallocate);
		return true;
	case EVENT_chmod:
		take_chmod(gathering, call, scene, &any->chmod);
		return true;
	case EVENT_chown:
		call->error = any->chown.error;
		if (any->chown.fd < 0)
			add_names_of(call, scene->object);
		if (any->chown.uid != UINT32_MAX && any->chown.uid != 0 && any->chown.uid != scene->process->euid)
			habits_users_add(&call->needs.given, any->chown.uid);
		return true;
	case EVENT_mmap:
		take_mapping(gathering, call, scene, &any->mmap);
		return true;
	case EVENT_mprotect:
		call->error = any->mprotect.error;
		call->met[RULE_exec_map] = scene->object && (any->mprotect.prot & PROT_EXEC);
		call->unreserved = any->mprotect.prot != PROT_NONE;
		habits_huge_mapped(gathering, call, scene->object, 0);
		return true;
	case EVENT_memfd_create:
		habits_huge_made(gathering, scene->object, any->memfd_create.flags);
		return false;
	default:
		return false;
	}
}

void habits_call(struct gathering *gathering, const struct scene *scene, const struct trace_event *event)
{
	uint64_t thread = (uint64_t)event->event.head.tid;
	struct call *call = map_get(&gathering->calls, (uintptr_t)scene->process, thread),
		    next = {.runner = scene->runner};

	if (event->id == EVENT_finding) {
		take_finding(gathering, scene, call, &event->event.finding);
		return;
	}
	next.seq = event->event.head.seq;
	if (!begin(gathering, &next, scene, event))
		return;
	/* What was found at the thread's last call is known by now, and its names are. */
	if (call)
		habits_settle(call);
	habits_know(gathering, &next, scene, event);
	next.number = gathering->calls_seen++;
	if (!call)
		map_put(&gathering->calls, (uintptr_t)scene->process, thread, call = memory_new(1, sizeof(*call)));
	*call = next;
}

static int by_number(const void *a, const void *b)
{
	const struct call *x = *(struct call *const *)a, *y = *(struct call *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

/* In their order, so that another reading of the recording tells the same. */
void habits_calls_end(struct gathering *gathering)
{
	struct call **last = memory_new(gathering->calls.count + 1, sizeof(*last));
	struct map_slot *slot;
	size_t cursor = 0, count = 0;

	while ((slot = map_next(&gathering->calls, &cursor)))
		last[count++] = slot->value;
	qsort(last, count, sizeof(struct call *), by_number);
	for (size_t i = 0; i < count; i++) {
		habits_settle(last[i]);
		free(last[i]);
	}
	free(last);
	map_clear(&gathering->calls);
}
