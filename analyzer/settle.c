#include "settle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "map.h"
#include "memory.h"
#include "pages.h"
#include "trace_events.h"

/* Where a thread makes no event after such a call, that many of others are held and no more: a few megabytes. */
enum { MOST = 8192 };

struct held {
	struct trace_event event, *answer;
	struct outcome outcome;
	bool open;  /* what came of it does not show yet */
	char *rest; /* what the event leads to; the room stays for the next one */
	size_t room;
};

struct settle {
	settled_event take;
	void *context;
	struct held **ring;
	size_t first, count;
	struct held **idle; /* the one that was let go last is taken first: it is still in the processor's cache */
	size_t idle_count;
	struct map open; /* (recording, thread) -> its call that is open */
};

static const void *put(struct held *held, size_t *at, const void *from, size_t size)
{
	void *to = held->rest + *at;

	if (size)
		memcpy(to, from, size);
	*at += size;
	return to;
}

static struct frames *frames_in(struct trace_event *event, const struct trace_parts *parts, size_t i)
{
	return (void *)((char *)&event->event + parts->fields[parts->frames.all[i]].offset);
}

static const char **text_in(struct trace_event *event, const struct trace_parts *parts, size_t i)
{
	return (void *)((char *)&event->event + parts->fields[parts->texts.all[i]].offset);
}

/* What is held when the reading is over passes after it. */
static void copy_rest(struct held *held)
{
	struct trace_event *event = &held->event;
	const struct trace_parts *parts = trace_parts_of(event->id);
	size_t need = strlen(event->host) + 1, at = 0;

	for (size_t i = 0; i < parts->frames.count; i++)
		need += frames_in(event, parts, i)->count * sizeof(uint64_t);
	for (size_t i = 0; i < parts->texts.count; i++)
		need += strlen(*text_in(event, parts, i)) + 1;
	if (need > held->room) {
		held->room = need * 2;
		held->rest = memory_resize(held->rest, held->room, 1);
	}
	for (size_t i = 0; i < parts->frames.count; i++) {
		struct frames *frames = frames_in(event, parts, i);

		frames->address = put(held, &at, frames->address, frames->count * sizeof(uint64_t));
	}
	for (size_t i = 0; i < parts->texts.count; i++) {
		const char **text = text_in(event, parts, i);

		*text = put(held, &at, *text, strlen(*text) + 1);
	}
	event->host = put(held, &at, event->host, strlen(event->host) + 1);
}

static bool is_told_before(const struct trace_event *event)
{
	switch (event->id) {
#define UNLESS_FAILED(name)                                                                                            \
	case EVENT_##name:                                                                                             \
		return event->event.name.error == 0;
		UNLESS_FAILED(close)
		UNLESS_FAILED(unlink)
		UNLESS_FAILED(sem_close)
		UNLESS_FAILED(ftruncate)
		UNLESS_FAILED(fallocate)
#undef UNLESS_FAILED
	case EVENT_munmap:
	case EVENT_mremap:
	case EVENT_exec:
		return true;
	default:
		return false;
	}
}

/* Made inside of a call, and so no sign that it is over. */
static bool is_inside(const struct trace_event *event)
{
	switch (event->id) {
	case EVENT_finding:
	case EVENT_stack_definition:
	case EVENT_module:
	case EVENT_module_gone:
	case EVENT_object:
	case EVENT_lost:
		return true;
	default:
		return false;
	}
}

static uint64_t thread_of(const struct event_head *head)
{
	return (uint64_t)(uint32_t)head->pid << 32 | (uint32_t)head->tid;
}

static struct held *open_of(const struct settle *settle, const struct trace_event *event)
{
	struct held *held = map_get(&settle->open, event->event.head.recording, thread_of(&event->event.head));

	return held && !strcmp(held->event.host, event->host) ? held : NULL;
}

static void close_held(struct settle *settle, struct held *held)
{
	held->open = false;
	map_remove(&settle->open, held->event.event.head.recording, thread_of(&held->event.event.head));
}

/* A MAP_FIXED mapping over it; dup2 onto it: of one call, which has one stack. Older recordings have whole pages' lengths. */
static bool is_effect_of(const struct trace_event *event, const struct trace_event *next)
{
	const struct munmap_event *gone = &event->event.munmap;
	const struct mmap_event *made = &next->event.mmap;

	if (event->event.head.stack != next->event.head.stack)
		return false;
	if (event->id == EVENT_munmap)
		return next->id == EVENT_mmap && (made->flags & MAP_FIXED) && made->addr == gone->addr &&
		       pages_round(made->length) == pages_round(gone->length);
	return event->id == EVENT_close && next->id == EVENT_dup && next->event.dup.result == event->event.close.fd;
}

