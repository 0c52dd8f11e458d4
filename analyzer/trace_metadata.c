#include "trace_metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define METADATA_MAGIC 0x75d11d57u

/* A metadata packet: its header's length, and where the sizes in bits stand. */
#define METADATA_HEADER 37
#define METADATA_CONTENT_SIZE 24
#define METADATA_PACKET_SIZE 28

/* What trace_packets.h takes for granted; other tracers, and copies by other tools, have packets of other kinds. */
static const char *const lttng[] = {
	"tracer_name = \"lttng-ust\"",
	"architecture_bit_width = 64",
	"packet.header := struct {\n\t\tuint32_t magic;\n\t\tuint8_t  uuid[16];\n\t\tuint32_t stream_id;\n"
	"\t\tuint64_t stream_instance_id;\n\t};",
	"struct packet_context {\n\tuint64_clock_monotonic_t timestamp_begin;\n\tuint64_clock_monotonic_t "
	"timestamp_end;\n"
	"\tuint64_t content_size;\n\tuint64_t packet_size;\n\tuint64_t packet_seq_num;\n\tunsigned long "
	"events_discarded;\n"
	"\tuint32_t cpu_id;\n};",
};

/* A packet whose text is whole: padding may lack. Else why not. */
static const char *packet_measure(const unsigned char *at, uint64_t left, bool swap, uint64_t *content,
				  uint64_t *packet)
{
	if (left < METADATA_HEADER)
		return "its metadata is cut short";
	if (packet_32(at, swap) != METADATA_MAGIC)
		return "its metadata is damaged";
	*content = packet_32(at + METADATA_CONTENT_SIZE, swap) / 8;
	*packet = packet_32(at + METADATA_PACKET_SIZE, swap) / 8;
	if (*content < METADATA_HEADER || *packet < *content)
		return "its metadata is damaged";
	return *content > left ? "its metadata is cut short" : NULL;
}

/* Does it end behind a declaration? Packets begin and end anywhere. */
static bool is_complete(const char *text)
{
	char last = '\0';
	bool quoted = false;
	long depth = 0;

	for (; *text; text++) {
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (*text == '{') - (*text == '}');
		if (!strchr(" \t\n", *text))
			last = *text;
	}
	return depth == 0 && !quoted && last == ';';
}

static const char *packets_join(const unsigned char *bytes, uint64_t size, char *text, size_t *whole)
{
	uint64_t at = 0, length = 0, content, packet;
	const char *problem = NULL;
	bool swap;

	if (size < METADATA_HEADER)
		return "its metadata is cut short";
	swap = packet_32(bytes, false) != METADATA_MAGIC;
	if (swap && packet_32(bytes, true) != METADATA_MAGIC)
		return "its metadata is not CTF 1.8";
	while (at < size && !(problem = packet_measure(bytes + at, size - at, swap, &content, &packet))) {
		memcpy(text + length, bytes + at + METADATA_HEADER, content - METADATA_HEADER);
		length += content - METADATA_HEADER;
		at += packet < size - at ? packet : size - at;
	}
	*whole = at;
	if (!is_complete(text))
		return problem ? problem : "its metadata is cut short";
	return strlen(text) == length ? NULL : "its metadata is damaged";
}

/* What stands between quotes behind `key`; "" without. */
static char *quoted(const char *text, const char *key)
{
	const char *from = strstr(text, key), *until;

	if (from == NULL)
		return memory_text("");
	from += strlen(key);
	until = strpbrk(from, "\"\n");
	return until && *until == '"' ? strndup(from, (size_t)(until - from)) : memory_text("");
}

static bool uuid_parse(const char *text, unsigned char uuid[16])
{
	size_t length = 0;

	for (; *text && length < 16; text += 2) {
		unsigned value;

		if (*text == '-')
			text++;
		if (sscanf(text, "%2x", &value) != 1 || text[1] == 0)
			return false;
		uuid[length++] = (unsigned char)value;
	}
	return length == 16;
}

static uint64_t stream_classes(const char *text)
{
	uint64_t classes = 0;

	for (const char *at = text; (at = strstr(at, "stream {")); at++) {
		unsigned id;

		if (sscanf(at, "stream { id = %u;", &id) == 1 && id < 64)
			classes |= (uint64_t)1 << id;
	}
	return classes;
}

const char *metadata_parse(const void *bytes, size_t size, struct metadata *metadata)
{
	const char *problem;
	char *uuid;

	*metadata = (struct metadata){.text = memory_new(size + 1, 1)};
	if (size == 0)
		return "its metadata is empty";
	if (size >= 10 && memcmp(bytes, "/* CTF 1.8", 10) == 0) {
		memcpy(metadata->text, bytes, size);
		metadata->whole = size;
	} else {
		problem = packets_join(bytes, size, metadata->text, &metadata->whole);
		if (problem)
			return problem;
	}
	metadata->empty = strstr(metadata->text, "stream {") == NULL;
	metadata->host = quoted(metadata->text, "\thostname = \"");
	metadata->lttng = true;
	for (size_t i = 0; i < sizeof(lttng) / sizeof(*lttng); i++)
		metadata->lttng &= strstr(metadata->text, lttng[i]) != NULL;
	metadata->kind.streams = stream_classes(metadata->text);
	metadata->kind.swap =
		(strstr(metadata->text, "byte_order = be") != NULL) == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
	uuid = quoted(metadata->text, "\tuuid = \"");
	if (!uuid_parse(uuid, metadata->kind.uuid))
		metadata->lttng = false;
	free(uuid);
	return NULL;
}

void metadata_clear(struct metadata *metadata)
{
	free(metadata->text);
	free(metadata->host);
	*metadata = (struct metadata){0};
}
