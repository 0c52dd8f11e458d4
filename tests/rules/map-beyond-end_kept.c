/*
 * A process gives up what it has mapped past the object's end; a child that was forked before keeps it to its end.
 * expect: map-beyond-end error 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE), status;
	char *address = map(fd, 4 * PAGE);
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		nap(50);
		_exit(0);
	}
	must(munmap(address + PAGE, 3 * PAGE) == 0, "munmap");
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	return 0;
}
