#include "trace_streams.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "regular_file.h"

#define SKIP_BLOCK (256u * PACKET_ALIGNMENT)

/* A stream file that is being looked at. */
struct scan {
	int fd;
	struct trace_files *files;
	struct trace_dir *dir;
	struct trace_seen *seen;
	uint64_t twice; /* bytes of packets that were seen before */
	const struct trace_look *look;
};

/* The packets that one buffer of LTTng made. */
struct instance {
	struct trace_dir *dir;         /* where the first of them was found */
	uint64_t packets, first, last; /* numbers */
	uint64_t discarded;            /* events */
};

static void look_tick(const struct trace_look *look)
{
	if (look->tick)
		look->tick(look->context);
}

static bool scan_read(void *context, uint64_t at, void *to, size_t length)
{
	const struct scan *scan = context;

	look_tick(scan->look);
	return pread(scan->fd, to, length, (off_t)at) == (ssize_t)length;
}

/* Its files may be the chunks of a rotation. */
static void count_packet(struct map *instances, uint64_t stream, const struct packet *packet, struct trace_dir *dir)
{
	struct instance *instance = map_get(instances, stream, 0);

	if (instance == NULL) {
		instance = memory_new(1, sizeof(*instance));
		instance->dir = dir;
		instance->first = packet->number;
		map_put(instances, stream, 0, instance);
	}
	instance->packets++;
	if (packet->number < instance->first)
		instance->first = packet->number;
	if (packet->number > instance->last)
		instance->last = packet->number;
	if (packet->discarded > instance->discarded)
		instance->discarded = packet->discarded;
}

void trace_streams_sum_up(struct trace_files *files, struct trace_seen *seen)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&seen->instances, &cursor));) {
		struct instance *instance = slot->value;
		uint64_t there = instance->last - instance->first + 1,
			 missing = there > instance->packets ? there - instance->packets : 0;

		files->discarded += instance->discarded;
		files->missing += missing;
		instance->dir->missing += missing;
		free(instance);
	}
	map_clear(&seen->instances);
	map_clear(&seen->packets);
}

/* A packet that lies in a copy of the stream, or of the trace, as well is read once. Chunks of a rotation are no copies. */
static bool scan_keep(void *context, const struct packet *packet)
{
	struct scan *scan = context;
	uint64_t stream = map_hash(MAP_HASH, scan->dir->metadata.kind.uuid, 16), where;

	stream = map_hash(stream, &packet->stream, sizeof(packet->stream));
	stream = map_hash(stream, &packet->instance, sizeof(packet->instance));
	where = map_hash(MAP_HASH, &packet->number, sizeof(packet->number));
	where = map_hash(where, &packet->begin, sizeof(packet->begin));
	if (map_get(&scan->seen->packets, stream, where)) {
		scan->twice += packet->size;
		return false;
	}
	map_put(&scan->seen->packets, stream, where, scan->files);
	count_packet(&scan->seen->instances, stream, packet, scan->dir);
	scan->files->packets++;
	return true;
}

/* What a disk made of a file whose end was never written is zeros, or a hole, and may be far longer than the trace. */
static uint64_t scan_skip(void *context, uint64_t at)
{
	static unsigned char bytes[SKIP_BLOCK];
	const struct scan *scan = context;

	for (;;) {
		off_t data = lseek(scan->fd, (off_t)at, SEEK_DATA);
		ssize_t got;

		if (data < 0)
			return errno == ENXIO ? UINT64_MAX : at;
		if ((uint64_t)data > at)
			at = (uint64_t)data / PACKET_ALIGNMENT * PACKET_ALIGNMENT;
		got = pread(scan->fd, bytes, sizeof(bytes), (off_t)at);
		if (got < 0)
			return at;
		if (got < PACKET_HEADER)
			return UINT64_MAX;
		for (size_t i = 0; i + 4 <= (size_t)got; i += PACKET_ALIGNMENT)
			if (packet_begins(bytes + i))
				return at + i;
		at += (uint64_t)got;
		if (at % PACKET_ALIGNMENT)
			return UINT64_MAX;
		look_tick(scan->look);
	}
}

static void stream_scan(struct scan *scan, struct trace_stream *stream)
{
	const struct packet_source source = {scan, scan_read, scan_keep, scan_skip};

	scan->files->lost += packets_scan(&source, stream->size, &scan->dir->metadata.kind, &stream->ranges);
}

bool trace_streams_begins(int fd)
{
	unsigned char magic[4];

	return pread(fd, magic, 4, 0) == 4 && packet_begins(magic);
}

/* Of a layout that only babeltrace2 knows: the whole file or nothing. */
static bool stream_take_whole(struct scan *scan, struct trace_stream *stream)
{
	if (stream->size == 0)
		return true;
	if (!trace_streams_begins(scan->fd))
		return false;
	stream->ranges.all = memory_new(1, sizeof(*stream->ranges.all));
	stream->ranges.all[0] = (struct packet_range){0, stream->size};
	stream->ranges.count = 1;
	return true;
}

bool trace_streams_named(const char *name)
{
	size_t length = strlen(name), digits = 0;

	while (digits < length && isdigit((unsigned char)name[length - digits - 1]))
		digits++;
	return digits > 0 && digits + 1 < length && name[length - digits - 1] == '_';
}

