/* What each event means for the model: one function an event. Those of names and descriptors are in world_take_names.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pages.h"
#include "world_holdings.h"
#include "world_inner.h"
#include "world_stacks.h"
#include "world_take_inner.h"

/* before: what the call found; after: what it made or, refused, was asked for. */
static void resized(struct taking *t, uint64_t before, uint64_t after, int error, uint32_t seq)
{
	if (t->object && before == after && !error && !sizes_outdated(t->object, after, t->site.time))
		sizes_told(t->object, after, t->site.time);
	if (before != after)
		sizes_change(t->world, t->object,
			     &(struct change){.of = error ? CHANGE_refused : CHANGE_resized,
					      .before = before,
					      .after = after,
					      .error = error,
					      .seq = seq,
					      .site = t->site});
}

static void punched(struct taking *t, uint64_t offset, uint64_t length, uint32_t seq)
{
	if (t->object)
		sizes_change(t->world, t->object,
			     &(struct change){.of = CHANGE_punched,
					      .before = t->object->size,
					      .after = t->object->size,
					      .offset = offset,
					      .length = length,
					      .seq = seq,
					      .site = t->site});
}

void take_kept(struct taking *t, uint64_t offset, uint64_t size, uint32_t seq)
{
	sizes_seen(t->world, t->object, size, &t->site);
	punched(t, offset, size - offset, seq);
}

/* One that is to grow past RLIMIT_FSIZE is told of before the call, which that may end. */
static bool beyond_limit(const struct ftruncate_event *e)
{
	return !e->error && e->length > 0 && (uint64_t)e->length > e->size && e->size == e->size_before;
}

static bool kept_size(const struct ftruncate_event *e)
{
	return !e->error && e->length >= 0 && (uint64_t)e->length < e->size && e->size == e->size_before;
}

static void take_ftruncate(struct taking *t, const struct ftruncate_event *e)
{
	int error = beyond_limit(e) ? EFBIG : e->error;

	take_used(t, e->fd, e->seq);
	if (kept_size(e))
		take_kept(t, (uint64_t)e->length, e->size, e->seq);
	else
		resized(t, e->size_before, error ? (uint64_t)e->length : e->size, error, e->seq);
}

static void take_fallocate(struct taking *t, const struct fallocate_event *e)
{
	uint64_t offset = (uint64_t)e->offset, length = (uint64_t)e->length;

	take_used(t, e->fd, e->seq);
	if (e->error)
		resized(t, e->size_before, offset + length, e->error, e->seq);
	else if (e->mode & ~(uint32_t)FALLOC_FL_KEEP_SIZE)
		punched(t, offset, length, e->seq);
	else
		resized(t, e->size_before, e->size, 0, e->seq);
}

static void take_madvise(struct taking *t, const struct madvise_event *e)
{
	const struct piece *piece = holdings_piece(t->process, e->addr);

	if (e->advice == MADV_REMOVE && e->error == 0 && piece)
		punched(t, e->addr - piece->from->base, e->length, e->seq);
	/* Where not all of the range is mapped the rest has changed all the same. */
	if ((e->advice == MADV_DONTFORK || e->advice == MADV_DOFORK) && (e->error == 0 || e->error == ENOMEM))
		holdings_dontfork(t->process, e->addr, e->length, e->advice == MADV_DONTFORK, e->seq);
}

static void take_chmod(struct taking *t, const struct chmod_event *e)
{
	take_used(t, e->fd, e->seq);
	if (e->error == 0 && t->object)
		t->object->mode = (t->object->mode & ~07777u) | (e->mode & 07777u);
}

static void take_chown(struct taking *t, const struct chown_event *e)
{
	take_used(t, e->fd, e->seq);
	if (e->error || t->object == NULL)
		return;
	if (e->uid != (uint32_t)-1)
		t->object->uid = e->uid;
	if (e->gid != (uint32_t)-1)
		t->object->gid = e->gid;
}

static void take_mmap(struct taking *t, const struct mmap_event *e)
{
	take_used(t, e->fd, e->seq);
	if (e->error || t->object == NULL)
		return;
	sizes_seen(t->world, t->object, e->size, &t->site);
	holdings_map(t->process, t->object, e->result, e->length, (uint64_t)e->offset, e->size, e->seq, &t->site);
	if ((e->flags & MAP_TYPE) != MAP_PRIVATE) {
		t->object->shared = true;
		holdings_share(t->process, e->result, e->prot & PROT_WRITE, &t->site);
	}
}

/* limit: of what of the object the process may touch from now on, beside the end of what it maps. */
static void trimmed(struct taking *t, struct object *object, uint64_t limit)
{
	const struct watcher *watcher = t->world->private->watcher;

	if (watcher->trimmed)
		watcher->trimmed(watcher->context, t->process, object, &t->site, limit);
}

