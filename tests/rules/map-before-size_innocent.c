/* Gives the object a size, then maps it. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, PAGE);

	address[0] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	return 0;
}
