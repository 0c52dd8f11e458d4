/*
 * A server crashed; the one after it gets its bytes.
 * expect: stale-bytes warning 1
 */
#include "rule.h"

static char object[64];

static void serve_and_crash(void)
{
	strcpy(map(create(object, PAGE), PAGE), "half a message");
	_exit(0);
}

int main(void)
{
	int status;
	pid_t server;

	strcpy(object, name());
	server = fork();
	must(server >= 0, "fork");
	if (server == 0)
		serve_and_crash();
	must(waitpid(server, &status, 0) == server && status == 0, "waitpid");
	must(shm_open(object, O_CREAT | O_RDWR, 0600) >= 0, "shm_open");
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
