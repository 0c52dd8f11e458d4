/*
 * churner COUNT ALIVE: makes COUNT objects, one after the other, and unlinks the oldest when there are more than ALIVE.
 * Then it resizes the oldest that is left by its name, and leaves them all.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *name_of(int number)
{
	static char name[64];

	snprintf(name, sizeof(name), "/churner-%d.%d", (int)getpid(), number);
	return name;
}

static void resize(int flags, int number, off_t size)
{
	int fd = shm_open(name_of(number), O_RDWR | flags, 0600);

	if (fd < 0 || ftruncate(fd, size) || close(fd)) {
		perror(name_of(number));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0, alive = argc > 2 ? atoi(argv[2]) : 0;

	if (alive < 1 || count < alive)
		return 2;
	for (int i = 0; i < count; i++) {
		resize(O_CREAT | O_EXCL, i, 4096);
		if (i >= alive)
			shm_unlink(name_of(i - alive));
	}
	resize(0, count - alive, 8192);
	return 0;
}
