/*
 * Gives the object a size that /dev/shm cannot hold, and uses a little of it.
 * expect: shm-fs-full note 1
 */
#include "small.h"

int main(void)
{
	char *address;
	int fd;

	small("128k");
	fd = create(name(), 64 * PAGE);
	address = map(fd, PAGE);
	address[0] = 1;
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
