/*
 * The jumps of setjmp.h arrive where they were set, with their value and, where asked for, the signal mask. A coroutine gets
 * its arguments.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "print.h"

void __longjmp_chk(struct __jmp_buf_tag environment[1], int value) __attribute__((noreturn));

static jmp_buf plain;
static sigjmp_buf with_mask;

static int blocked(void)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGUSR1);
}

static void block(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(how, &set, NULL);
}

static ucontext_t coroutine, caller;

static void nine(int a, int b, int c, int d, int e, int f, int g, int h, int i)
{
	printf("coroutine: %d %d %d %d %d %d %d %d %d\n", a, b, c, d, e, f, g, h, i);
	swapcontext(&coroutine, &caller);
	puts("coroutine: once more");
}

static void change(void)
{
	static char stack[1 << 18];

	getcontext(&coroutine);
	coroutine.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
	coroutine.uc_link = &caller;
	makecontext(&coroutine, (void (*)(void))nine, 9, 1, -2, 3, 4, 5, 6, 7, INT_MIN, INT_MAX);
	printf("swapcontext: %d\n", swapcontext(&caller, &coroutine));
	printf("swapcontext: %d\n", swapcontext(&caller, &coroutine));
}

int main(void)
{
	volatile int step = 0;

	switch (_setjmp(plain)) {
	case 0:
		step++;
		longjmp(plain, 0);
	case 1:
		printf("longjmp with 0 arrives as 1, step %d\n", step++);
		_longjmp(plain, 2);
	case 2:
		printf("_longjmp with 2, step %d\n", step++);
		__longjmp_chk(plain, 3);
	default:
		printf("__longjmp_chk with 3, step %d\n", step);
	}
	static const int values[] = {1, 7, -1, INT_MAX, INT_MIN};

	for (volatile int saves = 0; saves < 2; saves++)
		for (volatile size_t i = 0; i < sizeof values / sizeof *values; i++) {
			block(SIG_UNBLOCK);
			int value = sigsetjmp(with_mask, saves);
			if (value == 0) {
				block(SIG_BLOCK);
				siglongjmp(with_mask, values[i]);
			}
			printf("siglongjmp with %d, mask %s: blocked %d\n", value, saves ? "saved" : "not saved",
			       blocked());
		}
	int old = -1;
	printf("setcanceltype: %d, was %d\n", pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old), old);
	printf("setcanceltype: %d, was %d\n", pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old), old);
	printf("setcanceltype: %d\n", pthread_setcanceltype(99, &old));
	printf("setcancelstate: %d, was %d\n", pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), old);
	printf("setcancelstate: %d, was %d\n", pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old), old);
	printf("setcancelstate: %d\n", pthread_setcancelstate(99, &old));
	printf("neither tells: %d %d\n", pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL),
	       pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL));
	change();
	return 0;
}
