/*
 * Two processes count in one object, without anything that keeps one from writing over the other.
 * expect: unsynchronised-sharing note 1
 */
#include "rule.h"

enum { TIMES = 1000 };

static void count(volatile unsigned *number)
{
	for (int i = 0; i < TIMES; i++)
		++*number;
}

int main(void)
{
	char object[64];
	int ready[2], status;
	pid_t other;
	char *shared;

	strcpy(object, name());
	shared = map(create(object, PAGE), PAGE);
	must(pipe(ready) == 0, "pipe");
	other = fork();
	must(other >= 0, "fork");
	if (other == 0) {
		munmap(shared, PAGE);
		shared = map(shm_open(object, O_RDWR, 0), PAGE);
		must(write(ready[1], "", 1) == 1, "write");
		count((volatile unsigned *)shared);
		return 0;
	}
	must(read(ready[0], object + 63, 1) == 1, "read");
	count((volatile unsigned *)shared);
	must(waitpid(other, &status, 0) == other && status == 0, "waitpid");
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
