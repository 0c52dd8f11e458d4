/* growing THREADS ROUNDS: each thread maps an object of its own, has the mapping grown by mremap, and then the object. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BEFORE = 4096, AFTER = 8192 };

static int rounds;

static void grow(int fd)
{
	char *first, *grown;

	if (ftruncate(fd, BEFORE))
		abort();
	first = mmap(NULL, BEFORE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (first == MAP_FAILED)
		abort();
	grown = mremap(first, BEFORE, AFTER, MREMAP_MAYMOVE);
	if (grown == MAP_FAILED || ftruncate(fd, AFTER))
		abort();
	grown[BEFORE] = 1;
	munmap(grown, AFTER);
}

static void *work(void *number)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/shmguard-growing.%d.%d", (int)getpid(), (int)(size_t)number);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		abort();
	for (int i = 0; i < rounds; i++)
		grow(fd);
	close(fd);
	shm_unlink(name);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int count = argc > 2 ? atoi(argv[1]) : 0;

	if (count < 1 || count > 64)
		return 2;
	rounds = atoi(argv[2]);
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(size_t)i))
			return 1;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
