#include "analyzer/usage.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/huge_pages.h"
#include "analyzer/machine.h"
#include "analyzer/memory.h"
#include "analyzer/smaps.h"
#include "analyzer/usage_limits.h"

#define SECOND INT64_C(1000000000)
/* Between two looks at who maps what, if the processor time that one takes is no more than a hundredth of that. */
#define LOOK_INTERVAL (SECOND / 4)
#define LOOK_SHARE 100
/* Between the first two looks at the smaps of a process; each time it doubles. */
#define SMAPS_INTERVAL SECOND
#define SMAPS_INTERVAL_MAX (64 * SECOND)

/* One mapping of a process, as it was at worst. */
struct usage {
	pid_t pid;
	int64_t first, last; /* looks, nanoseconds since 1970 */
	int64_t cpu_first, cpu_last;
	uint64_t memlock;
	char *name;
	struct smaps at; /* the largest amounts */
};

struct watched {
	pid_t pid;
	uint64_t mappings; /* a hash of those that are looked at; 0: none */
	int64_t next, interval;
};

struct usage_watch {
	struct watched *watched;
	size_t watched_count;
	struct usage *usages;
	size_t usage_count;
	struct map known; /* (pid, start) -> index + 1 of the latest usage there */
	int64_t next;
	bool swaps;
	/* Of the process that is being looked at. */
	pid_t pid;
	int64_t now, cpu;
};

static int64_t clock_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

struct usage_watch *usage_new(void)
{
	struct usage_watch *watch = memory_new(1, sizeof(*watch));

	watch->next = clock_of(CLOCK_MONOTONIC) + LOOK_INTERVAL;
	return watch;
}

void usage_free(struct usage_watch *watch)
{
	for (size_t i = 0; i < watch->usage_count; i++)
		free(watch->usages[i].name);
	map_clear(&watch->known);
	free(watch->usages);
	free(watch->watched);
	free(watch);
}

void usage_process(struct usage_watch *watch, pid_t pid)
{
	for (size_t i = watch->watched_count; i > 0; i--)
		if (watch->watched[i - 1].pid == pid)
			return;
	watch->watched = memory_grow(watch->watched, watch->watched_count, sizeof(*watch->watched));
	watch->watched[watch->watched_count++] = (struct watched){.pid = pid};
}

/*
 * Objects lie on file systems without a device; a file of a disk that is mapped shared has one. LTTng's buffers, large and
 * mapped by every process that is recorded, are not the program's.
 */
static bool concerns(const struct usage_watch *watch, const struct smaps *mapping)
{
	return mapping->shared && mapping->inode && major(mapping->device) == 0 &&
	       !strstr(mapping->name, "/ust/uid/") && (watch->swaps || mapping->end - mapping->start >= USAGE_HUGE_MIN);
}

static FILE *file_of(pid_t pid, const char *name)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* A hash of its mappings that concern us, 0 if there are none. False: the process is over, or not ours to look at. */
static bool mappings_of(const struct usage_watch *watch, pid_t pid, uint64_t *hash)
{
	FILE *file = file_of(pid, "maps");
	char *line = NULL;
	size_t room = 0;
	bool any = false;
	struct smaps mapping;

	*hash = 0;
	while (file && getline(&line, &room, file) > 0) {
		any = true;
		if (!smaps_header(line, &mapping) || !concerns(watch, &mapping))
			continue;
		*hash = map_hash(*hash ? *hash : MAP_HASH, &mapping, offsetof(struct smaps, shared));
	}
	free(line);
	if (file)
		fclose(file);
	return any;
}

/* Time that it computed, in all its threads, nanoseconds. */
static int64_t cpu_of(pid_t pid)
{
	FILE *file = file_of(pid, "stat");
	long ticks = sysconf(_SC_CLK_TCK);
	uint64_t user = 0, system = 0;
	char text[1024];
	const char *end;

	if (file == NULL)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	/* The name before it may hold anything. */
	end = strrchr(text, ')');
	if (end)
		sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user, &system);
	return (int64_t)(user + system) * (SECOND / ticks);
}

static struct usage *usage_of(struct usage_watch *watch, const struct smaps *mapping)
{
	uintptr_t known = (uintptr_t)map_get(&watch->known, (uint64_t)watch->pid, mapping->start);
	struct usage *usage = known ? &watch->usages[known - 1] : NULL;
	struct rlimit memlock = {0};

