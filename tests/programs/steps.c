/*
 * steps NAME: an object that is mapped three times and resized three times, a good while between any two of them. The last
 * thing that it does is to sleep, with all of it mapped.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAUSE = 100000 };

int main(int argc, char **argv)
{
	int fd = argc > 1 ? shm_open(argv[1], O_CREAT | O_EXCL | O_RDWR, 0600) : -1;

	if (fd < 0 || ftruncate(fd, 16 * PAGE))
		return 2;
	for (int i = 0; i < 3; i++) {
		usleep(PAUSE);
		if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, i * PAGE) == MAP_FAILED)
			return 1;
	}
	for (int i = 1; i < 4; i++) {
		usleep(PAUSE);
		if (ftruncate(fd, (16 + i) * PAGE))
			return 1;
	}
	usleep(PAUSE);
	if (fork() == 0)
		_exit(0);
	shm_unlink(argv[1]);
	usleep(4 * PAUSE);
	return 0;
}
