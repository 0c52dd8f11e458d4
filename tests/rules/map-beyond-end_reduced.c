/*
 * Maps more than the object will have, makes it longer, gives up a part of what is mapped, and makes it as long as the rest
 * before it uses that.
 * expect: map-beyond-end note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, 16 * PAGE);

	must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
	must(munmap(address + 4 * PAGE, 12 * PAGE) == 0, "munmap");
	must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
	address[3 * PAGE] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
