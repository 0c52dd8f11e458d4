/*
 * A restarted server makes the object anew under the same name; its client goes on with the old one.
 * expect: split-brain warning 1
 */
#include "rule.h"

static char object[64];

static void wait_for(int fd)
{
	char byte;

	must(read(fd, &byte, 1) == 1, "read");
}

static void serve_again(int begin, int done)
{
	int fd;
	char *address;

	wait_for(begin);
	must(shm_unlink(object) == 0, "shm_unlink");
	fd = create(object, PAGE);
	address = map(fd, PAGE);
	close(fd);
	must(write(done, "", 1) == 1, "write");
	wait_for(begin);
	must(munmap(address, PAGE) == 0, "munmap");
	must(shm_unlink(object) == 0, "shm_unlink");
	_exit(0);
}

int main(void)
{
	int begin[2], done[2], fd, status;
	char *address;
	pid_t server;

	strcpy(object, name());
	must(pipe(begin) == 0 && pipe(done) == 0, "pipe");
	server = fork();
	must(server >= 0, "fork");
	if (server == 0)
		serve_again(begin[0], done[1]);
	fd = create(object, PAGE);
	address = map(fd, PAGE);
	close(fd);
	must(write(begin[1], "", 1) == 1, "write");
	wait_for(done[0]);
	strcpy(address, "nobody reads this");
	must(munmap(address, PAGE) == 0, "munmap");
	must(write(begin[1], "", 1) == 1, "write");
	must(waitpid(server, &status, 0) == server && status == 0, "waitpid");
	return 0;
}
