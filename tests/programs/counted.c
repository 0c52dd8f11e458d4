/*
 * counted FILE [THREADS]: maps and unmaps an object without end, in one thread or more; how many calls each has finished is
 * always in FILE, also after SIGKILL.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int fd;

static void *work(void *context)
{
	volatile uint64_t *count = context;

	for (;;) {
		void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			exit(1);
		*count = *count + 1;
		if (munmap(map, PAGE))
			exit(1);
		*count = *count + 1;
		if (*count % 200 == 0)
			usleep(1000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int file = argc >= 2 ? open(argv[1], O_CREAT | O_RDWR, 0600) : -1, threads = argc == 3 ? atoi(argv[2]) : 1;
	pthread_t thread;

	fd = memfd_create("counted", 0);
	if (file < 0 || threads < 1 || ftruncate(file, threads * (off_t)sizeof(uint64_t)) || fd < 0 ||
	    ftruncate(fd, PAGE))
		return 2;
	uint64_t *counts = mmap(NULL, (size_t)threads * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (counts == MAP_FAILED)
		return 2;
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, work, counts + i))
			return 2;
	work(counts);
}
