/*
 * counted FILE: maps and unmaps an object without end; how many calls are finished is always in FILE, also after SIGKILL.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int file = argc == 2 ? open(argv[1], O_CREAT | O_RDWR, 0600) : -1, fd = memfd_create("counted", 0);

	if (file < 0 || ftruncate(file, 8) || fd < 0 || ftruncate(fd, 4096))
		return 2;
	volatile uint64_t *count = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (count == MAP_FAILED)
		return 2;
	for (;;) {
		void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			return 1;
		*count = *count + 1;
		if (munmap(map, 4096))
			return 1;
		*count = *count + 1;
		if (*count % 200 == 0)
			usleep(1000);
	}
}
