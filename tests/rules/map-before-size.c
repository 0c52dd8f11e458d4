/*
 * Forgets ftruncate.
 * expect: map-before-size error 1
 */
#include "rule.h"

int main(void)
{
	int fd = shm_open(name(), O_CREAT | O_EXCL | O_RDWR, 0600);
	char *address;

	must(fd >= 0, "shm_open");
	address = map(fd, PAGE);
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	return 0;
}
