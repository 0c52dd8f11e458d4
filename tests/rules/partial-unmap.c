/*
 * Forgets the header in the length given to munmap: the last page stays mapped to the end.
 * expect: partial-unmap note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE);
	char *address = map(fd, 4 * PAGE);

	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 3 * PAGE) == 0, "munmap");
	return 0;
}
