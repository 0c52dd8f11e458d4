/*
 * attaching ROUNDS NAME SIZE: in each round processes attach at one moment to an object of that many bytes, which an earlier
 * one has left, with a byte behind the end of a small one: they open it, grow it if it is too small, map it, and write into a
 * place of their own. Prints how often what was written was lost; fails if ever.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rounds.h"

enum { PROCESSES = 3, WHOLE = 8192, SLOT = 100 };

static struct counts {
	atomic_int there, written, lost;
} * counts;

static const char *name;
static size_t size;

static void leave(void)
{
	char bytes[WHOLE];
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	memset(bytes, 's', size);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	char *page = mmap(NULL, WHOLE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		abort();
	page[SLOT / 2] = 's'; /* behind the end, where that comes before it */
	_exit(0);
}

static void attach(int number)
{
	struct stat st;

	rounds_meet(&counts->there, PROCESSES, 0);
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size < WHOLE && ftruncate(fd, WHOLE) < 0))
		abort();
	volatile char *mine = mmap(NULL, WHOLE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mine == MAP_FAILED)
		abort();
	mine[(number + 1) * SLOT] = 'A';
	rounds_meet(&counts->written, PROCESSES, 100);
	usleep(1000);
	if (mine[(number + 1) * SLOT] != 'A')
		atomic_fetch_add(&counts->lost, 1);
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	name = argv[2];
	size = strtoul(argv[3], NULL, 10);
	for (int round = 0; round < atoi(argv[1]); round++) {
		atomic_store(&counts->there, 0);
		atomic_store(&counts->written, 0);
		rounds_once(name, leave, 0, attach, PROCESSES);
	}
	printf("lost %d\n", atomic_load(&counts->lost));
	return atomic_load(&counts->lost) != 0;
}
