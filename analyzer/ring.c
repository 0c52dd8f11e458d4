#include "analyzer/ring.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/trace_packets.h"

/* The crash dump ABI 0.0 of LTTng-UST 2.13: offsets from the file's beginning, of 64-bit values. */
enum {
	AT_magic = 0,
	AT_endian = 24,
	AT_major = 26,
	AT_minor = 28,
	AT_word_size = 30,
	AT_layout = 31,
	AT_offsets = 32,
	AT_lengths = 76,
	AT_strides = 84,
	AT_buffer_size = 96,
	AT_subbuffer_size = 104,
	AT_subbuffers = 112,
	HEADER = 128,
};

enum {
	OFFSET_produced,
	OFFSET_consumed,
	OFFSET_commit_array,
	OFFSET_commit_seq,
	OFFSET_writer_array,
	OFFSET_writer_id,
	OFFSET_array,
	OFFSET_array_pages,
	OFFSET_pages_data,
};
enum { STRIDE_commit, STRIDE_writer, STRIDE_array };
enum { LENGTHS = 8, ENDIAN = 0x1234, WORD = 8, SUBBUFFERS_MAX = 1 << 16 };

/* How many bytes of a sub-buffer its events took: the member before the one that OFFSET_pages_data leads to, as a pair. */
#define DATA_SIZE_BEFORE 16

static const unsigned char magic[16] = {0x17, 0x7b, 0xf1, 0x77, 0xbf, 0x17, 0x7b, 0xf1,
					0x77, 0xbf, 0x17, 0x7b, 0xf1, 0x77, 0xbf, 0x17};

static uint16_t half(const struct ring *ring, size_t at)
{
	uint16_t value;

	memcpy(&value, ring->bytes + at, sizeof(value));
	return value;
}

static uint64_t offset(const struct ring *ring, unsigned which)
{
	uint32_t value;

	memcpy(&value, ring->bytes + AT_offsets + 4 * which, sizeof(value));
	return value;
}

static uint64_t stride(const struct ring *ring, unsigned which)
{
	uint32_t value;

	memcpy(&value, ring->bytes + AT_strides + 4 * which, sizeof(value));
	return value;
}

/* 0 where the file does not reach. */
static uint64_t word(const struct ring *ring, uint64_t at)
{
	uint64_t value = 0;

	if (at <= ring->length - sizeof(value))
		memcpy(&value, ring->bytes + at, sizeof(value));
	return value;
}

static bool is_known(struct ring *ring)
{
	uint64_t size = word(ring, AT_buffer_size);

	if (memcmp(ring->bytes + AT_magic, magic, sizeof(magic)) != 0 || half(ring, AT_endian) != ENDIAN ||
	    half(ring, AT_major) || half(ring, AT_minor) || ring->bytes[AT_word_size] != WORD || ring->bytes[AT_layout])
		return false;
	for (int i = 0; i < LENGTHS; i++)
		if (ring->bytes[AT_lengths + i] != sizeof(uint64_t))
			return false;
	ring->subbuffer = word(ring, AT_subbuffer_size);
	ring->count = word(ring, AT_subbuffers);
	return ring->count && ring->count <= SUBBUFFERS_MAX && ring->subbuffer && ring->subbuffer <= ring->length &&
	       size == ring->subbuffer * ring->count && size <= ring->length;
}

static bool map_file(const char *path, struct ring *ring, bool writable)
{
	struct stat status;
	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	void *bytes = MAP_FAILED;

	*ring = (struct ring){0};
	if (fd < 0)
		return false;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size >= HEADER)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return false;
	ring->bytes = bytes;
	ring->length = (size_t)status.st_size;
	if (!is_known(ring)) {
		ring_close(ring);
		return false;
	}
	ring->at = word(ring, offset(ring, OFFSET_consumed));
	ring->at -= ring->at % ring->subbuffer;
	ring->end = word(ring, offset(ring, OFFSET_produced));
	if (ring->end - ring->at > ring->subbuffer * ring->count)
		ring->end = ring->at;
	return true;
}

bool ring_open(const char *path, struct ring *ring)
{
	return map_file(path, ring, false);
}

void ring_close(struct ring *ring)
{
	if (ring->bytes)
		munmap((void *)ring->bytes, ring->length);
	ring->bytes = NULL;
}

/* Where the sub-buffer that is now at `index` lies, and how much of it was written before the next one was begun. */
static uint64_t place(const struct ring *ring, uint64_t index, uint64_t *written)
{
	uint64_t id = word(ring, offset(ring, OFFSET_writer_array) + index * stride(ring, STRIDE_writer) +
					 offset(ring, OFFSET_writer_id)),
		 pages = word(ring, offset(ring, OFFSET_array) + (id & UINT32_MAX) * stride(ring, STRIDE_array) +
					    offset(ring, OFFSET_array_pages)),
		 at = pages + offset(ring, OFFSET_pages_data);

	*written = at < DATA_SIZE_BEFORE ? 0 : word(ring, at - DATA_SIZE_BEFORE);
	return word(ring, at);
}

