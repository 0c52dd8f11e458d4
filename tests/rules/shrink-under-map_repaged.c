/*
 * Cuts the object short below its own mapping, which was made to show later pages.
 * expect: shrink-under-map warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE);
	char *address = map(fd, PAGE);

	must(remap_file_pages(address, PAGE, 0, 3, 0) == 0, "remap_file_pages");
	must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
	nap(1100);
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	return 0;
}
