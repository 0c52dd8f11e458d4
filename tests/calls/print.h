/*
 * What the programs here print is compared between a bare run, a preloaded one and a recorded one. So they print each
 * result, errno and resulting state, and nothing that differs from run to run: no address, inode, process id, name.
 */
#ifndef SHMGUARD_TESTS_PRINT_H
#define SHMGUARD_TESTS_PRINT_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Does the call, prints its text, result and errno; EDOM, which none of the calls returns, stands for errno kept. */
#define CALL(expression) (errno = EDOM, print_call(#expression, (long)(expression)))
/* For calls that return an address, of which only success is printed. */
#define CALL_POINTER(expression) (errno = EDOM, print_pointer(#expression, (expression)))

#define UNUSED __attribute__((unused))
#define PAGE ((size_t)4096)

/* An address that no process has, for the kernel to answer with EFAULT. */
static char *volatile const nowhere = (char *)8;

static void print_errno(int error)
{
	printf("%s%s\n", error != EDOM ? " " : "", error != EDOM ? strerrorname_np(error) : "");
	fflush(stdout);
}

UNUSED static long print_call(const char *text, long result)
{
	int error = errno;

	printf("%s = %ld", text, result);
	print_errno(error);
	return result;
}

UNUSED static void *print_pointer(const char *text, void *result)
{
	int error = errno;

	printf("%s = %s", text, result == MAP_FAILED ? "MAP_FAILED" : result == NULL ? "NULL" : "an address");
	print_errno(error);
	return result;
}

/* A path in a directory of this process's own on /dev/shm, and a name for shm_open. Eight are valid at a time. */
static char *print_place(const char *format, const char *name)
{
	static char places[8][NAME_MAX];
	static unsigned next;
	char *place = places[next++ % 8];

	snprintf(place, NAME_MAX, format, getpid(), name);
	return place;
}

UNUSED static char *path(const char *name)
{
	return print_place("/dev/shm/shmguard-calls.%d/%s", name);
}

UNUSED static char *object(const char *name)
{
	return print_place("/shmguard-calls.%d.%s", name);
}

UNUSED static void begin(void)
{
	mkdir(path(""), 0700);
}

UNUSED static void end(void)
{
	printf("rmdir = %d\n", rmdir(path("")));
}

UNUSED static void show_fd(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		printf("  descriptor %d: %s\n", fd, strerrorname_np(errno));
		return;
	}
	printf("  descriptor %d: mode %o links %lu size %ld blocks %ld flags %x %x offset %ld\n", fd,
	       (unsigned)st.st_mode, (unsigned long)st.st_nlink, (long)st.st_size, (long)st.st_blocks,
	       (unsigned)fcntl(fd, F_GETFL), (unsigned)fcntl(fd, F_GETFD), (long)lseek(fd, 0, SEEK_CUR));
}

UNUSED static void show_path(const char *name)
{
	struct stat st;

	if (lstat(path(name), &st) != 0)
		printf("  %s: %s\n", name, strerrorname_np(errno));
	else
		printf("  %s: mode %o links %lu size %ld\n", name, (unsigned)st.st_mode, (unsigned long)st.st_nlink,
		       (long)st.st_size);
}

/* The program's descriptors; those of a recorder live at the top of the range. */
UNUSED static void show_descriptors(void)
{
	printf("  open:");
	for (int fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			printf(" %d", fd);
	printf("\n");
}

/* Bytes mapped of this program's objects and memfds, by access. */
UNUSED static void show_maps(void)
{
	unsigned long begins, ends, sums[8] = {0};
	char line[PATH_MAX], access[5];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "shmguard-calls") == NULL)
			continue;
		if (sscanf(line, "%lx-%lx %4s", &begins, &ends, access) == 3)
			sums[(access[0] == 'r') | (access[1] == 'w') << 1 | (access[3] == 's') << 2] += ends - begins;
	}
	if (maps != NULL)
		fclose(maps);
	printf("  mapped:");
	for (size_t i = 0; i < 8; i++)
		printf(" %lu", sums[i]);
	printf("\n");
}

/* Runs `what` in a child and tells how the child ended, for calls that may kill or must not return. */
UNUSED static void in_child(const char *text, void (*what)(void))
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		what();
		fflush(stdout);
		_exit(42);
	}
	if (waitpid(child, &status, 0) != child)
		printf("%s: lost\n", text);
	else if (WIFSIGNALED(status))
		printf("%s: killed by %s\n", text, sigabbrev_np(WTERMSIG(status)));
	else
		printf("%s: ended with %d\n", text, WEXITSTATUS(status));
}

#endif
