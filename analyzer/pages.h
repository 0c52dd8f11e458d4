/* The kernel maps and unmaps whole pages; huge ones need no rounding here, as their lengths must be multiples already. */
#ifndef SHMGUARD_PAGES_H
#define SHMGUARD_PAGES_H

#include <stdint.h>

#define PAGES_SIZE UINT64_C(4096)

/* Up to whole pages, bytes, modulo 2^64. */
static inline uint64_t pages_round(uint64_t bytes)
{
	return (bytes + PAGES_SIZE - 1) & ~(PAGES_SIZE - 1);
}

/* The same, but what is too large for that stays as it is. */
static inline uint64_t pages_up(uint64_t bytes)
{
	return bytes > UINT64_MAX - PAGES_SIZE ? bytes : pages_round(bytes);
}

#endif
