/* What the server left is clean; and what another process maps is in use. */
#include "rule.h"

static char object[64];

static void serve_and_leave(void)
{
	char *address = map(create(object, PAGE), PAGE);

	strcpy(address, "a message");
	memset(address, 0, PAGE);
	_exit(0);
}

static void attach(void)
{
	must(shm_open(object, O_CREAT | O_RDWR, 0600) >= 0, "shm_open");
	_exit(0);
}

static void run(void (*deed)(void))
{
	int status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		deed();
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

int main(void)
{
	strcpy(object, name());
	run(serve_and_leave);
	run(attach);
	must(shm_unlink(object) == 0, "shm_unlink");
	strcpy(map(create(object, PAGE), PAGE), "in use");
	run(attach);
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
