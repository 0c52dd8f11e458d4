/*
 * <string.h> for us alone: hidden, they are what our calls are bound to when we are linked. The program's functions of these
 * names, which may be something else, would come before libc's, and a sanitizer's, as it begins, lead nowhere. Short texts
 * are what they are for. memcpy(3), memmove(3) and memset(3) are not here: compilers call them everywhere.
 */
#include <stdint.h>
#include <string.h>

/* Or the loops would become calls of what they are to be. */
#if !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

static size_t length_of(const char *text, size_t most)
{
	size_t length = 0;

	while (length < most && text[length])
		length++;
	return length;
}

static int difference(const char *one, const char *other, size_t most)
{
	size_t at = 0;

	if (most == 0)
		return 0;
	while (at + 1 < most && one[at] && one[at] == other[at])
		at++;
	return (unsigned char)one[at] - (unsigned char)other[at];
}

static const char *first_of(const char *text, char byte)
{
	for (; *text != byte; text++)
		if (!*text)
			return NULL;
	return text;
}

/* How many bytes at the start are, or are not, in the set. */
static size_t span_of(const char *text, const char *set, int inside)
{
	size_t length = 0;

	while (text[length] && (first_of(set, text[length]) != NULL) == inside)
		length++;
	return length;
}

static void *found_in(const char *bytes, size_t count, const char *wanted, size_t length)
{
	for (size_t at = 0; at + length <= count; at++) {
		size_t same = 0;

		while (same < length && bytes[at + same] == wanted[same])
			same++;
		if (same == length)
			return (void *)(uintptr_t)(bytes + at);
	}
	return NULL;
}

static char *copy_of(char *to, const char *from, size_t length)
{
	memcpy(to, from, length);
	to[length] = 0;
	return to + length;
}

size_t strlen(const char *text)
{
	return length_of(text, SIZE_MAX);
}

size_t strnlen(const char *text, size_t most)
{
	return length_of(text, most);
}

int strcmp(const char *one, const char *other)
{
	return difference(one, other, SIZE_MAX);
}

int strncmp(const char *one, const char *other, size_t most)
{
	return difference(one, other, most);
}

char *strchr(const char *text, int byte)
{
	return (char *)(uintptr_t)first_of(text, (char)byte);
}

char *strrchr(const char *text, int byte)
{
	size_t at = length_of(text, SIZE_MAX) + 1;

	while (at-- > 0)
		if (text[at] == (char)byte)
			return (char *)(uintptr_t)(text + at);
	return NULL;
}

size_t strspn(const char *text, const char *set)
{
	return span_of(text, set, 1);
}

size_t strcspn(const char *text, const char *set)
{
	return span_of(text, set, 0);
}

char *strpbrk(const char *text, const char *set)
{
	text += span_of(text, set, 0);
	return *text ? (char *)(uintptr_t)text : NULL;
}

char *strstr(const char *text, const char *wanted)
{
	return found_in(text, length_of(text, SIZE_MAX), wanted, length_of(wanted, SIZE_MAX));
}

void *memmem(const void *bytes, size_t count, const void *wanted, size_t length)
{
	return found_in(bytes, count, wanted, length);
}

void *memchr(const void *bytes, int byte, size_t count)
{
	return found_in(bytes, count, &(const char){(char)byte}, 1);
}

void *mempcpy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return (char *)to + size;
}

char *stpcpy(char *to, const char *from)
{
	return copy_of(to, from, length_of(from, SIZE_MAX));
}

char *strcpy(char *to, const char *from)
{
	copy_of(to, from, length_of(from, SIZE_MAX));
	return to;
}

char *strcat(char *to, const char *from)
{
	copy_of(to + length_of(to, SIZE_MAX), from, length_of(from, SIZE_MAX));
	return to;
}

char *strncat(char *to, const char *from, size_t most)
{
	copy_of(to + length_of(to, SIZE_MAX), from, length_of(from, most));
	return to;
}

/* The rest is filled with zeros. */
char *stpncpy(char *to, const char *from, size_t size)
{
	size_t length = length_of(from, size);

	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return to + length;
}

char *strncpy(char *to, const char *from, size_t size)
{
	size_t length = length_of(from, size);

	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return to;
}
