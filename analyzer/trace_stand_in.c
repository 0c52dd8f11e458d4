/* What is whole of a trace, in a directory of its own: links to whole files, copies of what is whole of the rest. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "regular_file.h"
#include "trace_files.h"
#include "trace_index.h"

static int copy_range(int in, int out, const struct packet_range *range)
{
	loff_t from = (loff_t)range->from;
	uint64_t left = range->until - range->from;

	while (left > 0) {
		ssize_t copied = copy_file_range(in, &from, out, NULL, left, 0);

		if (copied == 0)
			errno = EIO;
		if (copied <= 0)
			return -1;
		left -= (uint64_t)copied;
	}
	return 0;
}

static int copy_ranges(const char *from, const char *to, const struct packet_ranges *ranges)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result = in < 0 || out < 0 ? -1 : 0;

	for (size_t i = 0; result == 0 && i < ranges->count; i++)
		result = copy_range(in, out, &ranges->all[i]);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return result;
}

static int put_in(const char *source, const char *copy, const char *name, const struct trace_stream *stream)
{
	char *from = trace_path(source, name), *to = trace_path(copy, name);
	const struct packet_ranges *ranges = &stream->ranges;
	bool whole = ranges->count == 1 && ranges->all[0].from == 0 && ranges->all[0].until == stream->size;
	int result = 0;

	if (whole)
		result = symlink(from, to);
	else if (ranges->count > 0)
		result = copy_ranges(from, to, ranges);
	free(from);
	free(to);
	return result;
}

static bool make_copies(struct trace_files *files, void (*made)(void *context, const char *copies), void *context)
{
	const char *temporary = getenv("TMPDIR");

	if (files->copies)
		return true;
	files->copies = memory_format("%s/shmguard.XXXXXX", temporary && *temporary ? temporary : "/tmp");
	if (mkdtemp(files->copies) == NULL) {
		free(files->copies);
		files->copies = NULL;
		return false;
	}
	made(context, files->copies);
	return true;
}

static bool index_agrees(const struct trace_dir *dir, const struct trace_stream *stream)
{
	char *path = trace_path(dir->path, stream->name);
	uint64_t size;
	int fd = regular_file_open(path, &size);
	bool agrees = fd >= 0 && trace_index_agrees(dir->path, stream->name, fd, stream->size,
						    dir->metadata.lttng ? &dir->metadata.kind : NULL);

	if (fd >= 0)
		close(fd);
	free(path);
	return agrees;
}

/* Without those that do not nothing is missing. */
static bool indexes_agree(const struct trace_dir *dir)
{
	for (size_t i = 0; i < dir->stream_count; i++)
		if (!index_agrees(dir, &dir->streams[i]))
			return false;
	return true;
}

char *trace_stand_in(struct trace_files *files, size_t index, void (*made)(void *context, const char *copies),
		     void *context)
{
	const struct trace_dir *dir = &files->dirs[index];
	struct packet_range whole = {0, dir->metadata.whole};
	const struct trace_stream metadata = {.size = dir->metadata_size, .ranges = {&whole, 1}};
	char *source, *copy;
	int result;

	if (dir->as_it_is && indexes_agree(dir))
		return memory_text(dir->path);
	if (!make_copies(files, made, context))
		return NULL;
	source = realpath(dir->path, NULL);
	copy = memory_format("%s/%zu", files->copies, index);
	result = source ? mkdir(copy, 0700) : -1;
	if (result == 0)
		result = put_in(source, copy, "metadata", &metadata);
	for (size_t i = 0; result == 0 && i < dir->stream_count; i++)
		result = put_in(source, copy, dir->streams[i].name, &dir->streams[i]);
	free(source);
	if (result == 0)
		return copy;
	free(copy);
	return NULL;
}

void trace_stand_in_remove(const char *copies)
{
	char *roots[] = {(char *)(uintptr_t)copies, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk)))
		if (entry->fts_info != FTS_D)
			remove(entry->fts_accpath);
	if (walk)
		fts_close(walk);
}
