/*
 * threads SECONDS SEED PLUGIN...: eight threads open, size, map, move, cut, unmap, duplicate, close and unlink objects, and
 * load and unload plugins, at random; descriptors and mappings pass from one to the other. What is left at the end is the
 * same in the ledger as in /proc/self/maps and /proc/self/fd: prints how much that was, and writes it into the file "held",
 * a line "inode start end offset" each, in which a descriptor has neither end nor offset.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "tests/ledger/ledger.h"

enum { THREADS = 8, PAGE = 4096, SLOTS = 40, NAMES = 12, PAGES = 16, MOST = 100000 };

struct range {
	char *at;
	size_t length; /* 0: none */
};

/* What a thread takes from here is its own until it puts it back: nobody uses what another has given up. */
static atomic_int descriptors[SLOTS];
static _Atomic(struct range *) ranges[SLOTS];
static char **plugins;
static int plugin_count;
static atomic_bool stop;
static atomic_ulong calls;

#define MUST(good) ((good) ? (void)0 : fail(#good, __LINE__))
static void fail(const char *what, int line)
{
	fprintf(stderr, "line %d: %s: %s\n", line, what, strerror(errno));
	_exit(99);
}

static unsigned any(unsigned *seed, unsigned below)
{
	return (unsigned)rand_r(seed) % below;
}

static void keep_descriptor(unsigned *seed, int fd)
{
	int before = atomic_exchange(&descriptors[any(seed, SLOTS)], fd);

	MUST(fd >= 0);
	MUST(before == 0 || close(before) == 0);
}

static void keep_range(unsigned *seed, struct range range)
{
	struct range *new = malloc(sizeof *new), *before;

	*new = range;
	before = atomic_exchange(&ranges[any(seed, SLOTS)], new);
	MUST(!before || !before->length || munmap(before->at, before->length) == 0);
	free(before);
}

/* Of its own, and a duplicate of a name's object or a new one where there is none. */
static int take_descriptor(unsigned *seed)
{
	int fd = atomic_exchange(&descriptors[any(seed, SLOTS)], 0);
	char name[64];

	if (fd > 0)
		return fd;
	snprintf(name, sizeof name, "/ledger-%d-%u", getpid(), any(seed, NAMES));
	return any(seed, 4) ? shm_open(name, O_CREAT | O_RDWR, 0600) : memfd_create("ledger-memfd", MFD_CLOEXEC);
}

static struct range take_range(unsigned *seed)
{
	struct range *taken = atomic_exchange(&ranges[any(seed, SLOTS)], NULL), range = {0};

	if (taken)
		range = *taken;
	free(taken);
	return range;
}

static void map(unsigned *seed)
{
	int fd = take_descriptor(seed);
	struct range range = {.length = PAGE * (1 + any(seed, PAGES))};

	MUST(fd >= 0 && ftruncate(fd, PAGE * (off_t)any(seed, PAGES)) == 0);
	range.at = mmap(NULL, range.length, PROT_READ | PROT_WRITE, any(seed, 8) ? MAP_SHARED : MAP_PRIVATE, fd,
			PAGE * (off_t)any(seed, PAGES));
	MUST(range.at != MAP_FAILED);
	keep_descriptor(seed, fd);
	keep_range(seed, range);
}

/* In the place of a part of another: of an object, or of memory that is nobody's. */
static void map_over(unsigned *seed)
{
	struct range range = take_range(seed);
	int fd = take_descriptor(seed);
	size_t pages = range.length / PAGE, from = pages ? any(seed, (unsigned)pages) : 0;
	bool anonymous = any(seed, 3) == 0;

	MUST(fd >= 0);
	if (pages)
		MUST(mmap(range.at + from * PAGE, PAGE * (1 + any(seed, (unsigned)(pages - from))), PROT_READ,
			  MAP_FIXED | (anonymous ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), anonymous ? -1 : fd,
			  anonymous ? 0 : PAGE * (off_t)any(seed, PAGES)) != MAP_FAILED);
	keep_descriptor(seed, fd);
	keep_range(seed, range);
}

