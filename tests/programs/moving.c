/*
 * moving HOW ROUNDS: maps an object, moves the mapping and unmaps it, so many times: in a signal's handler that has a small
 * stack of its own (small), or in each of four coroutines, between which a timer's handler changes at any instruction
 * (coroutines). Prints how often.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, COROUTINES = 4, SMALL = 16384, LARGE = 262144, MICROSECONDS = 150 };

static ucontext_t coroutine[COROUTINES], all;
static volatile sig_atomic_t current, done;
static int rounds, fd;

static void move_once(void)
{
	int copy = dup(fd);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);

	if (copy < 0 || close(copy) || map == MAP_FAILED ||
	    (map = mremap(map, PAGE, 2 * PAGE, MREMAP_MAYMOVE)) == MAP_FAILED || munmap(map, 2 * PAGE))
		_exit(2);
}

static void move(void)
{
	for (int i = 0; i < rounds; i++)
		move_once();
}

static void on_signal(int number)
{
	(void)number;
	move();
}

static int next(int from)
{
	do
		from = (from + 1) % COROUTINES;
	while (done & 1 << from);
	return from;
}

static void on_timer(int number)
{
	int last = current;

	(void)number;
	current = next(last);
	if (current != last)
		swapcontext(&coroutine[last], &coroutine[current]);
}

static void hold_timer(int how)
{
	sigset_t timer;

	sigemptyset(&timer);
	sigaddset(&timer, SIGALRM);
	sigprocmask(how, &timer, NULL);
}

/* It begins with the timer held: swapcontext(3) sets the signal mask before it has changed to the other stack. */
static void run(void)
{
	hold_timer(SIG_UNBLOCK);
	move();
	hold_timer(SIG_BLOCK);
	done |= 1 << current;
	if (done == (1 << COROUTINES) - 1)
		setcontext(&all);
	current = next(current);
	setcontext(&coroutine[current]);
}

static void take_turns(void)
{
	struct itimerval every = {{0, MICROSECONDS}, {0, MICROSECONDS}};
	volatile int begun = 0;

	hold_timer(SIG_BLOCK);
	for (int i = 0; i < COROUTINES; i++) {
		getcontext(&coroutine[i]);
		coroutine[i].uc_stack.ss_sp =
			mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		coroutine[i].uc_stack.ss_size = LARGE;
		makecontext(&coroutine[i], run, 0);
	}
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_timer}, NULL);
	getcontext(&all);
	if (begun++ == 0) {
		setitimer(ITIMER_REAL, &every, NULL);
		setcontext(&coroutine[0]);
	}
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

int main(int argc, char **argv)
{
	static char small[SMALL];

	fd = memfd_create("moving", MFD_CLOEXEC);
	if (argc < 3 || fd < 0 || ftruncate(fd, PAGE))
		return 1;
	rounds = atoi(argv[2]);
	if (strcmp(argv[1], "coroutines") == 0) {
		take_turns();
		rounds *= COROUTINES;
	} else {
		sigaltstack(&(stack_t){.ss_sp = small, .ss_size = sizeof small}, NULL);
		sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_ONSTACK}, NULL);
		raise(SIGUSR1);
	}
	printf("%d\n", rounds);
	return close(fd);
}
