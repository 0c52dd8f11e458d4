/*
 * Makes and maps `argv[1]` objects of 64 KiB named `argv[2]`0, 1, ..., unlinks none, and dies by SIGKILL if there is an
 * argv[3]. A name may hold any bytes.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static inline __attribute__((always_inline)) int leaky_open(const char *name)
{
	return shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
}

static __attribute__((noinline)) void leaky_make(const char *name)
{
	int fd = leaky_open(name);

	if (fd < 0 || ftruncate(fd, 65536))
		exit(1);
	if (mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		exit(1);
	close(fd);
}

int main(int argc, char **argv)
{
	char name[256];
	int i;

	if (argc < 3)
		return 2;
	for (i = 0; i < atoi(argv[1]); i++) {
		snprintf(name, sizeof(name), "%s%d", argv[2], i);
		leaky_make(name);
	}
	if (argc > 3)
		raise(SIGKILL);
	return 0;
}
