/* What the programs here share: an object of a name of their own, that ends with them unless they mean it to stay. */
#ifndef SHMGUARD_TESTS_RULE_H
#define SHMGUARD_TESTS_RULE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define UNUSED __attribute__((unused))

static inline void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static inline const char *name(void)
{
	static char buffer[64];

	snprintf(buffer, sizeof(buffer), "/shmguard-rules.%d", getpid());
	return buffer;
}

UNUSED static int create(const char *object, size_t size)
{
	int fd = shm_open(object, O_CREAT | O_EXCL | O_RDWR, 0600);

	must(fd >= 0, "shm_open");
	must(ftruncate(fd, (off_t)size) == 0, "ftruncate");
	return fd;
}

UNUSED static char *map(int fd, size_t length)
{
	char *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(address != MAP_FAILED, "mmap");
	return address;
}

UNUSED static void nap(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

#endif
