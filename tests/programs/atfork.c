/*
 * atfork fork|forkpty|daemon: a program with an allocator of its own, whose lock pthread_atfork handlers take before a fork
 * and make anew after it, as PartitionAlloc's and jemalloc's do; its handlers map and unmap too. Forks COUNT times; every
 * child maps once and exits.
 */
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

enum { ROOM = 64 << 20, COUNT = 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char room[ROOM] __attribute__((aligned(64)));
static size_t used;
static int memfd;

static void *take(size_t size, size_t alignment)
{
	pthread_mutex_lock(&lock);
	size_t at = (used + 16 + alignment - 1) / alignment * alignment;
	void *memory = at + size <= ROOM ? room + at : NULL;
	if (memory) {
		memcpy(room + at - sizeof size, &size, sizeof size);
		used = at + size;
	}
	pthread_mutex_unlock(&lock);
	if (!memory)
		errno = ENOMEM;
	return memory;
}

void *malloc(size_t size)
{
	return take(size, 16);
}

void free(void *memory)
{
	(void)memory;
}

/* Fresh memory of a static array is zero. */
void *calloc(size_t count, size_t size)
{
	return take(count * size, 16);
}

void *realloc(void *memory, size_t size)
{
	size_t before = 0;
	void *larger = take(size, 16);

	if (memory)
		memcpy(&before, (char *)memory - sizeof before, sizeof before);
	if (larger && memory)
		memcpy(larger, memory, before < size ? before : size);
	return larger;
}

void *memalign(size_t alignment, size_t size)
{
	return take(size, alignment < 16 ? 16 : alignment);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	*memory = memalign(alignment, size);
	return *memory ? 0 : ENOMEM;
}

static void before_fork(void)
{
	use(memfd);
	pthread_mutex_lock(&lock);
}

static void in_parent(void)
{
	pthread_mutex_unlock(&lock);
	use(memfd);
}

static void in_child(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	use(memfd);
}

static pid_t by_forkpty(void)
{
	static int terminal = -1;

	/* The child before has ended: without this end it could not have begun. */
	close(terminal);
	return forkpty(&terminal, NULL, NULL, NULL);
}

/* The process that calls daemon(3) ends: a child of ours does it. */
static pid_t by_daemon(void)
{
	pid_t child = fork();

	if (child == 0 && daemon(1, 1) == 0)
		use(memfd);
	return child;
}

int main(int argc, char **argv)
{
	int status;

	must(argc == 2, "arguments");
	bool daemons = strcmp(argv[1], "daemon") == 0, terminals = strcmp(argv[1], "forkpty") == 0;
	memfd = object();
	must(pthread_atfork(before_fork, in_parent, in_child) == 0, "pthread_atfork");
	use(memfd);
	for (int i = 0; i < COUNT; i++) {
		pid_t child = daemons ? by_daemon() : terminals ? by_forkpty() : fork();
		if (child == 0) {
			use(memfd);
			_exit(i);
		}
		must(child > 0 && waitpid(child, &status, 0) == child && status == W_EXITCODE(daemons ? 0 : i, 0),
		     "fork");
	}
	puts("forked");
	return 0;
}
