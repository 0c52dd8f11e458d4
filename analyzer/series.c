#include "series.h"

#include <stdlib.h>

#include "memory.h"

/* The first point stays: it is where the time begins. */
static void thin_out(struct series *series)
{
	size_t kept = 1;
	int64_t span =
		series->points[series->count - 1].time - series->points[0].time; /* NOLINT: a full series has points */

	series->spacing = span / (SERIES_POINTS / 2) + 1;
	for (size_t i = 1; i < series->count; i++) {
		/* The last value of each interval is the one that holds until the next. */
		if (kept > 1 && series->points[i].time - series->points[kept - 1].time < series->spacing &&
		    i + 1 < series->count)
			series->points[kept - 1].value = series->points[i].value;
		else
			series->points[kept++] = series->points[i];
	}
	series->count = kept;
}

void series_add(struct series *series, int64_t time, uint64_t value)
{
	struct series_point *last = series->count > 1 ? &series->points[series->count - 1] : NULL;

	if (last && time - last->time < series->spacing) {
		last->value = value;
		return;
	}
	if (series->count == SERIES_POINTS)
		thin_out(series);
	if (series->count == series->room) {
		series->room = series->room ? series->room * 2 : 4;
		series->points = memory_resize(series->points, series->room, sizeof(*series->points));
	}
	series->points[series->count++] = (struct series_point){time, value}; /* NOLINT: room was made */
}

uint64_t series_at(const struct series *series, int64_t time)
{
	size_t low = 0, high = series->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (series->points[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? series->points[low - 1].value : 0;
}

void series_clear(struct series *series)
{
	free(series->points);
	*series = (struct series){0};
}

bool series_grows(const struct series *series, int64_t end)
{
	uint64_t half, later, last;
	int64_t first;

	if (series->count == 0 || end <= series->points[0].time)
		return false;
	first = series->points[0].time;
	half = series_at(series, first + (end - first) / 2);
	later = series_at(series, first + (end - first) / 4 * 3);
	last = series->points[series->count - 1].value;
	return last >= SERIES_GROWS_MIN && last > later && later > half;
}