static void unmap(unsigned *seed)
{
	struct range range = take_range(seed);
	size_t pages = range.length / PAGE, kept = pages ? any(seed, (unsigned)pages) : 0;

	if (!pages)
		return;
	/* All of it, or its end, or its beginning. */
	if (any(seed, 2))
		kept = 0;
	if (any(seed, 2)) {
		MUST(munmap(range.at + kept * PAGE, range.length - kept * PAGE) == 0);
	} else {
		MUST(munmap(range.at, range.length - kept * PAGE) == 0);
		range.at += range.length - kept * PAGE;
	}
	range.length = kept * PAGE;
	keep_range(seed, range);
}

/* A range of several mappings cannot be moved: that is refused, and changes nothing. */
static void move(unsigned *seed)
{
	struct range range = take_range(seed);
	size_t length = PAGE * (1 + any(seed, PAGES));
	int flags = any(seed, 4) ? MREMAP_MAYMOVE : 0;

	if (!range.length)
		return;
	char *moved = mremap(range.at, range.length, length, flags);
	if (moved != MAP_FAILED)
		range = (struct range){moved, length};
	else
		MUST(errno == EFAULT || errno == ENOMEM || errno == EINVAL);
	keep_range(seed, range);
}

/* The old range stays, or the new one is a second view of it. */
static void move_and_stay(unsigned *seed)
{
	struct range range = take_range(seed);
	bool view = any(seed, 2);

	if (!range.length)
		return;
	char *moved = mremap(range.at, view ? 0 : range.length, range.length,
			     MREMAP_MAYMOVE | (view ? 0 : MREMAP_DONTUNMAP), NULL);
	if (moved != MAP_FAILED)
		keep_range(seed, (struct range){moved, range.length});
	else
		MUST(errno == EFAULT || errno == ENOMEM || errno == EINVAL);
	keep_range(seed, range);
}

static void duplicate(unsigned *seed)
{
	int fd = take_descriptor(seed), other = take_descriptor(seed);

	MUST(fd >= 0 && other >= 0);
	switch (any(seed, 4)) {
	case 0:
		MUST(dup2(fd, other) == other);
		break;
	case 1:
		MUST(dup3(fd, other, O_CLOEXEC) == other);
		break;
	case 2:
		keep_descriptor(seed, dup(fd));
		break;
	default:
		keep_descriptor(seed, fcntl(fd, F_DUPFD_CLOEXEC, 3));
		break;
	}
	keep_descriptor(seed, fd);
	keep_descriptor(seed, other);
}

static void close_one(unsigned *seed)
{
	int fd = take_descriptor(seed);

	MUST(fd >= 0);
	MUST(any(seed, 4) ? close(fd) == 0 : close_range((unsigned)fd, (unsigned)fd, 0) == 0);
}

/* The number that is free now may be an ordinary file's next. */
static void ordinary(unsigned *seed)
{
	int fd = open("/dev/null", O_RDWR);

	(void)seed;
	MUST(fd >= 0 && close(fd) == 0);
}

static void unlink_one(unsigned *seed)
{
	char name[64];

	snprintf(name, sizeof name, "/ledger-%d-%u", getpid(), any(seed, NAMES));
	MUST(shm_unlink(name) == 0 || errno == ENOENT);
}

static void plug(unsigned *seed)
{
	if (!plugin_count)
		return;
	void *plugin = dlopen(plugins[any(seed, (unsigned)plugin_count)], RTLD_NOW);
	MUST(plugin);
	int (*work)(int) = dlsym(plugin, "work");
	int fd = take_descriptor(seed);
	MUST(work && fd >= 0 && work(fd) == 0);
	keep_descriptor(seed, fd);
	MUST(dlclose(plugin) == 0);
}

static void *work(void *context)
{
	static void (*const ways[])(unsigned *) = {map,           map,       map_over,  unmap,    unmap,      move,
						   move_and_stay, duplicate, close_one, ordinary, unlink_one, plug};
	unsigned seed = (unsigned)(size_t)context;

	while (!stop) {
		ways[any(&seed, sizeof ways / sizeof *ways)](&seed);
		calls++;
	}
	return NULL;
}

typedef void show_function(void (*)(const struct held *));

static struct held mine[MOST], theirs[MOST];
static size_t mine_count, theirs_count;

/* What is next to the last and goes on with the same is the same: the kernel joins mappings. */
static void hold(struct held *held, size_t *count, const struct held *next)
{
	struct held *last = *count ? &held[*count - 1] : NULL;

	if (last && last->ino == next->ino && last->dev == next->dev && last->end == next->start &&
	    last->offset + (last->end - last->start) == next->offset) {
		last->end = next->end;
		return;
	}
	MUST(*count < MOST);
	held[(*count)++] = *next;
}

