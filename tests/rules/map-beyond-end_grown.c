/*
 * Maps the room that the object may need one day, and makes it longer before it uses it.
 * expect: map-beyond-end note 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE);
	char *address = map(fd, 4 * PAGE);

	must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
	address[3 * PAGE] = 1;
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	return 0;
}
