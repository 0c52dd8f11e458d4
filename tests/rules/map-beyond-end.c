/*
 * Maps more than the object has, and would die if it read on.
 * expect: map-beyond-end error 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, 4 * PAGE);

	address[0] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
