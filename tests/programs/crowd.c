/*
 * crowd THREADS EACH PREFIX: every thread makes EACH objects PREFIX.THREAD.NUMBER and removes them. Those of even threads any
 * user may write to. Prints how many calls of even and of odd threads were refused; fails for another error than EACCES.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_barrier_t all;
static atomic_ulong refused[2];
static int each;
static const char *prefix;

static void *one_of_them(void *argument)
{
	unsigned int thread = (unsigned int)(uintptr_t)argument, odd = thread % 2;
	char name[128];

	pthread_barrier_wait(&all);
	for (int i = 0; i < each; i++) {
		snprintf(name, sizeof(name), "%s.%u.%d", prefix, thread, i);
		int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, odd ? 0600 : 0666);
		if (fd < 0 && errno != EACCES)
			abort();
		if (fd < 0) {
			atomic_fetch_add(&refused[odd], 1);
			continue;
		}
		close(fd);
		if (shm_unlink(name))
			abort();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int threads = argc == 4 ? (unsigned int)atoi(argv[1]) : 0;
	pthread_t *crowd = calloc(threads, sizeof(*crowd));
	pthread_attr_t small;

	if (!threads || !crowd)
		return 2;
	each = atoi(argv[2]);
	prefix = argv[3];
	umask(0);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	pthread_barrier_init(&all, NULL, threads);
	for (unsigned int i = 0; i < threads; i++)
		if (pthread_create(&crowd[i], &small, one_of_them, (void *)(uintptr_t)i))
			abort();
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(crowd[i], NULL);
	printf("%lu %lu\n", atomic_load(&refused[0]), atomic_load(&refused[1]));
	free(crowd);
	return 0;
}
