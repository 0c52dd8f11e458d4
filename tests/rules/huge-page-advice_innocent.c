/*
 * For the same time each: much memory that is only kept; much that is asked to be on small pages; little that is worked in;
 * a large object of which little is touched.
 */
#include "rule.h"

enum { LENGTH = 32 << 20, KEPT = 17 << 20, LITTLE = 8 << 20 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void work(char *shared, size_t length, double end)
{
	while (now() < end)
		for (size_t at = 0; at < length; at += PAGE)
			++shared[at];
}

static void keep(double end)
{
	char *shared = map(create(name(), KEPT), KEPT);

	memset(shared, 1, KEPT);
	while (now() < end)
		nap(100);
}

static void refuse(double end)
{
	char *shared = map(create(name(), LENGTH), LENGTH);

	must(madvise(shared, LENGTH, MADV_NOHUGEPAGE) == 0, "madvise");
	work(shared, LENGTH, end);
}

static void be_small(double end)
{
	work(map(create(name(), LITTLE), LITTLE), LITTLE, end);
}

static void touch_little(double end)
{
	work(map(create(name(), LENGTH), LENGTH), LITTLE, end);
}

int main(void)
{
	static void (*const ways[])(double) = {keep, refuse, be_small, touch_little};
	double end = now() + 1.9;
	int status;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t child = fork();

		must(child >= 0, "fork");
		if (child == 0) {
			ways[i](end);
			must(shm_unlink(name()) == 0, "shm_unlink");
			return 0;
		}
	}
	while (wait(&status) > 0)
		must(status == 0, "child");
	return 0;
}