static void hold_mine(const struct held *held)
{
	hold(mine, &mine_count, held);
}

static void read_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4096];

	MUST(maps);
	while (fgets(line, sizeof line, maps)) {
		struct held held;
		unsigned major, minor;
		if (!strstr(line, "ledger-") || strstr(line, ".so") || strstr(line, " /tmp"))
			continue;
		MUST(sscanf(line, "%lx-%lx %*s %lx %x:%x %lu", &held.start, &held.end, &held.offset, &major, &minor,
			    &held.ino) == 6);
		held.dev = makedev(major, minor);
		hold(theirs, &theirs_count, &held);
	}
	fclose(maps);
}

static void read_descriptors(void)
{
	char link[64], target[4096];

	for (unsigned fd = 0; fd < 1024; fd++) {
		struct stat st;
		snprintf(link, sizeof link, "/proc/self/fd/%u", fd);
		ssize_t length = readlink(link, target, sizeof target - 1);
		target[length > 0 ? length : 0] = 0;
		if (!strstr(target, "ledger-") || stat(link, &st))
			continue;
		hold(theirs, &theirs_count, &(struct held){fd, fd + 1, 0, st.st_dev, st.st_ino});
	}
}

static bool is_same(const struct held *a, const struct held *b)
{
	return a->start == b->start && a->end == b->end && a->offset == b->offset && a->dev == b->dev &&
	       a->ino == b->ino;
}

static void write_held(FILE *file)
{
	for (size_t i = 0; i < theirs_count; i++)
		if (theirs[i].start < MOST)
			fprintf(file, "%lu %lu\n", theirs[i].ino, theirs[i].start);
		else
			fprintf(file, "%lu %lx %lx %lu\n", theirs[i].ino, theirs[i].start, theirs[i].end,
				theirs[i].offset);
}

static void tell(const char *whose, const struct held *held)
{
	printf("%s: %lx-%lx offset %lx, %lx:%lu\n", whose, held->start, held->end, held->offset, held->dev, held->ino);
}

/* Both ascend. */
static unsigned compare(void)
{
	unsigned differences = 0;

	for (size_t m = 0, t = 0; m < mine_count || t < theirs_count;) {
		if (m < mine_count && t < theirs_count && is_same(&mine[m], &theirs[t])) {
			m++;
			t++;
			continue;
		}
		differences++;
		if (t == theirs_count || (m < mine_count && mine[m].start <= theirs[t].start))
			tell("the ledger alone", &mine[m++]);
		else
			tell("/proc/self alone", &theirs[t++]);
	}
	return differences;
}

int main(int argc, char **argv)
{
	show_function *show_descriptors = dlsym(RTLD_DEFAULT, "ledger_show_descriptors");
	show_function *show_mappings = dlsym(RTLD_DEFAULT, "ledger_show_mappings");
	pthread_t threads[THREADS];
	struct timespec pause = {argc > 1 ? atol(argv[1]) : 1, 0};
	size_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (size_t)time(NULL);

	if (argc > 3)
		plugins = argv + 3, plugin_count = argc - 3;
	MUST(show_descriptors && show_mappings);
	for (size_t i = 0; i < THREADS; i++)
		MUST(pthread_create(&threads[i], NULL, work, (void *)(seed + i)) == 0);
	nanosleep(&pause, NULL);
	stop = true;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < NAMES; i++) {
		char name[64];
		snprintf(name, sizeof name, "/ledger-%d-%u", getpid(), i);
		MUST(shm_unlink(name) == 0 || errno == ENOENT);
	}
	FILE *held = fopen("held", "w");
	MUST(held);
	read_descriptors();
	size_t open_now = theirs_count;
	write_held(held);
	show_descriptors(hold_mine);
	unsigned differences = compare();
	mine_count = theirs_count = 0;
	read_maps();
	write_held(held);
	MUST(fclose(held) == 0);
	show_mappings(hold_mine);
	differences += compare();
	printf("seed %zu: %lu steps, %zu descriptors, %zu mappings, %u differences\n", seed, calls, open_now,
	       theirs_count, differences);
	usleep(200000);
	return differences || !open_now || !theirs_count;
}
