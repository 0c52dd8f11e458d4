/*
 * One who only attached changes the size.
 * expect: resize-by-attacher warning 1
 */
#include "rule.h"

int main(void)
{
	char object[64];
	int fd, status;
	pid_t creator;

	strcpy(object, name());
	creator = fork();
	must(creator >= 0, "fork");
	if (creator == 0) {
		close(create(object, PAGE));
		_exit(0);
	}
	must(waitpid(creator, &status, 0) == creator && status == 0, "waitpid");
	fd = shm_open(object, O_RDWR, 0);
	must(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
	close(fd);
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
