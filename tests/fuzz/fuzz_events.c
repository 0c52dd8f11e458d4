/*
 * What a packet of any bytes decodes to, and the pipe between the two processes: every event that the decoder gives is
 * sent and taken, and any bytes at all are taken from the pipe. The first byte says which. The layout is that of a
 * canned trace, SHMGUARD_METADATA.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/trace_decode.h"
#include "analyzer/trace_metadata.h"
#include "analyzer/trace_packets.h"
#include "analyzer/trace_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t weight;

/* Reads every byte of the event, so that a sanitizer sees a pointer that leads nowhere. */
static int take_event(void *context, const struct trace_event *event)
{
	size_t count;
	const struct trace_field *fields = trace_fields_of(event->id, &count, NULL);

	(void)context;
	weight += strlen(event->host);
	for (size_t i = 0; i < count; i++) {
		const char *at = (const char *)&event->event + fields[i].offset;

		if (fields[i].form == FORM_text) {
			weight += strlen(*(const char *const *)(const void *)at);
		} else if (fields[i].form == FORM_frames) {
			const struct frames *frames = (const void *)at;

			for (uint32_t j = 0; j < frames->count; j++)
				weight += frames->address[j];
		}
	}
	return 0;
}

static void take_text(void *context, enum wire_text type, const char *text)
{
	(void)context, (void)type;
	weight += strlen(text);
}

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	weight += done + total;
}

static void take_end(void *context, int result, const struct trace_totals *totals)
{
	(void)context, (void)result;
	weight += totals->events;
}

static void take_share(void *context, const struct trace_share *share)
{
	(void)context;
	weight += strlen(share->path) + share->bytes + share->missing + share->skipped;
}

static const struct wire_taker taker = {NULL, take_event, take_text, take_progress, take_end, take_share};

static const struct layout *layout(void)
{
	static struct layout known;
	static bool made;
	struct metadata metadata;
	static char bytes[1 << 20];
	FILE *file;

	if (made)
		return &known;
	file = fopen(SHMGUARD_METADATA, "r");
	if (file == NULL || metadata_parse(bytes, fread(bytes, 1, sizeof(bytes), file), &metadata) ||
	    !layout_parse(metadata.text, &known))
		abort();
	fclose(file);
	metadata_clear(&metadata);
	made = true;
	return &known;
}

static void decode(const uint8_t *data, size_t size)
{
	struct stream_layout stream = layout()->streams[0];
	struct decoding decoding = {.stream = &stream, .at = data, .end = data + size};
	struct trace_event event = {.host = "host"};
	enum decoded decoded;

	stream.large = size % 2;
	while ((decoded = decode_next(&decoding, &event.id, &event.event)) < DECODED_end)
		if (decoded == DECODED_event)
			take_event(NULL, &event);
}

static void take_bytes(const uint8_t *data, size_t size)
{
	struct wire_in in;

	wire_in_open(&in);
	in.used = size < WIRE_IN_SIZE ? size : WIRE_IN_SIZE;
	memcpy(in.buffer, data, in.used);
	wire_take(&in, &taker);
	wire_in_close(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'w')
		take_bytes(data + 1, size - 1);
	else
		decode(data + 1, size - 1);
	return 0;
}
