/*
 * family HOW NAME: comes to have a child the way HOW says; every child makes an object NAME.N, maps it and unlinks it, N
 * being its number. The last thing that each process does is to print its pid, so the output can be compared with a report.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 100, PAGE = 4096 };

static const char *prefix, *self;

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	_exit(99);
}

static int work(int number)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.%d", prefix, number);
	int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && ftruncate(fd, PAGE * (number + 1)) == 0, name);
	must(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	must(shm_unlink(name) == 0, "shm_unlink");
	dprintf(1, "%d\n", getpid());
	return 0;
}

static void reap(int count)
{
	for (int status; count > 0; count--)
		must(wait(&status) > 0 && status == 0, "wait");
}

static void forks(int count)
{
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			exit(work(i));
	reap(count);
}

static void grandchild(void)
{
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			exit(work(0));
		_exit(0);
	}
	reap(1);
}

int main(int argc, char **argv)
{
	char *nothing[] = {NULL}, *again[] = {argv[0], "child", NULL, NULL};

	if (argc != 3)
		return 2;
	const char *how = argv[1];
	self = argv[0];
	prefix = again[2] = argv[2];
	if (strcmp(how, "child") == 0)
		return work(0);
	work(MANY);
	if (strcmp(how, "forks") == 0) {
		forks(MANY);
	} else if (strcmp(how, "empty-environment") == 0) {
		execve(self, again, nothing);
		must(0, "execve");
	} else if (strcmp(how, "daemon") == 0) {
		must(daemon(1, 1) == 0, "daemon");
		return work(0);
	} else if (strcmp(how, "double-fork") == 0) {
		grandchild();
	} else if (strcmp(how, "clone") == 0) {
		if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == 0)
			exit(work(0));
		reap(1);
	} else if (strcmp(how, "spawn") == 0) {
		must(posix_spawn(NULL, self, NULL, NULL, again, nothing) == 0, "posix_spawn");
		reap(1);
	} else if (strcmp(how, "vfork") == 0) {
		if (vfork() == 0) {
			execve(self, again, nothing);
			_exit(99);
		}
		reap(1);
	} else if (strcmp(how, "system-call") == 0) {
		if (vfork() == 0) {
			syscall(SYS_execve, self, again, nothing);
			_exit(99);
		}
		reap(1);
	} else if (strcmp(how, "descriptor") == 0) {
		if (fork() == 0) {
			syscall(SYS_execveat, open(self, O_PATH | O_CLOEXEC), "", again, nothing, AT_EMPTY_PATH);
			_exit(99);
		}
		reap(1);
	} else if (strcmp(how, "killed") == 0) {
		if (fork() == 0) {
			work(0);
			raise(SIGKILL);
		}
		wait(NULL);
	} else {
		must(0, how);
	}
	return 0;
}
