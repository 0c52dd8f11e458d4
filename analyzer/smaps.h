/* /proc/PID/smaps (proc(5)): what of each mapping is in memory, by which pages, and what is in swap. Bytes. */
#ifndef SHMGUARD_SMAPS_H
#define SHMGUARD_SMAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct smaps {
	uint64_t start, end;
	dev_t device;
	ino_t inode;
	bool shared;
	const char *name; /* as the kernel escapes it, "" for none; valid during the call */
	uint64_t page;    /* of the kernel's choice for the mapping: a huge one on hugetlbfs */
	uint64_t rss, pss, referenced, huge, swap, locked; /* huge: mapped by transparent huge pages */
	bool wants_huge, refuses_huge;                     /* MADV_HUGEPAGE, MADV_NOHUGEPAGE */
};

/* The first line of a mapping, which is all that /proc/PID/maps has of it. Changes the line. */
bool smaps_header(char *line, struct smaps *mapping);
/* Hands out each mapping of the file, complete. */
void smaps_read(FILE *file, void (*take)(void *context, const struct smaps *mapping), void *context);

#endif
