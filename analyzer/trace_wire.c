#include "trace_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "trace_events.h"

enum { WIRE_host = 1, WIRE_an_event, WIRE_a_progress, WIRE_the_end = 8, WIRE_a_share };

#define TELL_EVERY 100000000

/* Every message begins so, and is as long as a multiple of 8. */
struct message {
	uint32_t size, type;
};

struct event_message {
	struct message head;
	int64_t time;
	uint32_t id, host;
	/* The event's struct, then its frames, then its texts with their NULs. */
};

struct progress_message {
	struct message head;
	uint64_t done, total;
};

struct share_message {
	struct message head;
	uint64_t bytes, missing, skipped;
	/* Then the path with its NUL. */
};

struct end_message {
	struct message head;
	int64_t result;
	struct trace_totals totals;
};

#define EVENT_SIZE(event, channel) sizeof(struct event##_event),
static const size_t event_sizes[] = {EVENTS(EVENT_SIZE)};

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

void wire_open(struct wire_out *out, int fd)
{
	*out = (struct wire_out){.fd = fd, .buffer = memory_resize(NULL, 2, WIRE_MESSAGE_MAX)};
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void wire_rescue(struct wire_out *out)
{
	/* When nobody reads any more, that ends us. */
	while (out->sent < out->used) {
		ssize_t written = write(out->fd, out->buffer + out->sent, out->used - out->sent);

		if (written > 0)
			out->sent += (size_t)written;
		else if (errno != EINTR)
			_exit(1);
	}
}

/*
 * A signal handler that came when the kernel has taken a part of it, and write(2) has not yet said how much, would send
 * that part once more. Signals wait: a crash is none in there.
 */
static void flush(struct wire_out *out)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	wire_rescue(out);
	out->used = out->sent = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Room for the longest message. */
static unsigned char *room(struct wire_out *out)
{
	if (out->used > WIRE_MESSAGE_MAX)
		flush(out);
	return out->buffer + out->used;
}

static void finish(struct wire_out *out, uint32_t type, size_t size)
{
	const struct message head = {(uint32_t)round_up(size), type};
	unsigned char *at = out->buffer + out->used;

	memset(at + size, 0, head.size - size);
	memcpy(at, &head, sizeof(head));
	/* A handler sends whole messages alone. */
	atomic_signal_fence(memory_order_release);
	out->used += head.size;
}

/* Behind the message's own struct, of `size` bytes. */
static void put_text_after(struct wire_out *out, uint32_t type, size_t size, const char *text)
{
	size_t length = strnlen(text, WIRE_TEXT_MAX);
	unsigned char *at = room(out) + size;

	memcpy(at, text, length);
	at[length] = 0;
	finish(out, type, size + length + 1);
}

static void put_text(struct wire_out *out, uint32_t type, const char *text)
{
	put_text_after(out, type, sizeof(struct message), text);
}

static uint32_t host_index(struct wire_out *out, const char *host)
{
	if (host == out->last)
		return out->last_index;
	out->last = host;
	for (out->last_index = 0; out->last_index < out->host_count; out->last_index++)
		if (strcmp(out->hosts[out->last_index], host) == 0)
			return out->last_index;
	out->hosts = memory_grow(out->hosts, out->host_count, sizeof(*out->hosts));
	out->hosts[out->host_count++] = memory_text(host);
	put_text(out, WIRE_host, host);
	return out->last_index;
}

void wire_event(struct wire_out *out, const struct trace_event *event)
{
	struct event_message message = {.time = event->time, .id = event->id, .host = host_index(out, event->host)};
	const struct trace_parts *parts = trace_parts_of(event->id);
	size_t at = round_up(sizeof(message) + event_sizes[event->id]);
	const char *from = (const char *)&event->event;
	unsigned char *to = room(out);

	memcpy(to, &message, sizeof(message));
	memcpy(to + sizeof(message), from, event_sizes[event->id]);
	for (size_t i = 0; i < parts->frames.count; i++) {
		const struct frames *frames = (const void *)(from + parts->fields[parts->frames.all[i]].offset);

		if (frames->count)
			memcpy(to + at, frames->address, frames->count * sizeof(*frames->address));
		at += frames->count * sizeof(*frames->address);
	}
	for (size_t i = 0; i < parts->texts.count; i++) {
		const char *text = *(const char *const *)(from + parts->fields[parts->texts.all[i]].offset);
		size_t length = strnlen(text, WIRE_TEXT_MAX);

		memcpy(to + at, text, length);
		to[at + length] = 0;
		at += length + 1;
	}
	finish(out, WIRE_an_event, at);
}

void wire_text(struct wire_out *out, enum wire_text type, const char *text)
{
	put_text(out, type, text);
	flush(out);
}

void wire_share(struct wire_out *out, const struct trace_share *share)
{
	const struct share_message message = {
		.bytes = share->bytes, .missing = share->missing, .skipped = share->skipped};

	memcpy(room(out), &message, sizeof(message));
	put_text_after(out, WIRE_a_share, sizeof(message), share->path);
	flush(out);
}

void wire_progress(struct wire_out *out, uint64_t done, uint64_t total)
{
	const struct progress_message message = {.done = done, .total = total};

	if (now() - out->told < TELL_EVERY)
		return;
	out->told = now();
	memcpy(room(out), &message, sizeof(message));
	finish(out, WIRE_a_progress, sizeof(message));
	flush(out);
}

void wire_end(struct wire_out *out, int result, const struct trace_totals *totals)
{
	const struct end_message message = {.result = result, .totals = *totals};

	memcpy(room(out), &message, sizeof(message));
	finish(out, WIRE_the_end, sizeof(message));
	flush(out);
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void wire_close(struct wire_out *out)
{
	free_texts(out->hosts, out->host_count);
	free(out->buffer);
}

void wire_in_open(struct wire_in *in)
{
	*in = (struct wire_in){.buffer = memory_resize(NULL, 1, WIRE_IN_SIZE)};
}

void wire_in_close(struct wire_in *in)
{
	free_texts(in->hosts, in->host_count);
	free(in->buffer);
}

/* The event's pointers, which are the child's, led to what follows its struct. */
static bool event_bind(struct trace_event *event, const unsigned char *rest, size_t size)
{
	const struct trace_parts *parts = trace_parts_of(event->id);
	char *to = (char *)&event->event;
	size_t at = 0;

	for (size_t i = 0; i < parts->frames.count; i++) {
		struct frames *frames = (void *)(to + parts->fields[parts->frames.all[i]].offset);

		if (frames->count > WIRE_FRAMES_MAX || frames->count * sizeof(uint64_t) > size - at)
			return false;
		frames->address = (const uint64_t *)(const void *)(rest + at);
		at += frames->count * sizeof(uint64_t);
	}
	for (size_t i = 0; i < parts->texts.count; i++) {
		const unsigned char *end = at < size ? memchr(rest + at, 0, size - at) : NULL;

		if (end == NULL)
			return false;
		*(const char **)(void *)(to + parts->fields[parts->texts.all[i]].offset) = (const char *)rest + at;
		at = (size_t)(end - rest) + 1;
	}
	return true;
}

static int take_event(const struct wire_in *in, const unsigned char *bytes, size_t size, const struct wire_taker *taker)
{
	struct trace_event event;
	struct event_message message;
	size_t from;

	if (size < sizeof(message))
		return WIRE_nonsense;
	memcpy(&message, bytes, sizeof(message));
	if (message.id >= EVENT_COUNT || message.host >= in->host_count)
		return WIRE_nonsense;
	from = round_up(sizeof(message) + event_sizes[message.id]);
	if (size < from)
		return WIRE_nonsense;
	event.id = (enum event_id)message.id;
	event.time = message.time;
	event.host = in->hosts[message.host];
	memcpy(&event.event, bytes + sizeof(message), event_sizes[message.id]);
	if (!event_bind(&event, bytes + from, size - from))
		return WIRE_nonsense;
	trace_event_tame(&event);
	return taker->event(taker->context, &event);
}

static int take_text(struct wire_in *in, uint32_t type, const char *text, size_t size, const struct wire_taker *taker)
{
	if (memchr(text, 0, size) == NULL)
		return WIRE_nonsense;
	if (type != WIRE_host) {
		taker->text(taker->context, (enum wire_text)type, text);
		return 0;
	}
	in->hosts = memory_grow(in->hosts, in->host_count, sizeof(*in->hosts));
	in->hosts[in->host_count++] = memory_text(text);
	return 0;
}

static int take_share(const unsigned char *bytes, size_t size, const struct wire_taker *taker)
{
	struct share_message message;
	const char *path = (const char *)bytes + sizeof(message);

	if (size <= sizeof(message) || memchr(path, 0, size - sizeof(message)) == NULL)
		return WIRE_nonsense;
	memcpy(&message, bytes, sizeof(message));
	taker->share(taker->context, &(struct trace_share){.path = (char *)(uintptr_t)path,
							   .bytes = message.bytes,
							   .missing = message.missing,
							   .skipped = message.skipped});
	return 0;
}

static int take_message(struct wire_in *in, const struct message *head, const unsigned char *bytes,
			const struct wire_taker *taker)
{
	struct progress_message progress;
	struct end_message end;

	switch (head->type) {
	case WIRE_an_event:
		return take_event(in, bytes, head->size, taker);
	case WIRE_host:
	case WIRE_problem:
	case WIRE_error:
	case WIRE_copies:
	case WIRE_refused:
		return take_text(in, head->type, (const char *)bytes + sizeof(*head), head->size - sizeof(*head),
				 taker);
	case WIRE_a_progress:
		if (head->size != sizeof(progress))
			return WIRE_nonsense;
		memcpy(&progress, bytes, sizeof(progress));
		taker->progress(taker->context, progress.done, progress.total);
		return 0;
	case WIRE_a_share:
		return take_share(bytes, head->size, taker);
	case WIRE_the_end:
		if (head->size != sizeof(end))
			return WIRE_nonsense;
		memcpy(&end, bytes, sizeof(end));
		end.totals.problems = NULL;
		end.totals.problem_count = 0;
		end.totals.shares = NULL;
		end.totals.share_count = 0;
		taker->end(taker->context, (int)end.result, &end.totals);
		return 0;
	default:
		return WIRE_nonsense;
	}
}

int wire_take(struct wire_in *in, const struct wire_taker *taker)
{
	size_t at = 0;
	int result = 0;

	while (result == 0 && in->used - at >= sizeof(struct message)) {
		struct message head;

		memcpy(&head, in->buffer + at, sizeof(head));
		if (head.size < sizeof(head) || head.size % 8 || head.size > WIRE_MESSAGE_MAX)
			return WIRE_nonsense;
		if (head.size > in->used - at)
			break;
		result = take_message(in, &head, in->buffer + at, taker);
		at += head.size;
	}
	memmove(in->buffer, in->buffer + at, in->used - at);
	in->used -= at;
	return result;
}
