/*
 * slots SECONDS NAME: processes, and threads of each, map one object again and again, write into a place of their own and
 * look whether it is still there before they unmap it. Prints how often that was so, and how often not; fails if ever not.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 2, THREADS = 2, SLOT = 4096, SIZE = PROCESSES * THREADS * SLOT };

static struct counts {
	atomic_ulong kept, lost;
} * counts;
static const char *name;
static double until;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void round_of(unsigned slot)
{
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, SIZE) < 0)
		abort();
	volatile uint32_t *mine = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mine == MAP_FAILED)
		abort();
	bool kept = true;
	mine[slot * SLOT / sizeof *mine] = 0xabcd0000 + slot;
	for (int looks = 0; looks < 5 && kept; looks++) {
		usleep((unsigned)rand() % 200);
		kept = mine[slot * SLOT / sizeof *mine] == 0xabcd0000 + slot;
	}
	munmap((void *)(uintptr_t)mine, SIZE);
	atomic_fetch_add(kept ? &counts->kept : &counts->lost, 1);
}

static void *rounds(void *slot)
{
	while (now() < until)
		round_of((unsigned)(uintptr_t)slot);
	return NULL;
}

static void process(unsigned number)
{
	pthread_t threads[THREADS];

	srand(number);
	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, rounds, (void *)(uintptr_t)(number * THREADS + i)))
			abort();
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	until = now() + strtod(argv[1], NULL);
	name = argv[2];
	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			process(i);
	while (wait(NULL) > 0)
		;
	printf("kept %lu, lost %lu\n", atomic_load(&counts->kept), atomic_load(&counts->lost));
	return atomic_load(&counts->lost) != 0;
}
