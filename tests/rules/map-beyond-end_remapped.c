/*
 * Lets its mapping grow, but not the object below it.
 * expect: map-beyond-end error 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, PAGE);

	address = mremap(address, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	must(address != MAP_FAILED, "mremap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
