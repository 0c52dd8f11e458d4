#include "preload/observe_inner.h"

#include <string.h>

#include "preload/account.h"
#include "preload/chain.h"
#include "preload/enforce.h"
#include "preload/findings.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/moves.h"
#include "preload/queue.h"
#include "preload/recorder.h"
#include "preload/stack.h"

static _Atomic(struct thread *) settling;

static void emit(enum event_id id, const union any_event *event)
{
	switch (id) {
#define EMIT_CASE(name, channel)                                                                                       \
	case EVENT_##name:                                                                                             \
		recorder_emit->name(&event->name);                                                                     \
		break;
		EVENTS(EMIT_CASE)
	case EVENT_COUNT:
		break;
	}
}

static void define_object(uint32_t id, const struct identity *identity)
{
	char target[512];
	/* A memfd is opened by a link of /proc, whose path is no name of it. */
	bool called = identity->name && (identity->kind != KIND_memfd || identity->fd < 0);
	const char *name = called ? identity->name : identity_fd_name(identity->fd, target);
	struct object_event e = {.id = id,
				 .kind = identity->kind,
				 .dev = identity->dev,
				 .ino = identity->ino,
				 .size = identity->size,
				 .mode = identity->mode,
				 .uid = identity->uid,
				 .gid = identity->gid,
				 .name = name};

	if (!identity->name && identity->links && name[0] == '/' && !identity_name_is_past(identity, name))
		ledger_rename(identity, name);
	recorder_head((struct event_head *)&e);
	if (!identity->name && strncmp(name, "/dev/shm/sem.", 13) == 0)
		e.kind = KIND_semaphore;
	recorder_emit->object(&e);
}

static uint32_t intern_stack(const uint64_t *frames, uint32_t count)
{
	bool is_new;
	uint32_t id = stack_intern(frames, count, &is_new);

	if (is_new) {
		struct stack_definition_event e = {.id = id, .frames = {.count = count, .address = frames}};
		recorder_head((struct event_head *)&e);
		recorder_emit->stack_definition(&e);
	}
	return id;
}

uint32_t observe_stack(void *context)
{
	uint64_t frames[STACK_ROOM];
	const uintptr_t *frame = context ? NULL : (const uintptr_t *)recorder_thread.outermost;

	if (recorder_silent())
		return 0;
	recorder_modules();
	uint32_t id = frame ? chain_find(frame) : 0;
	if (id)
		return id;
	uint32_t count = stack_walk(context, frames);
	id = intern_stack(frames, count);
	/*
	 * One of four counts, by chance: a child that makes few calls is not to touch the pages of chains for nothing. To find
	 * out a stack's words takes 3 KiB more of it than a walk.
	 */
	recorder_thread.chance = recorder_thread.chance * 1103515245 + 12345;
	if (frame && recorder_thread.chance >> 30 == 0 && !recorder_thread.narrow)
		chain_walked(frame, frames, count, id);
	return id;
}

static uint32_t queue(const struct visit *visit, enum event_id id, union any_event *event,
		      const struct identity *identity, const struct accounted *accounted, const uint64_t *frames,
		      uint32_t frame_count)
{
	account_expect(id, event, identity);
	recorder_head(&event->head);
	if (queue_put(id, event, identity, accounted, visit->caller, frames, frame_count))
		return event->head.seq;
	recorder_count_lost();
	if (accounted && accounted->is_new)
		ledger_undefined(identity);
	return event->head.seq;
}

/*
 * Another thread loads LTTng, which takes 3 ms or, where the machine is busy, much more. What is queued meanwhile would go
 * with the process, were it killed now: so this one waits as well, but not for long, as it may hold a lock that the other
 * needs.
 */
static void wait_for_loading(void)
{
	static __thread uint64_t until; /* nanoseconds of the monotonic clock; 0: has not waited yet */

	while (atomic_load(&recorder_state) == RECORDER_LOADING) {
		uint64_t now = kernel_clock(CLOCK_MONOTONIC);
		if (!until)
			until = now + 500000000;
		if (now >= until)
			break;
		kernel_rest(1000000);
	}
}

/* What is lost of it is at least in the ledger. The room for a stack is on the one of who has such, and no other. */
static __attribute__((noinline)) uint32_t account_and_queue(struct visit *visit, enum event_id id,
							    union any_event *event, const struct identity *identity)
{
	struct accounted accounted;
	uint64_t frames[STACK_ROOM];

	if (!account_event(id, event, identity, visit->pieces, &accounted) && !accounted.is_new)
		return 0;
	/* A thread's first walk allocates as well. */
	uint32_t count = observe_is_safe(visit) ? stack_walk(NULL, frames) : 0;
	return queue(visit, id, event, identity, &accounted, frames, count);
}

