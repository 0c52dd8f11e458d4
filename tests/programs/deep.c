/* Makes an object and leaves it mapped, argv[1] calls below main(), and its name argv[2]. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

static int descend(int depth, const char *name)
{
	int fd, below = 0;

	if (depth > 1) {
		below = descend(depth - 1, name);
		__asm__ volatile("" ::: "memory");
		return below + 1;
	}
	fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (fd < 0 || mmap(NULL, 4096, PROT_NONE, MAP_SHARED, fd, 0) == MAP_FAILED)
		exit(1);
	return 1;
}

int main(int argc, char **argv)
{
	return argc < 3 || descend(atoi(argv[1]), argv[2]) == 0;
}
