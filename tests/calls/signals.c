/*
 * Dispositions, of SIGBUS and of another signal, by every function that sets or reads one: before an object is mapped and
 * after, when a recorder has a handler of its own.
 */
#include <sys/syscall.h>

#include "print.h"

/* Not declared under _GNU_SOURCE. */
sighandler_t bsd_signal(int number, sighandler_t handler);
int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

typedef int action_function(int, const struct sigaction *, struct sigaction *);

static volatile sig_atomic_t handled;

static void simple(int number)
{
	handled = number;
}

static void full(int number, siginfo_t *info, void *context)
{
	handled = context != NULL && info->si_signo == number ? number + 1000 : -1;
}

static const char *name_of(sighandler_t handler)
{
	return handler == SIG_DFL                      ? "SIG_DFL"
	       : handler == SIG_IGN                    ? "SIG_IGN"
	       : handler == SIG_HOLD                   ? "SIG_HOLD"
	       : handler == SIG_ERR                    ? "SIG_ERR"
	       : handler == simple                     ? "simple"
	       : handler == (sighandler_t)(void *)full ? "full"
						       : "another";
}

/* As the kernel's table would have it, were nobody between. */
static void show(int number)
{
	struct sigaction now;
	sigset_t blocked;

	if (sigaction(number, NULL, &now) != 0)
		return;
	printf("  %s: %s flags %x mask", sigabbrev_np(number), name_of(now.sa_handler), (unsigned)now.sa_flags);
	for (int other = 1; other < 32; other++)
		if (sigismember(&now.sa_mask, other))
			printf(" %s", sigabbrev_np(other));
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	printf("%s\n", sigismember(&blocked, number) ? ", blocked" : "");
	fflush(stdout);
}

#define SET(call) set(#call, (errno = EDOM, call))

static void set(const char *text, sighandler_t result)
{
	int error = errno;

	printf("%s = %s", text, name_of(result));
	print_errno(error);
}

static void deliver(int number)
{
	handled = 0;
	raise(number);
	printf("  handled: %d\n", (int)handled);
}

static void by_action(action_function *action, int number)
{
	struct sigaction first = {.sa_handler = simple, .sa_flags = SA_RESTART | SA_ONSTACK};
	struct sigaction second = {.sa_sigaction = full, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction once = {.sa_handler = simple, .sa_flags = (int)SA_RESETHAND};
	struct sigaction old = {0};

	sigaddset(&first.sa_mask, SIGUSR2);
	sigfillset(&second.sa_mask);
	CALL(action(number, NULL, NULL));
	CALL(action(number, &first, NULL));
	show(number);
	deliver(number);
	CALL(action(number, &second, &old));
	printf("  old: %s flags %x\n", name_of(old.sa_handler), (unsigned)old.sa_flags);
	show(number);
	deliver(number);
	CALL(action(number, &old, &old));
	printf("  old: %s flags %x\n", name_of(old.sa_handler), (unsigned)old.sa_flags);
	show(number);
	CALL(action(number, &once, NULL));
	show(number);
	deliver(number);
	show(number);
	first.sa_handler = SIG_IGN;
	CALL(action(number, &first, NULL));
	show(number);
	deliver(number);
	first.sa_handler = SIG_DFL;
	CALL(action(number, &first, &old));
	show(number);
}

static void by_handler(int number)
{
	SET(signal(number, simple));
	show(number);
	deliver(number);
	SET(bsd_signal(number, SIG_IGN));
	show(number);
	deliver(number);
	SET(ssignal(number, simple));
	show(number);
	SET(sysv_signal(number, simple));
	show(number);
	deliver(number);
	show(number);
	SET(__sysv_signal(number, simple));
	show(number);
	CALL(siginterrupt(number, 1));
	show(number);
	SET(signal(number, simple));
	show(number);
	CALL(siginterrupt(number, 0));
	show(number);
	SET(signal(number, SIG_ERR));
	SET(signal(number, SIG_DFL));
	show(number);
}

static void by_set(int number)
{
	SET(sigset(number, simple));
	show(number);
	deliver(number);
	SET(sigset(number, SIG_HOLD));
	show(number);
	deliver(number);
	SET(sigset(number, SIG_HOLD));
	SET(sigset(number, simple));
	printf("  handled: %d\n", (int)handled);
	show(number);
	SET(sigset(number, SIG_ERR));
	CALL(sigignore(number));
	show(number);
	deliver(number);
	SET(sigset(number, SIG_DFL));
	show(number);
}

static void refused(void)
{
	struct sigaction action = {.sa_handler = simple};

	CALL(sigaction(SIGKILL, &action, NULL));
	CALL(sigaction(0, &action, NULL));
	CALL(sigaction(-1, NULL, &action));
	CALL(sigaction(65, NULL, &action));
	CALL(__sigaction(32, &action, NULL));
	SET(signal(SIGSTOP, simple));
	SET(signal(1000, SIG_DFL));
	SET(bsd_signal(0, simple));
	SET(ssignal(0, simple));
	SET(sysv_signal(0, simple));
	SET(__sysv_signal(0, simple));
	SET(sigset(0, simple));
	CALL(sigignore(0));
	CALL(siginterrupt(0, 1));
}

struct raw {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static void by_system_call(int number)
{
	struct raw was = {0}, ignored = {.handler = (void *)SIG_IGN}, now = {0};

	signal(number, simple);
	CALL(syscall(SYS_rt_sigaction, number, &ignored, &was, 8));
	printf("  old: %s flags %lx mask %lx\n", name_of((sighandler_t)was.handler), was.flags, was.mask);
	show(number);
	CALL(syscall(SYS_rt_sigaction, number, &was, NULL, 8));
	CALL(syscall(SYS_rt_sigaction, number, NULL, &now, 8));
	printf("  same: %d\n", memcmp(&was, &now, sizeof(was)) == 0);
	deliver(number);
	CALL(syscall(SYS_rt_sigaction, number, nowhere, NULL, 8));
	CALL(syscall(SYS_rt_sigaction, number, NULL, NULL, 4));
	signal(number, SIG_DFL);
}

static void all(int number)
{
	by_action(sigaction, number);
	by_action(__sigaction, number);
	by_handler(number);
	by_set(number);
	by_system_call(number);
}

static void bad_action(void)
{
	sigaction(SIGBUS, (struct sigaction *)nowhere, NULL);
}

static void bad_old(void)
{
	sigaction(SIGBUS, NULL, (struct sigaction *)nowhere);
}

static void alternate(void)
{
	static char memory[64 * 1024];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, old;

	CALL(sigaltstack(NULL, &old));
	CALL(old.ss_flags);
	CALL(sigaltstack(&stack, NULL));
	stack.ss_size = 1;
	CALL(sigaltstack(&stack, &old));
	CALL(old.ss_size);
	stack.ss_flags = 99;
	CALL(sigaltstack(&stack, NULL));
	stack.ss_flags = SS_DISABLE;
	CALL(sigaltstack(&stack, &old));
	CALL(sigaltstack((stack_t *)nowhere, NULL));
}

int main(void)
{
	begin();
	all(SIGBUS);
	all(SIGUSR1);
	signal(SIGBUS, simple);
	int fd = open(path("m"), O_CREAT | O_RDWR, 0600);
	CALL(ftruncate(fd, (off_t)PAGE));
	CALL_POINTER(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	show(SIGBUS);
	all(SIGBUS);
	all(SIGUSR1);
	alternate();
	refused();
	in_child("bad action", bad_action);
	in_child("bad old action", bad_old);
	show(SIGBUS);
	unlink(path("m"));
	end();
	return 0;
}
