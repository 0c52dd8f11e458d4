/*
 * exits HOW [before]: by exit(2), which ends a thread, and with the last one the process; its first call before that, or in
 * whom it is about: a child by clone(2) that returns (clone), that shares our memory (memory), also our descriptors
 * (memory-files), also while we wait (vfork), and that is the first of a pid namespace after one of these (namespace), or
 * two that both are in our memory and the first of one (memory-namespace); by
 * syscall(2) (number); past the C library (bare); so in a child by fork(2) (forked) and by its number (raw); the first thread,
 * by number (first) or not (bare-first), while another goes on. Status 7, or that of the child.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hostile.h"

enum { STATUS = 7 };

static char stack[1 << 18] __attribute__((aligned(16)));

static void work(void)
{
	int fd = object();

	use(fd);
	close(fd);
}

static void bare_exit(int status)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" ::"a"(SYS_exit), "D"(status) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long number __asm__("x8") = SYS_exit, first __asm__("x0") = status;
	__asm__ volatile("svc 0" ::"r"(number), "r"(first) : "memory");
#endif
}

static int child(void *what)
{
	if (what)
		work();
	return STATUS;
}

static void *last(void *what)
{
	usleep(300000);
	work();
	puts("the other thread ends");
	fflush(stdout);
	return what;
}

static int cloned(int flags)
{
	pid_t pid = clone(child, stack + sizeof stack, flags | SIGCHLD, stack);
	int status;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	printf("child: %x\n", (unsigned)status);
	return WEXITSTATUS(status);
}

static int forked(pid_t pid)
{
	int status;

	if (pid == 0) {
		work();
		bare_exit(STATUS);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	printf("child: %x\n", (unsigned)status);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pthread_t thread;

	if (argc > 2)
		work();
	if (strcmp(how, "clone") == 0)
		return cloned(0);
	if (strcmp(how, "memory") == 0)
		return cloned(CLONE_VM);
	if (strcmp(how, "memory-files") == 0)
		return cloned(CLONE_VM | CLONE_FILES);
	if (strcmp(how, "namespace") == 0)
		return cloned(CLONE_VM | CLONE_FILES) == STATUS ? cloned(CLONE_NEWPID) : 1;
	if (strcmp(how, "memory-namespace") == 0)
		return cloned(CLONE_VM | CLONE_NEWPID) == STATUS ? cloned(CLONE_VM | CLONE_FILES | CLONE_NEWPID) : 1;
	if (strcmp(how, "vfork") == 0)
		return cloned(CLONE_VM | CLONE_VFORK);
	if (strcmp(how, "forked") == 0)
		return forked(fork());
	if (strcmp(how, "raw") == 0)
		return forked((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	work();
	puts("the first thread ends");
	fflush(stdout);
	if (strstr(how, "first"))
		must(pthread_create(&thread, NULL, last, NULL) == 0, "pthread_create");
	if (strncmp(how, "bare", 4) == 0)
		bare_exit(STATUS);
	syscall(SYS_exit, STATUS);
}
