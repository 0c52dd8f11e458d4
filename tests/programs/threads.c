/*
 * threads [SECONDS]: eight threads create, size, map, unmap and unlink objects at random, while a timer's signal handler
 * maps and unmaps one of its own. Nothing is left at the end. Prints nothing; 0: every call did what it should.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, PAGE = 4096 };

static volatile sig_atomic_t stop;
static int handler_fd;

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static void on_signal(int number)
{
	(void)number;
	void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, handler_fd, 0);
	if (map == MAP_FAILED || munmap(map, PAGE))
		_exit(2);
}

static void *work(void *context)
{
	unsigned seed = (unsigned)(size_t)context;
	char name[64];
	unsigned long round = 0;

	while (!stop) {
		snprintf(name, sizeof name, "/threads-%d-%zu-%lu", getpid(), (size_t)context, round++);
		int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
		if (fd < 0 || ftruncate(fd, 4 * PAGE))
			fail("create");
		char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			fail("mmap");
		map[PAGE] = 1;
		/* The hole is another thread's at once. */
		bool hole = rand_r(&seed) % 2;
		if (hole && munmap(map + PAGE, PAGE))
			fail("munmap");
		int copy = rand_r(&seed) % 2 ? dup(fd) : -1;
		if (close(fd) || shm_unlink(name) || (copy >= 0 && close(copy)) ||
		    (hole ? munmap(map, PAGE) || munmap(map + 2 * PAGE, 2 * PAGE) : munmap(map, 4 * PAGE)))
			fail("release");
	}
	return NULL;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	pthread_t thread[THREADS];
	struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	handler_fd = memfd_create("handler", MFD_CLOEXEC);
	if (handler_fd < 0 || ftruncate(handler_fd, PAGE))
		fail("memfd_create");
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGPROF, &action, NULL);
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			fail("pthread_create");
	struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
	setitimer(ITIMER_PROF, &every, NULL);
	while (nanosleep(&pause, &pause))
		;
	setitimer(ITIMER_PROF, &never, NULL);
	stop = 1;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return close(handler_fd);
}
