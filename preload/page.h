#ifndef SHMGUARD_PAGE_H
#define SHMGUARD_PAGE_H

#include <stdint.h>
#include <sys/auxv.h>

#include "preload/real.h"

static inline uint64_t page_size(void)
{
#if defined(__x86_64__)
	return 4096; /* the architecture has no other, and the kernel's word for it lies on a page of its own */
#else
	return LIBC(getauxval)(AT_PAGESZ);
#endif
}

/* Rounds up to the page, as mmap(2) and munmap(2) do with lengths. */
static inline uint64_t page_round(uint64_t bytes)
{
	return (bytes + page_size() - 1) & -page_size();
}

#endif
