#include "preload/inherited.h"

#include <stdatomic.h>

#include "preload/entries.h"
#include "preload/identity.h"
#include "preload/kernel.h"
#include "preload/note.h"
#include "preload/text.h"

enum { PROBED = 256, WORDS = 64, BITS = 64 };

/* Those that were told of, a bit each; what lies above is not told of once it is closed. */
static atomic_ulong told_of[WORDS];
static atomic_int top = -1; /* the highest of them ever */

static void each_listed(int directory, void (*look)(int, void *), void *context)
{
	_Alignas(struct dirent64) char buffer[1024];
	struct entries entries = {.fd = directory, .buffer = buffer, .size = sizeof buffer};
	const struct dirent64 *entry;
	uint64_t fd;

	while ((entry = entries_next(&entries))) {
		const char *digits = entry->d_name;
		if (text_decimal(&digits, &fd) && !*digits)
			look((int)fd, context);
	}
}

void inherited_each(void (*look)(int fd, void *context), void *context)
{
	long directory = kernel_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory >= 0) {
		each_listed((int)directory, look, context);
		kernel_close((int)directory);
		return;
	}
	for (int fd = 0; fd < PROBED; fd++)
		look(fd, context);
}

/* Of one note; those that come last are in the next. */
struct told {
	char text[1024];
};

static void tell(struct told *told)
{
	if (*told->text)
		note_write(NOTE_holds, &(struct note_content){.text = {told->text}});
	*told->text = 0;
}

static void add(int fd, void *context)
{
	struct identity identity;
	struct told *told = context;
	char one[80] = "";

	if (!identity_of_fd(fd, &identity))
		return;
	if (fd < WORDS * BITS) {
		atomic_fetch_or(&told_of[fd / BITS], 1ul << fd % BITS);
		if (fd > top)
			top = fd;
	}
	text_append_decimal(one, sizeof one, (uint64_t)fd);
	text_append(one, sizeof one, ":");
	text_append_decimal(one, sizeof one, identity.dev);
	text_append(one, sizeof one, ":");
	text_append_decimal(one, sizeof one, identity.ino);
	text_append(one, sizeof one, " ");
	if (text_append(told->text, sizeof told->text, one))
		return;
	tell(told);
	text_append(told->text, sizeof told->text, one);
}

void inherited_tell(void)
{
	struct told told = {""};

	inherited_each(add, &told);
	tell(&told);
}

bool inherited_is(int fd)
{
	return fd >= 0 && fd <= atomic_load_explicit(&top, memory_order_relaxed) &&
	       (atomic_load_explicit(&told_of[fd / BITS], memory_order_relaxed) & 1ul << fd % BITS);
}

int inherited_next(unsigned first, unsigned last)
{
	int highest = atomic_load_explicit(&top, memory_order_relaxed);

	for (unsigned fd = first; highest >= 0 && fd <= last && fd <= (unsigned)highest; fd++)
		if (inherited_is((int)fd))
			return (int)fd;
	return -1;
}

void inherited_closes(int fd, bool recorded)
{
	unsigned long bit = 1ul << fd % BITS;

	if ((atomic_fetch_and(&told_of[fd / BITS], ~bit) & bit) && !recorded)
		note_write(NOTE_closes, &(struct note_content){.status = fd});
}
