/*
 * System calls that must not pass through anybody's wrappers, ours included: memory and descriptors of our own. Each
 * answers -errno instead of touching errno.
 */
#ifndef SHMGUARD_KERNEL_H
#define SHMGUARD_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "preload/real.h"

static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
	int kept = errno;
	long result = REAL(syscall)(number, a, b, c, d, e, f);
	if (result == -1)
		result = -errno;
	errno = kept;
	return result;
}

/* Of a call that answers an address: -errno is none. */
static inline bool kernel_is_error(long result)
{
	return result < 0 && result > -4096;
}

/* A hole takes the place of [from, to), whatever the descriptor's offset is, and with O_APPEND too. */
static inline long kernel_punch(int fd, uint64_t from, uint64_t to)
{
	return kernel_call(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (long)from, (long)(to - from),
			   0, 0);
}

/* Zeroed private memory that no ledger knows; NULL when there is none. */
static inline void *kernel_memory(size_t bytes)
{
	long result = kernel_call(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return kernel_is_error(result) ? NULL : (void *)result;
}

static inline long kernel_memory_free(void *memory, size_t bytes)
{
	return kernel_call(SYS_munmap, (long)memory, (long)bytes, 0, 0, 0, 0);
}

/* May the byte be read? The kernel reads a signal set before it refuses the operation (rt_sigprocmask, kernel/signal.c). */
static inline bool kernel_readable(const void *address)
{
	uintptr_t aligned = (uintptr_t)address & ~(uintptr_t)7;
	return kernel_call(SYS_rt_sigprocmask, -1, (long)aligned, 0, 8, 0, 0) != -EFAULT && aligned;
}

enum { KERNEL_PAGE = 4096 /* the smallest that there is */, KERNEL_NO_PAGE = 1 };

/* The same; *page: one of which it is known, and most ask for several bytes of one, or KERNEL_NO_PAGE. */
static inline bool kernel_page_readable(const void *address, uintptr_t *page)
{
	uintptr_t begin = (uintptr_t)address & -(uintptr_t)KERNEL_PAGE;

	if (begin != *page && !kernel_readable(address))
		return false;
	*page = begin;
	return true;
}

/* Can all of the text be read, to its end? */
static inline bool kernel_text_readable(const char *text, uintptr_t *page)
{
	while (true) {
		if (!kernel_page_readable(text, page))
			return false;
		size_t left = *page + KERNEL_PAGE - (uintptr_t)text;
		if (strnlen(text, left) < left)
			return true;
		text += left;
	}
}

static inline bool kernel_one_text_readable(const char *text)
{
	uintptr_t page = KERNEL_NO_PAGE;

	return kernel_text_readable(text, &page);
}

/* The same of all texts in a list such as environ(7), and the list. */
static inline bool kernel_texts_readable(char *const list[])
{
	uintptr_t list_page = KERNEL_NO_PAGE, page = KERNEL_NO_PAGE;

	for (;; list++) {
		if (!kernel_page_readable(list, &list_page))
			return false;
		if (!*list)
			return true;
		if (!kernel_text_readable(*list, &page))
			return false;
	}
}

/* Copies memory that may go at any time; false: not all of it is there. A filter of system calls may kill for it. */
static inline bool kernel_copy(void *to, const void *from, size_t bytes)
{
	struct iovec here = {to, bytes}, there = {(void *)(uintptr_t)from, bytes};
	long process = kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);

	return kernel_call(SYS_process_vm_readv, process, (long)&here, 1, (long)&there, 1, 0) == (long)bytes;
}

/* A signal handler may end it early. */
static inline void kernel_rest(long nanoseconds)
{
	struct timespec pause = {nanoseconds / 1000000000, nanoseconds % 1000000000};
	kernel_call(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
}

/* Nanoseconds of that clock, as the kernel says: the C library's clock_gettime needs its loader first. */
static inline uint64_t kernel_clock(int clock)
{
	struct timespec now = {0};
	kernel_call(SYS_clock_gettime, clock, (long)&now, 0, 0, 0, 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline long kernel_open(const char *path, int flags)
{
	return kernel_call(SYS_openat, AT_FDCWD, (long)path, flags, 0, 0, 0);
}

struct stat;

static inline long kernel_close(int fd)
{
	return kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* The kernel itself answers a question about a file with neither: a filter of system calls does, which may let another pass. */
static inline bool kernel_is_refused(long result)
{
	return result == -EPERM || result == -ENOSYS;
}

/* In two calls, on no stack but its own. Closed, a descriptor of O_PATH ends nobody's record locks. */
static __attribute__((noinline, unused)) long kernel_stat_opened(int dirfd, const char *path, int flags,
								 struct stat *st)
{
	int follows = flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;

	if ((flags & AT_EMPTY_PATH) && !*path)
		return kernel_call(SYS_fstat, dirfd, (long)st, 0, 0, 0, 0);
	long fd = kernel_call(SYS_openat, dirfd, (long)path, O_PATH | O_CLOEXEC | follows, 0, 0, 0);
	if (fd < 0)
		return fd;
	long result = kernel_call(SYS_fstat, fd, (long)st, 0, 0, 0, 0);
	kernel_close((int)fd);
	return result;
}

/* flags as fstatat(2)'s. */
static inline long kernel_stat_at(int dirfd, const char *path, int flags, struct stat *st)
{
	long result = kernel_call(SYS_newfstatat, dirfd, (long)path, (long)st, flags, 0, 0);

	return kernel_is_refused(result) ? kernel_stat_opened(dirfd, path, flags, st) : result;
}

static inline long kernel_stat(long fd, struct stat *st)
{
	long result = kernel_call(SYS_fstat, fd, (long)st, 0, 0, 0, 0);

	return kernel_is_refused(result) ? kernel_call(SYS_newfstatat, fd, (long)"", (long)st, AT_EMPTY_PATH, 0, 0)
					 : result;
}

static inline long kernel_read(int fd, void *buffer, size_t bytes)
{
	return kernel_call(SYS_read, fd, (long)buffer, (long)bytes, 0, 0, 0);
}

static inline long kernel_write(int fd, const void *buffer, size_t bytes)
{
	return kernel_call(SYS_write, fd, (long)buffer, (long)bytes, 0, 0, 0);
}

static inline long kernel_readlink(const char *path, char *buffer, size_t bytes)
{
	return kernel_call(SYS_readlinkat, AT_FDCWD, (long)path, (long)buffer, (long)bytes, 0, 0);
}

#endif
