/*
 * closers COUNT: forks COUNT children; each closes every number that it was never given as soon as it lives, while the
 * tracer's own threads come up in it, and again after it has made an object. 0: every child ended well, with the descriptors
 * that any program has.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, NUMBERS = 64 };

static void close_all(int how)
{
	if (how % 3 == 0)
		closefrom(3);
	else if (how % 3 == 1)
		close_range(3, ~0u, 0);
	else
		for (int fd = 3; fd < NUMBERS; fd++)
			close(fd);
}

static int child(int how)
{
	for (int round = 0; round < 8; round++) {
		close_all(how);
		int fd = memfd_create("closers", 0);
		if (fd != 3 || ftruncate(fd, PAGE) || dup2(fd, 5) != 5)
			return 1;
		void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED || munmap(map, PAGE))
			return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0, status, bad = 0;

	child(0);
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			exit(child(i));
		else if (wait(&status) < 0 || status) {
			printf("child %d ended with status %d\n", i, status);
			bad++;
		}
	printf("%d of %d\n", count - bad, count);
	return bad != 0;
}
