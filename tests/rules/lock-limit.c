/*
 * Locks more than RLIMIT_MEMLOCK allows.
 * expect: lock-limit warning 1
 */
#include "limited.h"

int main(void)
{
	char *address;
	int fd;

	limit_locking(4 * PAGE);
	fd = create(name(), 16 * PAGE);
	address = map(fd, 16 * PAGE);
	must(mlock(address, 16 * PAGE) == -1, "mlock");
	must(munmap(address, 16 * PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
