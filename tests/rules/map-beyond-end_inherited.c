/*
 * A process gives up what it has mapped past the object's end; a child that was forked before has it, and touches it.
 * expect: map-beyond-end error 1
 * also: sigbus-cause
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE), ready[2], status;
	char *address = map(fd, 4 * PAGE), byte;

	must(pipe(ready) == 0, "pipe");
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		close(ready[1]);
		must(read(ready[0], &byte, 1) == 0, "read");
		address[3 * PAGE] = 1;
		_exit(0);
	}
	must(munmap(address + PAGE, 3 * PAGE) == 0, "munmap");
	close(ready[0]);
	close(ready[1]);
	must(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "waitpid");
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(munmap(address, PAGE) == 0, "munmap");
	close(fd);
	return 0;
}
