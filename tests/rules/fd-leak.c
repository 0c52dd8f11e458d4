/*
 * Attaches again and again, evenly over time; unmaps each time, closes none of the descriptors.
 * expect: fd-leak error 40
 */
#include "rule.h"

static void use(void)
{
	int fd = shm_open(name(), O_RDWR, 0);

	must(fd >= 0, "shm_open");
	must(munmap(map(fd, PAGE), PAGE) == 0, "munmap");
}

int main(void)
{
	close(create(name(), PAGE));
	for (int i = 0; i < 40; i++) {
		use();
		nap(5);
	}
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
