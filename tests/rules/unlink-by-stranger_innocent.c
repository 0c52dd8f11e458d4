/* A child of the creator is the last to leave; a name that is not there is removed by nobody. */
#include "rule.h"

int main(void)
{
	char object[64];
	int status;
	pid_t child;

	strcpy(object, name());
	create(object, PAGE);
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		must(shm_unlink(object) == 0, "shm_unlink");
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
	must(shm_unlink("/shmguard-rules.none") < 0 && errno == ENOENT, "shm_unlink of nothing");
	return 0;
}
