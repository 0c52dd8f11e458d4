/*
 * interrupting TIMES: a timer's handler makes an object's descriptors and closes them, and takes their numbers for another
 * file, while the program maps an object and unmaps it, over and over. Prints how often either came.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { PAGE = 4096, MICROSECONDS = 700 };

static volatile sig_atomic_t came;

static void on_signal(int number)
{
	int fd = memfd_create("handler", MFD_CLOEXEC), copy = dup(fd);

	(void)number;
	if (fd < 0 || copy < 0 || (came % 2 ? close(fd) : close_range((unsigned)fd, (unsigned)fd, 0)) || close(copy))
		_exit(2);
	if (open("/dev/null", O_RDONLY) != fd || open("/dev/null", O_RDONLY) != copy || close(fd) || close(copy))
		_exit(3);
	came++;
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 1, mapped = 0;
	int fd = memfd_create("program", MFD_CLOEXEC);
	struct itimerval every = {{0, MICROSECONDS}, {0, MICROSECONDS}}, never = {{0, 0}, {0, 0}};

	if (fd < 0 || ftruncate(fd, PAGE))
		return 1;
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (; came < times; mapped++) {
		void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED || munmap(map, PAGE))
			return 1;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	printf("%d %d\n", (int)came, mapped);
	return close(fd);
}
