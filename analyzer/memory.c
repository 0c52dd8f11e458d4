#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of more calloc(3) knows to clear less than all. */
#define SMALL 1024

/* Not inline: of malloc(3) and memset(3) beside each other the compiler makes the calloc(3) that memory_new() avoids. */
__attribute__((noinline)) void *memory_checked(void *result)
{
	if (result)
		return result;
	fputs("shmguard: out of memory\n", stderr);
	exit(MEMORY_OUT);
}

void *memory_new(size_t count, size_t size)
{
	/* calloc(3) does not take what was freed last, as malloc(3) does: that is slow where structs come and go. */
	if (count == 1 && size > 0 && size <= SMALL)
		return memset(memory_checked(malloc(size)), 0, size);
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

char *memory_span(const char *text, size_t length)
{
	return memory_checked(strndup(text, length));
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
