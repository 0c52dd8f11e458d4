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

/* What was taken and given back at once, as seen over all that time: as far as it matters it never was. */
static bool ends_blip(const struct series *series, int64_t time, uint64_t value)
{
	const struct series_point *before = series->count ? &series->points[series->count - 1] : NULL;

	return before && before->value == value &&
	       time - series->last.time < (time - series->points[0].time) / SERIES_BLIP;
}

void series_add(struct series *series, int64_t time, uint64_t value)
{
	/* The first point stays where it is. */
	if (series->count > 0 && time - series->last.time < series->spacing) {
		series->last.value = value;
		return;
	}
	if (ends_blip(series, time, value)) {
		series->last = series->points[--series->count];
		return;
	}
	if (series->begun) {
		if (series->count == series->room) {
			series->room = series->room ? series->room * 2 : 4;
			series->points = memory_resize(series->points, series->room, sizeof(*series->points));
		}
		series->points[series->count++] = series->last; /* NOLINT: room was made */
	}
	series->last = (struct series_point){time, value};
	series->begun = true;
	if (series->count == SERIES_POINTS)
		thin_out(series);
}

int64_t series_first(const struct series *series)
{
	return series->count ? series->points[0].time : series->last.time;
}

uint64_t series_at(const struct series *series, int64_t time)
{
	size_t low = 0, high = series->count;

	if (series->begun && series->last.time <= time)
		return series->last.value;
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

	first = series_first(series);
	if (!series->begun || end <= first)
		return false;
	half = series_at(series, first + (end - first) / 2);
	later = series_at(series, first + (end - first) / 4 * 3);
	last = series->last.value;
	return last >= SERIES_GROWS_MIN && last > later && later > half;
}
