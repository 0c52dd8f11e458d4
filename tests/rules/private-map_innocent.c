/* Maps MAP_PRIVATE to read a snapshot. */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	must(address != MAP_FAILED, "mmap");
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