static void released(struct taking *t, struct object *object)
{
	if (object && object->charges)
		trimmed(t, object, UINT64_MAX);
}

/* PROT_NONE to the end of its highest mapping is as good as an unmapping. */
static void closed(struct taking *t, const struct mprotect_event *e)
{
	const struct piece *piece = holdings_piece(t->process, e->addr);
	struct object *object = piece ? object_real(piece->from->object) : NULL;

	if (object && object->charges && e->addr + e->length >= piece->end &&
	    holdings_end(t->process, object) == piece->end - piece->from->base)
		trimmed(t, object, e->addr - piece->from->base);
}

static void take_mprotect(struct taking *t, const struct mprotect_event *e)
{
	if (e->error)
		return;
	if (e->prot & PROT_WRITE)
		holdings_writable(t->process, e->addr, e->length, &t->site);
	else if (e->prot == PROT_NONE)
		closed(t, e);
}

static void take_munmap(struct taking *t, const struct munmap_event *e)
{
	holdings_unmap(t->process, e->addr, e->length, e->seq, &t->site);
	released(t, t->object);
}

static void take_mremap(struct taking *t, const struct mremap_event *e)
{
	holdings_move(t->process, e, t->site.time);
}

static void take_mremapped(struct taking *t, const struct mremapped_event *e)
{
	released(t, holdings_moved(t->process, e, t->site.time));
}

static void take_failed(struct taking *t, const struct failed_event *e)
{
	struct name_change *change = holdings_failed(t->process, e->of, t->site.time);
	const struct watcher *watcher = t->world->private->watcher;

	if (watcher->undone)
		watcher->undone(watcher->context, t->process, e->of);
	if (change == NULL)
		return;
	names_unlink_failed(t->world, t->process, change, e->error);
	free(change->text);
	free(change);
}

/* These are told only of a call that makes its object. */
static bool tells_creation(const struct finding_event *e)
{
	return e->response != RESPONSE_denied &&
	       (e->rule == RULE_predictable_name || (e->rule == RULE_create_without_excl && e->limit));
}

/* These are told of an mmap, which asked for the object's size; the call itself may have been let go. */
static bool tells_size(const struct finding_event *e)
{
	return e->rule == RULE_sparse_unreserved || e->rule == RULE_tail_overrun || e->rule == RULE_map_beyond_end ||
	       e->rule == RULE_private_map;
}

/* With a name this is told only of a call that removes it; what a policy tells of it has none, or was not let pass. */
static bool tells_removal(const struct finding_event *e)
{
	return e->rule == RULE_unlink_by_stranger && e->response == RESPONSE_recorded && e->of && *e->name;
}

static void take_finding(struct taking *t, const struct finding_event *e)
{
	const struct watcher *watcher = t->world->private->watcher;

	if (t->object && tells_removal(e))
		take_unlink_told(t, e);
	if (t->object)
		sizes_found(t->world, t->object, e, &t->site);
	if (t->object && process_keeps_newest(t->process) && tells_size(e))
		sizes_told(t->object, e->size, t->site.time);
	if (t->object && !t->object->created.process && !t->object->told.process && tells_creation(e))
		t->object->told = t->site;
	if (watcher->found)
		watcher->found(watcher->context, t->process, t->object, e, &t->site);
}

static void take_fault(struct taking *t, const struct fault_event *e)
{
	const struct watcher *watcher = t->world->private->watcher;

	/* What the C library has mapped for sem_open(3) the process itself does not know. */
	if (t->object == NULL)
		t->object = holdings_semaphore_at(t->process, e->start);
	if (t->object && e->cause == CAUSE_past_end && t->object->size > e->size)
		sizes_found_order(t->object, e->size);
	if (watcher->fault)
		watcher->fault(watcher->context, t->process, t->object, e, &t->site);
	if (t->object == NULL || e->cause != CAUSE_past_end)
		return;
	/* Where the object could not be asked its size is that of the pages it has. */
	if (pages_round(t->object->size) == pages_round(e->size))
		sizes_told(t->object, t->object->size, t->site.time);
	else
		sizes_seen(t->world, t->object, e->size, &t->site);
}

static void take_wait(struct taking *t, const struct wait_event *e)
{
	process_died(t->world, t->process->host, e->recording, e->child, e->status, t->site.time);
}

static void take_exit(struct taking *t, const struct exit_event *e)
{
	t->process->left_in_handler = e->stack != 0;
	process_leave(t->world, t->process, e->status, t->site.time);
}

static void take_module(struct taking *t, const struct module_event *e)
{
	stacks_module(t->world, t->process, e, t->site.time);
}

static void take_module_gone(struct taking *t, const struct module_gone_event *e)
{
	stacks_module_gone(t->process, e, t->site.time);
}

