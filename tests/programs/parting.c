/*
 * parting ROUNDS NAME [UNMAPPING]: in each round two processes map one object, write into it, and end at one moment; the first
 * UNMAPPING of them (0) unmap it just before. How often something of it was left is printed. Fails if ever.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 2, SIZE = 4096 };

static atomic_int *there;

static void process(const char *name, int unmaps)
{
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, SIZE) < 0)
		abort();
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		abort();
	memset(memory, 's', SIZE);
	for (atomic_fetch_add(there, 1); atomic_load(there) < PROCESSES;)
		;
	if (unmaps)
		munmap(memory, SIZE);
	exit(0);
}

static int is_left(const char *name)
{
	char bytes[SIZE] = "";
	int fd = shm_open(name, O_RDONLY, 0);
	if (fd < 0 || read(fd, bytes, SIZE) != SIZE)
		abort();
	close(fd);
	return memchr(bytes, 's', SIZE) != NULL;
}

int main(int argc, char **argv)
{
	int left = 0;

	if (argc != 3 && argc != 4)
		return 2;
	int unmapping = argc == 4 ? atoi(argv[3]) : 0;
	there = mmap(NULL, sizeof *there, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < atoi(argv[1]); round++) {
		atomic_store(there, 0);
		for (int i = 0; i < PROCESSES; i++)
			if (fork() == 0)
				process(argv[2], i < unmapping);
		while (wait(NULL) > 0)
			;
		left += is_left(argv[2]);
	}
	printf("left %d\n", left);
	return left != 0;
}