bool ring_next(struct ring *ring, struct ring_piece *piece)
{
	while (ring->at < ring->end) {
		uint64_t number = ring->at / ring->subbuffer, index = number % ring->count, last,
			 left = ring->end - ring->at,
			 counted = ring->at / ring->subbuffer / ring->count * ring->subbuffer,
			 hot = offset(ring, OFFSET_commit_array) + index * stride(ring, STRIDE_commit), written,
			 at = place(ring, index, &written), full = left < ring->subbuffer ? left : ring->subbuffer,
			 committed = word(ring, hot) - counted,
			 whole = word(ring, hot + offset(ring, OFFSET_commit_seq)) - counted;

		ring->at += full;
		*piece = (struct ring_piece){.size = full < ring->subbuffer || !written ? full : written};
		if (piece->size > full || at > ring->length - piece->size || committed > full) {
			ring->skipped++;
			continue;
		}
		piece->begin = word(ring, at + PACKET_BEGIN);
		piece->number = number;
		last = number ? place(ring, (number - 1) % ring->count, &written) : ring->length;
		piece->last = last > ring->length - ring->subbuffer ? NULL : ring->bytes + last;
		piece->bytes = ring->bytes + at;
		piece->missing = full - committed;
		piece->whole = whole > piece->size ? 0 : whole;
		return true;
	}
	return false;
}

bool ring_is_stuck(const struct ring *ring, uint64_t before)
{
	struct ring probe = *ring;
	struct ring_piece piece;

	if (!ring_next(&probe, &piece) || !piece.missing || probe.at - ring->at > ring->subbuffer)
		return false;
	return probe.at < probe.end && ring_next(&probe, &piece) && piece.begin && piece.begin < before;
}

/* What the description does not tell: where it is counted what of a sub-buffer was ready to be handed out, and how often. */
struct counts {
	uint64_t committed, ready, times;
};

static struct counts counts_of(const struct ring *ring, uint64_t index)
{
	uint64_t array = offset(ring, OFFSET_commit_array), size = stride(ring, STRIDE_commit);

	return (struct counts){.committed = array + index * size,
			       .ready = array + (ring->count + index) * size,
			       .times = offset(ring, OFFSET_writer_array) +
					(ring->count + index) * stride(ring, STRIDE_writer)};
}

/* They are where they are expected if they agree for every sub-buffer that is whole, but for one that is just becoming so. */
static bool counts_agree(const struct ring *ring, uint64_t but)
{
	uint64_t same = 0, others = 0;

	for (uint64_t i = 0; i < ring->count; i++) {
		struct counts at = counts_of(ring, i);
		uint64_t committed = word(ring, at.committed);

		if ((at.committed | at.ready | at.times) % sizeof(uint64_t) ||
		    at.ready > ring->length - sizeof(uint64_t) || at.times > ring->length - sizeof(uint64_t))
			return false;
		if (i == but || !committed || committed % ring->subbuffer)
			continue;
		if (word(ring, at.ready) == committed && word(ring, at.times) == committed / ring->subbuffer)
			same++;
		else
			others++;
	}
	return same && others <= 1;
}

static _Atomic(uint64_t) *word_at(const struct ring *ring, uint64_t at)
{
	return (_Atomic(uint64_t) *)(void *)(uintptr_t)(ring->bytes + at);
}

bool ring_release(const char *path)
{
	struct ring ring, probe;
	struct ring_piece piece;
	bool good = false;

	if (!map_file(path, &ring, true))
		return false;
	probe = ring;
	if (ring_next(&probe, &piece)) {
		uint64_t next = ring.at + ring.subbuffer, index = ring.at / ring.subbuffer % ring.count,
			 consumed = offset(&ring, OFFSET_consumed), before = ring.at;
		struct counts at = counts_of(&ring, index);

		good = counts_agree(&ring, index) && consumed % sizeof(uint64_t) == 0 && probe.at == next &&
		       next < ring.end && word(&ring, consumed) == before;
		/* In this order no writer finds room that does not add up, and LTTng never takes the piece for whole. */
		if (good) {
			uint64_t whole = atomic_fetch_add(word_at(&ring, at.committed), piece.missing) + piece.missing;
			atomic_store(word_at(&ring, at.times), whole / ring.subbuffer);
			good = atomic_compare_exchange_strong(word_at(&ring, consumed), &before, next);
			atomic_store(word_at(&ring, at.ready), whole);
		}
	}
	ring_close(&ring);
	return good;
}
