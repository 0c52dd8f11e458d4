/*
 * rate CALLS SECONDS [PROCESSES]: makes CALLS mmap and munmap calls a second on one object, spread evenly over SECONDS and
 * over the processes. Prints how many calls it made and how many seconds that took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, BURST = 100 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void work(int fd, double rate, double calls)
{
	double start = now();

	for (double made = 0; made < calls; made += BURST) {
		for (int i = 0; i < BURST / 2; i++) {
			void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

			if (map == MAP_FAILED || munmap(map, PAGE))
				exit(1);
		}
		double ahead = start + made / rate - now();
		if (ahead > 0)
			usleep((useconds_t)(ahead * 1e6));
	}
}

int main(int argc, char **argv)
{
	double rate = argc > 2 ? atof(argv[1]) : 0, seconds = argc > 2 ? atof(argv[2]) : 0;
	int processes = argc > 3 ? atoi(argv[3]) : 1, fd = memfd_create("rate", 0), failed = 0, status;
	double start = now();

	if (rate <= 0 || seconds <= 0 || processes < 1 || fd < 0 || ftruncate(fd, PAGE))
		return 2;
	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			work(fd, rate / processes, rate * seconds / processes);
			exit(0);
		}
	for (int i = 0; i < processes; i++)
		failed |= wait(&status) < 0 || status;
	printf("%.0f %.3f\n", rate * seconds, now() - start);
	return failed;
}
