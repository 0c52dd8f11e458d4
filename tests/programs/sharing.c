/* sharing HOW NAME: a child by vfork or clone, in this process's memory, closes its descriptor; this process goes on. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static pid_t made(const char *how, int *fd)
{
	static char stack[65536] __attribute__((aligned(16)));

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