/* The thread went on, and no event says that the call failed. */
static void go_on(struct settle *settle, struct held *held, const struct trace_event *next)
{
	held->outcome.effect = next && is_effect_of(&held->event, next);
	held->outcome.unknown = held->event.id == EVENT_mremap ||
				(held->event.id == EVENT_exec && !(next && next->id == EVENT_process));
	close_held(settle, held);
}

/* A new image or the exit ends the calls of every thread. */
static void end_process(struct settle *settle, const struct trace_event *event)
{
	for (size_t i = 0; i < settle->count; i++) {
		struct held *held = settle->ring[(settle->first + i) % MOST];

		if (held->open && held->event.event.head.pid == event->event.head.pid &&
		    held->event.event.head.recording == event->event.head.recording &&
		    !strcmp(held->event.host, event->host))
			go_on(settle, held, event);
	}
}

/* Whether the event ends a call that is held. */
static bool answers(struct settle *settle, struct held *held, const struct trace_event *event)
{
	bool failed = event->id == EVENT_failed, moved = event->id == EVENT_mremapped;

	if (!held || held->answer ||
	    (moved ? event->event.mremapped.of : event->event.failed.of) != held->event.event.head.seq ||
	    moved != (held->event.id == EVENT_mremap) || !(failed || moved))
		return false;
	held->outcome.error = moved ? event->event.mremapped.error : event->event.failed.error;
	held->outcome.result = moved ? event->event.mremapped.result : 0;
	held->outcome.back = moved ? event->time : 0;
	held->outcome.answer = event->event.head.seq;
	if (failed || held->outcome.error) {
		held->answer = memory_new(1, sizeof(*held->answer));
		*held->answer = *event;
		held->answer->host = held->event.host;
	}
	/* Of an unmapping the event after it tells whose that was. */
	if (held->event.id != EVENT_munmap)
		close_held(settle, held);
	return true;
}

static struct held *held_new(struct settle *settle)
{
	return settle->idle_count ? settle->idle[--settle->idle_count] : memory_new(1, sizeof(struct held));
}

static int let_go(struct settle *settle)
{
	struct held *held = settle->ring[settle->first];
	int r;

	if (held->open)
		go_on(settle, held, NULL);
	settle->first = (settle->first + 1) % MOST;
	settle->count--;
	r = settle->take(settle->context, &held->event, &held->outcome, held->answer);
	free(held->answer);
	held->answer = NULL;
	settle->idle[settle->idle_count++] = held;
	return r;
}

static int hold(struct settle *settle, const struct trace_event *event, const struct outcome *outcome)
{
	struct held *held = settle->ring[(settle->first + settle->count++) % MOST] = held_new(settle);

	held->event = *event;
	held->outcome = *outcome;
	held->open = is_told_before(event);
	copy_rest(held);
	if (held->open)
		map_put(&settle->open, event->event.head.recording, thread_of(&event->event.head), held);
	return settle->count == MOST ? let_go(settle) : 0;
}

struct settle *settle_new(settled_event take, void *context)
{
	struct settle *settle = memory_new(1, sizeof(*settle));

	*settle = (struct settle){.take = take,
				  .context = context,
				  .ring = memory_new(MOST, sizeof(*settle->ring)),
				  .idle = memory_new(MOST, sizeof(*settle->idle))};
	return settle;
}

int settle_add(struct settle *settle, const struct trace_event *event)
{
	struct held *held = open_of(settle, event);
	/* What has moved was away until now: others may have had its new place meanwhile. */
	struct outcome outcome = {.told = answers(settle, held, event)};
	int r = 0;

	if (!outcome.told || !held->answer) {
		if (held && !outcome.told && !is_inside(event))
			go_on(settle, held, event);
		if (event->id == EVENT_exit || (event->id == EVENT_process && event->event.process.began == BEGAN_exec))
			end_process(settle, event);
		if (settle->count || is_told_before(event))
			r = hold(settle, event, &outcome);
		else
			r = settle->take(settle->context, event, &outcome, NULL);
	}
	while (r >= 0 && settle->count && !settle->ring[settle->first]->open)
		r = let_go(settle);
	return r;
}

int settle_end(struct settle *settle)
{
	int r = 0;

	while (r >= 0 && settle->count)
		r = let_go(settle);
	return r;
}

static void held_free(struct held *held)
{
	free(held->answer);
	free(held->rest);
	free(held);
}

void settle_free(struct settle *settle)
{
	for (; settle->count; settle->count--, settle->first = (settle->first + 1) % MOST)
		held_free(settle->ring[settle->first]);
	while (settle->idle_count)
		held_free(settle->idle[--settle->idle_count]);
	map_clear(&settle->open);
	free(settle->ring);
	free(settle->idle);
	free(settle);
}