	if (usage && usage->at.inode == mapping->inode && usage->at.device == mapping->device)
		return usage;
	watch->usages = memory_grow(watch->usages, watch->usage_count, sizeof(*watch->usages));
	usage = &watch->usages[watch->usage_count++];
	prlimit(watch->pid, RLIMIT_MEMLOCK, NULL, &memlock);
	*usage = (struct usage){.pid = watch->pid, .first = watch->now, .cpu_first = watch->cpu};
	usage->memlock = memlock.rlim_cur;
	usage->name = memory_text(mapping->name);
	map_put(&watch->known, (uint64_t)watch->pid, mapping->start, (void *)(uintptr_t)watch->usage_count);
	return usage;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void take_mapping(void *context, const struct smaps *mapping)
{
	struct usage_watch *watch = context;
	struct smaps at = *mapping;
	struct usage *usage;

	if (!concerns(watch, mapping))
		return;
	usage = usage_of(watch, mapping);
	usage->last = watch->now;
	usage->cpu_last = watch->cpu;
	at.rss = larger(at.rss, usage->at.rss);
	at.referenced = larger(at.referenced, usage->at.referenced);
	at.huge = larger(at.huge, usage->at.huge);
	at.swap = larger(at.swap, usage->at.swap);
	at.locked = larger(at.locked, usage->at.locked);
	at.name = NULL;
	usage->at = at;
}

/* Whether the process is still there. */
static bool look_at(struct usage_watch *watch, struct watched *watched, int64_t now)
{
	uint64_t mappings;
	FILE *file;

	if (!mappings_of(watch, watched->pid, &mappings))
		return false;
	if (mappings != watched->mappings) {
		watched->mappings = mappings;
		watched->next = now;
		watched->interval = SMAPS_INTERVAL;
	}
	if (!mappings || now < watched->next)
		return true;
	watched->next = now + watched->interval;
	watched->interval = watched->interval < SMAPS_INTERVAL_MAX ? 2 * watched->interval : SMAPS_INTERVAL_MAX;
	watch->pid = watched->pid;
	watch->now = clock_of(CLOCK_REALTIME);
	watch->cpu = cpu_of(watched->pid);
	file = file_of(watched->pid, "smaps");
	if (file) {
		smaps_read(file, take_mapping, watch);
		fclose(file);
	}
	return true;
}

void usage_look(struct usage_watch *watch)
{
	int64_t began = clock_of(CLOCK_MONOTONIC), cost = clock_of(CLOCK_THREAD_CPUTIME_ID);
	size_t kept = 0;

	if (began < watch->next)
		return;
	watch->swaps = machine_swaps();
	for (size_t i = 0; i < watch->watched_count; i++)
		if (look_at(watch, &watch->watched[i], began))
			watch->watched[kept++] = watch->watched[i];
	watch->watched_count = kept;
	cost = (clock_of(CLOCK_THREAD_CPUTIME_ID) - cost) * LOOK_SHARE;
	watch->next = began + (cost > LOOK_INTERVAL ? cost : LOOK_INTERVAL);
}

static json_t *line_of(const struct usage *usage)
{
	const struct smaps *at = &usage->at;
	char *name = escape_utf8(usage->name);
	json_t *line = json_pack(
		"{s:s, s:i, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:I}", "type",
		"usage", "pid", (int)usage->pid, "time", (json_int_t)usage->last, "since", (json_int_t)usage->first,
		"dev", (json_int_t)at->device, "ino", (json_int_t)at->inode, "name", name, "length",
		(json_int_t)(at->end - at->start), "page", (json_int_t)at->page, "rss", (json_int_t)at->rss,
		"referenced", (json_int_t)at->referenced, "huge", (json_int_t)at->huge, "swap", (json_int_t)at->swap,
		"locked", (json_int_t)at->locked, "cpu", (json_int_t)(usage->cpu_last - usage->cpu_first), "wants_huge",
		(int)at->wants_huge, "refuses_huge", (int)at->refuses_huge, "memlock",
		usage->memlock > INT64_MAX ? (json_int_t)-1 : (json_int_t)usage->memlock);

	free(name);
	return line;
}

void usage_tell(struct usage_watch *watch, void (*take)(void *context, json_t *line), void *context)
{
	for (size_t i = 0; i < watch->usage_count; i++) {
		const struct usage *usage = &watch->usages[i];
		json_t *line;

		if (usage->last == usage->first)
			continue;
		line = line_of(usage);
		if (usage->at.end - usage->at.start >= USAGE_HUGE_MIN)
			huge_pages_describe(line, usage->at.device);
		take(context, line);
	}
}
