#include "trace_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map.h"
#include "memory.h"

/* A trace of LTTng lies seven directories deep in its session's, and recordings of a fleet in directories of their own. */
#define DEPTH_MAX 12
/* LTTng's own is 0.1 MB with all of our events. */
#define METADATA_MAX (64u << 20)
#define SKIP_BLOCK (256u * PACKET_ALIGNMENT)

/* A stream file that is being looked at. */
struct scan {
	int fd;
	struct trace_files *files;
	const struct trace_dir *dir;
	struct map *seen; /* packets of this trace's other copies and chunks, NULL if it has none */
	const struct trace_look *look;
};

char *trace_path(const char *dir, const char *name)
{
	return memory_format("%s/%s", dir, name);
}

static void add_problem(struct trace_files *files, char *text)
{
	files->problems = memory_grow(files->problems, files->problem_count, sizeof(*files->problems));
	files->problems[files->problem_count++] = text;
}

static void scan_tick(const struct scan *scan)
{
	if (scan->look->tick)
		scan->look->tick(scan->look->context);
}

static bool scan_read(void *context, uint64_t at, void *to, size_t length)
{
	const struct scan *scan = context;

	scan_tick(scan);
	return pread(scan->fd, to, length, (off_t)at) == (ssize_t)length;
}

/* A packet that lies in a copy of the trace as well is read once. */
static bool scan_keep(void *context, const struct packet *packet)
{
	struct scan *scan = context;
	uint64_t stream = map_hash(MAP_HASH, scan->dir->metadata.kind.uuid, 16), where;

	if (scan->seen) {
		stream = map_hash(stream, &packet->stream, sizeof(packet->stream));
		stream = map_hash(stream, &packet->instance, sizeof(packet->instance));
		where = map_hash(MAP_HASH, &packet->number, sizeof(packet->number));
		where = map_hash(where, &packet->begin, sizeof(packet->begin));
		if (map_get(scan->seen, stream, where))
			return false;
		map_put(scan->seen, stream, where, scan->files);
	}
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
		scan_tick(scan);
	}
}

