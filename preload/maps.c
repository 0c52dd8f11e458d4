#include "preload/maps.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/text.h"

/* "7f00-7f10 rw-s 00001000 00:1b 5406       /dev/shm/x" */
static bool parse(const char *at, struct maps_line *line)
{
	uint64_t device_major, device_minor;

	if (!text_hexadecimal(&at, &line->start) || *at++ != '-' || !text_hexadecimal(&at, &line->end) ||
	    strnlen(at, 6) < 6)
		return false;
	line->prot = (at[1] == 'r' ? PROT_READ : 0) | (at[2] == 'w' ? PROT_WRITE : 0) | (at[3] == 'x' ? PROT_EXEC : 0);
	line->shared = at[4] == 's';
	at += 6;
	if (!text_hexadecimal(&at, &line->offset) || *at++ != ' ' || !text_hexadecimal(&at, &device_major) ||
	    *at++ != ':' || !text_hexadecimal(&at, &device_minor) || *at++ != ' ' || !text_decimal(&at, &line->ino))
		return false;
	line->dev = makedev((unsigned)device_major, (unsigned)device_minor);
	line->path = at + strspn(at, " ");
	return true;
}

struct finding {
	bool (*each)(const struct maps_line *line, void *context);
	void *context;
	char *buffer;
};

static long find(void *context)
{
	const struct finding *f = context;
	long fd = kernel_open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC), got;
	struct maps_line line;
	size_t length = 0;
	bool found = false;

	if (fd < 0)
		return false;
	while (!found && (got = kernel_read((int)fd, f->buffer + length, MAPS_LINE - 1 - length)) > 0) {
		char *at = f->buffer, *newline;
		length += (size_t)got;
		for (; !found && (newline = memchr(at, '\n', length - (size_t)(at - f->buffer))); at = newline + 1) {
			*newline = 0;
			found = parse(at, &line) && f->each(&line, f->context);
		}
		length -= (size_t)(at - f->buffer);
		if (!found)
			memmove(f->buffer, at, length);
	}
	kernel_close((int)fd);
	return found;
}

bool maps_any(bool (*each)(const struct maps_line *line, void *context), void *context, char buffer[static MAPS_LINE])
{
	return apart_hidden(APART_NONE, find, &(struct finding){each, context, buffer});
}

struct sought {
	uint64_t address;
	struct maps_line *line;
};

static bool holds(const struct maps_line *line, void *context)
{
	const struct sought *s = context;
	bool found = s->address >= line->start && s->address < line->end;

	if (found)
		*s->line = *line;
	return found;
}

bool maps_find(uint64_t address, char buffer[static MAPS_LINE], struct maps_line *line)
{
	return maps_any(holds, &(struct sought){address, line}, buffer);
}
