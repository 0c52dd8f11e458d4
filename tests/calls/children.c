/* Children that are copies of the process or share with it, threads, and what confines a process. */
#include <linux/seccomp.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "print.h"

pid_t __vfork(void);
int __clone(int (*)(void *), void *, int, void *, ...);
extern pid_t __fork(void);

static void ended(const char *how, pid_t pid)
{
	int status = -1;

	printf("%s %d", how, waitpid(pid, &status, 0) == pid);
	printf(" %x\n", (unsigned)status);
}

/* The descendant of daemon(3) is nobody's child here: a pipe tells of it. */
static void daemons(int stays, int keeps)
{
	int ends[2];
	char said[32] = "";

	CALL(pipe(ends));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		/* The number that an answer leads to depends on nothing else. */
		int answer = daemon(stays, keeps), leads = getsid(0) == getpid();
		dprintf(ends[1], "%d %d %d", answer, leads, access("passwd", F_OK));
		_exit(0);
	}
	close(ends[1]);
	ended("daemon's parent", pid);
	while (read(ends[0], said + strlen(said), sizeof said - 1 - strlen(said)) > 0)
		;
	printf("  %s\n", said);
	close(ends[0]);
}

static void forks(void)
{
	struct rlimit kept, none = {0, 0};
	struct winsize size = {.ws_row = 7, .ws_col = 70};
	char name[64];
	int terminal = -1;

	fflush(stdout);
	pid_t pid = __fork();
	if (pid == 0)
		_exit(getppid() > 0 ? 3 : 4);
	ended("__fork", pid);
	daemons(0, 1);
	daemons(1, 0);
	fflush(stdout);
	pid = forkpty(&terminal, name, NULL, &size);
	if (pid == 0)
		_exit(isatty(0) && ioctl(1, TIOCGWINSZ, &size) == 0 ? size.ws_row : 5);
	ended("forkpty", pid);
	printf("  %d %s\n", terminal, strncmp(name, "/dev/pts/", 9) == 0 ? "/dev/pts/" : name);
	close(terminal);
	getrlimit(RLIMIT_NOFILE, &kept);
	none.rlim_max = kept.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	errno = 0;
	int failed = forkpty(&terminal, NULL, NULL, NULL);
	printf("forkpty without descriptors %d %d\n", failed, errno);
	setrlimit(RLIMIT_NOFILE, &kept);
}

/* What it does to its memory its parent has; the descriptors are its own. */
static int sharing(void *argument)
{
	int *fd = argument;

	_exit(close(*fd) == 0 ? 3 : 4);
}

static void shared(const char *how, pid_t pid, int fd)
{
	int status = -1;

	waitpid(pid, &status, 0);
	printf("%s: child exits with %d; descriptor is open: %d\n", how, WEXITSTATUS(status), fcntl(fd, F_GETFD) != -1);
}

static void sharers(void)
{
	static char stack[2][65536] __attribute__((aligned(16)));
	int fd = memfd_create("shmguard-calls", MFD_CLOEXEC), flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	pid_t pid = vfork();

	if (pid == 0)
		sharing(&fd);
	shared("vfork", pid, fd);
	pid = __vfork();
	if (pid == 0)
		sharing(&fd);
	shared("__vfork", pid, fd);
	shared("clone", clone(sharing, stack[0] + sizeof *stack, flags, &fd), fd);
	shared("__clone", __clone(sharing, stack[1] + sizeof *stack, flags, &fd), fd);
	CALL(clone(NULL, stack[0] + sizeof *stack, SIGCHLD, NULL));
	CALL(clone(sharing, NULL, SIGCHLD, NULL));
	close(fd);
}

static int threads_descriptor;

static void *threaded(void *argument)
{
	int fd = shm_open(object("p"), O_CREAT | O_RDWR, 0600);

	/* Which of the two threads prints first is a matter of luck. */
	threads_descriptor = fd;
	shm_unlink(object("p"));
	close(fd);
	return argument;
}

static void *waiting(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	void *result = NULL;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
	CALL(pthread_create(&thread, NULL, threaded, &attributes));
	CALL(pthread_join(thread, &result));
	CALL(result == &attributes);
	printf("  thread's descriptor: %d\n", threads_descriptor);
	CALL(pthread_create(&thread, NULL, waiting, NULL));
	CALL(pthread_cancel(thread));
	CALL(pthread_join(thread, &result));
	CALL(result == PTHREAD_CANCELED);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, (size_t)1 << 46);
	CALL(pthread_create(&thread, &attributes, threaded, NULL));
	pthread_attr_destroy(&attributes);
}

/* Of namespaces nothing is asked that a process with threads is refused, nor that needs root. */
static void confinements(void)
{
	int pipes[2];
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CALL(pthread_sigmask(SIG_BLOCK, &set, NULL));
	CALL(pthread_sigmask(SIG_UNBLOCK, &set, &old));
	CALL(sigismember(&old, SIGUSR2));
	CALL(pthread_sigmask(99, &set, NULL));
	CALL(prctl(PR_SET_NAME, "another name"));
	CALL(prctl(PR_GET_DUMPABLE));
	CALL(prctl(PR_SET_SECCOMP, 99));
	CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
	CALL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (void *)8));
	CALL(prctl(-1));
	CALL(unshare(0));
	CALL(unshare(CLONE_FILES));
	CALL(unshare(1));
	CALL(setns(-1, 0));
	CALL(pipe(pipes));
	CALL(setns(pipes[0], CLONE_NEWUTS));
	close(pipes[0]);
	close(pipes[1]);
}

static void limits(void)
{
	struct rlimit limit = {1 << 30, 1 << 30};

	CALL(setrlimit(RLIMIT_DATA, &limit));
	CALL(getrlimit(RLIMIT_DATA, &limit));
	CALL(limit.rlim_cur == 1 << 30 && limit.rlim_max == 1 << 30);
	CALL(setrlimit64(RLIMIT_DATA, &(struct rlimit64){2 << 20, 1 << 20}));
	CALL(setrlimit64(RLIMIT_DATA, &(struct rlimit64){1 << 28, 1 << 29}));
	CALL(getrlimit64(RLIMIT_DATA, (struct rlimit64 *)&limit));
	CALL(limit.rlim_cur == 1 << 28 && limit.rlim_max == 1 << 29);
	CALL(prlimit(0, RLIMIT_DATA, NULL, &limit));
	CALL(prlimit(getpid(), RLIMIT_DATA, &(struct rlimit){1 << 27, 1 << 29}, &limit));
	CALL(limit.rlim_cur == 1 << 28 && limit.rlim_max == 1 << 29);
	CALL(prlimit64(0, RLIMIT_DATA, NULL, (struct rlimit64 *)&limit));
	CALL(limit.rlim_cur == 1 << 27 && limit.rlim_max == 1 << 29);
	CALL(prlimit(0, RLIMIT_DATA, NULL, NULL));
	CALL(prlimit(-1, RLIMIT_DATA, NULL, NULL));
	CALL(prlimit(0, 99, NULL, &limit));
	CALL(getrlimit(99, &limit));
	CALL(setrlimit(RLIMIT_DATA, (const struct rlimit *)8));
	CALL(getrlimit(RLIMIT_DATA, (struct rlimit *)8));
	CALL(prlimit(0, RLIMIT_DATA, (const struct rlimit *)8, (struct rlimit *)8));
}

int main(void)
{
	closefrom(3);
	forks();
	sharers();
	threads();
	confinements();
	limits();
	show_descriptors();
	fflush(stdout);
	_Exit(3);
}
