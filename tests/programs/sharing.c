/*
 * sharing HOW NAME: a child in this process's memory closes its descriptor and ends; this process goes on. It comes by vfork
 * or clone, by syscall(2) (number, number3), or by the bare instruction: that one closes nothing, and ends by exit_group(2)
 * (bare), by exit(2) (bare-exit), both through the C library, or by an exec (bare-exec).
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(99);
}

static int child(void *argument)
{
	_exit(close(*(int *)argument) != 0);
}

static char stack[65536] __attribute__((aligned(16)));
static const char *end;
static int *descriptor;

#if defined(__x86_64__)
/* A child on a stack of its own returns from the call to what lies on the top of that. */
static __attribute__((noreturn)) void begin_raw(void)
{
	int status = *descriptor >= 0 && close(*descriptor) != 0;

	if (strcmp(end, "exec") == 0)
		execl("/bin/true", "true", NULL);
	if (strcmp(end, "group") == 0)
		_exit(status);
	syscall(SYS_exit, status);
	__builtin_unreachable();
}

static pid_t bare_clone(long flags, uintptr_t *top)
{
	pid_t pid;

	/* In the child alone there is nothing but where to go on the stack. */
	__asm__ volatile("syscall\n\ttestl %%eax, %%eax\n\tjne 1f\n\tret\n1:"
			 : "=a"(pid)
			 : "a"(SYS_clone), "D"(flags), "S"(top), "d"(0)
			 : "rcx", "r11", "memory");
	return pid;
}

static pid_t made_raw(const char *how)
{
	static int none = -1;
	uintptr_t *top = (uintptr_t *)(stack + sizeof stack) - 2;
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} arguments = {.flags = CLONE_VM,
		       .exit_signal = SIGCHLD,
		       .stack = (uintptr_t)stack,
		       .stack_size = (uintptr_t)top - (uintptr_t)stack};

	*top = (uintptr_t)begin_raw;
	end = strcmp(how, "bare") == 0 ? "group" : strcmp(how, "bare-exec") == 0 ? "exec" : "thread";
	if (strcmp(how, "number") == 0)
		return (pid_t)syscall(SYS_clone, CLONE_VM | SIGCHLD, top, NULL, NULL, 0);
	if (strcmp(how, "number3") == 0)
		return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
	descriptor = &none;
	return bare_clone(CLONE_VM | SIGCHLD, top);
}
#else
static pid_t made_raw(const char *how)
{
	(void)how;
	return clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, descriptor);
}
#endif

static pid_t made(const char *how, int *fd)
{
	descriptor = fd;
	if (strncmp(how, "number", 6) == 0 || strncmp(how, "bare", 4) == 0)
		return made_raw(how);
	if (strcmp(how, "clone") == 0)
		return clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, fd);
	pid_t pid = vfork();
	if (pid == 0)
		child(fd);
	return pid;
}

int main(int argc, char **argv)
{
	int status;

	if (argc != 3)
		return 2;
	int fd = shm_open(argv[2], O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && shm_unlink(argv[2]) == 0, argv[2]);
	pid_t pid = made(argv[1], &fd);
	must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, argv[1]);
	int copy = dup(fd);
	must(copy >= 0 && close(fd) == 0 && close(copy) == 0, "close");
	puts("closed");
	return 0;
}
