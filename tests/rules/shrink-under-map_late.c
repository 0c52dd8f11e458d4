/*
 * Cuts the object short, and its mapping only when a child that inherited it has died of that.
 * expect: shrink-under-map warning 1
 * also: sigbus-cause
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), 4 * PAGE), status;
	volatile char *address = map(fd, 4 * PAGE);
	pid_t child;

	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		address[2 * PAGE] = 1;
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "waitpid");
	must(munmap((void *)address, 4 * PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
