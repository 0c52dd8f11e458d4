#include "trace_decode.h"

#include <string.h>

#define COMPACT_BITS 5
#define COMPACT_EXTENDED 31u
#define LARGE_EXTENDED 65535u

static bool has(const struct decoding *decoding, size_t size)
{
	return (size_t)(decoding->end - decoding->at) >= size;
}

/* An integer of 1, 2, 4 or 8 bytes in little-endian order, which is ours. */
static uint64_t integer_at(const unsigned char *at, size_t size)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof(two));
		return two;
	case 4:
		memcpy(&four, at, sizeof(four));
		return four;
	default:
		memcpy(&eight, at, sizeof(eight));
		return eight;
	}
}

static uint64_t extended(uint64_t value, size_t size, bool is_signed)
{
	unsigned bits = 64 - 8 * (unsigned)size;

	return is_signed ? (uint64_t)((int64_t)(value << bits) >> bits) : value;
}

/* The clock's next value whose lowest `bits` are these. */
static void advance(struct decoding *decoding, uint64_t low, unsigned bits)
{
	uint64_t range = (uint64_t)1 << bits, past = decoding->clock & (range - 1);

	decoding->clock += low >= past ? low - past : range + low - past;
}

bool decode_header(struct decoding *decoding, uint64_t *id, bool *full)
{
	bool large = decoding->stream->large;
	size_t size = large ? 6 : 4, before = large ? 2 : 1;

	if (!has(decoding, size))
		return false;
	if (large) {
		*id = integer_at(decoding->at, 2);
		if (*id != LARGE_EXTENDED)
			advance(decoding, integer_at(decoding->at + 2, 4), 32);
	} else {
		uint64_t word = integer_at(decoding->at, 4);

		*id = word & COMPACT_EXTENDED;
		if (*id != COMPACT_EXTENDED)
			advance(decoding, word >> COMPACT_BITS, 32 - COMPACT_BITS);
	}
	*full = *id == (large ? LARGE_EXTENDED : COMPACT_EXTENDED);
	if (*full) {
		size = before + 12;
		if (!has(decoding, size))
			return false;
		*id = integer_at(decoding->at + before, 4);
		decoding->clock = integer_at(decoding->at + before + 4, 8);
	}
	decoding->at += size;
	return true;
}

size_t encode_header(const struct stream_layout *stream, uint64_t number, uint64_t clock, unsigned char *to)
{
	uint32_t id = (uint32_t)number;
	uint16_t mark = stream->large ? LARGE_EXTENDED : COMPACT_EXTENDED;
	size_t before = stream->large ? 2 : 1;

	memcpy(to, &mark, before);
	memcpy(to + before, &id, sizeof(id));
	memcpy(to + before + sizeof(id), &clock, sizeof(clock));
	return before + sizeof(id) + sizeof(clock);
}

static bool take_integer(struct decoding *decoding, const struct piece *piece, void *to)
{
	uint64_t value;

	if (!has(decoding, piece->size))
		return false;
	if (piece->wanted) {
		value = extended(integer_at(decoding->at, piece->size), piece->size, piece->is_signed);
		trace_put_integer(to, piece->to.size, value);
	}
	decoding->at += piece->size;
	return true;
}

static bool take_text(struct decoding *decoding, const struct piece *piece, void *to)
{
	const unsigned char *end = memchr(decoding->at, 0, (size_t)(decoding->end - decoding->at));

	if (end == NULL)
		return false;
	if (piece->wanted)
		*(const char **)to = (const char *)decoding->at;
	decoding->at = end + 1;
	return true;
}

static bool take_frames(struct decoding *decoding, const struct piece *piece, void *to)
{
	uint64_t count;
	struct frames *frames = to;

	if (!has(decoding, piece->size))
		return false;
	count = integer_at(decoding->at, piece->size);
	decoding->at += piece->size;
	if (count > (size_t)(decoding->end - decoding->at) / piece->element)
		return false;
	if (piece->wanted) {
		frames->count = (uint32_t)(count < DECODE_FRAMES_MAX ? count : DECODE_FRAMES_MAX);
		frames->address = decoding->frames;
		memcpy(decoding->frames, decoding->at, frames->count * sizeof(uint64_t));
	}
	decoding->at += count * piece->element;
	return true;
}

static bool payload(struct decoding *decoding, const struct event_layout *layout, union any_event *event)
{
	bool good = true;

	for (size_t i = 0; good && i < layout->count; i++) {
		const struct piece *piece = &layout->pieces[i];
		void *to = (char *)event + piece->to.offset;

		if (piece->kind == PIECE_integer)
			good = take_integer(decoding, piece, to);
		else if (piece->kind == PIECE_text)
			good = take_text(decoding, piece, to);
		else
			good = take_frames(decoding, piece, to);
	}
	return good;
}

/* What a trace of an older version does not have is 0 or "". */
static void defaults(enum event_id id, union any_event *event)
{
	size_t count;
	const struct trace_field *fields = trace_fields_of(id, &count, NULL);

	memset(event, 0, sizeof(*event));
	for (size_t i = 0; i < count; i++)
		if (fields[i].form == FORM_text)
			*(const char **)(void *)((char *)event + fields[i].offset) = "";
}

enum decoded decode_next(struct decoding *decoding, enum event_id *id, union any_event *event)
{
	const struct event_layout *layout;
	uint64_t number;
	bool full;

	if (decoding->at == decoding->end)
		return DECODED_end;
	if (!decode_header(decoding, &number, &full) || number >= decoding->stream->count ||
	    !decoding->stream->events[number].described)
		return DECODED_damaged;
	layout = &decoding->stream->events[number];
	*id = layout->id;
	if (*id != EVENT_COUNT && !layout->complete)
		defaults(*id, event);
	if (!payload(decoding, layout, event))
		return DECODED_damaged;
	if (*id != EVENT_COUNT)
		return DECODED_event;
	return layout->ours ? DECODED_unknown : DECODED_foreign;
}
