/*
 * hostile_confined HOW: maps, confines itself, maps again in every thread, and ends as programs do.
 * HOW: plain (not at all), filter (kills for all but a handful of calls), early (before its first object), all (all threads,
 * one of them busy), strict (mode 1 of seccomp(2)), wide (a filter that matters to nobody), children (that it has later, and
 * programs that they execute), user (a new user namespace), mount (into a mount namespace by descriptor).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hostile.h"

#define ON(call, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)
#define ALLOW(call) ON(call, SECCOMP_RET_ALLOW)
#define LOAD BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

static int fd;
static atomic_bool stop, begun;

static void install(struct sock_filter *code, size_t count, unsigned flags)
{
	struct sock_fprog program = {(unsigned short)count, code};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
	if (flags)
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0, "seccomp");
	else
		must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "PR_SET_SECCOMP");
}

static void narrow(unsigned flags)
{
	struct sock_filter code[] = {
		LOAD,
		ALLOW(read),
		ALLOW(write),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(close),
		ALLOW(exit),
		ALLOW(exit_group),
		ALLOW(futex),
		ALLOW(madvise),
		ALLOW(rseq),
		/* The C library's own end of a thread. */
		ON(rt_sigprocmask, flags ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};

	install(code, sizeof code / sizeof *code, flags);
}

/* What a program needs to be started, and a child to be made and awaited. */
static void executing(void)
{
	struct sock_filter code[] = {
		LOAD,
		ON(socket, SECCOMP_RET_KILL_PROCESS),
		ON(connect, SECCOMP_RET_KILL_PROCESS),
		ON(sendmsg, SECCOMP_RET_KILL_PROCESS),
		ON(recvmsg, SECCOMP_RET_KILL_PROCESS),
		ON(sendto, SECCOMP_RET_KILL_PROCESS),
		ON(membarrier, SECCOMP_RET_KILL_PROCESS),
		ON(sigaltstack, SECCOMP_RET_KILL_PROCESS),
		ON(nanosleep, SECCOMP_RET_KILL_PROCESS),
		ON(tgkill, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(code, sizeof code / sizeof *code, 0);
}

static void wide(void)
{
	struct sock_filter code[] = {
		LOAD,
		ON(ptrace, SECCOMP_RET_KILL_PROCESS),
		ON(mount, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(code, sizeof code / sizeof *code, SECCOMP_FILTER_FLAG_TSYNC);
}

static void many(void)
{
	for (int i = 0; i < 200; i++)
		use(fd);
}

static void *busy(void *context)
{
	for (begun = true; !stop;)
		use(fd);
	return context;
}

static void all(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, busy, NULL) == 0, "pthread_create");
	while (!begun)
		sched_yield();
	narrow(SECCOMP_FILTER_FLAG_TSYNC);
	many();
	stop = true;
	must(pthread_join(thread, NULL) == 0, "pthread_join");
}

static void strict(void)
{
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0, "PR_SET_SECCOMP");
	must(write(1, "went on\n", 8) == 8, "write");
	syscall(SYS_exit, 0);
}

static void awaited(pid_t child)
{
	int status;

	must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "child");
}

static void forked(char *self)
{
	char *const arguments[] = {self, "plain", NULL}, *const environment[] = {"LANG=C", NULL};
	pid_t child;

	executing();
	many();
	child = fork();
	if (child == 0) {
		use(fd);
		exit(0);
	}
	awaited(child);
	child = fork();
	if (child == 0) {
		execve(self, arguments, environment);
		exit(9);
	}
	awaited(child);
	child = fork();
	if (child == 0) {
		execv(self, arguments);
		exit(9);
	}
	awaited(child);
}

static void user(void)
{
	errno = 0;
	must(unshare(CLONE_NEWUSER) == 0 && errno == 0, "unshare");
	many();
	fd = object();
	pid_t child = fork();
	if (child == 0) {
		use(object());
		exit(0);
	}
	awaited(child);
}

static void mount_namespace(void)
{
	int namespace = open("/proc/self/ns/mnt", O_RDONLY);

	errno = 0;
	must(namespace >= 0 && setns(namespace, CLONE_NEWNS) == 0 && errno == 0, "setns");
	must(syscall(SYS_unshare, CLONE_NEWUSER) == 0, "unshare by number");
}

int main(int argc, char **argv)
{
	const char *how = argc == 2 ? argv[1] : "";

	setbuf(stdout, NULL);
	fd = object();
	if (strcmp(how, "early") != 0)
		use(fd);
	if (strcmp(how, "filter") == 0 || strcmp(how, "early") == 0)
		narrow(0);
	else if (strcmp(how, "all") == 0)
		all();
	else if (strcmp(how, "strict") == 0)
		strict();
	else if (strcmp(how, "wide") == 0)
		wide();
	else if (strcmp(how, "children") == 0)
		forked(argv[0]);
	else if (strcmp(how, "user") == 0)
		user();
	else if (strcmp(how, "mount") == 0)
		mount_namespace();
	else if (strcmp(how, "plain") != 0)
		return 2;
	many();
	puts("went on");
	return 0;
}
