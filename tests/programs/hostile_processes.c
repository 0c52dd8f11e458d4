/*
 * hostile_processes HOW [COUNT]: maps twice (plain), forks while other threads are busy (forks), or are made and end
 * (thread_forks), or do all that (forking_threads), execs itself COUNT times, ends in every way there is.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

#include "hostile.h"

enum { BUSY = 3 };

static int fd;
static atomic_bool stop;

static void *busy(void *context)
{
	while (!stop)
		use(fd);
	return context;
}

static void *nothing(void *context)
{
	return context;
}

static void make_thread(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread");
}

static void *make_threads(void *context)
{
	while (!stop)
		make_thread();
	return context;
}

static void forks(int count, void *(*meanwhile)(void *))
{
	pthread_t threads[BUSY];
	int status;

	for (int i = 0; i < BUSY; i++)
		must(pthread_create(&threads[i], NULL, meanwhile, NULL) == 0, "pthread_create");
	for (int i = 0; i < count; i++) {
		pid_t child = fork();
		if (child == 0) {
			alarm(30);
			if (meanwhile == make_threads)
				make_thread();
			else if (i % 10 == 0)
				use(fd);
			_exit(i % 100);
		}
		must(child > 0 && waitpid(child, &status, 0) == child && status == W_EXITCODE(i % 100, 0), "fork");
	}
	stop = true;
	for (int i = 0; i < BUSY; i++)
		pthread_join(threads[i], NULL);
}

static void *mapping(void *context)
{
	use(fd);
	return context;
}

static void *fork_and_make_threads(void *count)
{
	for (int i = 0; i < *(int *)count; i++) {
		pthread_t thread;
		int status;

		must(pthread_create(&thread, NULL, mapping, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread");
		pid_t child = fork();
		if (child == 0) {
			alarm(30);
			make_thread();
			make_thread();
			_exit(0);
		}
		must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
	}
	return NULL;
}

static void forking_threads(int count)
{
	pthread_t threads[BUSY];

	use(fd);
	for (int i = 0; i < BUSY; i++)
		must(pthread_create(&threads[i], NULL, fork_and_make_threads, &count) == 0, "pthread_create");
	for (int i = 0; i < BUSY; i++)
		pthread_join(threads[i], NULL);
}

static void *leave(void *how)
{
	use(fd);
	if (strcmp(how, "exit") == 0)
		exit(3);
	if (strcmp(how, "_exit") == 0)
		_exit(4);
	if (strcmp(how, "quick_exit") == 0)
		quick_exit(5);
	if (strcmp(how, "abort") == 0)
		abort();
	return NULL;
}

static void said(void)
{
	if (write(1, "a handler ran\n", 14) != 14)
		_exit(98);
}

/* Every way out, of the first thread and of another one. */
static void ends(void)
{
	static const char *const ways[] = {"exit", "_exit", "quick_exit", "abort"};

	for (int i = 0; i < 8; i++) {
		int status;
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			pthread_t thread;
			atexit(said);
			at_quick_exit(said);
			if (i < 4)
				leave((void *)ways[i]);
			pthread_create(&thread, NULL, leave, (void *)ways[i % 4]);
			pthread_exit(NULL);
		}
		must(waitpid(child, &status, 0) == child, "waitpid");
		printf("%s: %x\n", ways[i % 4], (unsigned)status & ~0x80u);
	}
}

static void cancelled(void *context)
{
	(void)context;
	if (write(1, "a thread was cancelled\n", 23) != 23)
		_exit(98);
}

static void *rest(void *context)
{
	pthread_cleanup_push(cancelled, NULL);
	use(fd);
	atomic_fetch_add((atomic_int *)context, 1);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return NULL;
}

static void linger(void)
{
	usleep(100000);
}

/* A child's threads get the stacks, and so the ids, of threads that only its parent has; all go on until the end. */
static void inherits(void)
{
	pthread_t thread;
	atomic_int begun = 0;
	int status;

	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < BUSY; i++)
			must(pthread_create(&thread, NULL, rest, &begun) == 0, "pthread_create");
		while (begun < BUSY)
			usleep(1000);
		atexit(linger);
		exit(7);
	}
	must(child > 0 && waitpid(child, &status, 0) == child && status == W_EXITCODE(7, 0), "fork");
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0;

	if (argc < 2)
		return 2;
	fd = object();
	use(fd);
	if (strcmp(argv[1], "forks") == 0) {
		forks(count, busy);
	} else if (strcmp(argv[1], "thread_forks") == 0) {
		use(fd);
		forks(count, make_threads);
	} else if (strcmp(argv[1], "forking_threads") == 0) {
		forking_threads(count);
	} else if (strcmp(argv[1], "inherits") == 0) {
		inherits();
	} else if (strcmp(argv[1], "ends") == 0) {
		ends();
	} else if (strcmp(argv[1], "execs") == 0) {
		char left[16];
		snprintf(left, sizeof left, "%d", count - 1);
		if (count)
			execl(argv[0], argv[0], "execs", left, NULL);
	} else if (strcmp(argv[1], "plain") == 0) {
		use(fd);
	} else {
		return 2;
	}
	puts("went on");
	return 0;
}
