#include "analyzer/mend.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"
#include "analyzer/trace_decode.h"

/* A process of many threads may die in the midst of an event in each. */
#define HOLES_MAX 64
#define RECORDINGS_MAX 32
/* Events looked at: a packet has some 50,000, and most attempts end with the first. */
#define WORK_MAX 2000000

/* An event, or a hole. */
struct span {
	size_t at, size;
	uint64_t clock; /* of the event */
	uint64_t thread;
	size_t zeroes; /* how many bytes at the event's end are 0 */
	bool hole;
};

struct mending {
	const struct mend_packet *packet;
	struct span *spans;
	size_t count;
	unsigned holes;
	uint32_t recordings[RECORDINGS_MAX]; /* whose events were found before the first hole */
	unsigned recording_count;
	uint64_t work;
};

static bool is_recording(struct mending *mending, uint32_t recording, bool learn)
{
	for (unsigned i = 0; i < mending->recording_count; i++)
		if (mending->recordings[i] == recording)
			return true;
	if (!recording || !learn || mending->recording_count == RECORDINGS_MAX)
		return false;
	mending->recordings[mending->recording_count++] = recording;
	return true;
}

static size_t zeroes_before(const unsigned char *end, size_t size)
{
	size_t count = 0;

	while (count < size && end[-1 - (ptrdiff_t)count] == 0)
		count++;
	return count;
}

/* The event at `at`, where the clock says `clock`; false: there is none that could be right. */
static bool take(struct mending *mending, size_t at, uint64_t clock, struct span *span)
{
	const struct mend_packet *packet = mending->packet;
	struct decoding decoding = {.stream = packet->stream,
				    .at = packet->bytes + at,
				    .end = packet->bytes + packet->size,
				    .clock = clock};
	const struct event_head *head;
	union any_event event;
	enum event_id id;

	if (mending->work++ > WORK_MAX || decode_next(&decoding, &id, &event) != DECODED_event)
		return false;
	head = (const struct event_head *)&event;
	if (head->pid <= 0 || head->tid <= 0 || decoding.clock < clock || decoding.clock > packet->end ||
	    !is_recording(mending, head->recording, at < packet->whole || !packet->whole))
		return false;
	*span = (struct span){.at = at,
			      .size = (size_t)(decoding.at - packet->bytes) - at,
			      .clock = decoding.clock,
			      .thread = (uint64_t)(uint32_t)head->pid << 32 | (uint32_t)head->tid,
			      .zeroes = zeroes_before(decoding.at, (size_t)(decoding.at - packet->bytes) - at)};
	return true;
}

/* Are there events only from here to the end? */
static bool runs_out(struct mending *mending, size_t at, uint64_t clock)
{
	struct span span;

	while (at < mending->packet->size) {
		if (!take(mending, at, clock, &span))
			return false;
		at += span.size;
		clock = span.clock;
	}
	return true;
}

static void add(struct mending *mending, const struct span *span)
{
	mending->spans = memory_grow(mending->spans, mending->count, sizeof(*mending->spans));
	mending->spans[mending->count++] = *span;
}

/* The header of what was to become an event tells the time of it, unless it is told by its lowest bits only. */
static uint64_t clock_after(const struct mend_packet *packet, size_t hole, uint64_t clock)
{
	struct decoding decoding = {.stream = packet->stream,
				    .at = packet->bytes + hole,
				    .end = packet->bytes + packet->size,
				    .clock = clock};
	uint64_t number;
	bool full;

	return decode_header(&decoding, &number, &full) && full && decoding.clock >= clock &&
			       decoding.clock <= packet->end
		       ? decoding.clock
		       : clock;
}

static bool account(struct mending *mending, size_t at, uint64_t clock, size_t missing);

/* One hole of `size` bytes at `at`, and after it all adds up; else nothing is found. */
static bool account_hole(struct mending *mending, size_t at, uint64_t clock, size_t size, size_t missing)
{
	size_t count = mending->count;

	if (mending->holes == HOLES_MAX)
		return false;
	mending->holes++;
	add(mending, &(struct span){.at = at, .size = size, .hole = true});
	if (account(mending, at + size, clock_after(mending->packet, at, clock), missing - size))
		return true;
	mending->count = count;
	mending->holes--;
	return false;
}

