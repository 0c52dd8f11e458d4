/*
 * Reads where the object has ended.
 * expect: sigbus-cause error 1
 * also: map-beyond-end
 */
#include <signal.h>

#include "rule.h"

static void read_on(int fd)
{
	volatile char *address = map(fd, 4 * PAGE);

	_exit(address[2 * PAGE]);
}

int main(void)
{
	int fd = create(name(), PAGE), status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		read_on(fd);
	must(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "waitpid");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
