#include "trace_files.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define METADATA_MAGIC 0x75d11d57u
/* LTTng puts a trace at most six directories deep: host, session, domain, buffering, user, word size. */
#define DEPTH_MAX 8

#define STREAM_MAGIC 0xc1fc1fc1u

/* A metadata packet: its header's length, and where the sizes in bits stand. */
#define METADATA_HEADER 37
#define METADATA_CONTENT_SIZE 24
#define METADATA_PACKET_SIZE 28

/* The same of a packet as LTTng-UST lays it out. */
#define PACKET_HEADER 64
#define PACKET_CONTENT_SIZE 48
#define PACKET_SIZE 56

struct bytes {
	const unsigned char *at;
	uint64_t size;
};

/* One stream file of a trace, and how much of it is whole. */
struct stream_file {
	char *name;
	uint64_t whole, size;
};

struct trace_look {
	struct stream_file *streams;
	size_t count;
	bool damaged;
	bool lttng;
};

static int bytes_open(const char *path, struct bytes *bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*bytes = (struct bytes){NULL, 0};
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	if (st.st_size > 0) {
		void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (at == MAP_FAILED) {
			close(fd);
			return -1;
		}
		*bytes = (struct bytes){at, (uint64_t)st.st_size};
	}
	close(fd);
	return 0;
}

static void bytes_close(struct bytes *bytes)
{
	if (bytes->at)
		munmap((void *)(uintptr_t)bytes->at, bytes->size);
}

static uint32_t read32(const unsigned char *at, bool swap)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap32(value) : value;
}

static uint64_t read64(const unsigned char *at, bool swap)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return swap ? __builtin_bswap64(value) : value;
}

/* NULL when the metadata can be read, else what is wrong with it. *text is its plain text, to be freed. */
static const char *metadata_check(const struct bytes *bytes, char **text)
{
	uint64_t at = 0, length = 0;
	bool swap;

	*text = NULL;
	if (bytes->size == 0)
		return "its metadata is empty";
	if (bytes->size >= 10 && memcmp(bytes->at, "/* CTF 1.8", 10) == 0) {
		*text = strndup((const char *)bytes->at, bytes->size);
		return NULL;
	}
	if (bytes->size < METADATA_HEADER)
		return "its metadata is cut short";
	swap = read32(bytes->at, false) != METADATA_MAGIC;
	if (swap && read32(bytes->at, true) != METADATA_MAGIC)
		return "its metadata is not CTF 1.8";
	*text = memory_new(bytes->size + 1, 1);
	while (at < bytes->size) {
		uint64_t content, packet;

		if (bytes->size - at < METADATA_HEADER)
			return "its metadata is cut short";
		if (read32(bytes->at + at, swap) != METADATA_MAGIC)
			return "its metadata is damaged";
		content = read32(bytes->at + at + METADATA_CONTENT_SIZE, swap) / 8;
		packet = read32(bytes->at + at + METADATA_PACKET_SIZE, swap) / 8;
		if (content < METADATA_HEADER || packet < content)
			return "its metadata is damaged";
		if (packet > bytes->size - at)
			return "its metadata is cut short";
		memcpy(*text + length, bytes->at + at + METADATA_HEADER, content - METADATA_HEADER);
		length += content - METADATA_HEADER;
		at += packet;
	}
	return NULL;
}

/* How many bytes of a stream are whole packets; *problem is set when the rest is more than a cut. */
static uint64_t stream_whole(const struct bytes *bytes, const char **problem)
{
	uint64_t at = 0;

	while (bytes->size - at >= PACKET_HEADER) {
		bool swap = read32(bytes->at + at, false) != STREAM_MAGIC;
		uint64_t content, packet;

		if (swap && read32(bytes->at + at, true) != STREAM_MAGIC) {
			*problem = "is damaged: a packet does not begin as one";
			return at;
		}
		content = read64(bytes->at + at + PACKET_CONTENT_SIZE, swap) / 8;
		packet = read64(bytes->at + at + PACKET_SIZE, swap) / 8;
		if (content < PACKET_HEADER || packet < content) {
			*problem = "is damaged: a packet's sizes cannot be";
			return at;
		}
		if (packet > bytes->size - at)
			return at;
		at += packet;
	}
	return at;
}

static const char *stream_check(const char *path, bool lttng, struct stream_file *stream)
{
	const char *problem = NULL;
	struct bytes bytes;

	if (bytes_open(path, &bytes) < 0)
		return strerror(errno);
	stream->size = stream->whole = bytes.size;
	if (bytes.size > 0 &&
	    (bytes.size < 4 || (read32(bytes.at, false) != STREAM_MAGIC && read32(bytes.at, true) != STREAM_MAGIC)))
		problem = "is not a CTF stream";
	else if (lttng)
		stream->whole = stream_whole(&bytes, &problem);
	bytes_close(&bytes);
	return problem;
}

static char *path_of(const char *dir, const char *name)
{
	return memory_format("%s/%s", dir, name);
}

static int look_at_stream(const char *dir, const char *name, struct trace_look *look, char **error)
{
	struct stream_file stream = {0};
	char *path = path_of(dir, name);
	struct stat st;
	const char *problem;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		free(path);
		return 0;
	}
	problem = stream_check(path, look->lttng, &stream);
	if (problem) {
		*error = memory_format("%s %s", path, problem);
		free(path);
		return -1;
	}
	free(path);
	stream.name = memory_text(name);
	look->damaged |= stream.whole < stream.size;
	look->streams = memory_grow(look->streams, look->count, sizeof(*look->streams));
	look->streams[look->count++] = stream;
	return 0;
}

