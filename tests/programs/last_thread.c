/*
 * last_thread HOW: the first thread ends before the process does, which then ends with its last thread, handlers run in that:
 * alone; after it a thread that returns (thread), or is detached; by a cancellation; by thrd_exit(3); before anything was
 * called (later); in a child that a thread forks, too (forked).
 */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>

#include "hostile.h"

static int fd;
static pthread_t first;

static void said(void)
{
	printf("a handler ran, in the first thread: %d\n", pthread_equal(pthread_self(), first) != 0);
	fflush(stdout);
}

static void *work(void *how)
{
	int status;

	usleep(100000);
	if (strcmp(how, "cancelled") == 0)
		pthread_cancel(first);
	if (strcmp(how, "later") == 0)
		fd = object();
	use(fd);
	if (strcmp(how, "forked") == 0) {
		pid_t child = fork();
		if (child == 0)
			first = pthread_self();
		else if (waitpid(child, &status, 0) == child)
			printf("child: %x\n", (unsigned)status);
	}
	usleep(100000);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 2;
	char *how = argv[1];
	first = pthread_self();
	atexit(said);
	if (strcmp(how, "later") != 0)
		use(fd = object());
	if (strcmp(how, "alone") != 0)
		must(pthread_create(&thread, NULL, work, how) == 0, "pthread_create");
	if (strcmp(how, "detached") == 0)
		pthread_detach(thread);
	if (strcmp(how, "cancelled") == 0)
		pause();
	puts("the first thread ends");
	fflush(stdout);
	if (strcmp(how, "c11") == 0)
		thrd_exit(0);
	pthread_exit(NULL);
}
