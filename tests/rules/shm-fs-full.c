/*
 * Gives the object a size that /dev/shm cannot hold, and uses it.
 * expect: shm-fs-full error 1
 * also: sigbus-cause
 */
#include "small.h"

static void fill(int fd)
{
	memset(map(fd, 64 * PAGE), 1, 64 * PAGE);
	_exit(0);
}

int main(void)
{
	int fd, status;
	pid_t child;

	small("128k");
	fd = create(name(), 64 * PAGE);
	child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		fill(fd);
	must(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "waitpid");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
