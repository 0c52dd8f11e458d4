#ifndef SHMGUARD_PAGE_H
#define SHMGUARD_PAGE_H

#include <stdint.h>
#include <sys/auxv.h>

/* Rounds up to the page, as mmap(2) and munmap(2) do with lengths. */
static inline uint64_t page_round(uint64_t bytes)
{
	uint64_t page = getauxval(AT_PAGESZ);
	return (bytes + page - 1) & -page;
}

#endif
