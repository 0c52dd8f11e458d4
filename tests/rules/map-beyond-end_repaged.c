/*
 * Has its mapping show other pages of the object, of which there are fewer.
 * expect: map-beyond-end error 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 3 * PAGE);
	char *address = map(fd, 2 * PAGE);

	must(remap_file_pages(address, 2 * PAGE, 0, 2, 0) == 0, "remap_file_pages");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 2 * PAGE) == 0, "munmap");
	return 0;
}
