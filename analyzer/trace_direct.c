/* The decoder for LTTng's own layout: packets mapped one at a time, a heap over the streams for the order of time. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "trace_decode.h"
#include "trace_job.h"
#include "trace_settings.h"

#define POPULATE_ALL (64u << 20)

/* A stream file, and the next event in it. */
struct cursor {
	struct trace_dir *dir;
	const char *name;
	const struct packet_ranges *ranges;
	int64_t offset; /* of the host's clock */
	size_t range;
	uint64_t at;            /* of the next packet */
	unsigned char *mapping; /* of this one, or NULL */
	size_t mapped;
	struct decoding decoding;
	struct trace_event event;
};

struct merge {
	const struct trace_job *job;
	struct cursor **heap; /* the earliest first */
	size_t count;
	uint64_t done; /* bytes */
	long page;
	size_t populate; /* packets up to this many bytes are mapped with their pages: it is faster */
};

bool trace_direct_knows(const struct trace_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (!files->dirs[i].known && !files->dirs[i].metadata.empty)
			return false;
	return true;
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
	return a->event.time < b->event.time;
}

static void sink(struct merge *merge, size_t at)
{
	struct cursor *cursor = merge->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < merge->count && is_before(merge->heap[child + 1], merge->heap[child]))
			child++;
		if (child >= merge->count || !is_before(merge->heap[child], cursor))
			break;
		merge->heap[at] = merge->heap[child];
		at = child;
	}
	merge->heap[at] = cursor;
}

static void unmap(struct cursor *cursor)
{
	if (cursor->mapping)
		munmap(cursor->mapping, cursor->mapped);
	cursor->mapping = NULL;
}

/* Its file is open only for this: there may be more streams than descriptors. */
static unsigned char *map_packet(struct merge *merge, struct cursor *cursor, struct packet *packet)
{
	char *path = trace_path(cursor->dir->path, cursor->name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t until = cursor->ranges->all[cursor->range].until, skip = cursor->at % (uint64_t)merge->page;
	unsigned char header[PACKET_HEADER], *found = NULL;

	free(path);
	if (fd < 0)
		return NULL;
	if (pread(fd, header, sizeof(header), (off_t)cursor->at) == (ssize_t)sizeof(header) &&
	    packet_parse(header, until - cursor->at, &cursor->dir->metadata.kind, packet)) {
		cursor->mapped = packet->content + skip;
		cursor->mapping = mmap(NULL, cursor->mapped, PROT_READ, MAP_PRIVATE, fd, (off_t)(cursor->at - skip));
		if (cursor->mapping == MAP_FAILED)
			cursor->mapping = NULL;
		else
			found = cursor->mapping + skip;
	}
	close(fd);
	return found;
}

/* The place of the next packet; false at the end of the stream. */
static bool find_packet(struct cursor *cursor)
{
	const struct packet_ranges *ranges = cursor->ranges;

	while (cursor->range < ranges->count && cursor->at >= ranges->all[cursor->range].until)
		if (++cursor->range < ranges->count)
			cursor->at = ranges->all[cursor->range].from;
	return cursor->range < ranges->count;
}

/* False: the stream is at its end. */
static bool next_packet(struct merge *merge, struct cursor *cursor)
{
	struct packet packet;
	unsigned char *bytes = NULL;

	unmap(cursor);
	while (bytes == NULL && find_packet(cursor)) {
		bytes = map_packet(merge, cursor, &packet);
		if (bytes)
			break;
		/* It was whole when it was looked at: the file is being changed. */
		merge->job->totals->bytes_lost += cursor->ranges->all[cursor->range].until - cursor->at;
		cursor->at = cursor->ranges->all[cursor->range].until;
	}
	if (bytes == NULL)
		return false;
	madvise(cursor->mapping, cursor->mapped, MADV_SEQUENTIAL);
	cursor->decoding.stream = &cursor->dir->layout.streams[packet.stream];
	cursor->decoding.at = bytes + PACKET_HEADER;
	cursor->decoding.end = bytes + packet.content;
	cursor->decoding.clock = packet.begin;
	cursor->at += packet.size;
	merge->done += packet.size;
	merge->job->progress(merge->job->context, merge->done, merge->job->files->bytes);
	return true;
}

/* False: there is none. */
static bool next_event(struct merge *merge, struct cursor *cursor)
{
	struct decoding *decoding = &cursor->decoding;

	while (decoding->stream || next_packet(merge, cursor)) {
		const unsigned char *from = decoding->at;

		switch (decode_next(decoding, &cursor->event.id, &cursor->event.event)) {
		case DECODED_event:
			cursor->event.time = (int64_t)(decoding->clock + (uint64_t)cursor->dir->layout.origin +
						       (uint64_t)cursor->offset);
			return true;
		case DECODED_unknown:
			trace_count_other(merge->job, cursor->dir, true);
			break;
		case DECODED_foreign:
			trace_count_other(merge->job, cursor->dir, false);
			break;
		case DECODED_damaged:
			merge->job->totals->bytes_lost += (uint64_t)(decoding->end - from);
			decoding->stream = NULL;
			break;
		case DECODED_end:
			decoding->stream = NULL;
			break;
		}
	}
	unmap(cursor);
	return false;
}

static void add_stream(struct merge *merge, struct trace_dir *dir, const struct trace_stream *stream)
{
	struct cursor *cursor;

	if (stream->ranges.count == 0)
		return;
	cursor = memory_new(1, sizeof(*cursor));
	cursor->dir = dir;
	cursor->name = stream->name;
	cursor->ranges = &stream->ranges;
	cursor->at = stream->ranges.all[0].from;
	cursor->offset = dir->move;
	cursor->event.host = dir->metadata.host;
	if (!next_event(merge, cursor)) {
		free(cursor);
		return;
	}
	merge->heap = memory_grow(merge->heap, merge->count, sizeof(struct cursor *));
	merge->heap[merge->count++] = cursor;
}

static void merge_all(struct merge *merge)
{
	for (size_t i = merge->count / 2; i > 0; i--)
		sink(merge, i - 1);
	while (merge->count > 0) {
		struct cursor *first = merge->heap[0];

		trace_deliver(merge->job, first->dir, &first->event);
		if (!next_event(merge, first)) {
			free(first);
			merge->heap[0] = merge->heap[--merge->count];
		}
		if (merge->count > 0)
			sink(merge, 0);
	}
}

int trace_direct_read(const struct trace_job *job, char **error)
{
	const struct trace_files *files = job->files;
	struct merge merge = {.job = job, .page = sysconf(_SC_PAGESIZE)};

	size_t streams = 1;

	(void)error;
	for (size_t i = 0; i < files->count; i++)
		streams += files->dirs[i].stream_count;
	merge.populate = POPULATE_ALL / streams;
	for (size_t i = 0; i < files->count; i++)
		for (size_t j = 0; j < files->dirs[i].stream_count; j++)
			add_stream(&merge, &files->dirs[i], &files->dirs[i].streams[j]);
	merge_all(&merge);
	free(merge.heap);
	return 0;
}
