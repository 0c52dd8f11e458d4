/*
 * Damages a recording in thousands of ways, and has each reported as JSON and in one form more: no crash, no hang,
 * bounded memory.
 *
 *	mutate RECORDING COUNT [SEED]
 *
 * SEED is where the count begins: "mutate RECORDING 1 SEED" does again what failed. Every fourth trace is decoded by
 * babeltrace2, which may crash or stand still: that is to end in a sentence.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "analyzer/report.h"
#include "analyzer/trace_settings.h"

#define FILES_MAX 64
#define MEMORY_MAX (256L << 10) /* KB */
#define SECONDS_MAX 60
#define BATCH 50

struct file {
	char *path; /* below the recording */
	unsigned char *bytes;
	size_t size;
	bool stream;
};

static struct file files[FILES_MAX];
static size_t file_count;
static uint64_t state;

static uint64_t chance(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void read_recording(const char *dir)
{
	char *roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		struct file *file = &files[file_count];
		FILE *from;

		if (entry->fts_info != FTS_F || file_count == FILES_MAX || strncmp(entry->fts_name, "expected", 8) == 0)
			continue;
		file->path = memory_text(entry->fts_path + strlen(dir) + 1);
		file->size = (size_t)entry->fts_statp->st_size;
		file->bytes = memory_new(file->size + 1, 1);
		file->stream = strstr(file->path, "events_") != NULL;
		from = fopen(entry->fts_path, "r");
		if (from == NULL || fread(file->bytes, 1, file->size, from) != file->size)
			fail(entry->fts_path);
		fclose(from);
		file_count++;
	}
	if (walk)
		fts_close(walk);
}

static void damage_bytes(unsigned char *bytes, size_t size)
{
	static const uint64_t numbers[] = {
		0,          1,         0x7f, 0xff,        0x7fff,          0xffff, 0x7fffffff, 0xffffffff,
		UINT64_MAX, INT64_MAX, 4096, 0xfffffff8u, 0x8000000000000, 84 * 8, 32768 * 8};
	/* Most of a packet is padding: what comes first is what counts. */
	size_t at = chance(4) ? chance(size) : chance(size < 512 ? size : 512);
	uint64_t number = numbers[chance(sizeof(numbers) / sizeof(*numbers))];
	size_t length = (size_t)1 << chance(4);

	if (chance(2)) {
		bytes[at] ^= (unsigned char)(1 << chance(8));
	} else {
		if (length > size - at)
			length = size - at;
		memcpy(bytes + at, &number, length);
	}
}

/* The changed file; its size may be another. */
static unsigned char *damage(const struct file *file, size_t *size)
{
	unsigned char *bytes = memory_new(file->size * 2 + 1, 1);

	memcpy(bytes, file->bytes, file->size);
	*size = file->size;
	if (*size == 0)
		return bytes;
	switch (chance(12)) {
	case 0:
		*size = chance(*size);
		break;
	case 1:
		memcpy(bytes + *size, file->bytes, *size);
		*size = *size + chance(*size);
		break;
	case 2: {
		size_t from = chance(*size), length = chance(*size - from) + 1;

		memmove(bytes + from, bytes + from + length, *size - from - length);
		*size -= length;
		break;
	}
	default:
		for (uint64_t i = 1 + chance(8); i > 0; i--)
			damage_bytes(bytes, *size);
	}
	return bytes;
}

static void make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fail(path);
		*slash = '/';
	}
}

static void write_recording(const char *dir, uint64_t seed)
{
	size_t victim;

	state = seed * 0x9e3779b97f4a7c15u + 1;
	for (int i = 0; i < 8; i++)
		chance(2);
	do
		victim = chance(file_count);
	while (!files[victim].stream && chance(3));
	for (size_t i = 0; i < file_count; i++) {
		char *path = memory_format("%s/%s", dir, files[i].path);
		size_t size = files[i].size;
		unsigned char *bytes = i == victim ? damage(&files[i], &size) : NULL;
		FILE *to;

		make_directories(path);
		to = fopen(path, "w");
		if (to == NULL || fwrite(bytes ? bytes : files[i].bytes, 1, size, to) != size || fclose(to))
			fail(path);
		free(bytes);
		free(path);
	}
}

static void report_once(const char *dir, uint64_t seed)
{
	static char nowhere[] = "/dev/null";
	struct report_options options = {.verbose = true};
	enum report_result result;
	size_t count = 0;

	while (report_formats[count].name)
		count++;
	options.outputs[0] = (struct report_output){report_format_find("json"), nowhere};
	options.outputs[1] = (struct report_output){&report_formats[seed / 4 % count], nowhere};
	options.output_count = 2;
	trace_settings.decoder = seed % 4 ? DECODER_auto : DECODER_babeltrace2;
	trace_settings.patience = 2000000000;
	alarm(SECONDS_MAX);
	result = (enum report_result)report_recording(dir, &options, stdout, NULL);
	if (result != REPORT_DONE && result != REPORT_UNREADABLE)
		_exit(1);
}

/* In a child, so that a crash is this program's to tell. */
static bool report_some(const char *dir, uint64_t first, uint64_t count, const char *log)
{
	struct rusage usage;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDERR_FILENO);
		for (uint64_t seed = first; seed < first + count; seed++) {
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
			write_recording(dir, seed);
			report_once(dir, seed);
		}
		exit(0);
	}
	wait4(pid, &status, 0, &usage);
	if (status == 0 && usage.ru_maxrss < MEMORY_MAX)
		return true;
	printf("seeds %llu to %llu: wait status %d, %ld MB; %s:\n", (unsigned long long)first,
	       (unsigned long long)(first + count - 1), status, usage.ru_maxrss >> 10, log);
	return false;
}

int main(int argc, char **argv)
{
	char place[] = "/tmp/shmguard-mutate.XXXXXX", *dir, *log, *command;
	uint64_t count, first = argc == 4 ? strtoull(argv[3], NULL, 10) : 1, done = 0;
	bool good = true;

	if (argc < 3 || mkdtemp(place) == NULL) {
		fputs("usage: mutate RECORDING COUNT [SEED]\n", stderr);
		return 2;
	}
	count = strtoull(argv[2], NULL, 10);
	read_recording(argv[1]);
	dir = memory_format("%s/recording", place);
	log = memory_format("%s/log", place);
	for (; good && done < count; done += BATCH)
		good = report_some(dir, first + done, count - done < BATCH ? count - done : BATCH, log);
	command = memory_format("%s '%s'; rm -rf '%s'", good ? ":" : "tail -n 30", log, place);
	if (system(command))
		good = false;
	printf("%llu mutated traces%s\n", (unsigned long long)(done < count ? done : count), good ? "" : ": failed");
	return !good;
}
