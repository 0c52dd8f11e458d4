#include "trace_files.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "regular_file.h"
#include "trace_reader.h"
#include "trace_streams.h"

/* LTTng's own is 0.1 MB with all of our events. */
#define METADATA_MAX (64u << 20)

char *trace_path(const char *dir, const char *name)
{
	return memory_format("%s/%s", dir, name);
}

void trace_files_problem(struct trace_files *files, char *text)
{
	files->problems = memory_grow(files->problems, files->problem_count, sizeof(*files->problems));
	files->problems[files->problem_count++] = text;
}

void trace_files_failed(struct trace_files *files, const char *path, int error)
{
	trace_files_problem(files, memory_format("%s: %s", path, error == EINVAL ? "not a file" : strerror(error)));
	if (!files->refused && (error == EACCES || error == EPERM))
		files->refused = files->problems[files->problem_count - 1];
}

char *trace_file_read(const char *path, size_t *size)
{
	uint64_t length = 0;
	int fd = regular_file_open(path, &length);
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
		trace_files_failed(files, metadata, errno);
		return;
	}
	problem = metadata_parse(bytes, size, &dir.metadata);
	free(bytes);
	if (problem) {
		trace_files_problem(files, memory_format("the trace in %s cannot be read: %s", path, problem));
		metadata_clear(&dir.metadata);
		return;
	}
	dir.metadata_size = size;
	if (dir.metadata.whole < size) {
		dir.as_it_is = false;
		trace_files_problem(files,
				    memory_format("%s is cut short or damaged: %zu bytes of it could not be read",
						  metadata, size - dir.metadata.whole));
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
	int fd = access(metadata, F_OK) < 0 && errno == ENOENT ? regular_file_open(entry->fts_path, &size) : -1;

	free(metadata);
	if (fd >= 0 && trace_streams_begins(fd)) {
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
	trace_files_problem(files, memory_format("the trace in %s cannot be read: its metadata is gone", parent));
	free(parent);
}

static bool is_left_out(const struct trace_look *look, const char *path)
{
	for (size_t i = 0; i < look->left_out_count; i++)
		if (strcmp(look->left_out[i], path) == 0)
			return true;
	return false;
}

static int find_traces(const char *dir, const struct trace_look *look, struct trace_files *files, char **error)
{
	char *roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV, by_name);
	FTSENT *entry;

	if (walk == NULL) {
		*error = memory_format("%s: %s", dir, strerror(errno));
		return -1;
	}
	while ((entry = fts_read(walk))) {
		if (entry->fts_level > TRACE_DEPTH_MAX) {
			fts_set(walk, entry, FTS_SKIP);
		} else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
			/* Somebody else's file, in a directory that is no recording, may go while we look. */
			if (entry->fts_errno != ENOENT || entry->fts_level == 0)
				trace_files_failed(files, entry->fts_path, entry->fts_errno);
		} else if (entry->fts_info == FTS_F && strcmp(entry->fts_name, "metadata") == 0) {
			char *parent = strndup(entry->fts_path, (size_t)(entry->fts_pathlen - entry->fts_namelen - 1));

			if (!is_left_out(look, parent))
				add_trace(files, parent, entry->fts_path);
			free(parent);
		} else if (entry->fts_info == FTS_F && entry->fts_level > 0 && trace_streams_named(entry->fts_name)) {
			files->streams |= entry->fts_statp->st_size > 0;
			take_orphan(files, entry);
		}
	}
	fts_close(walk);
	return 0;
}

int trace_files_find(const char *dir, const struct trace_look *look, struct trace_files *files, char **error)
{
	struct trace_seen seen = {0};
	int result;

	*files = (struct trace_files){0};
	result = find_traces(dir, look, files, error);
	for (size_t i = 0; i < files->count; i++) {
		struct trace_dir *trace = &files->dirs[i];

		/* A session whose programs recorded nothing has metadata without a stream. */
		if (!trace->metadata.empty)
			trace_streams_look(files, trace, &seen, look);
	}
	trace_streams_sum_up(files, &seen);
	if (result == 0 && files->count == 0) {
		result = !files->problem_count ? -ENOENT : files->streams || files->refused ? -1 : -ENODATA;
		*error = files->refused         ? memory_text(files->refused)
			 : files->problem_count ? memory_text(files->problems[0])
						: memory_format("%s holds no CTF trace", dir);
	}
	if (result < 0)
		trace_files_free(files);
	return result;
}

uint64_t trace_files_size(const char *dir)
{
	const struct trace_look look = {0};
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
