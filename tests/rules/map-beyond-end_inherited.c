/*
 * A process gives up what it has mapped past the object's end; a child that was forked before has it, and touches it.
 * expect: map-beyond-end error 1
 * also: sigbus-cause
 */
#include "orphan.h"

static void touch(int fd, char *address)
{
	(void)fd;
	address[3 * PAGE] = 1;
}

int main(void)
{
	int fd = create(name(), PAGE), go, status;
	char *address = map(fd, 4 * PAGE);
	pid_t child = leave_to_child(touch, fd, address, &go);

	must(munmap(address + PAGE, 3 * PAGE) == 0, "munmap");
	close(go);
	must(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "waitpid");
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	return 0;
}
