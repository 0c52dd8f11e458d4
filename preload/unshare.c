#include "preload/unshare.h"

#include "preload/kernel.h"
#include "preload/maps.h"
#include "preload/recorder.h"
#include "preload/standstill.h"
#include "preload/text.h"

enum { PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

static bool put(uint64_t start, uint64_t length, int prot)
{
	return !kernel_is_error(kernel_call(SYS_mmap, (long)start, (long)length, prot, PRIVATE | MAP_FIXED, -1, 0));
}

static bool put_spare(uint64_t start, uint64_t length, int prot)
{
	long spare = kernel_call(SYS_mmap, 0, (long)length, prot, PRIVATE, -1, 0);

	if (kernel_is_error(spare))
		return false;
	bool there = !kernel_is_error(kernel_call(SYS_mremap, spare, (long)length, (long)length,
						  MREMAP_MAYMOVE | MREMAP_FIXED, (long)start, 0));
	if (!there)
		kernel_call(SYS_munmap, spare, (long)length, 0, 0, 0, 0);
	return there;
}

/*
 * Where no more memory may be promised than there is (proc(5)) a mapping is counted only once what it replaces is gone: one
 * that was counted before moves there.
 */
static bool is_counted(void)
{
	return text_limit("/proc/sys/vm/overcommit_memory") == 2 && !recorder_filtered;
}

struct unsharing {
	const struct identity *identity;
	bool counted, left;
};

static bool unshare_one(const struct maps_line *line, void *context)
{
	struct unsharing *u = context;

	if (!line->shared || line->ino != u->identity->ino || line->dev != u->identity->dev)
		return false;
	uint64_t length = line->end - line->start;
	if ((u->counted ? put_spare : put)(line->start, length, line->prot))
		/* It gets what may have been kept from core dumps. */
		kernel_call(SYS_madvise, (long)line->start, (long)length, MADV_DONTDUMP, 0, 0, 0);
	else if (line->prot & PROT_WRITE)
		u->left = true;
	return false;
}

bool unshare_mappings(const struct identity *identity)
{
	struct unsharing u = {.identity = identity, .counted = is_counted()};
	char *buffer = kernel_memory(MAPS_LINE);

	if (!buffer)
		return false;
	bool alone = standstill_begin();
	if (alone) {
		maps_any(unshare_one, &u, buffer);
		standstill_end();
	}
	kernel_memory_free(buffer, MAPS_LINE);
	return alone && !u.left;
}
