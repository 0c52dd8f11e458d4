/* What of the process's memory is locked already: the kernel does not count it again (mlock(2)). */
#include <string.h>

#include "preload/apart.h"
#include "preload/facts.h"
#include "preload/kernel.h"
#include "preload/page.h"
#include "preload/text.h"

enum { SCRATCH = 64 * 1024 };

struct range {
	uint64_t from, to;   /* what is asked about */
	uint64_t start, end; /* of the mapping whose lines are being read */
	uint64_t locked;
};

/* "7f00-7f10 rw-s ..." begins a mapping, "VmFlags: rd wr sh mr lo " ends it (proc(5)). */
static void take_line(const char *line, struct range *range)
{
	const char *at = line;
	uint64_t start, end;

	if (strncmp(line, "VmFlags:", 8) != 0) {
		if (text_hexadecimal(&at, &start) && *at++ == '-' && text_hexadecimal(&at, &end) && *at == ' ') {
			range->start = start > range->from ? start : range->from;
			range->end = end < range->to ? end : range->to;
		}
		return;
	}
	if (range->start < range->end && strstr(line, " lo "))
		range->locked += range->end - range->start;
	range->start = range->end = 0;
}

static void read_mappings(int fd, char *scratch, struct range *range)
{
	size_t kept = 0;
	long got;

	while (kept + 1 < SCRATCH && (got = kernel_read(fd, scratch + kept, SCRATCH - kept - 1)) > 0) {
		size_t length = kept + (size_t)got;
		char *line = scratch, *newline;
		for (; (newline = memchr(line, '\n', length - (size_t)(line - scratch))); line = newline + 1) {
			*newline = 0;
			take_line(line, range);
		}
		kept = length - (size_t)(line - scratch);
		memmove(scratch, line, kept);
	}
}

static long look(void *context)
{
	char *scratch = kernel_memory(SCRATCH);
	long fd = scratch ? kernel_open("/proc/thread-self/smaps", O_RDONLY | O_CLOEXEC) : -ENOMEM;

	if (fd >= 0) {
		read_mappings((int)fd, scratch, context);
		kernel_close((int)fd);
	}
	if (scratch)
		kernel_memory_free(scratch, SCRATCH);
	return 0;
}

uint64_t facts_unlocked(uint64_t address, uint64_t length)
{
	struct range range = {.from = address & -page_size(), .to = page_round(address + length)};

	apart_hidden(APART_NONE, look, &range);
	return range.to - range.from - range.locked;
}
