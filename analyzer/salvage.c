#include "analyzer/salvage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/limited.h"
#include "analyzer/memory.h"
#include "analyzer/mend.h"
#include "analyzer/ring.h"
#include "analyzer/trace_files.h"
#include "analyzer/trace_metadata.h"

#define METADATA "metadata"
/* babeltrace2 wants packets of whole pages, as LTTng's are. */
#define PAGE 4096u
#define DEPTH 16
#define STUCK_NS UINT64_C(3000000000)
#define STUCK_SOON_NS UINT64_C(1000000000)

/* nftw(3) hands nothing on. */
static struct work {
	const struct salvage *salvage;
	char *error;
	bool stuck_only, failed;
	size_t uncertain; /* packets of which not all could be told */
} * work;

/* A directory of buffers, and what is made of it. */
struct place {
	char *from, *to;
	char *metadata; /* as it lies there */
	size_t metadata_size;
	struct metadata parsed;
	struct layout layout;
};

static void fail(const char *what)
{
	if (!work->failed)
		snprintf(work->error, LIMITED_TEXT, "%s: %s", what, strerror(errno));
	work->failed = true;
}

static void append(const char *directory, const char *name, const void *bytes, size_t size)
{
	char *path = memory_format("%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		fail(path);
	if (fd >= 0)
		close(fd);
	free(path);
}

/* The directories of the path, and the metadata in the last. */
static void begin_trace(const struct place *place)
{
	char *path = memory_text(place->to);

	char *metadata = memory_format("%s/" METADATA, place->to),
	     *at = strchr(path + strlen(work->salvage->into), '/');

	if (access(metadata, F_OK)) {
		for (; at; at = strchr(at + 1, '/')) {
			*at = 0;
			if (mkdir(path, 0750) && errno != EEXIST)
				fail(path);
			*at = '/';
		}
		if (mkdir(place->to, 0750))
			fail(place->to);
		append(place->to, METADATA, place->metadata, place->metadata_size);
	}
	free(metadata);
	free(path);
}

/* The clock of LTTng's events. */
static uint64_t now(void)
{
	struct timespec time = {0};

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The events of a piece of whose packet's header LTTng has written the first half only, or all of it. */
static size_t take_events(const struct place *place, const struct ring_piece *piece, const struct packet *packet,
			  unsigned char *to)
{
	struct mend_packet mend = {.stream = &place->layout.streams[packet->stream],
				   .bytes = piece->bytes + PACKET_HEADER,
				   .size = piece->size - PACKET_HEADER,
				   .whole = piece->whole < PACKET_HEADER ? 0 : piece->whole - PACKET_HEADER,
				   .missing = piece->missing,
				   .begin = packet->begin,
				   .end = packet->end > packet->begin ? packet->end : now()};
	bool certain;
	size_t size;

	if (!piece->missing) {
		memcpy(to, mend.bytes, mend.size);
		return mend.size;
	}
	size = mend_holes(&mend, to, &certain);
	work->uncertain += !certain;
	return size;
}

/*
 * The header of a piece, of which LTTng writes the sizes last. Its writer may have died before he wrote it: then it is made
 * after that of the packet of before, and no hole. False: it cannot be told.
 */
static bool take_header(const struct place *place, struct ring_piece *piece, unsigned char *to, struct packet *packet)
{
	const struct packet_kind *kind = &place->parsed.kind;
	struct packet made = {.content = piece->size, .size = piece->size, .begin = piece->begin};

	memcpy(to, piece->bytes, PACKET_HEADER);
	made.number = packet_64(to + PACKET_NUMBER, kind->swap);
	made.end = packet_64(to + PACKET_END, kind->swap);
	packet_put(to, &made, kind);
	if (packet_parse(to, piece->size, kind, packet) && packet->number == piece->number)
		return true;
	if (!piece->last || piece->missing < PACKET_HEADER)
		return false;
	memcpy(to, piece->last, PACKET_HEADER);
	made.begin = packet_64(to + PACKET_END, kind->swap);
	if (!made.begin)
		made.begin = packet_64(to + PACKET_BEGIN, kind->swap);
	made.end = 0;
	made.number = piece->number;
	packet_put(to, &made, kind);
	piece->missing -= PACKET_HEADER;
	return packet_parse(to, piece->size, kind, packet);
}

static void take_piece(const struct place *place, const char *name, struct ring_piece *piece)
{
	unsigned char *bytes;
	struct packet packet;

	if (piece->size <= PACKET_HEADER)
		return;
	bytes = memory_new(piece->size + PAGE, 1);
	if (take_header(place, piece, bytes, &packet)) {
		packet.content = PACKET_HEADER + take_events(place, piece, &packet, bytes + PACKET_HEADER);
		packet.size = (packet.content + PAGE - 1) / PAGE * PAGE;
		packet_put(bytes, &packet, &place->parsed.kind);
		begin_trace(place);
		append(place->to, name, bytes, packet.size);
	} else {
		work->uncertain++;
	}
	free(bytes);
}

/* A writer whom a busy machine has put aside goes on sooner. Less time is left where half of the ring is full. */
static bool is_stuck(const struct ring *ring)
{
	bool soon = ring->end - ring->at > ring->subbuffer * ring->count / 2;

	return ring_is_stuck(ring, now() - (soon ? STUCK_SOON_NS : STUCK_NS));
}

static void take_buffer(const struct place *place, const char *name)
{
	char *path = memory_format("%s/%s", place->from, name);
	struct ring_piece piece;
	struct ring ring;

	for (bool again = strcmp(name, METADATA) != 0; again && ring_open(path, &ring); ring_close(&ring)) {
		while (!work->stuck_only && ring_next(&ring, &piece))
			take_piece(place, name, &piece);
		work->uncertain += ring.skipped;
		again = work->stuck_only && is_stuck(&ring) && ring_next(&ring, &piece);
		if (!again)
			continue;
		take_piece(place, name, &piece);
		again = ring_release(path);
		if (!again) {
			errno = EPROTO;
			fail(path);
		}
	}
	free(path);
}

static void take_directory(const struct place *place)
{
	struct dirent **entries;
	int count = scandir(place->from, &entries, NULL, alphasort);

	if (count < 0) {
		fail(place->from);
		return;
	}
	for (int i = 0; i < count; i++) {
		take_buffer(place, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* A file of metadata describes the buffers beside it. */
static int visit(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	struct place place = {0};

	(void)status;
	if (type != FTW_F || strcmp(path + walk->base, METADATA) != 0)
		return 0;
	place.from = strndup(path, (size_t)walk->base - 1);
	place.to = memory_format("%s%s", work->salvage->into, place.from + strlen(work->salvage->buffers));
	place.metadata = trace_file_read(path, &place.metadata_size);
	if (place.metadata && !metadata_parse(place.metadata, place.metadata_size, &place.parsed) &&
	    place.parsed.lttng && layout_parse(place.parsed.text, &place.layout))
		take_directory(&place);
	else
		fail(path);
	layout_clear(&place.layout);
	metadata_clear(&place.parsed);
	free(place.metadata);
	free(place.from);
	free(place.to);
	return 0;
}

static int salvage(const void *context, char *error, bool stuck_only)
{
	struct work all = {.salvage = context, .error = error, .stuck_only = stuck_only};

	work = &all;
	if (nftw(all.salvage->buffers, visit, DEPTH, FTW_PHYS))
		fail(all.salvage->buffers);
	if (!all.failed && all.uncertain)
		snprintf(error, LIMITED_TEXT, "not all of %zu packets of LTTng's could be told", all.uncertain);
	work = NULL;
	return all.failed || all.uncertain;
}

int salvage_rest(const void *context, char *error)
{
	return salvage(context, error, false);
}

int salvage_stuck(const void *context, char *error)
{
	return salvage(context, error, true);
}

static int look(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	struct ring ring;
	bool stuck;

	(void)status;
	if (type != FTW_F || strcmp(path + walk->base, METADATA) == 0 || !ring_open(path, &ring))
		return 0;
	stuck = is_stuck(&ring);
	ring_close(&ring);
	return stuck;
}

bool salvage_wanted(const char *buffers)
{
	return nftw(buffers, look, DEPTH, FTW_PHYS) == 1;
}
