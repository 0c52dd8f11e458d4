/* Asks for no more than there is. */
#include "small.h"

int main(void)
{
	char *address;
	int fd;

	small("128k");
	fd = create(name(), 8 * PAGE);
	address = map(fd, 8 * PAGE);
	memset(address, 1, 8 * PAGE);
	must(munmap(address, 8 * PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
