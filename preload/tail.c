#include "preload/tail.h"

#include "preload/apart.h"
#include "preload/held.h"
#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/text.h"

/*
 * Behind the end no read(2) reaches, and a mapping may lose its page at any time: the kernel copies, or says EFAULT. So is
 * answered whatever else keeps us from it: that the program may not, reopen() alone knows. A filter may kill for the call.
 */
static long copy_page(int fd, uint64_t at, uint64_t page, char *bytes)
{
	if (recorder_filtered)
		return -ENOSYS;
	long mapping = kernel_call(SYS_mmap, 0, (long)page, PROT_READ, MAP_SHARED, fd, (long)at);

	if (kernel_is_error(mapping))
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

/* To read a hole would allocate it. Of the offset of the program's own descriptor it may not be asked where one lies. */
static bool is_hole(const struct tail *tail, int fd, uint64_t at)
{
	struct stat st;

	if (fd == tail->fd)
		return kernel_stat(fd, &st) == 0 && !st.st_blocks;
	long data = kernel_call(SYS_lseek, fd, (long)at, SEEK_DATA, 0, 0, 0);
	return data == -ENXIO || (data >= 0 && (uint64_t)data >= at + tail->page);
}

static long look_at(struct tail *tail, int fd)
{
	uint64_t at = tail->from / tail->page * tail->page;

	if (is_hole(tail, fd, at))
		return 0;
	long error = copy_page(fd, at, tail->page, tail->memory);
	if (error)
		return error;
	tail->bytes = tail->memory + (tail->from - at);
	return !is_zero(tail->bytes, tail->length);
}

static long look(void *context)
{
	struct tail *tail = context;
	long own = text_reopen(tail->fd, O_RDONLY);

	if (own < 0 && held_allows(tail->fd, O_RDONLY))
		own = tail->fd;
	long found = own < 0 ? own : look_at(tail, (int)own);
	held_done(own, tail->fd);
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

static long clear_in(const struct tail *tail, int reads, int writes)
{
	const char *now = tail->memory + tail->page;
	long result = 0;
	long got = kernel_call(SYS_pread64, reads, (long)now, (long)tail->length, (long)tail->from, 0, 0);

	for (long i = 0; i < got && result >= 0;) {
		long end = i;
		while (end < got && tail->bytes[end] && now[end] == tail->bytes[end])
			end++;
		if (end > i)
			/* A hole in a part of a page is zeros. Written, they would go to the end with O_APPEND. */
			result = kernel_punch(writes, tail->from + (uint64_t)i, tail->from + (uint64_t)end);
		i = end > i ? end : i + 1;
	}
	return got < 0 ? got : result;
}

/* Its own will do, as neither moves its offset: to open the object again the program may have no right any more. */
static long open_for(const struct tail *tail, int access)
{
	return apart_has_own() && held_allows(tail->fd, access) ? tail->fd : text_reopen(tail->fd, access);
}

static long clear(void *context)
{
	const struct tail *tail = context;
	long reads = open_for(tail, O_RDONLY), writes = reads < 0 ? reads : open_for(tail, O_WRONLY);
	long result = writes < 0 ? writes : clear_in(tail, (int)reads, (int)writes);

	held_done(reads, tail->fd);
	held_done(writes, tail->fd);
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
