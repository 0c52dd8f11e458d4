/* The expensive numbers: smaps of the mappers, and what of an object is in swap. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/machine_inner.h"
#include "analyzer/memory.h"
#include "analyzer/smaps.h"

enum { CHUNK_PAGES = 64 * 1024 };

static void measure_mapping(void *context, const struct smaps *smaps)
{
	struct machine_holder *holder = context;

	for (size_t i = 0; i < holder->mapping_count; i++) {
		struct machine_mapping *mapping = &holder->mappings[i];

		if (mapping->start != smaps->start)
			continue;
		mapping->rss = smaps->rss;
		mapping->pss = smaps->pss;
		mapping->swap = smaps->swap;
		mapping->measured = true;
	}
}

void machine_measure(struct machine_object *object)
{
	for (size_t i = 0; i < object->holder_count; i++) {
		struct machine_holder *holder = &object->holders[i];
		char path[32];
		FILE *file;

		if (!holder->mapping_count)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/smaps", (int)holder->process->pid);
		file = fopen(path, "re");
		if (file) {
			smaps_read(file, measure_mapping, holder);
			fclose(file);
		}
	}
}

bool machine_swaps(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t total = 0, unused = 0;

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "SwapTotal: %" SCNu64, &total);
		sscanf(line, "SwapFree: %" SCNu64, &unused);
	}
	if (file)
		fclose(file);
	return total > unused;
}

/* Pages that are in memory; a page of a tmpfs that is not may be in swap or never have been written. */
static bool swap_resident(int fd, uint64_t size, uint64_t *resident)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), step = CHUNK_PAGES * page;
	unsigned char *flags = memory_new(CHUNK_PAGES, 1);
	bool done = true;

	*resident = 0;
	for (uint64_t at = 0; done && at < size; at += step) {
		size_t length = (size_t)(size - at < step ? size - at : step);
		void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)at);

		done = map != MAP_FAILED && !mincore(map, length, flags);
		for (size_t i = 0; done && i * page < length; i++)
			*resident += (flags[i] & 1) * page;
		if (map != MAP_FAILED)
			munmap(map, length);
	}
	free(flags);
	return done;
}

static void swap_of(struct machine_object *object)
{
	uint64_t resident;
	int fd;

	/* NONBLOCK: a cleaner's lease must not hold us up. mincore() tells the truth to the owner alone. */
	if (!object->path || object->fs->huge || (geteuid() && geteuid() != object->uid))
		return;
	fd = open(object->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	if (fd < 0)
		return;
	if (swap_resident(fd, object->size, &resident)) {
		object->knows_swapped = true;
		object->swapped = object->allocated > resident ? object->allocated - resident : 0;
	}
	close(fd);
}

void machine_look_for_swap(struct machine *machine)
{
	bool used = machine_swaps();

	for (size_t i = 0; i < machine->count; i++) {
		struct machine_object *object = machine->objects[i];

		if (!used || !object->has_status)
			object->knows_swapped = object->has_status;
		else if (object->allocated && object->kind != MACHINE_sysv)
			swap_of(object);
	}
}
