/*
 * Several threads work all over 32 MiB.
 * expect: huge-page-advice note 1
 */
#include <pthread.h>

#include "rule.h"

enum { LENGTH = 32 << 20 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static char *shared;
static double end;

static void *work(void *context)
{
	while (now() < end)
		for (size_t at = 0; at < LENGTH; at += PAGE)
			++shared[at];
	return context;
}

int main(void)
{
	pthread_t threads[3];

	end = now() + 1.9;
	shared = map(create(name(), LENGTH), LENGTH);
	must(shm_unlink(name()) == 0, "shm_unlink");
	for (size_t i = 0; i < 3; i++)
		must(pthread_create(&threads[i], NULL, work, NULL) == 0, "pthread_create");
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
