/* Address ranges that may overlap or nest, and the innermost one that covers an address. */
#ifndef SHMGUARD_SYMBOLS_RANGES_H
#define SHMGUARD_SYMBOLS_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct symbols_range {
	uint64_t low, high; /* [low, high) */
	uint64_t reach;     /* the largest `high` up to here; kept by symbols_ranges_sort */
	uint64_t what;      /* the caller's */
};

struct symbols_ranges {
	struct symbols_range *range;
	size_t count;
};

void symbols_ranges_add(struct symbols_ranges *ranges, uint64_t low, uint64_t high, uint64_t what);
void symbols_ranges_sort(struct symbols_ranges *ranges);
/* NULL: none covers it. Logarithmic, as long as ranges do not overlap much. */
const struct symbols_range *symbols_ranges_find(const struct symbols_ranges *ranges, uint64_t address);
void symbols_ranges_free(struct symbols_ranges *ranges);

#endif