static int open_regular(const char *path, uint64_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

static void stream_scan(struct scan *scan, struct trace_stream *stream)
{
	const struct packet_source source = {scan, scan_read, scan_keep, scan_skip};

	scan->files->lost += packets_scan(&source, stream->size, &scan->dir->metadata.kind, &stream->ranges);
}

static bool begins_as_stream(int fd)
{
	unsigned char magic[4];

	return pread(fd, magic, 4, 0) == 4 && packet_begins(magic);
}

/* Of a layout that only babeltrace2 knows: the whole file or nothing. */
static bool stream_take_whole(struct scan *scan, struct trace_stream *stream)
{
	if (stream->size == 0)
		return true;
	if (!begins_as_stream(scan->fd))
		return false;
	stream->ranges.all = memory_new(1, sizeof(*stream->ranges.all));
	stream->ranges.all[0] = (struct packet_range){0, stream->size};
	stream->ranges.count = 1;
	return true;
}

/* LTTng calls them CHANNEL_CPU, and CHANNEL_CPU_NUMBER where a file has a limit. */
static bool named_as_stream(const char *name)
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

/* A file that is no stream, yet called like one that is: it was one. */
static bool was_stream(const struct trace_dir *dir, const struct trace_stream *stray)
{
	size_t length = channel_length(stray->name);

	for (size_t i = 0; i < dir->stream_count; i++)
		if (!dir->streams[i].stray && channel_length(dir->streams[i].name) == length &&
		    memcmp(dir->streams[i].name, stray->name, length) == 0)
			return true;
	return false;
}

static void tell_strays(struct trace_files *files, const struct trace_dir *dir)
{
	for (size_t i = 0; i < dir->stream_count; i++) {
		const struct trace_stream *stream = &dir->streams[i];
		char *path;

		if (!stream->stray)
			continue;
		path = trace_path(dir->path, stream->name);
		add_problem(files, memory_format("%s is not a CTF stream, and was left out", path));
		free(path);
		if (was_stream(dir, stream)) {
			files->lost += stream->size;
			files->size += stream->size;
		} else {
			files->strays++;
		}
	}
}

static void look_at_stream(struct trace_files *files, struct trace_dir *dir, const char *name, struct map *seen,
			   const struct trace_look *look)
{
	struct scan scan = {.files = files, .dir = dir, .seen = seen, .look = look};
	struct trace_stream stream = {0};
	char *path = trace_path(dir->path, name);
	uint64_t lost = files->lost;
	bool good = true;

	scan.fd = open_regular(path, &stream.size);
	if (scan.fd < 0) {
		add_problem(files, memory_format("%s: %s", path, errno == EINVAL ? "not a file" : strerror(errno)));
		dir->as_it_is = false;
	} else {
		if (dir->metadata.lttng)
			stream_scan(&scan, &stream);
		else
			good = stream_take_whole(&scan, &stream);
		if (dir->metadata.lttng && stream.ranges.count == 0 && stream.size > 0 && !begins_as_stream(scan.fd))
			good = false;
		stream.stray = !good;
		if (!good)
			files->lost = lost;
		if (stream.size > 0 && (stream.ranges.count != 1 || stream.ranges.all[0].from != 0 ||
					stream.ranges.all[0].until != stream.size))
			dir->as_it_is = false;
		for (size_t i = 0; i < stream.ranges.count; i++)
			files->bytes += stream.ranges.all[i].until - stream.ranges.all[i].from;
		files->size += good ? stream.size : 0;
		stream.name = memory_text(name);
		dir->streams = memory_grow(dir->streams, dir->stream_count, sizeof(*dir->streams));
		dir->streams[dir->stream_count++] = stream;
		close(scan.fd);
	}
	free(path);
}

static void look_at_streams(struct trace_files *files, struct trace_dir *dir, struct map *seen,
			    const struct trace_look *look)
{
	struct dirent **entries;
	int count = scandir(dir->path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		/* LTTng's directory of indexes is the one that babeltrace2 expects there. */
		if (name[0] == '.' || strcmp(name, "metadata") == 0 || strcmp(name, "index") == 0)
			;
		else if (entries[i]->d_type == DT_DIR || (dir->metadata.lttng && !named_as_stream(name)))
			dir->as_it_is = false;
		else
			look_at_stream(files, dir, name, seen, look);
		if (look->tick)
			look->tick(look->context);
		free(entries[i]);
	}
	tell_strays(files, dir);
	if (count >= 0)
		free(entries);
	else
		add_problem(files, memory_format("%s: %s", dir->path, strerror(errno)));
}

char *trace_file_read(const char *path, size_t *size)
{
	uint64_t length = 0;
	int fd = open_regular(path, &length);
	char *bytes = NULL;
	ssize_t got;

	if (fd < 0)
		return NULL;
	if (length > METADATA_MAX) {
		errno = EFBIG;
	} else {
		bytes = memory_new(length + 1, 1);
		got = pread(fd, bytes, length, 0);
		*size = got > 0 ? (size_t)got : 0;
	}
	close(fd);
	return bytes;
}

static void add_trace(struct trace_files *files, const char *path, const char *metadata)
{
	struct trace_dir dir = {.as_it_is = true};
	size_t size = 0;
	char *bytes = trace_file_read(metadata, &size);
	const char *problem;

	if (bytes == NULL) {
		add_problem(files, memory_format("%s: %s", metadata, strerror(errno)));
		return;
	}
	problem = metadata_parse(bytes, size, &dir.metadata);
	free(bytes);
	if (problem) {
		add_problem(files, memory_format("the trace in %s cannot be read: %s", path, problem));
		metadata_clear(&dir.metadata);
		return;
	}
	dir.known = dir.metadata.lttng && layout_parse(dir.metadata.text, &dir.layout);
	/* It may be one of hundreds. */
	free(dir.metadata.text);
	dir.metadata.text = NULL;
	dir.path = memory_text(path);
	files->dirs = memory_grow(files->dirs, files->count, sizeof(*files->dirs));
	files->dirs[files->count++] = dir;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The directory of a stream that nothing tells how to read, or NULL; to be freed. */
static char *orphaned(const FTSENT *entry)
{
	char *parent = strndup(entry->fts_path, (size_t)(entry->fts_pathlen - entry->fts_namelen - 1));
	char *metadata = trace_path(parent, "metadata");
	uint64_t size;
	int fd = access(metadata, F_OK) < 0 && errno == ENOENT ? open_regular(entry->fts_path, &size) : -1;

	free(metadata);
	if (fd >= 0 && begins_as_stream(fd)) {
		close(fd);
		return parent;
	}
	if (fd >= 0)
		close(fd);
	free(parent);
	return NULL;
}

/* Once for all streams of a directory. */
static void take_orphan(struct trace_files *files, const FTSENT *entry)
{
	char *parent = entry->fts_parent->fts_number ? NULL : orphaned(entry);

	if (parent == NULL)
		return;
	entry->fts_parent->fts_number = 1;
	add_problem(files, memory_format("the trace in %s cannot be read: its metadata is gone", parent));
	free(parent);
}

static int find_traces(const char *dir, struct trace_files *files, char **error)
{
	char *roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV, by_name);
	FTSENT *entry;

	if (walk == NULL) {
		*error = memory_format("%s: %s", dir, strerror(errno));
		return -1;
	}
	while ((entry = fts_read(walk))) {
		if (entry->fts_level > DEPTH_MAX) {
			fts_set(walk, entry, FTS_SKIP);
		} else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
			/* Somebody else's file, in a directory that is no recording, may go while we look. */
			if (entry->fts_errno != ENOENT || entry->fts_level == 0)
				add_problem(files,
					    memory_format("%s: %s", entry->fts_path, strerror(entry->fts_errno)));
		} else if (entry->fts_info == FTS_F && strcmp(entry->fts_name, "metadata") == 0) {
			char *parent = strndup(entry->fts_path, (size_t)(entry->fts_pathlen - entry->fts_namelen - 1));

			add_trace(files, parent, entry->fts_path);
			free(parent);
		} else if (entry->fts_info == FTS_F && entry->fts_level > 0 && named_as_stream(entry->fts_name)) {
			take_orphan(files, entry);
		}
	}
	fts_close(walk);
	return 0;
}

