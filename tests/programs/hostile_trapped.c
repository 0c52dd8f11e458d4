/*
 * hostile_trapped HOW: maps; has a filter of system calls answer some with SIGSYS, whose handler refuses them (EPERM); makes
 * them; and maps again, in another thread too.
 * HOW: fork (twice), disposition (tries to set that of SIGBUS), blocked (forks with SIGSYS blocked, and so dies), other (forks,
 * and getpriority is what is trapped), pending (no filter: SIGABRT, blocked and pending, is still so after a call).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "hostile.h"

#if defined(__x86_64__)
#define RESULT(context) (context)->uc_mcontext.gregs[REG_RAX]
#elif defined(__aarch64__)
#define RESULT(context) (context)->uc_mcontext.regs[0]
#endif

static int fd, trapped;

static void refuse(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	trapped++;
	RESULT((ucontext_t *)context) = -EPERM;
}

static void handle(int number)
{
	(void)number;
	puts("handled");
}

/* Calls of this number whose first argument is that; -1: whatever it is. */
static void trap(int call, long first)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)first, 0, first < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	struct sigaction action = {.sa_sigaction = refuse, .sa_flags = SA_SIGINFO};

	must(sigaction(SIGSYS, &action, NULL) == 0, "sigaction");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
	     "PR_SET_SECCOMP");
}

static void *once(void *context)
{
	use(fd);
	return context;
}

static void go_on(void)
{
	pthread_t thread;

	use(fd);
	must(pthread_create(&thread, NULL, once, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
}

static void forks(void)
{
	for (int i = 0; i < 2; i++) {
		errno = 0;
		pid_t child = fork();
		if (child == 0) {
			use(fd);
			_exit(0);
		}
		printf("forked: %d, errno %d, trapped %d\n", child > 0, errno, trapped);
		must(child < 0 || wait(NULL) == child, "wait");
		use(fd);
	}
}

static void pending(void)
{
	const struct timespec at_once = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	raise(SIGABRT);
	fd = object();
	use(fd);
	printf("waited for %d\n", sigtimedwait(&all, NULL, &at_once));
}

int main(int argc, char **argv)
{
	const char *how = argc == 2 ? argv[1] : "";
	sigset_t only;

	setbuf(stdout, NULL);
	if (strcmp(how, "pending") == 0) {
		pending();
		puts("went on");
		return 0;
	}
	fd = object();
	use(fd);
	if (strcmp(how, "disposition") == 0) {
		trap(SYS_rt_sigaction, SIGBUS);
		must(signal(SIGBUS, handle) == SIG_ERR && errno == EPERM && trapped, "signal");
	} else if (strcmp(how, "other") == 0) {
		trap(SYS_getpriority, -1);
		must(getpriority(PRIO_PROCESS, 0) == -1 && errno == EPERM, "getpriority");
		forks();
	} else if (strcmp(how, "blocked") == 0) {
		trap(SYS_clone, -1);
		sigemptyset(&only);
		sigaddset(&only, SIGSYS);
		sigprocmask(SIG_BLOCK, &only, NULL);
		forks();
	} else {
		trap(SYS_clone, -1);
		forks();
	}
	go_on();
	puts("went on");
	return 0;
}
