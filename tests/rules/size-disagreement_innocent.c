/* Both map all of it. */
#include "rule.h"

static void attach(const char *object, size_t length)
{
	int fd = shm_open(object, O_RDWR, 0);

	must(fd >= 0, "shm_open");
	must(munmap(map(fd, length), length) == 0, "munmap");
	close(fd);
	_exit(0);
}

int main(void)
{
	char object[64];
	int fd, status;
	char *address;
	pid_t reader;

	strcpy(object, name());
	fd = create(object, 4 * PAGE);
	address = map(fd, 4 * PAGE);
	reader = fork();
	must(reader >= 0, "fork");
	if (reader == 0)
		attach(object, 4 * PAGE);
	must(waitpid(reader, &status, 0) == reader && status == 0, "waitpid");
	must(munmap(address, 4 * PAGE) == 0, "munmap");
	close(fd);
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
