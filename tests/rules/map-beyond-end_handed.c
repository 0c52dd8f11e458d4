/*
 * A process gives up what it has mapped past the object's end; its child makes the object as long as that.
 * expect: map-beyond-end note 1
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
		must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
		address[3 * PAGE] = 1;
		_exit(0);
	}
	nap(20);
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	close(ready[0]);
	close(ready[1]);
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(shm_unlink(name()) == 0, "shm_unlink");
	close(fd);
	return 0;
}