static int look_at_streams(const char *dir, struct trace_look *look, char **error)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;
	int result = 0;

	if (entries == NULL) {
		*error = memory_format("%s: %s", dir, strerror(errno));
		return -1;
	}
	while (result == 0 && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "metadata") != 0)
			result = look_at_stream(dir, entry->d_name, look, error);
	closedir(entries);
	return result;
}

static void look_free(struct trace_look *look)
{
	for (size_t i = 0; i < look->count; i++)
		free(look->streams[i].name);
	free(look->streams);
}

static int copy_part(const char *from, const char *to, uint64_t size)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int result = in < 0 || out < 0 ? -1 : 0;

	while (result == 0 && size > 0) {
		ssize_t copied = copy_file_range(in, NULL, out, NULL, size, 0);

		if (copied <= 0)
			result = -1;
		else
			size -= (uint64_t)copied;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return result;
}

/* A directory of links to what is whole, and copies of what is whole of the rest; NULL with errno set on failure. */
static char *stand_in(struct trace_files *files, const char *dir, const struct trace_look *look)
{
	char *source = realpath(dir, NULL), *copy, *from, *to;
	int result = source ? 0 : -1;

	if (files->copies == NULL) {
		const char *temporary = getenv("TMPDIR");

		files->copies = memory_format("%s/shmguard.XXXXXX", temporary && *temporary ? temporary : "/tmp");
		if (mkdtemp(files->copies) == NULL) {
			free(files->copies);
			files->copies = NULL;
			free(source);
			return NULL;
		}
	}
	copy = memory_format("%s/%zu", files->copies, files->count);
	if (result == 0)
		result = mkdir(copy, 0700);
	for (size_t i = 0; result == 0 && i <= look->count; i++) {
		const struct stream_file *stream = i < look->count ? &look->streams[i] : NULL;

		if (stream && stream->whole == 0)
			continue;
		from = path_of(source, stream ? stream->name : "metadata");
		to = path_of(copy, stream ? stream->name : "metadata");
		result =
			stream && stream->whole < stream->size ? copy_part(from, to, stream->whole) : symlink(from, to);
		free(from);
		free(to);
	}
	free(source);
	if (result == 0)
		return copy;
	free(copy);
	return NULL;
}

static int add_trace(struct trace_files *files, const char *dir, const char *metadata, char **error)
{
	struct trace_look look = {0};
	struct bytes bytes;
	char *text = NULL, *use = NULL;
	const char *problem;
	int result = -1;

	if (bytes_open(metadata, &bytes) < 0) {
		*error = memory_format("%s: %s", metadata, strerror(errno));
		return -1;
	}
	problem = metadata_check(&bytes, &text);
	bytes_close(&bytes);
	if (problem) {
		*error = memory_format("the trace in %s cannot be read: %s", dir, problem);
		goto out;
	}
	/* A session whose programs recorded nothing has metadata without a stream. */
	if (strstr(text, "stream {") == NULL) {
		result = 0;
		goto out;
	}
	look.lttng = strstr(text, "tracer_name = \"lttng-ust\"") != NULL;
	if (look_at_streams(dir, &look, error) < 0)
		goto out;
	use = look.damaged ? stand_in(files, dir, &look) : memory_text(dir);
	if (use == NULL) {
		*error = memory_format("a stream of %s is cut short, and no copy could be made: %s", dir,
				       strerror(errno));
		goto out;
	}
	files->cut_short |= look.damaged;
	files->dirs = memory_grow(files->dirs, files->count, sizeof(*files->dirs));
	files->dirs[files->count++] = use;
	result = 0;
out:
	free(text);
	look_free(&look);
	return result;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int trace_files_find(const char *dir, struct trace_files *files, char **error)
{
	char *roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW | FTS_XDEV, by_name);
	FTSENT *entry;
	int result = 0, found = 0;

	*files = (struct trace_files){0};
	if (walk == NULL) {
		*error = memory_format("%s: %s", dir, strerror(errno));
		return -1;
	}
	while (result == 0 && (entry = fts_read(walk))) {
		if (entry->fts_level > DEPTH_MAX) {
			fts_set(walk, entry, FTS_SKIP);
		} else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
			/* Somebody else's file, in a directory that is no recording, may go while we look. */
			if (entry->fts_errno == ENOENT)
				continue;
			*error = memory_format("%s: %s", entry->fts_path, strerror(entry->fts_errno));
			result = -1;
		} else if (entry->fts_info == FTS_F && strcmp(entry->fts_name, "metadata") == 0) {
			char *parent = strndup(entry->fts_path, (size_t)(entry->fts_pathlen - entry->fts_namelen - 1));

			found++;
			result = add_trace(files, parent, entry->fts_path, error);
			free(parent);
		}
	}
	fts_close(walk);
	if (result == 0 && found == 0) {
		*error = memory_format("%s holds no CTF trace", dir);
		result = -ENOENT;
	}
	if (result < 0)
		trace_files_free(files);
	return result;
}

static void remove_tree(char *path)
{
	char *roots[] = {path, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk)))
		if (entry->fts_info != FTS_D)
			remove(entry->fts_accpath);
	if (walk)
		fts_close(walk);
}

void trace_files_free(struct trace_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->dirs[i]);
	free(files->dirs);
	if (files->copies)
		remove_tree(files->copies);
	free(files->copies);
	*files = (struct trace_files){0};
}
