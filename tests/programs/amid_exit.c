/*
 * amid_exit ROUNDS NAME: in each round a process maps an object, writes into it and ends, while another thread of it forks; the
 * child looks whether what was written is there. Prints how many were born, and how many lost it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct counts {
	atomic_uint born, lost;
} * counts;
static char *memory;
static atomic_bool ends;
static int round_number;

static void *fork_late(void *context)
{
	while (!atomic_load(&ends))
		;
	usleep((unsigned)round_number % 20 * 100);
	if (fork() == 0) {
		atomic_fetch_add(&counts->born, 1);
		for (int looks = 0; looks < 20 && memory[0]; looks++)
			usleep(1000);
		if (!memory[0])
			atomic_fetch_add(&counts->lost, 1);
		_exit(0);
	}
	return context;
}

static void process(const char *name)
{
	pthread_t thread;
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, 4096) < 0)
		abort();
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	memory[0] = 's';
	if (pthread_create(&thread, NULL, fork_late, NULL))
		abort();
	atomic_store(&ends, true);
	exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (round_number = 0; round_number < atoi(argv[1]); round_number++) {
		if (fork() == 0)
			process(argv[2]);
		while (wait(NULL) > 0)
			;
	}
	printf("born %u, lost %u\n", atomic_load(&counts->born), atomic_load(&counts->lost));
	return atomic_load(&counts->lost) != 0;
}
