/* Maps as often, and unmaps each time. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);

	must(shm_unlink(name()) == 0, "shm_unlink");
	for (int i = 0; i < 40; i++) {
		char *address = map(fd, PAGE);

		nap(5);
		must(munmap(address, PAGE) == 0, "munmap");
	}
	close(fd);
	return 0;
}
