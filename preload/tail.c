#include "preload/tail.h"

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/text.h"
#include "preload/unsignalled.h"

/*
 * Behind the end no read(2) reaches, and a mapping may lose its page at any time: the kernel copies, or says EFAULT. So is
 * answered whatever else keeps us from it: that the program may not, reopen() alone knows. A filter may kill for the call.
 */
static long copy_page(int fd, uint64_t at, uint64_t page, char *bytes)
{
	if (recorder_filtered)
		return -ENOSYS;
	long mapping = kernel_call(SYS_mmap, 0, (long)page, PROT_READ, MAP_SHARED, fd, (long)at);

	if (mapping < 0 && mapping > -4096)
		return -EFAULT;
	bool copied = kernel_copy(bytes, (const void *)mapping, page);
	kernel_call(SYS_munmap, mapping, (long)page, 0, 0, 0, 0);
	return copied ? 0 : -EFAULT;
}

static bool is_zero(const char *bytes, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

static long look_at(struct tail *tail, int fd)
{
	uint64_t page = tail->page, at = tail->from / page * page;
	long data = kernel_call(SYS_lseek, fd, (long)at, SEEK_DATA, 0, 0, 0);

	/* To read a hole would allocate it. */
	if (data == -ENXIO || (data >= 0 && (uint64_t)data >= at + page))
		return 0;
	long error = copy_page(fd, at, page, tail->memory);
	if (error)
		return error;
	tail->bytes = tail->memory + (tail->from - at);
	return !is_zero(tail->bytes, tail->length);
}

/* Another open file description, since the offset of the program's own is its to move. */
static long reopen(const struct tail *tail)
{
	return text_reopen(tail->fd, O_RDWR);
}

static long look(void *context)
{
	long own = reopen(context), found = own < 0 ? own : look_at(context, (int)own);

	if (own >= 0)
		kernel_close((int)own);
	return found;
}

long tail_keep(struct tail *tail, int fd, const struct identity *identity)
{
	uint64_t page = identity->page;
	char *memory = kernel_memory(2 * page);

	if (!memory)
		return -ENOMEM;
	*tail = (struct tail){.from = identity->size,
			      .length = page - identity->size % page,
			      .memory = memory,
			      .page = page,
			      .fd = fd};
	long found = apart_run(fd, look, tail);
	if (found <= 0)
		tail_free(tail);
	return found;
}

static long clear_in(const struct tail *tail, int fd)
{
	static const char zeros[256];
	const char *now = tail->memory + tail->page;
	long result = 0;
	long got = kernel_call(SYS_pread64, fd, (long)now, (long)tail->length, (long)tail->from, 0, 0);

	for (long i = 0; i < got && result >= 0;) {
		long end = i;
		while (end < got && end - i < (long)sizeof zeros && tail->bytes[end] && now[end] == tail->bytes[end])
			end++;
		if (end > i)
			result = unsignalled_pwrite(fd, zeros, (size_t)(end - i), tail->from + (uint64_t)i);
		i = end > i ? end : i + 1;
	}
	return got < 0 ? got : result < 0 ? result : 0;
}

static long clear(void *context)
{
	long own = reopen(context), result = own < 0 ? own : clear_in(context, (int)own);

	if (own >= 0)
		kernel_close((int)own);
	return result;
}

long tail_clear(struct tail *tail)
{
	return apart_run(tail->fd, clear, tail);
}

void tail_free(struct tail *tail)
{
	kernel_memory_free(tail->memory, 2 * tail->page);
}
