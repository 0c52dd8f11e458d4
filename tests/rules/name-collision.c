/*
 * An earlier process with this pid left an object: here, the parent puts it there first.
 * expect: name-collision warning 1
 */
#include "rule.h"

static int ends[2];

static void want(void)
{
	char byte;

	must(read(ends[0], &byte, 1) == 1, "read");
	must(shm_open(name(), O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST, "collision");
	_exit(0);
}

int main(void)
{
	char object[64];
	int status;
	pid_t child;

	must(pipe(ends) == 0, "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		want();
	snprintf(object, sizeof(object), "/shmguard-rules.%d", child);
	create(object, PAGE);
	must(write(ends[1], "", 1) == 1, "write");
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
