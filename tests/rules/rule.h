/* What the programs here share: an object of a name of their own, that ends with them unless they mean it to stay. */
#ifndef SHMGUARD_TESTS_RULE_H
#define SHMGUARD_TESTS_RULE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/* Another process that maps the object, and sleeps in it until it is released. */
UNUSED static pid_t start_reader(const char *object, size_t length)
{
	pid_t reader = fork();
	int fd;

	must(reader >= 0, "fork");
	if (reader) {
		int status;

		must(waitpid(reader, &status, WUNTRACED) == reader && WIFSTOPPED(status), "waitpid");
		return reader;
	}
	fd = shm_open(object, O_RDWR, 0);
	must(fd >= 0, "shm_open");
	map(fd, length);
	close(fd);
	raise(SIGSTOP);
	exit(0);
}

UNUSED static void end_reader(pid_t reader, int *status)
{
	must(kill(reader, SIGCONT) == 0, "kill");
	must(waitpid(reader, status, 0) == reader, "waitpid");
}

UNUSED static void nap(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

#endif
