/* Reads up to there. */
#include "rule.h"

static void read_all(int fd)
{
	volatile char *address = map(fd, PAGE);

	_exit(address[PAGE - 1]);
}

int main(void)
{
	int fd = create(name(), PAGE), status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		read_all(fd);
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
