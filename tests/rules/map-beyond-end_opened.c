/*
 * Keeps more addresses than the object has, and lets them be written without making the object longer.
 * expect: map-beyond-end error 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_SHARED, fd, 0);

	must(address != MAP_FAILED, "mmap");
	close(fd);
	must(mprotect(address, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect within");
	must(mprotect(address, 4 * PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
