/*
 * jump [SECONDS]: a timer's handler leaves whatever it interrupts by siglongjmp, thousands of times a second, while the
 * program maps and unmaps. Prints "done"; the program that is left alone is as likely to live through it as the recorder,
 * since mmap and munmap are system calls that nothing is half done after.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static sigjmp_buf back;

static void on_signal(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	int fd = shm_open("/jump", O_CREAT | O_RDWR, 0600);
	void *volatile map = MAP_FAILED;
	volatile unsigned long rounds = 0, jumps = 0;
	struct timespec start, now;

	if (fd < 0 || ftruncate(fd, PAGE))
		return 1;
	shm_unlink("/jump");
	clock_gettime(CLOCK_MONOTONIC, &start);
	/* Once at rest: the recorder keeps handlers out from the first jump on. */
	if (sigsetjmp(back, 1) == 0)
		siglongjmp(back, 1);
	signal(SIGALRM, on_signal);
	struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
	if (sigsetjmp(back, 1))
		jumps++;
	setitimer(ITIMER_REAL, &every, NULL);
	do {
		map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			break;
		munmap(map, PAGE);
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	setitimer(ITIMER_REAL, &never, NULL);
	if (rounds < 100 || jumps < 100)
		return 2;
	puts("done");
	return 0;
}
