/*
 * What the reading child tells its parent through a pipe: events, hosts, progress, problems, totals. The parent takes
 * nothing on trust, for a damaged trace may have damaged the child.
 */
#ifndef SHMGUARD_TRACE_WIRE_H
#define SHMGUARD_TRACE_WIRE_H

#include "trace_reader.h"

/* No message is longer. */
#define WIRE_MESSAGE_MAX (256u << 10)
#define WIRE_TEXT_MAX (32u << 10)
#define WIRE_FRAMES_MAX 256u

enum wire_text { WIRE_problem = 4, WIRE_error, WIRE_copies, WIRE_refused };

struct wire_out {
	int fd;
	unsigned char *buffer;
	size_t used, sent;
	char **hosts;
	size_t host_count;
	const char *last; /* host of the latest event */
	uint32_t last_index;
	int64_t told; /* the progress; monotonic nanoseconds */
};

void wire_open(struct wire_out *out, int fd);
/* Texts longer than WIRE_TEXT_MAX are cut. */
void wire_event(struct wire_out *out, const struct trace_event *event);
void wire_text(struct wire_out *out, enum wire_text type, const char *text);
void wire_share(struct wire_out *out, const struct trace_share *share);
/* Some more was read: `done` of `total` bytes or packets. Sent, with what has gathered, ten times a second at most. */
void wire_progress(struct wire_out *out, uint64_t done, uint64_t total);
/* The last message: what trace_read() is to return. */
void wire_end(struct wire_out *out, int result, const struct trace_totals *totals);
void wire_close(struct wire_out *out);
/* Sends what has gathered; async-signal-safe, for a child that is dying. */
void wire_rescue(struct wire_out *out);

/* What the parent makes of it. */
struct wire_taker {
	void *context;
	int (*event)(void *context, const struct trace_event *event);
	void (*text)(void *context, enum wire_text type, const char *text);
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void (*end)(void *context, int result, const struct trace_totals *totals); /* problems, shares: none */
	void (*share)(void *context, const struct trace_share *share);             /* its path does not last */
};

struct wire_in {
	unsigned char *buffer; /* of WIRE_IN_SIZE bytes, of which `used` are filled */
	size_t used;
	char **hosts;
	size_t host_count;
};

/* So many are read at a time, which are still in the processor's cache when they are taken; a message may need more. */
#define WIRE_PIECE (64u << 10)
#define WIRE_IN_SIZE (WIRE_MESSAGE_MAX + WIRE_PIECE)
enum { WIRE_nonsense = -1000 };

void wire_in_open(struct wire_in *in);
/* Takes every whole message out of the buffer. 0; WIRE_nonsense; or the negative number that `event` returned. */
int wire_take(struct wire_in *in, const struct wire_taker *taker);
void wire_in_close(struct wire_in *in);

#endif
