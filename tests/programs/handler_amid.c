/*
 * handler_amid malloc|threads|dlopen|prepared|exit MICROSECONDS: a timer's handler, which may come amid malloc(3) or dlopen(3),
 * makes a memfd, sizes, maps and closes it: the process's first calls; `prepared`: this thread's, after another's.
 * Then memory is used as before. Ends with 5.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { BLOCKS = 64, SIZE = 4096, END = 5 };

static volatile sig_atomic_t done;
static int ends;

static int use(const char *name)
{
	int fd = memfd_create(name, 0);
	char *memory;

	if (fd < 0 || ftruncate(fd, SIZE))
		return -1;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	*memory = 1;
	return munmap(memory, SIZE) || close(fd) ? -1 : 0;
}

static void on_alarm(int number)
{
	(void)number;
	if (done)
		return;
	if (use("amid"))
		_exit(1);
	if (ends)
		_exit(END);
	done = 1;
}

static void *first(void *none)
{
	return use("first") ? &ends : none;
}

static void *idle(void *none)
{
	pause();
	return none;
}

static void allocate(void)
{
	void *blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(2000 + (size_t)i * 100);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
}

static void load(void)
{
	static const char *const names[] = {"libz.so.1", "libm.so.6", "libdw.so.1", "libelf.so.1"};
	void *libraries[sizeof names / sizeof *names];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		libraries[i] = dlopen(names[i], RTLD_NOW);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (libraries[i])
			dlclose(libraries[i]);
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";
	struct itimerval timer = {.it_value.tv_usec = argc > 2 ? atoi(argv[2]) : 0};
	pthread_t thread;
	void *failed = NULL;

	ends = strcmp(how, "exit") == 0;
	if (strcmp(how, "threads") == 0 && pthread_create(&thread, NULL, idle, NULL))
		return 1;
	if (strcmp(how, "prepared") == 0 &&
	    (pthread_create(&thread, NULL, first, NULL) || pthread_join(thread, &failed)))
		return 1;
	if (failed || signal(SIGALRM, on_alarm) == SIG_ERR || setitimer(ITIMER_REAL, &timer, NULL))
		return 1;
	while (!done)
		(strcmp(how, "dlopen") == 0 ? load : allocate)();
	for (int i = 0; i < BLOCKS; i++)
		(strcmp(how, "dlopen") == 0 ? load : allocate)();
	return END;
}
