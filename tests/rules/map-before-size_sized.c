/*
 * Maps first and sizes then, which is legal as long as nobody touches it in between.
 * expect: map-before-size note 1
 */
#include "rule.h"

int main(void)
{
	int fd = shm_open(name(), O_CREAT | O_EXCL | O_RDWR, 0600);
	char *address;

	must(fd >= 0, "shm_open");
	address = map(fd, 2 * PAGE);
	must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
	address[PAGE] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 2 * PAGE) == 0, "munmap");
	return 0;
}
