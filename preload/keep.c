#include "preload/keep.h"

#include <stddef.h>
#include <string.h>

#include "preload/kernel.h"

static char keep_room[16384];
static size_t keep_used;

const char *keep_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = keep_room + keep_used;

	if (size > sizeof keep_room - keep_used)
		copy = kernel_memory(size);
	else
		keep_used += size;
	return copy ? memcpy(copy, text, size) : "";
}
