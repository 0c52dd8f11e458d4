#include "units.h"

#include <inttypes.h>
#include <stddef.h>

#include "memory.h"

char *units_bytes(uint64_t bytes, uint64_t exact, const char *unit)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t at = 0;

	if (bytes < exact)
		return memory_format("%" PRIu64 " %s", bytes, unit);
	for (; value >= 1024 && at + 1 < sizeof(units) / sizeof(units[0]); at++)
		value /= 1024;
	/* 8191 bytes are not 8.0 KiB beside the 8 of another. */
	return memory_format(value < 10 && (int)(value * 10 + 0.5) % 10 ? "%.1f %s" : "%.0f %s", value, units[at]);
}
