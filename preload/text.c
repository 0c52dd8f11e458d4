#include "preload/text.h"

#include <string.h>

#include "preload/apart.h"
#include "preload/kernel.h"

struct reading {
	const char *path;
	char *buffer;
	size_t size;
};

static long read_whole(void *context)
{
	const struct reading *r = context;
	long fd = kernel_open(r->path, O_RDONLY | O_CLOEXEC), got = 0;
	size_t length = 0;

	r->buffer[0] = 0;
	if (fd < 0)
		return fd;
	while (length + 1 < r->size && (got = kernel_read((int)fd, r->buffer + length, r->size - length - 1)) > 0)
		length += (size_t)got;
	kernel_close((int)fd);
	r->buffer[length] = 0;
	return got < 0 ? got : (long)length;
}

long text_read(const char *path, char *buffer, size_t size)
{
	return apart_hidden(APART_NONE, read_whole, &(struct reading){path, buffer, size});
}

bool text_decimal(const char **at, uint64_t *number)
{
	const char *begin = *at;

	for (*number = 0; **at >= '0' && **at <= '9'; ++*at)
		*number = *number * 10 + (uint64_t)(**at - '0');
	return *at > begin;
}

bool text_hexadecimal(const char **at, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	const char *begin = *at, *digit;

	for (*number = 0; **at && (digit = strchr(digits, **at)); ++*at)
		*number = *number << 4 | (uint64_t)(digit - digits);
	return *at > begin;
}

uint64_t text_limit(const char *path)
{
	char buffer[32];
	const char *at = buffer;
	uint64_t number;

	return text_read(path, buffer, sizeof buffer) > 0 && text_decimal(&at, &number) ? number : UINT64_MAX;
}

bool text_field(const char *text, const char *key, uint64_t *number)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, length) != 0)
			continue;
		line += length;
		line += strspn(line, " \t");
		return text_decimal(&line, number);
	}
	return false;
}

bool text_maps(const char *map, uint64_t id)
{
	uint64_t inside, outside, count;

	for (const char *at = map;; at++) {
		at += strspn(at, " ");
		if (!text_decimal(&at, &inside))
			return false;
		at += strspn(at, " ");
		text_decimal(&at, &outside);
		at += strspn(at, " ");
		if (!text_decimal(&at, &count) || *at != '\n')
			return false;
		if (id >= inside && id - inside < count)
			return true;
	}
}

bool text_append(char *buffer, size_t size, const char *more)
{
	size_t length = strlen(buffer), added = strlen(more);

	if (length + added >= size)
		return false;
	memcpy(buffer + length, more, added + 1);
	return true;
}

bool text_append_decimal(char *buffer, size_t size, uint64_t number)
{
	char digits[24], *at = digits + sizeof digits;

	*--at = 0;
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return text_append(buffer, size, at);
}

const char *text_descriptor(char path[static TEXT_DESCRIPTOR], int fd)
{
	path[0] = 0;
	text_append(path, TEXT_DESCRIPTOR, "/proc/thread-self/fd/");
	text_append_decimal(path, TEXT_DESCRIPTOR, (uint64_t)fd);
	return path;
}

long text_reopen(int fd, int flags)
{
	char path[TEXT_DESCRIPTOR];

	return kernel_open(text_descriptor(path, fd), flags | O_CLOEXEC);
}

long text_reopen_same(int fd, int flags, uint64_t dev, uint64_t ino)
{
	struct stat st;
	long own = text_reopen(fd, flags);

	if (own < 0)
		return own;
	if (kernel_stat(own, &st) == 0 && st.st_dev == dev && st.st_ino == ino)
		return own;
	kernel_close((int)own);
	return -ESTALE;
}

char *text_gone_mark(const char *path)
{
	static const char mark[] = " (deleted)";
	const size_t length = strlen(path), suffix = sizeof mark - 1;

	if (length <= suffix || strcmp(path + length - suffix, mark) != 0)
		return NULL;
	return (char *)(uintptr_t)(path + length - suffix);
}