/* Copies of a trace, and the chunks that a rotation cuts it into, have its UUID. */
static bool is_alone(const struct trace_files *files, const struct trace_dir *dir)
{
	for (size_t i = 0; i < files->count; i++)
		if (&files->dirs[i] != dir &&
		    memcmp(files->dirs[i].metadata.kind.uuid, dir->metadata.kind.uuid, 16) == 0)
			return false;
	return true;
}

int trace_files_find(const char *dir, const struct trace_look *look, struct trace_files *files, char **error)
{
	struct map seen = {0};
	int result;

	*files = (struct trace_files){0};
	result = find_traces(dir, files, error);
	for (size_t i = 0; i < files->count; i++) {
		struct trace_dir *trace = &files->dirs[i];

		/* A session whose programs recorded nothing has metadata without a stream. */
		if (!trace->metadata.empty)
			look_at_streams(files, trace, is_alone(files, trace) ? NULL : &seen, look);
	}
	map_clear(&seen);
	if (result == 0 && files->count == 0) {
		result = files->problem_count ? -1 : -ENOENT;
		*error = files->problem_count ? memory_text(files->problems[0])
					      : memory_format("%s holds no CTF trace", dir);
	}
	if (result < 0)
		trace_files_free(files);
	return result;
}

uint64_t trace_files_size(const char *dir)
{
	const struct trace_look look = {NULL, NULL};
	struct trace_files files;
	uint64_t size = 0;
	char *error = NULL;

	if (trace_files_find(dir, &look, &files, &error) == 0) {
		size = files.size;
		trace_files_free(&files);
	}
	free(error);
	return size;
}

static void dir_free(struct trace_dir *dir)
{
	for (size_t i = 0; i < dir->stream_count; i++) {
		free(dir->streams[i].name);
		free(dir->streams[i].ranges.all);
	}
	free(dir->streams);
	free(dir->path);
	metadata_clear(&dir->metadata);
	layout_clear(&dir->layout);
}

void trace_files_free(struct trace_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		dir_free(&files->dirs[i]);
	for (size_t i = 0; i < files->problem_count; i++)
		free(files->problems[i]);
	free(files->dirs);
	free(files->problems);
	if (files->copies)
		trace_stand_in_remove(files->copies);
	free(files->copies);
	*files = (struct trace_files){0};
}
