/* Unmaps in two steps, but all of it. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE);
	char *address = map(fd, 4 * PAGE);

	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 3 * PAGE) == 0, "munmap");
	must(munmap(address + 3 * PAGE, PAGE) == 0, "munmap");
	return 0;
}
