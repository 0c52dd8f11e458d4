/*
 * calls WORK COUNT: does WORK, or every work under "all", COUNT times from 20 frames deep and prints "WORK NANOSECONDS" per
 * time: the median of short slices, which other load on the machine mostly misses. Or "memory BYTES": the process's share
 * of memory without the ring buffers of a tracer, after COUNT calls were made.
 */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SLICE = 50 };

static char name[64], file_path[] = "/tmp/shmguard-bench.XXXXXX";
static int object, file;
static const char *self;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void map_unmap(int fd, int prot, int flags)
{
	void *map = mmap(NULL, PAGE, prot, flags, fd, 0);

	must(map != MAP_FAILED && munmap(map, PAGE) == 0, "mmap");
}

static void shared_page(void)
{
	map_unmap(object, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void open_close(void)
{
	must(close(shm_open(name, O_RDWR, 0)) == 0, "shm_open");
}

/* Of what exists, by who would make it otherwise. */
static void attach(void)
{
	must(close(shm_open(name, O_CREAT | O_RDWR, 0600)) == 0, "shm_open");
}

/* The least that a look at an object costs on this machine. */
static void look(void)
{
	struct stat st;

	must(fstat(object, &st) == 0, "fstat");
}

static void whole_life(void)
{
	char own[80];

	snprintf(own, sizeof own, "%s.life", name);
	int fd = shm_open(own, O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && ftruncate(fd, PAGE) == 0, "create");
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED, "mmap");
	*map = 1;
	must(munmap(map, PAGE) == 0 && close(fd) == 0 && shm_unlink(own) == 0, "release");
}

static void anonymous(void)
{
	map_unmap(-1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

static void file_private(void)
{
	map_unmap(file, PROT_READ, MAP_PRIVATE);
}

static void file_shared(void)
{
	map_unmap(file, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void start_to_exit(void)
{
	char *arguments[] = {(char *)self, "nothing", "0", NULL};
	extern char **environ;
	pid_t child;
	int status;

	must(posix_spawn(&child, self, NULL, NULL, arguments, environ) == 0 && waitpid(child, &status, 0) == child &&
		     status == 0,
	     "posix_spawn");
}

static const struct work {
	const char *name;
	void (*once)(void);
	int threads;
	long share; /* one in so many of COUNT */
	long slice;
} works[] = {
	{"shared_page", shared_page, 1, 1, SLICE},
	{"shared_page_2_threads", shared_page, 2, 1, SLICE},
	{"open_close", open_close, 1, 1, SLICE},
	{"attach", attach, 1, 1, SLICE},
	{"look", look, 1, 1, SLICE},
	{"whole_life", whole_life, 1, 4, SLICE / 4},
	{"anonymous", anonymous, 1, 1, SLICE},
	{"file_private", file_private, 1, 1, SLICE},
	{"file_shared", file_shared, 1, 1, SLICE},
	{"start_to_exit", start_to_exit, 1, 200, 1},
};

struct task {
	const struct work *work;
	long slices;
	double *took;
};

static int slices(const struct task *task)
{
	for (long i = 0; i < task->slices; i++) {
		double start = now();
		for (long j = 0; j < task->work->slice; j++)
			task->work->once();
		task->took[i] = (now() - start) / (double)task->work->slice;
	}
	return 0;
}

/* Each level has a function and a frame of its own, as a program has: what is volatile keeps the call from being a jump. */
#define LEVEL(name, next)                                                                                              \
	static __attribute__((noinline)) int name(const struct task *task)                                             \
	{                                                                                                              \
		volatile int below = next(task);                                                                       \
		return below + 1;                                                                                      \
	}
LEVEL(level_1, slices)
LEVEL(level_2, level_1)
LEVEL(level_3, level_2)
LEVEL(level_4, level_3)
LEVEL(level_5, level_4)
LEVEL(level_6, level_5)
LEVEL(level_7, level_6)
LEVEL(level_8, level_7)
LEVEL(level_9, level_8)
LEVEL(level_10, level_9)
LEVEL(level_11, level_10)
LEVEL(level_12, level_11)
LEVEL(level_13, level_12)
LEVEL(level_14, level_13)

static void *perform(void *context)
{
	must(level_14(context) == 14, "levels");
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(const struct work *work, long count)
{
	long wanted = count / work->share / work->slice;
	struct task own = {work, wanted, malloc((size_t)wanted * sizeof(double))}, others = own;
	pthread_t other;

	if (wanted < 1)
		return;
	others.took = malloc((size_t)wanted * sizeof(double));
	must(own.took && others.took, "malloc");
	must(work->threads < 2 || pthread_create(&other, NULL, perform, &others) == 0, "pthread_create");
	perform(&own);
	must(work->threads < 2 || pthread_join(other, NULL) == 0, "pthread_join");
	qsort(own.took, (size_t)wanted, sizeof(double), by_size);
	printf("%s %.1f\n", work->name, own.took[wanted / 2]);
	free(own.took);
	free(others.took);
}

/* Pss of everything but files below a tracer's directories and its buffers. */
static void memory(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[4096];
	bool counted = true;
	unsigned long sum = 0, value, start, end;

	must(maps != NULL, "smaps");
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			counted = !strstr(line, "/ust") && !strstr(line, "lttng-ust-wait");
		else if (counted && sscanf(line, "Pss: %lu kB", &value) == 1)
			sum += value * 1024;
	}
	fclose(maps);
	printf("memory %lu\n", sum);
}

static void run(const char *wanted, long count)
{
	for (size_t i = 0; i < sizeof works / sizeof *works; i++)
		if (strcmp(wanted, works[i].name) == 0 || strcmp(wanted, "all") == 0)
			measure(&works[i], count);
	if (strcmp(wanted, "memory") == 0) {
		for (long i = 0; i < count; i++)
			whole_life();
		memory();
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "nothing") == 0)
		return 0;
	self = argv[0];
	snprintf(name, sizeof name, "/shmguard-bench.%d", getpid());
	object = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	file = mkstemp(file_path);
	must(object >= 0 && ftruncate(object, PAGE) == 0 && file >= 0 && ftruncate(file, PAGE) == 0, "objects");
	unlink(file_path);
	if (strcmp(argv[1], "memory") != 0)
		for (int i = 0; i < 1000; i++)
			shared_page();
	run(argv[1], atol(argv[2]));
	return shm_unlink(name) != 0;
}
