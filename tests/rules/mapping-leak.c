/*
 * Maps the same object again and again, evenly over time, and unmaps none of it.
 * expect: mapping-leak error 40
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);

	must(shm_unlink(name()) == 0, "shm_unlink");
	for (int i = 0; i < 40; i++) {
		map(fd, PAGE);
		nap(5);
	}
	close(fd);
	return 0;
}
