/* A packet of LTTng's with holes of every kind: what was committed comes out of it, and only that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/mend.h"
#include "analyzer/trace_decode.h"

enum { RECORDING = 0x5eed, MOST = 40000, STEP = 1000 };

static int number, failures;

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static struct piece pieces[TRACE_FIELDS_MAX];
static struct event_layout munmap_layout = {
	.described = true, .id = EVENT_munmap, .ours = true, .pieces = pieces, .complete = true};
static const struct stream_layout stream = {.described = true, .events = &munmap_layout, .count = 1};

/* A packet that is being made: events of a fixed length, and which of them were not committed. */
static unsigned char *bytes;
static struct mend_packet packet;
static size_t length;

static void describe(void)
{
	const struct trace_field *fields = trace_fields_of(EVENT_munmap, &munmap_layout.count, NULL);

	length = 4;
	for (size_t i = 0; i < munmap_layout.count; i++) {
		pieces[i] = (struct piece){
			.kind = PIECE_integer, .size = (uint8_t)fields[i].size, .wanted = true, .to = fields[i]};
		length += fields[i].size;
	}
}

/* Event `which` is of thread 1 + which % threads, all of one process. */
static void put(size_t which, unsigned threads)
{
	union any_event event = {.munmap = {.recording = RECORDING,
					    .pid = 1,
					    .tid = (int32_t)(1 + which % threads),
					    .seq = (uint32_t)which + 1,
					    .addr = 0x7f0000000000,
					    .length = 4096,
					    .object = 1}};
	uint32_t header = (uint32_t)((which + 1) * STEP) << 5;
	unsigned char *at = bytes + which * length;

	memcpy(at, &header, sizeof(header));
	at += sizeof(header);
	for (size_t i = 0; i < munmap_layout.count; i++) {
		memcpy(at, (const char *)&event + pieces[i].to.offset, pieces[i].size);
		at += pieces[i].size;
	}
}

static void begin(size_t events, unsigned threads)
{
	free(bytes);
	bytes = malloc(events * length);
	if (!bytes)
		exit(1);
	for (size_t i = 0; i < events; i++)
		put(i, threads);
	packet = (struct mend_packet){.stream = &stream,
				      .bytes = bytes,
				      .size = events * length,
				      .whole = events * length,
				      .end = UINT64_C(1) << 50};
}

/* Nothing of event `which` was committed, of which the first `written` bytes are there. */
static void tear(size_t which, size_t written)
{
	memset(bytes + which * length + written, 0, length - written);
	packet.missing += length;
	if (which * length < packet.whole)
		packet.whole = which * length;
}

/* Does the mended packet have all events but those of which `torn` has the numbers, each at its time? */
static bool has_all_but(const size_t *torn, size_t count, bool *certain)
{
	unsigned char *to = malloc(packet.size);
	struct decoding decoding = {.stream = &stream, .at = to};
	union any_event event;
	enum event_id id;
	bool good = true;

	if (!to)
		exit(1);
	decoding.end = to + mend_holes(&packet, to, certain);
	for (size_t i = 0; good && i < packet.size / length; i++) {
		if (count && *torn == i) {
			torn++, count--;
			continue;
		}
		good = decode_next(&decoding, &id, &event) == DECODED_event && event.munmap.seq == i + 1 &&
		       event.munmap.length == 4096 && decoding.clock == (i + 1) * STEP;
	}
	good = good && decode_next(&decoding, &id, &event) == DECODED_end;
	free(to);
	return good;
}

#define ALL_BUT(certain, ...)                                                                                          \
	has_all_but((const size_t[]){__VA_ARGS__}, sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t), certain)

static void check_one(void)
{
	bool certain;

	begin(100, 3);
	check(has_all_but(NULL, 0, &certain) && certain, "without a hole all of it is there");
	tear(40, 0);
	check(ALL_BUT(&certain, 40) && certain, "a hole that nobody wrote to");
	begin(100, 3);
	tear(40, 30);
	check(ALL_BUT(&certain, 40) && certain, "half an event");
	begin(100, 3);
	tear(40, length);
	check(ALL_BUT(&certain, 40) && certain, "a whole one that was not committed");
	begin(100, 3);
	memset(bytes + 40 * length, 0xff, length);
	tear(40, length);
	check(ALL_BUT(&certain, 40) && certain, "what lay there before");
	begin(100, 3);
	tear(0, 0);
	check(ALL_BUT(&certain, 0) && certain, "at the beginning");
	begin(100, 3);
	tear(99, 7);
	check(ALL_BUT(&certain, 99) && certain, "at the end");
}

static void check_several(void)
{
	bool certain;

	begin(1000, 5);
	tear(100, 0), tear(101, 9), tear(500, 0), tear(999, 20);
	check(ALL_BUT(&certain, 100, 101, 500, 999) && certain, "four holes, two of them side by side");
	begin(1000, 5);
	tear(997, 24), tear(998, 0), tear(999, 24);
	check(ALL_BUT(&certain, 997, 998, 999) && certain, "three at the end");
	begin(MOST, 7);
	tear(10, 0), tear(MOST - 10, 0);
	check(ALL_BUT(&certain, 10, MOST - 10) && certain, "two far apart, as long as one another");
	begin(MOST, 1);
	tear(MOST - 1, 0);
	packet.whole = 0;
	check(ALL_BUT(&certain, MOST - 1) && certain, "all behind the last that is known to be whole");
	/* The thread that died in it has no event after it. */
	begin(1000, 4);
	put(900, 1000);
	tear(900, 36), tear(999, 0);
	check(ALL_BUT(&certain, 900, 999) && certain, "one that looks like an event, whose thread did nothing more");
}

static void check_times(void)
{
	uint64_t late = UINT64_C(3) << 40;
	unsigned char header[ENCODED_HEADER_MAX];
	struct decoding decoding = {.stream = &stream};
	union any_event event;
	enum event_id id;
	bool certain;

	/* The torn one told the time in full; the one after it only how it goes on. */
	begin(3, 1);
	memcpy(bytes + length, header, encode_header(&stream, 0, late, header));
	tear(1, 13);
	memcpy(bytes + length, header, 13);
	unsigned char to[3 * 100];
	decoding.end = to + mend_holes(&packet, to, &certain);
	decoding.at = to;
	decode_next(&decoding, &id, &event);
	decode_next(&decoding, &id, &event);
	check(certain && event.munmap.seq == 3 && decoding.clock == late + 3 * STEP,
	      "the time of what follows is that of the event that was to be there");
}

static void check_damage(void)
{
	unsigned char *to;
	bool certain;
	size_t size;

	begin(1000, 3);
	tear(500, 0);
	memset(bytes + 700 * length, 0xff, length);
	to = malloc(packet.size);
	if (!to)
		exit(1);
	size = mend_holes(&packet, to, &certain);
	check(!certain && size == 500 * length && memcmp(to, bytes, size) == 0,
	      "what does not add up is said, and what is before it is there");
	for (unsigned seed = 0; seed < 200; seed++) {
		srand(seed);
		begin(50, 3);
		for (int i = 0; i < 200; i++)
			bytes[(size_t)rand() % packet.size] = (unsigned char)rand();
		packet.missing = (size_t)rand() % packet.size;
		packet.whole = (size_t)rand() % packet.size;
		size = mend_holes(&packet, to, &certain);
		if (size > packet.size)
			break;
	}
	check(size <= packet.size, "damage of every kind is survived");
	free(to);
}

int main(void)
{
	describe();
	check_one();
	check_several();
	check_times();
	check_damage();
	free(bytes);
	printf("1..%d\n", number);
	return failures != 0;
}
