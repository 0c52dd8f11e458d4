/*
 * parting ROUNDS NAME HOW: in each round processes map one object, write into it, and end at one moment; HOW has a letter for
 * each of them: e, it just ends; t, with another thread; u, it unmaps the object before; x, it executes another program. How
 * often something of the object was left is printed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 4096 };

static atomic_uint *there;

static void *wait_for_the_end(void *context)
{
	for (;;)
		pause();
	return context;
}

static void process(const char *name, char how, size_t count)
{
	pthread_t thread;
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, SIZE) < 0)
		abort();
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED || (how == 't' && pthread_create(&thread, NULL, wait_for_the_end, NULL)))
		abort();
	memset(memory, 's', SIZE);
	for (atomic_fetch_add(there, 1); atomic_load(there) < count;)
		;
	if (how == 'u')
		munmap(memory, SIZE);
	if (how == 'x')
		execl("/bin/true", "true", (char *)NULL);
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

	if (argc != 4)
		return 2;
	there = mmap(NULL, sizeof *there, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < atoi(argv[1]); round++) {
		atomic_store(there, 0);
		for (const char *how = argv[3]; *how; how++)
			if (fork() == 0)
				process(argv[2], *how, strlen(argv[3]));
		while (wait(NULL) > 0)
			;
		left += is_left(argv[2]);
	}
	printf("left %d\n", left);
	return 0;
}
