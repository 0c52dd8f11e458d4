/*
 * jumped_cancel TYPE CALL HANDLER [alternate]: a signal interrupts a call (map, shrink) of a thread that may be cancelled
 * (deferred, async), and its handler jumps out of it, jumps within itself, or sets first that the thread may not be cancelled;
 * alternate: it runs on another stack. What the thread may be told of its cancelability then is printed; at last it is
 * cancelled, without having made another call.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "hostile.h"

enum { WITHIN = 500, SECONDS = 10 };

static int fd, type, wrong;
static bool shrinks, jumps, sets, alternate;
static sigjmp_buf back;
static volatile sig_atomic_t armed, handled;
static atomic_int ready, stopping;

static void within(void)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 1) == 0)
		siglongjmp(here, 1);
}

static void on_signal(int number)
{
	int state = -1, was = -1;

	(void)number;
	if (!armed)
		return;
	handled++;
	within();
	if (sets) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &was);
		wrong += state != PTHREAD_CANCEL_ENABLE || was != type;
	}
	if (jumps) {
		armed = 0;
		siglongjmp(back, 1);
	}
	if (handled >= WITHIN)
		armed = 0;
}

static void call(void)
{
	if (shrinks)
		must(ftruncate(fd, PAGE) == 0 && ftruncate(fd, 16L * PAGE) == 0, "ftruncate");
	else
		must(munmap(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), PAGE) == 0, "munmap");
}

static void call_until_handled(void)
{
	armed = 1;
	while (armed)
		call();
}

static void *work(void *context)
{
	static char memory[1 << 16];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
	int state = PTHREAD_CANCEL_DISABLE, was = type;

	if (alternate)
		must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
	pthread_setcanceltype(type, NULL);
	if (sigsetjmp(back, 1) == 0)
		call_until_handled();
	if (sets || !jumps) {
		pthread_setcanceltype(type, &was);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
		printf("was %s, %s\n", state == PTHREAD_CANCEL_ENABLE ? "enabled" : "disabled",
		       was == PTHREAD_CANCEL_DEFERRED ? "deferred" : "asynchronous");
	}
	atomic_store(&ready, 1);
	for (volatile bool go_on = true; go_on;)
		if (type == PTHREAD_CANCEL_DEFERRED)
			pthread_testcancel();
	return context;
}

static void *interrupt(void *thread)
{
	while (!atomic_load(&stopping)) {
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread, other;
	struct timespec limit;
	void *result = NULL;

	if (argc < 4)
		return 2;
	type = strcmp(argv[1], "async") == 0 ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
	shrinks = strcmp(argv[2], "shrink") == 0;
	jumps = strcmp(argv[3], "within") != 0;
	sets = strcmp(argv[3], "sets") == 0;
	alternate = argc > 4;
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = alternate ? SA_ONSTACK : 0};
	sigaction(SIGUSR1, &action, NULL);
	fd = object();
	must(ftruncate(fd, 16L * PAGE) == 0, "ftruncate");
	must(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	call();
	must(pthread_create(&thread, NULL, work, NULL) == 0, "thread");
	must(pthread_create(&other, NULL, interrupt, &thread) == 0, "thread");
	while (!atomic_load(&ready))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	atomic_store(&stopping, 1);
	pthread_join(other, NULL);
	pthread_cancel(thread);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += SECONDS;
	int late = pthread_timedjoin_np(thread, &result, &limit);
	printf("%s, %d wrong\n", late ? "never cancelled" : result == PTHREAD_CANCELED ? "cancelled" : "ended", wrong);
	fflush(stdout);
	_exit(0);
}
