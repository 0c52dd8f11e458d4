/*
 * A child changes the size of what its parent made; what it makes itself it may resize.
 * expect: resize-by-attacher warning 1
 */
#include "rule.h"

int main(void)
{
	int fd = create(name(), PAGE), status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		int own = create(name(), PAGE);

		must(ftruncate(own, 2 * PAGE) == 0 && ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
		must(shm_unlink(name()) == 0, "shm_unlink");
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(ftruncate(fd, 3 * PAGE) == 0, "the parent's own");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
