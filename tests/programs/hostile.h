/* What the hostile programs share: each prints only what is the same however it is run, and exits 0 when all went well. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static inline void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	_exit(99);
}

static inline int object(void)
{
	int fd = memfd_create("hostile", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, PAGE) == 0, "memfd_create");
	return fd;
}

/* Async-signal-safe, and without allocation. */
static inline void use(int fd)
{
	volatile char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(map != MAP_FAILED, "mmap");
	*map = 1;
	must(munmap((void *)map, PAGE) == 0, "munmap");
}

#endif
