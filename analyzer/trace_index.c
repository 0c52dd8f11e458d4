#include "trace_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "regular_file.h"

/* Of CTF index 1.1, in bytes; all of it is big-endian. */
#define INDEX_HEADER 16
#define INDEX_ENTRY 72

static const unsigned char index_header[INDEX_HEADER] = {
	0xc1, 0xf1, 0xdc, 0xc1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, INDEX_ENTRY,
};

/* Where an entry has its values. */
enum {
	ENTRY_OFFSET = 0,
	ENTRY_SIZE = 8, /* this and the next in bits */
	ENTRY_CONTENT = 16,
	ENTRY_BEGIN = 24,
	ENTRY_END = 32,
	ENTRY_STREAM = 48,
};

/* The value at a place of an entry. */
static uint64_t entry_value(const unsigned char entry[INDEX_ENTRY], size_t place)
{
	return packet_64(entry + place, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
}

static bool entry_agrees(const unsigned char entry[INDEX_ENTRY], const struct packet *packet, uint64_t at)
{
	return entry_value(entry, ENTRY_OFFSET) == at && entry_value(entry, ENTRY_SIZE) == packet->size * 8 &&
	       entry_value(entry, ENTRY_CONTENT) == packet->content * 8 &&
	       entry_value(entry, ENTRY_BEGIN) == packet->begin && entry_value(entry, ENTRY_END) == packet->end &&
	       entry_value(entry, ENTRY_STREAM) == packet->stream;
}

static bool read_at(int fd, void *to, size_t length, uint64_t at)
{
	return pread(fd, to, length, (off_t)at) == (ssize_t)length;
}

/* Entry by entry, each of the packet that is next in the stream. */
static bool entries_agree(int index, uint64_t index_size, int stream, uint64_t size, const struct packet_kind *kind)
{
	unsigned char entry[INDEX_ENTRY], header[PACKET_HEADER];
	uint64_t at = 0, entry_at = INDEX_HEADER;
	struct packet packet;

	for (; at < size; at += packet.size, entry_at += INDEX_ENTRY)
		if (!read_at(stream, header, sizeof(header), at) || !packet_parse(header, size - at, kind, &packet) ||
		    !read_at(index, entry, sizeof(entry), entry_at) || !entry_agrees(entry, &packet, at))
			return false;
	return entry_at == index_size;
}

bool trace_index_agrees(const char *dir, const char *name, int fd, uint64_t size, const struct packet_kind *kind)
{
	char *path = memory_format("%s/index/%s.idx", dir, name);
	unsigned char header[INDEX_HEADER];
	uint64_t index_size;
	int index = regular_file_open(path, &index_size), error = errno;
	bool agrees;

	free(path);
	if (index < 0)
		return error == ENOENT || error == ENOTDIR;
	agrees = kind && read_at(index, header, sizeof(header), 0) &&
		 memcmp(header, index_header, sizeof(header)) == 0 && entries_agree(index, index_size, fd, size, kind);
	close(index);
	return agrees;
}
