/*
 * The preflight: metadata of any bytes, and a stream file of any bytes under the metadata of a known trace. The first
 * byte says which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/trace_layout.h"
#include "analyzer/trace_metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at;
	size_t size;
	uint64_t packets;
};

static bool read_bytes(void *context, uint64_t at, void *to, size_t length)
{
	const struct bytes *bytes = context;

	if (at > bytes->size || length > bytes->size - at)
		return false;
	memcpy(to, bytes->at + at, length);
	return true;
}

static bool keep(void *context, const struct packet *packet)
{
	struct bytes *bytes = context;

	return (bytes->packets++ + packet->number) % 3 != 0;
}

static void look_at_metadata(const uint8_t *data, size_t size)
{
	struct metadata metadata;
	struct layout layout;

	if (metadata_parse(data, size, &metadata) == NULL) {
		layout_parse(metadata.text, &layout);
		layout_clear(&layout);
	}
	metadata_clear(&metadata);
}

static void look_at_stream(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size, 0};
	const struct packet_source source = {&bytes, read_bytes, keep, NULL};
	struct packet_kind kind = {.streams = 5};
	struct packet_ranges ranges = {0};
	uint64_t lost, whole = 0;

	/* The UUID is the file's own: nothing else could be found by chance. */
	if (size >= 20)
		memcpy(kind.uuid, data + 4, 16);
	lost = packets_scan(&source, size, &kind, &ranges);
	for (size_t i = 0; i < ranges.count; i++) {
		if (ranges.all[i].from >= ranges.all[i].until || ranges.all[i].until > size)
			abort();
		whole += ranges.all[i].until - ranges.all[i].from;
	}
	if (whole + lost > size)
		abort();
	free(ranges.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'm')
		look_at_metadata(data + 1, size - 1);
	else
		look_at_stream(data + 1, size - 1);
	return 0;
}
