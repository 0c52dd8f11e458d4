#include "analyzer/symbols_ranges.h"

#include <stdlib.h>

#include "analyzer/memory.h"

void symbols_ranges_add(struct symbols_ranges *ranges, uint64_t low, uint64_t high, uint64_t what)
{
	if (low >= high)
		return;
	ranges->range = memory_grow(ranges->range, ranges->count, sizeof(*ranges->range));
	ranges->range[ranges->count++] = (struct symbols_range){.low = low, .high = high, .what = what};
}

static int symbols_ranges_compare(const void *left, const void *right)
{
	const struct symbols_range *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high > b->high ? -1 : 1;
	return a->what < b->what ? -1 : a->what > b->what;
}

void symbols_ranges_sort(struct symbols_ranges *ranges)
{
	uint64_t reach = 0;
	size_t i;

	if (ranges->count)
		qsort(ranges->range, ranges->count, sizeof(*ranges->range), symbols_ranges_compare);
	for (i = 0; i < ranges->count; i++) {
		if (ranges->range[i].high > reach)
			reach = ranges->range[i].high;
		ranges->range[i].reach = reach;
	}
}

const struct symbols_range *symbols_ranges_find(const struct symbols_ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->range[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0 && ranges->range[low].reach > address)
		if (ranges->range[low].high > address)
			return &ranges->range[low];
	return NULL;
}

void symbols_ranges_free(struct symbols_ranges *ranges)
{
	free(ranges->range);
	*ranges = (struct symbols_ranges){0};
}
