/* The client leaves the old object before the restarted server makes a new one, and attaches to that. */
#include "rule.h"

static char object[64];

static void serve_again(void)
{
	must(shm_unlink(object) == 0, "shm_unlink");
	close(create(object, PAGE));
	_exit(0);
}

int main(void)
{
	int fd, status;
	pid_t server;

	strcpy(object, name());
	fd = create(object, PAGE);
	must(munmap(map(fd, PAGE), PAGE) == 0, "munmap");
	close(fd);
	server = fork();
	must(server >= 0, "fork");
	if (server == 0)
		serve_again();
	must(waitpid(server, &status, 0) == server && status == 0, "waitpid");
	fd = shm_open(object, O_RDWR, 0);
	must(fd >= 0, "shm_open");
	must(munmap(map(fd, PAGE), PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