/* Is there an event that ends where the hole would, of a thread that did something later? Then there are more holes. */
static bool swallows_one(struct mending *mending, size_t at, uint64_t clock, size_t missing)
{
	struct span inner, later;

	for (size_t size = 1; size < missing; size++) {
		if (!take(mending, at + size, clock, &inner) || inner.at + inner.size != at + missing)
			continue;
		clock = inner.clock;
		for (size_t next = at + missing; take(mending, next, clock, &later);
		     next += later.size, clock = later.clock)
			if (later.thread == inner.thread)
				return true;
		return false;
	}
	return false;
}

/* All that is missing in one hole. */
static bool account_one(struct mending *mending, size_t at, uint64_t clock, size_t missing)
{
	uint64_t after = clock_after(mending->packet, at, clock);

	return missing && missing <= mending->packet->size - at && runs_out(mending, at + missing, after) &&
	       !swallows_one(mending, at, after, missing) && account_hole(mending, at, clock, missing, missing);
}

/*
 * Finds the events from `at` on, of which `missing` bytes at most are in holes. False: no account of it adds up. Mostly there
 * is one hole, where what is whole ends; else a hole is where there is no event.
 */
static bool account(struct mending *mending, size_t at, uint64_t clock, size_t missing)
{
	const struct mend_packet *packet = mending->packet;
	struct span span;

	for (; at < packet->size; at += span.size, clock = span.clock) {
		if (at == packet->whole && account_one(mending, at, clock, missing))
			return true;
		if (!take(mending, at, clock, &span))
			break;
		add(mending, &span);
	}
	if (at == packet->size || (at != packet->whole && account_one(mending, at, clock, missing)))
		return true;
	for (size_t size = 1; size <= missing && size <= packet->size - at && mending->work < WORK_MAX; size++)
		if ((at + size == packet->size || take(mending, at + size, clock_after(packet, at, clock), &span)) &&
		    account_hole(mending, at, clock, size, missing))
			return true;
	return false;
}

static bool is_last_of_thread(const struct mending *mending, size_t which)
{
	for (size_t i = which + 1; i < mending->count; i++)
		if (mending->spans[i].thread == mending->spans[which].thread)
			return false;
	return true;
}

/*
 * What of `missing` is in no hole was written to where it looks like an event: the last one of a thread that is dead. Of
 * several that have the length those go first that end with most zeroes, which nobody has written yet.
 */
static size_t drop_unfinished(struct mending *mending, size_t missing)
{
	for (size_t dropped = 1; missing && dropped;) {
		struct span *worst = NULL;

		for (size_t i = mending->count; i-- > 0 && mending->spans[i].at >= mending->packet->whole;) {
			struct span *span = &mending->spans[i];

			if (!span->hole && span->size <= missing && (!worst || span->zeroes > worst->zeroes) &&
			    is_last_of_thread(mending, i))
				worst = span;
		}
		dropped = worst ? worst->size : 0;
		if (worst)
			worst->hole = true;
		missing -= dropped;
	}
	return missing;
}

/* The first event after a hole tells the time in full, as its own may count from that of the event that was to be there. */
static size_t copy_spans(const struct mending *mending, unsigned char *to)
{
	const struct mend_packet *packet = mending->packet;
	size_t length = 0;

	for (size_t i = 0; i < mending->count; i++) {
		const struct span *span = &mending->spans[i];
		struct decoding decoding = {.stream = packet->stream,
					    .at = packet->bytes + span->at,
					    .end = packet->bytes + span->at + span->size};
		uint64_t number;
		bool full = false;

		if (span->hole)
			continue;
		if (i && mending->spans[i - 1].hole && length + ENCODED_HEADER_MAX <= span->at &&
		    decode_header(&decoding, &number, &full) && !full)
			length += encode_header(packet->stream, number, span->clock, to + length);
		else
			decoding.at = packet->bytes + span->at;
		memcpy(to + length, decoding.at, (size_t)(decoding.end - decoding.at));
		length += (size_t)(decoding.end - decoding.at);
	}
	return length;
}

size_t mend_holes(const struct mend_packet *packet, unsigned char *to, bool *certain)
{
	struct mending mending = {.packet = packet};
	size_t length = packet->whole, missing = packet->missing;

	*certain = account(&mending, 0, packet->begin, missing);
	if (*certain) {
		for (size_t i = 0; i < mending.count; i++)
			missing -= mending.spans[i].hole ? mending.spans[i].size : 0;
		*certain = drop_unfinished(&mending, missing) == 0;
		length = copy_spans(&mending, to);
	} else {
		memcpy(to, packet->bytes, packet->whole);
	}
	free(mending.spans);
	return length;
}
