/*
 * A process gives up what it has mapped past the object's end; its child makes the object as long as that.
 * expect: map-beyond-end note 1
 */
#include "orphan.h"

static void grow(int fd, char *address)
{
	must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
	address[3 * PAGE] = 1;
}

int main(void)
{
	int fd = create(name(), PAGE), go, status;
	char *address = map(fd, 4 * PAGE);
	pid_t child = leave_to_child(grow, fd, address, &go);

	nap(20);
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	close(go);
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(shm_unlink(name()) == 0, "shm_unlink");
	close(fd);
	return 0;
}