/* What it takes out of the ledger its other half, which is or will be queued as well, has to put back. */
static void settle_move(struct queued *queued)
{
	struct move m;

	move_begin(&m, &queued->event.mremap);
	account_event(queued->id, &queued->event, NULL, &m.pieces, &queued->accounted);
	if (m.pieces.count)
		move_keep(&m, queued->event.head.seq);
}

/* A queued event keeps its number, and is emitted even if nothing tracked was concerned: a gap would look like a loss. */
static void settle(struct queued *queued)
{
	const struct identity *identity = queued->has_identity ? &queued->identity : NULL;
	struct event_head head = queued->event.head;
	struct accounted *accounted = &queued->accounted;

	if (!queued->is_accounted && queued->id == EVENT_mremap)
		settle_move(queued);
	else if (!queued->is_accounted)
		account_event(queued->id, &queued->event, identity, NULL, accounted);
	if (identity && accounted->is_new)
		define_object(accounted->object, identity);
	head.stack = intern_stack(queued->frames, queued->frame_count);
	queued->event.head = head;
	emit(queued->id, &queued->event);
	enforce_settle(&queued->told);
	/* By whom it was made is known only since that was settled. */
	uint32_t marks = accounted->marks | (identity ? ledger_marks(identity) & MARK_CREATED : 0);
	findings_look(queued->id, &queued->event, accounted->object, identity, marks, queued->caller);
	enforce_settle(NULL);
}

void observe_settle_queue(void)
{
	struct thread *nobody = NULL;

	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_READY)
		return;
	while (queue_any() && atomic_compare_exchange_strong(&settling, &nobody, &recorder_thread)) {
		bool more = queue_settle(settle);
		atomic_store(&settling, NULL);
		if (!more)
			break;
	}
}

void observe_settling_abandoned(void)
{
	struct thread *self = &recorder_thread;

	enforce_settle(NULL);
	atomic_compare_exchange_strong(&settling, &self, NULL);
}

/*
 * What is queued came before, and may be another thread's of the same addresses and numbers. Who puts it there, or settles
 * it, is waited for as long as a busy machine may hold him up, and once only: a handler that jumped out of it never ends.
 */
static void settle_earlier(void)
{
	static atomic_uint given_up; /* the entry for which one has waited in vain */

	for (int tries = 0; observe_settle_queue(), queue_any(); tries++) {
		if (atomic_load(&given_up) == queue_oldest())
			return;
		if (tries == 400)
			atomic_store(&given_up, queue_oldest());
		kernel_rest(tries < 20 ? 50000 : 1000000);
	}
}

void observe_settle(void)
{
	if (queue_any())
		settle_earlier();
}

/* LTTng, and this thread in it, for what an outermost visit tells. Answers the recorder's state. */
static int come_up(struct visit *visit)
{
	if (__builtin_expect(!recorder_thread.prepared || queue_any(), false))
		observe_hold(visit);
	/* What is told meanwhile is queued, as it is where the loader is busy. */
	if (__builtin_expect(!observe_is_safe(visit), false)) {
		recorder_put_off();
		return atomic_load(&recorder_state) == RECORDER_BLIND ? RECORDER_BLIND : RECORDER_IDLE;
	}
	/* In a child that only shares our memory LTTng's threads would be the child's. */
	if (atomic_load(&recorder_state) == RECORDER_IDLE && !recorder_is_vfork_child())
		recorder_load();
	if (__builtin_expect(atomic_load(&recorder_state) == RECORDER_LOADING, false))
		wait_for_loading();
	int state = atomic_load(&recorder_state);
	if (state != RECORDER_READY)
		return state;
	if (__builtin_expect(queue_any(), false))
		settle_earlier();
	recorder_prepare_thread();
	return state;
}

bool observe_expect(struct visit *visit)
{
	if (visit->nested || atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_IDLE)
		return false;
	int state = come_up(visit);
	/* The first walk of a stack takes milliseconds, too. */
	if (state == RECORDER_READY)
		observe_stack(NULL);
	return state != RECORDER_IDLE;
}

void observe_awaken(const void *caller)
{
	struct visit visit;

	recorder_may_begin();
	if (__builtin_expect(atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_IDLE, true) ||
	    !observe_enter(&visit, caller))
		return;
	observe_expect(&visit);
	observe_leave(&visit);
}

