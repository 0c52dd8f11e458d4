/*
 * left_over ROUNDS NAME create|map: in each round processes come at one moment to an object that an earlier one has left. They
 * open it with O_CREAT, or without and map it, and let go of it only once all have tried. Prints how many read the old bytes,
 * how many something else, and how many were refused (EEXIST). Without a policy all read the old bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4, SIZE = 4096 };

static struct counts {
	atomic_int there, tried, old, other, refused;
} * counts;

static void leave(const char *name)
{
	char bytes[SIZE];
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	memset(bytes, 'o', sizeof bytes);
	if (fd < 0 || write(fd, bytes, sizeof bytes) != sizeof bytes)
		abort();
	_exit(0);
}

static atomic_int *attempt(const char *name, int creates)
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

static void come(const char *name, int creates)
{
	for (atomic_fetch_add(&counts->there, 1); atomic_load(&counts->there) < PROCESSES;)
		usleep(100);
	atomic_fetch_add(attempt(name, creates), 1);
	for (atomic_fetch_add(&counts->tried, 1); atomic_load(&counts->tried) < PROCESSES;)
		usleep(100);
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < atoi(argv[1]); round++) {
		atomic_store(&counts->there, 0);
		atomic_store(&counts->tried, 0);
		if (fork() == 0)
			leave(argv[2]);
		wait(NULL);
		/* It is older than those who come: time stamps are as coarse as the clock's tick. */
		usleep(20000);
		for (int i = 0; i < PROCESSES; i++)
			if (fork() == 0)
				come(argv[2], argv[3][0] == 'c');
		while (wait(NULL) > 0)
			;
		shm_unlink(argv[2]);
	}
	printf("old %d, other %d, refused %d\n", counts->old, counts->other, counts->refused);
	return 0;
}
