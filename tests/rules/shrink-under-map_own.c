/*
 * Cuts the object short below its own mapping, and keeps that.
 * expect: shrink-under-map warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE);
	char *address = map(fd, 4 * PAGE);

	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	nap(1100);
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