/* Length of the channel's name in that of a file. */
static size_t channel_length(const char *name)
{
	size_t length = strlen(name);

	for (int number = 0; number < 2; number++) {
		size_t at = length;

		while (at > 0 && isdigit((unsigned char)name[at - 1]))
			at--;
		if (at == length || at < 2 || name[at - 1] != '_')
			break;
		length = at - 1;
	}
	return length;
}

/* LTTng makes none: one that leads to no stream was put there, whatever it is called. */
static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* A file that is no stream, yet called like one that is: it was one. */
static bool was_stream(const struct trace_dir *dir, const struct trace_stream *stray, const char *path)
{
	size_t length = channel_length(stray->name);

	if (is_link(path))
		return false;
	for (size_t i = 0; i < dir->stream_count; i++)
		if (!dir->streams[i].stray && channel_length(dir->streams[i].name) == length &&
		    memcmp(dir->streams[i].name, stray->name, length) == 0)
			return true;
	return false;
}

static void tell_stray(struct trace_files *files, const char *path)
{
	trace_files_problem(files, memory_format("%s is not a CTF stream, and was left out", path));
}

static void tell_strays(struct trace_files *files, struct trace_dir *dir)
{
	for (size_t i = 0; i < dir->stream_count; i++) {
		const struct trace_stream *stream = &dir->streams[i];
		char *path;

		if (!stream->stray)
			continue;
		path = trace_path(dir->path, stream->name);
		tell_stray(files, path);
		if (was_stream(dir, stream, path)) {
			files->lost += stream->size;
			files->size += stream->size;
			dir->size += stream->size;
		} else {
			files->strays++;
		}
		free(path);
	}
}

/* A stream is one under whatever name: its first packet tells. */
static bool is_stream(const struct trace_dir *dir, const char *name)
{
	unsigned char header[PACKET_HEADER];
	struct packet packet;
	char *path;
	uint64_t size;
	int fd;
	bool is;

	if (!dir->metadata.lttng || trace_streams_named(name))
		return true;
	path = trace_path(dir->path, name);
	fd = regular_file_open(path, &size);
	free(path);
	if (fd < 0)
		return false;
	is = pread(fd, header, sizeof(header), 0) == sizeof(header) &&
	     packet_parse(header, UINT64_MAX, &dir->metadata.kind, &packet);
	close(fd);
	return is;
}

static void look_at_stream(struct trace_files *files, struct trace_dir *dir, const char *name, struct trace_seen *seen,
			   const struct trace_look *look)
{
	struct scan scan = {.files = files, .dir = dir, .seen = seen, .look = look};
	struct trace_stream stream = {0};
	char *path = trace_path(dir->path, name);
	uint64_t lost = files->lost;
	bool good = true;

	scan.fd = regular_file_open(path, &stream.size);
	if (scan.fd < 0) {
		int error = errno;

		if (is_link(path) && error != EACCES && error != EPERM) {
			tell_stray(files, path);
			files->strays++;
		} else {
			trace_files_failed(files, path, error);
		}
		dir->as_it_is = false;
	} else {
		if (dir->metadata.lttng)
			stream_scan(&scan, &stream);
		else
			good = stream_take_whole(&scan, &stream);
		if (dir->metadata.lttng && stream.ranges.count == 0 && stream.size > 0 &&
		    !trace_streams_begins(scan.fd))
			good = false;
		stream.stray = !good;
		if (!good)
			files->lost = lost;
		dir->lost += files->lost - lost;
		if (stream.size > 0 && (stream.ranges.count != 1 || stream.ranges.all[0].from != 0 ||
					stream.ranges.all[0].until != stream.size))
			dir->as_it_is = false;
		for (size_t i = 0; i < stream.ranges.count; i++)
			files->bytes += stream.ranges.all[i].until - stream.ranges.all[i].from;
		files->size += good ? stream.size - scan.twice : 0;
		dir->size += good ? stream.size - scan.twice : 0;
		stream.name = memory_text(name);
		dir->streams = memory_grow(dir->streams, dir->stream_count, sizeof(*dir->streams));
		dir->streams[dir->stream_count++] = stream;
		close(scan.fd);
	}
	free(path);
}

/* LTTng's is the one that babeltrace2 expects there, and trips over where it is none. */
static bool is_directory_of_indexes(const struct trace_dir *dir, const char *name)
{
	char *path = trace_path(dir->path, name);
	struct stat st;
	bool is = strcmp(name, "index") == 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	free(path);
	return is;
}

void trace_streams_look(struct trace_files *files, struct trace_dir *dir, struct trace_seen *seen,
			const struct trace_look *look)
{
	struct dirent **entries;
	int count = scandir(dir->path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (name[0] == '.' || strcmp(name, "metadata") == 0 || is_directory_of_indexes(dir, name))
			;
		else if (entries[i]->d_type == DT_DIR || !is_stream(dir, name))
			dir->as_it_is = false;
		else
			look_at_stream(files, dir, name, seen, look);
		look_tick(look);
		free(entries[i]);
	}
	tell_strays(files, dir);
	if (count >= 0)
		free(entries);
	else
		trace_files_failed(files, dir->path, errno);
}
