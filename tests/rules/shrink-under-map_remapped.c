/*
 * Cuts the object short and at once its mapping, as CPython's mmap.resize does.
 * expect: shrink-under-map note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE);
	char *address = map(fd, 4 * PAGE);

	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	address = mremap(address, 4 * PAGE, PAGE, 0);
	must(address != MAP_FAILED, "mremap");
	nap(10);
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	return 0;
}
