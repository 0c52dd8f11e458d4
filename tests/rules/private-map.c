/*
 * Maps MAP_PRIVATE: what it writes stays with it.
 * expect: private-map warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	must(address != MAP_FAILED, "mmap");
	address[0] = 1;
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