/* As it is by now that LTTng has come up, of what has a descriptor: while it did others may have changed it. */
static const struct identity *identity_by_now(const struct identity *identity, struct identity *now)
{
	struct identity seen;

	if (!identity || identity->fd < 0 || !identity_of_fd(identity->fd, &seen) || seen.ino != identity->ino ||
	    seen.dev != identity->dev)
		return identity;
	*now = *identity;
	now->size = seen.size;
	now->allocated = seen.allocated;
	now->mode = seen.mode;
	now->uid = seen.uid;
	now->gid = seen.gid;
	now->links = seen.links;
	return now;
}

uint32_t observe_record(struct visit *visit, enum event_id id, union any_event *event, const struct identity *identity)
{
	struct accounted accounted;
	struct identity now;

	/* libunwind does not survive an unwind that interrupts another. */
	if (visit->nested)
		return queue(visit, id, event, identity, NULL, NULL, 0);
	if (observe_expect(visit))
		identity = identity_by_now(identity, &now);
	int state = come_up(visit);
	if (state == RECORDER_BLIND)
		return 0;
	if (state != RECORDER_READY)
		return account_and_queue(visit, id, event, identity);
	bool concerns = account_event(id, event, identity, visit->pieces, &accounted);
	if (identity && accounted.is_new)
		define_object(accounted.object, identity);
	if (!concerns)
		return 0;
	uint32_t stack = observe_stack(NULL);
	recorder_head(&event->head);
	event->head.stack = stack;
	emit(id, event);
	findings_look(id, event, accounted.object, identity, accounted.marks, visit->caller);
	return event->head.seq;
}

uint32_t observe_handler(const struct visit *visit, uint64_t ip)
{
	/* As of a return address: the byte before it is looked up. */
	const uint64_t frame = ip + 1;

	if (!ip || recorder_silent())
		return 0;
	uint32_t stack = visit->nested ? 0 : observe_stack(NULL);
	return stack ? stack : intern_stack(&frame, 1);
}

uint32_t observe_object(struct visit *visit, const struct identity *identity)
{
	if (visit->nested || come_up(visit) != RECORDER_READY)
		return 0;
	uint32_t marks;
	bool is_new;
	uint32_t object = ledger_object(identity, &is_new, &marks);
	if (object && is_new)
		define_object(object, identity);
	return object;
}

void observe_failed(uint32_t seq, const void *caller)
{
	struct visit visit;

	if (!seq || !observe_enter(&visit, caller))
		return;
	RECORD(&visit, failed, NULL, .of = seq, .error = observe_error(&visit, true));
	observe_leave(&visit);
}

void observe_found(struct visit *visit, const struct object *object)
{
	struct identity identity;

	if (!object->undefined || recorder_silent() ||
	    !identity_of_path(AT_FDCWD, object->name, AT_SYMLINK_NOFOLLOW, &identity) || identity.ino != object->ino ||
	    identity.dev != object->dev)
		return;
	identity.kind = object->kind;
	identity.name = object->name;
	observe_object(visit, &identity);
}

void observe_kept(const struct object *object, const void *caller)
{
	struct visit visit;

	if (!observe_enter(&visit, caller))
		return;
	if (!visit.nested && atomic_load(&recorder_state) == RECORDER_READY) {
		observe_found(&visit, object);
		findings_kept(object->id, 0, observe_stack(NULL));
	} else if (visit.nested) {
		enforce_hand_over(NULL, caller);
	}
	observe_leave(&visit);
}

enum identity_look observe_unlink(struct visit *visit, struct unlink_event call, const char *path, uint8_t kind,
				  struct released *released)
{
	struct identity identity;
	char text[512];
	enum identity_look look = identity_look(call.dirfd, path, AT_SYMLINK_NOFOLLOW, &identity);

	*released = (struct released){0, 0};
	if (look == LOOK_object && observe_expect(visit))
		look = identity_look(call.dirfd, path, AT_SYMLINK_NOFOLLOW, &identity);
	if (look != LOOK_object)
		return look;
	identity.kind = kind;
	identity.name = call.name ? path : identity_spelling(path, &identity, text);
	call.name = call.name ?: identity.name;
	union any_event e = {.unlink = call};
	released->seq = observe_record(visit, EVENT_unlink, &e, &identity);
	released->object = e.unlink.object;
	return look;
}

void observe_judged(const struct released *released, const void *caller)
{
	struct visit visit;

	if (!enforce_decided() || !observe_enter(&visit, caller))
		return;
	/* What cannot be told now is not the next call's. */
	if (!visit.nested && atomic_load(&recorder_state) == RECORDER_READY)
		findings_kept(released->object, released->seq, observe_stack(NULL));
	else
		enforce_hand_over(NULL, caller);
	observe_leave(&visit);
}
