#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_checked(void *result)
{
	if (result)
		return result;
	fputs("shmguard: out of memory\n", stderr);
	exit(MEMORY_OUT);
}

void *memory_new(size_t count, size_t size)
{
	return memory_checked(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
	return memory_checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *memory_text(const char *text)
{
	return memory_checked(strdup(text));
}

char *memory_format(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return memory_checked(text);
}

void *memory_grow(void *array, size_t count, size_t size)
{
	/* Only at the powers of two is the array full. */
	if (count & (count - 1))
		return array;
	return memory_resize(array, count ? 2 * count : 1, size);
}
