/* Locks what it may. */
#include "limited.h"

int main(void)
{
	char *address;
	int fd;

	limit_locking(4 * PAGE);
	fd = create(name(), 2 * PAGE);
	address = map(fd, 2 * PAGE);
	must(mlock(address, 2 * PAGE) == 0, "mlock");
	must(munmap(address, 2 * PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
