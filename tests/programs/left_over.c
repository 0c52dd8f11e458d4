/*
 * left_over ROUNDS NAME create|map: in each round processes come at one moment to an object that an earlier one has left. They
 * open it with O_CREAT, or without and map it, and let go of it only once all have tried. Prints how many read the old bytes,
 * how many something else, and how many were refused (EEXIST). Without a policy all read the old bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rounds.h"

enum { PROCESSES = 4, SIZE = 4096 };

static struct counts {
	atomic_int there, tried, old, other, refused;
} * counts;

static const char *name;
static int creates;

static void leave(void)
{
	char bytes[SIZE];
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	memset(bytes, 'o', sizeof bytes);
	if (fd < 0 || write(fd, bytes, sizeof bytes) != sizeof bytes)
		abort();
	_exit(0);
}

static atomic_int *attempt(void)
{
	struct stat st;
	int fd = shm_open(name, O_RDWR | (creates ? O_CREAT : 0), 0600);

	if (fd < 0)
		return errno == EEXIST ? &counts->refused : &counts->other;
	if (fstat(fd, &st) < 0 || st.st_size < SIZE)
		return &counts->other;
	const char *page = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return errno == EEXIST ? &counts->refused : &counts->other;
	return page[0] == 'o' ? &counts->old : &counts->other;
}

static void come(int number)
{
	(void)number;
	rounds_meet(&counts->there, PROCESSES, 100);
	atomic_fetch_add(attempt(), 1);
	rounds_meet(&counts->tried, PROCESSES, 100);
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	name = argv[2];
	creates = argv[3][0] == 'c';
	for (int round = 0; round < atoi(argv[1]); round++) {
		atomic_store(&counts->there, 0);
		atomic_store(&counts->tried, 0);
		/* It is older than those who come: time stamps are as coarse as the clock's tick. */
		rounds_once(name, leave, 20000, come, PROCESSES);
	}
	printf("old %d, other %d, refused %d\n", counts->old, counts->other, counts->refused);
	return 0;
}