static void take_stack_definition(struct taking *t, const struct stack_definition_event *e)
{
	stacks_define(t->process, e, t->site.time);
}

static void take_object(struct taking *t, const struct object_event *e)
{
	struct object *object;

	/* 0 is no object, and only a damaged trace defines it. */
	if (e->id == 0)
		return;
	object_define(t->world, t->process, e);
	object = object_of(t->world, t->process, e->id);
	sizes_seen(t->world, object, e->size, &t->site);
	/* The name that memfd_create(2) was given comes with its own event. */
	if (*e->name && (e->kind != KIND_memfd || *e->name == '/'))
		names_defined(object, e->name, t->site.time);
}

static void take_lost(struct taking *t, const struct lost_event *e)
{
	t->process->told_lost += e->events;
}

#define OBJECT_ID(event_name) e->event.event_name.object

static uint32_t object_id_of(const struct trace_event *e)
{
	switch (e->id) {
#define WITH_OBJECT(name)                                                                                              \
	case EVENT_##name:                                                                                             \
		return OBJECT_ID(name);
		WITH_OBJECT(shm_open)
		WITH_OBJECT(open)
		WITH_OBJECT(memfd_create)
		WITH_OBJECT(sem_open)
		WITH_OBJECT(unlink)
		WITH_OBJECT(rename)
		WITH_OBJECT(link)
		WITH_OBJECT(dup)
		WITH_OBJECT(seal)
		WITH_OBJECT(sendmsg)
		WITH_OBJECT(recvmsg)
		WITH_OBJECT(ftruncate)
		WITH_OBJECT(fallocate)
		WITH_OBJECT(chmod)
		WITH_OBJECT(chown)
		WITH_OBJECT(mmap)
		WITH_OBJECT(munmap)
		WITH_OBJECT(madvise)
		WITH_OBJECT(finding)
		WITH_OBJECT(fault)
	default:
		return 0;
	}
}

#define TAKE(name)                                                                                                     \
	case EVENT_##name:                                                                                             \
		take_##name(t, &e->event.name);                                                                        \
		break;

static void dispatch(struct taking *t, const struct trace_event *e)
{
	switch (e->id) {
		TAKE(shm_open)
		TAKE(open)
		TAKE(memfd_create)
		TAKE(sem_open)
		TAKE(sem_close)
		TAKE(unlink)
		TAKE(rename)
		TAKE(link)
		TAKE(close)
		TAKE(dup)
		TAKE(seal)
		TAKE(sendmsg)
		TAKE(recvmsg)
		TAKE(ftruncate)
		TAKE(fallocate)
		TAKE(chmod)
		TAKE(chown)
		TAKE(mmap)
		TAKE(munmap)
		TAKE(mremap)
		TAKE(mremapped)
		TAKE(mprotect)
		TAKE(madvise)
		TAKE(failed)
		TAKE(finding)
		TAKE(fault)
		TAKE(wait)
		TAKE(exit)
		TAKE(module)
		TAKE(module_gone)
		TAKE(stack_definition)
		TAKE(object)
		TAKE(lost)
	case EVENT_mutex:
	case EVENT_sync:
		t->process->takes_turns = true;
		break;
	default: /* counted, and of no consequence for the model */
		break;
	}
}

/* Of the channel that the oldest events are let go from. */
static bool event_is_call(enum event_id id)
{
	enum { CHANNEL_calls, CHANNEL_state };
	static const unsigned char channels[] = {
#define EVENT_CHANNEL(event, channel) [EVENT_##event] = CHANNEL_##channel,
		EVENTS(EVENT_CHANNEL)
#undef EVENT_CHANNEL
	};

	return channels[id] == CHANNEL_calls;
}

static void pass(struct world *world, int64_t time)
{
	process_lines_until(world, time);
	process_sweep(world, time);
	world_retire(world);
	world_sweep(world);
	if (time > world->now)
		world->now = time;
}

void world_stand(struct world *world, int64_t time)
{
	pass(world, time);
	process_sweep(world, INT64_MAX);
}

void world_take(struct world *world, const struct trace_event *event)
{
	struct taking t = {.world = world};
	bool call = event_is_call(event->id);

	pass(world, event->time);
	t.process = process_of_event(world, event);
	retire_not(world, t.process);
	if (event->id == EVENT_process)
		process_announce(world, t.process, event);
	if (!t.process->kept_from && call)
		t.process->kept_from = event->time;
	numbers_count(t.process, event->event.head.seq, event->time, call);
	t.site = (struct site){.process = t.process,
			       .stack_id = event->event.head.stack,
			       .tid = event->event.head.tid,
			       .time = event->time};
	t.object = object_of(world, t.process, object_id_of(event));
	if (t.object && call)
		t.object->touched = true;
	dispatch(&t, event);
}
