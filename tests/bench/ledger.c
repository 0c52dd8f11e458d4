/*
 * ledger: of a process with so many live mappings, 10^2 to 10^6, prints "COUNT DEPTH FIND REPLACE": how deep in the tree one
 * lies on average, the nanoseconds of finding what an address belongs to, and those of taking a mapping away and putting
 * another in its place. The ledger alone: the kernel itself allows no process more than vm.max_map_count of them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "preload/arena.c"
#include "preload/identity.c"
#include "preload/place.c"
#include "preload/text.c"
#include "preload/mounts.c"
#include "preload/intervals.c"
#include "preload/ledger.c"
#include "preload/ledger_fd.c"
#include "preload/ledger_lock.c"
#include "preload/objects.c"
#include "preload/above.c"
#include "preload/own.c"
#include "preload/own_symbol.c"
#include "preload/real.c"
#include "tests/unit/apart_stand_in.h"

atomic_bool recorder_blocks;
__thread struct thread recorder_thread;
atomic_bool recorder_filtered;

enum { PAGE = 4096, MOST = 1000000, OPERATIONS = 200000 };

static const uint64_t base = 0x100000000000u;
static const struct identity object = {.dev = 27, .ino = 1, .fd = -1};

static double nanoseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Any of them, in no order that a cache or a tree could be used to. */
static uint64_t any(unsigned i, unsigned count)
{
	return base + (uint64_t)(i * 2654435761u) % count * 2 * PAGE;
}

static uint64_t depths(const struct interval *node, uint64_t depth)
{
	return node ? depth + depths(node->left, depth + 1) + depths(node->right, depth + 1) : 0;
}

int main(void)
{
	unsigned live = 0;
	uint64_t found = 0;

	real_resolve();
	for (unsigned count = 100; count <= MOST; count *= 10) {
		for (; live < count; live++)
			ledger_map(base + (uint64_t)live * 2 * PAGE, PAGE, 0, &object);
		double start = nanoseconds();
		for (unsigned i = 0; i < OPERATIONS; i++)
			found += ledger_mapped(any(i, count), PAGE) != 0;
		double middle = nanoseconds();
		for (unsigned i = 0; i < OPERATIONS; i++) {
			uint64_t at = any(i, count);
			found += ledger_unmap(at, PAGE, NULL, NULL);
			ledger_map(at, PAGE, 0, &object);
		}
		printf("%u %.1f %.0f %.0f\n", count, (double)depths(mappings.root, 1) / count,
		       (middle - start) / OPERATIONS, (nanoseconds() - middle) / OPERATIONS);
	}
	return found != 2ull * OPERATIONS * 5;
}
