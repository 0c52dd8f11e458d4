/* What sets or reads a disposition. Only SIGBUS is ours to hide; all else goes straight through. */
#include <signal.h>
#include <sys/syscall.h>

#include "preload/disposition.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/small_stack.h"
#include "preload/wrap.h"

static bool is_passed(int number)
{
	return number != SIGBUS || atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF;
}

/* The program's memory is read and written outside of the change, where a bad address meets no blocked signal. */
static int change(int (*real)(int, const struct sigaction *, struct sigaction *), const struct sigaction *action,
		  struct sigaction *old)
{
	struct disposition_change changing;
	struct sigaction set, was;

	if (action)
		set = *action;
	disposition_reveal(&changing);
	int result = real(SIGBUS, action ? &set : NULL, &was);
	disposition_conceal(&changing);
	if (result == 0 && old)
		*old = was;
	return result;
}

EXPORT int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	return is_passed(number) ? REAL(sigaction)(number, action, old) : change(REAL(sigaction), action, old);
}

EXPORT int __sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	return is_passed(number) ? REAL(__sigaction)(number, action, old) : change(REAL(__sigaction), action, old);
}

long wrap_rt_sigaction(long (*real_call)(long, ...), long number, long action, long old, long size)
{
	struct disposition_change changing;

	if (is_passed((int)number))
		return real_call(SYS_rt_sigaction, number, action, old, size);
	disposition_reveal(&changing);
	long result = real_call(SYS_rt_sigaction, number, action, old, size);
	disposition_conceal(&changing);
	return result;
}

#define WRAP_DISPOSITION(type, name, parameters, arguments)                                                            \
	EXPORT type name parameters;                                                                                   \
	EXPORT type name parameters                                                                                    \
	{                                                                                                              \
		struct disposition_change changing;                                                                    \
		if (is_passed(number))                                                                                 \
			return REAL(name) arguments;                                                                   \
		disposition_reveal(&changing);                                                                         \
		type result = REAL(name) arguments;                                                                    \
		disposition_conceal(&changing);                                                                        \
		return result;                                                                                         \
	}
WRAP_DISPOSITION(sighandler_t, signal, (int number, sighandler_t handler), (number, handler))
WRAP_DISPOSITION(sighandler_t, bsd_signal, (int number, sighandler_t handler), (number, handler))
WRAP_DISPOSITION(sighandler_t, ssignal, (int number, sighandler_t handler), (number, handler))
WRAP_DISPOSITION(sighandler_t, sysv_signal, (int number, sighandler_t handler), (number, handler))
WRAP_DISPOSITION(sighandler_t, __sysv_signal, (int number, sighandler_t handler), (number, handler))
WRAP_DISPOSITION(int, sigignore, (int number), (number))
WRAP_DISPOSITION(int, siginterrupt, (int number, int interrupts), (number, interrupts))

EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	int result = REAL(sigaltstack)(stack, old);

	if (result == 0 && stack)
		small_stack_alternate(stack);
	return result;
}

/* Reads and sets the mask as well, which a change holds fast; so it is put together here. */
EXPORT sighandler_t sigset(int number, sighandler_t handler)
{
	sigset_t only, before;
	struct sigaction was = {0}, action = {.sa_handler = handler};

	if (is_passed(number))
		return REAL(sigset)(number, handler);
	if (change(REAL(sigaction), handler == SIG_HOLD ? NULL : &action, &was) < 0)
		return SIG_ERR;
	LIBC(sigemptyset)(&before);
	LIBC(sigemptyset)(&only);
	LIBC(sigaddset)(&only, SIGBUS);
	if (LIBC(pthread_sigmask)(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &only, &before) != 0)
		return SIG_ERR;
	return LIBC(sigismember)(&before, SIGBUS) ? SIG_HOLD : was.sa_handler;
}
