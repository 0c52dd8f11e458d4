/*
 * Packets of CTF 1.8 as LTTng 2 writes them: their headers, and which bytes of a stream file are whole packets. Nothing
 * here trusts a byte of the file.
 */
#ifndef SHMGUARD_TRACE_PACKETS_H
#define SHMGUARD_TRACE_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Header and context of a packet of LTTng-UST on a machine of 64 bits, in bytes. */
#define PACKET_HEADER 84
/* Where some of it stands. */
#define PACKET_BEGIN 32
#define PACKET_END 40
#define PACKET_NUMBER 64

struct packet {
	uint64_t at;            /* of its first byte in the file */
	uint64_t size, content; /* bytes, of which the header is a part; content <= size */
	uint32_t stream;        /* class of the stream */
	uint64_t instance;
	uint64_t begin, end; /* clock values */
	uint64_t number;     /* counts the packets of an instance */
	uint64_t discarded;  /* events, since the instance began */
};

/* What every packet of a trace has in common. */
struct packet_kind {
	bool swap; /* the trace's order of bytes is not ours */
	unsigned char uuid[16];
	uint64_t streams; /* a bit for each class of stream, 0 to 63 */
};

/* Bytes [from, until) of a stream file that are whole packets, one behind the other. */
struct packet_range {
	uint64_t from, until;
};

struct packet_ranges {
	struct packet_range *all;
	size_t count;
};

uint32_t packet_32(const unsigned char *at, bool swap);
uint64_t packet_64(const unsigned char *at, bool swap);

/* False if these bytes, of which `left` follow in the file from the packet's first on, are no whole packet of the kind. */
bool packet_parse(const unsigned char header[PACKET_HEADER], uint64_t left, const struct packet_kind *kind,
		  struct packet *packet);

/* Writes all but what and whose packet it is, and what was discarded, into its header. */
void packet_put(unsigned char header[PACKET_HEADER], const struct packet *packet, const struct packet_kind *kind);

/* LTTng's sub-buffers are whole pages, so a packet behind a damaged one begins at a multiple of this. */
#define PACKET_ALIGNMENT 4096u

/* Do four bytes begin a packet, in whichever order? */
bool packet_begins(const unsigned char magic[4]);

/*
 * Looks through the file of `size` bytes. read: the `length` bytes at `at`, or false. keep: is this packet wanted? NULL:
 * all are. skip: no packet begins at `at` or behind it before this; NULL: one may. Returns the bytes that belong to no
 * packet.
 */
struct packet_source {
	void *context;
	bool (*read)(void *context, uint64_t at, void *to, size_t length);
	bool (*keep)(void *context, const struct packet *packet);
	uint64_t (*skip)(void *context, uint64_t at);
};
uint64_t packets_scan(const struct packet_source *source, uint64_t size, const struct packet_kind *kind,
		      struct packet_ranges *ranges);

#endif
