#include "trace_packets.h"

#include <string.h>

#include "memory.h"

#define PACKET_MAGIC 0xc1fc1fc1u

/* Where the members of a packet's header and context stand. */
enum {
	AT_uuid = 4,
	AT_stream = 20,
	AT_instance = 24,
	AT_begin = PACKET_BEGIN,
	AT_end = PACKET_END,
	AT_content = 48,
	AT_size = 56,
	AT_number = PACKET_NUMBER,
	AT_discarded = 72,
};

uint32_t packet_32(const unsigned char *at, bool swap)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap32(value) : value;
}

uint64_t packet_64(const unsigned char *at, bool swap)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap64(value) : value;
}

bool packet_begins(const unsigned char magic[4])
{
	return packet_32(magic, false) == PACKET_MAGIC || packet_32(magic, true) == PACKET_MAGIC;
}

bool packet_parse(const unsigned char header[PACKET_HEADER], uint64_t left, const struct packet_kind *kind,
		  struct packet *packet)
{
	uint64_t content = packet_64(header + AT_content, kind->swap), size = packet_64(header + AT_size, kind->swap);

	if (packet_32(header, kind->swap) != PACKET_MAGIC ||
	    memcmp(header + AT_uuid, kind->uuid, sizeof(kind->uuid)) != 0)
		return false;
	*packet = (struct packet){.size = size / 8,
				  .content = content / 8,
				  .stream = packet_32(header + AT_stream, kind->swap),
				  .instance = packet_64(header + AT_instance, kind->swap),
				  .begin = packet_64(header + AT_begin, kind->swap),
				  .end = packet_64(header + AT_end, kind->swap),
				  .number = packet_64(header + AT_number, kind->swap),
				  .discarded = packet_64(header + AT_discarded, kind->swap)};
	if (packet->stream > 63 || !(kind->streams >> packet->stream & 1))
		return false;
	return size % 8 == 0 && content % 8 == 0 && packet->content >= PACKET_HEADER &&
	       packet->content <= packet->size && packet->size <= left;
}

static void put_64(unsigned char *at, uint64_t value, bool swap)
{
	value = swap ? __builtin_bswap64(value) : value;
	memcpy(at, &value, sizeof(value));
}

void packet_put(unsigned char header[PACKET_HEADER], const struct packet *packet, const struct packet_kind *kind)
{
	put_64(header + AT_begin, packet->begin, kind->swap);
	put_64(header + AT_end, packet->end, kind->swap);
	put_64(header + AT_content, packet->content * 8, kind->swap);
	put_64(header + AT_size, packet->size * 8, kind->swap);
	put_64(header + AT_number, packet->number, kind->swap);
}

static void ranges_add(struct packet_ranges *ranges, uint64_t from, uint64_t until)
{
	if (ranges->count && ranges->all[ranges->count - 1].until == from) {
		ranges->all[ranges->count - 1].until = until;
		return;
	}
	ranges->all = memory_grow(ranges->all, ranges->count, sizeof(*ranges->all));
	ranges->all[ranges->count++] = (struct packet_range){from, until};
}

uint64_t packets_scan(const struct packet_source *source, uint64_t size, const struct packet_kind *kind,
		      struct packet_ranges *ranges)
{
	unsigned char header[PACKET_HEADER];
	struct packet packet;
	uint64_t at = 0, lost = 0;

	while (at < size) {
		uint64_t left = size - at, next;

		if (left >= PACKET_HEADER && source->read(source->context, at, header, sizeof(header)) &&
		    packet_parse(header, left, kind, &packet)) {
			packet.at = at;
			if (!source->keep || source->keep(source->context, &packet))
				ranges_add(ranges, at, at + packet.size);
			at += packet.size;
			continue;
		}
		next = (at / PACKET_ALIGNMENT + 1) * PACKET_ALIGNMENT;
		if (source->skip)
			next = source->skip(source->context, next);
		if (next > size)
			next = size;
		lost += next - at;
		at = next;
	}
	return lost;
}
