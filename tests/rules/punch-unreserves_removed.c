/*
 * Takes the fourth and fifth of the pages that were reserved away again, by an address within the mapping.
 * expect: punch-unreserves note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 8 * PAGE);
	char *address;

	must(posix_fallocate(fd, 0, 8 * PAGE) == 0, "posix_fallocate");
	address = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
	must(address != MAP_FAILED && madvise(address + PAGE, 2 * PAGE, MADV_REMOVE) == 0, "MADV_REMOVE");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
