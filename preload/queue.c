#include "preload/queue.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/enforce.h"
#include "preload/kernel.h"

enum { SLOTS = 1024 };

enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_FULL };

struct slot {
	atomic_int state;
	struct queued queued;
};

/* Most processes never queue, and what is in the library a small RLIMIT_DATA would not let them start with. */
static struct slot *_Atomic slots;
static atomic_uint head, tail; /* head: next to fill; tail: next to settle */

static const char *copy_text(struct queued *queued, unsigned *used, const char *text)
{
	if (*used == sizeof queued->text / sizeof *queued->text)
		return "";
	char *to = queued->text[(*used)++];
	size_t length = strnlen(text, sizeof *queued->text - 1);
	memcpy(to, text, length);
	to[length] = 0;
	return to;
}

/* Points the event's texts at copies, by the table. */
#define COPY_text(name) e->name = copy_text(queued, used, e->name);
#define COPY_addr(name)
#define COPY_size(name)
#define COPY_off(name)
#define COPY_number(name)
#define COPY_fd(name)
#define COPY_pid(name)
#define COPY_id(name)
#define COPY_user(name)
#define COPY_flags(name)
#define COPY_mode(name)
#define COPY_status(name)
#define COPY_bool(name)
#define COPY_error(name)
#define COPY_symbol(name)
#define COPY_prot(name)
#define COPY_began(name)
#define COPY_kind(name)
#define COPY_rule(name)
#define COPY_severity(name)
#define COPY_cause(name)
#define COPY_access(name)
#define COPY_response(name)
#define COPY_frames(name)
#define COPY(kind, name) COPY_##kind(name)

#define COPY_EVENT(event, channel)                                                                                     \
	static void copy_##event(struct queued *queued, unsigned *used, struct event##_event *e)                       \
	{                                                                                                              \
		(void)queued;                                                                                          \
		(void)used;                                                                                            \
		(void)e;                                                                                               \
		FIELDS_##event(COPY)                                                                                   \
	}
EVENTS(COPY_EVENT)

static void copy_texts(struct queued *queued, unsigned *used)
{
	switch (queued->id) {
#define COPY_CASE(name, channel)                                                                                       \
	case EVENT_##name:                                                                                             \
		copy_##name(queued, used, &queued->event.name);                                                        \
		break;
		EVENTS(COPY_CASE)
	case EVENT_COUNT:
		break;
	}
}

static bool have_slots(void)
{
	struct slot *none = NULL, *made;

	if (atomic_load(&slots))
		return true;
	made = kernel_memory(SLOTS * sizeof *made);
	if (made && !atomic_compare_exchange_strong(&slots, &none, made))
		kernel_memory_free(made, SLOTS * sizeof *made);
	return atomic_load(&slots) != NULL;
}

static struct slot *slot_at(unsigned at)
{
	return &atomic_load_explicit(&slots, memory_order_acquire)[at % SLOTS];
}

/* The slot at `head`, now ours to fill; NULL when the queue is full, or there is no memory for it. */
static struct slot *claim(void)
{
	unsigned at = atomic_load(&head);

	if (!have_slots())
		return NULL;
	do {
		if (at - atomic_load(&tail) >= SLOTS)
			return NULL;
	} while (!atomic_compare_exchange_weak(&head, &at, at + 1));
	atomic_store(&slot_at(at)->state, SLOT_FILLING);
	return slot_at(at);
}

bool queue_put(enum event_id id, const union any_event *event, const struct identity *identity,
	       const struct accounted *accounted, const void *caller, const uint64_t *frames, uint32_t frame_count)
{
	struct slot *slot = claim();
	unsigned used = 0;

	if (!slot)
		return false;
	struct queued *queued = &slot->queued;
	queued->id = id;
	queued->event = *event;
	queued->has_identity = identity != NULL;
	queued->is_accounted = accounted != NULL;
	if (accounted)
		queued->accounted = *accounted;
	queued->caller = caller;
	enforce_hand_over(&queued->told, caller);
	if (identity) {
		queued->identity = *identity;
		if (identity->name)
			queued->identity.name = copy_text(queued, &used, identity->name);
		if (identity->link)
			queued->identity.link = copy_text(queued, &used, identity->link);
	}
	copy_texts(queued, &used);
	queued->frame_count = frame_count;
	if (frame_count)
		memcpy(queued->frames, frames, frame_count * sizeof *frames);
	atomic_store_explicit(&slot->state, SLOT_FULL, memory_order_release);
	return true;
}

bool queue_any(void)
{
	return atomic_load_explicit(&head, memory_order_relaxed) != atomic_load_explicit(&tail, memory_order_relaxed);
}

bool queue_is_filling(void)
{
	return atomic_load(&head) - atomic_load(&tail) >= SLOTS / 2;
}

unsigned queue_oldest(void)
{
	return atomic_load(&tail) | 1u << 31;
}

bool queue_settle(void (*settle)(struct queued *))
{
	unsigned at = atomic_load(&tail);

	if (!queue_any() || atomic_load_explicit(&slot_at(at)->state, memory_order_acquire) != SLOT_FULL)
		return false;
	settle(&slot_at(at)->queued);
	atomic_store(&slot_at(at)->state, SLOT_FREE);
	atomic_fetch_add(&tail, 1);
	return true;
}

void queue_reset(void)
{
	/* The others are free, and their pages are shared with the parent as long as nobody writes to them. */
	for (unsigned at = atomic_load(&tail); at != atomic_load(&head); at++)
		atomic_store(&slot_at(at)->state, SLOT_FREE);
	atomic_store(&tail, atomic_load(&head));
}
