#include "preload/own_threads.h"

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "preload/kernel.h"
#include "preload/own.h"

/* LTTng has two. The signal is the C library's for cancellation, which no thread can block and no program use. */
enum { THREADS = 8, SIGNAL = 32, PATIENCE_MS = 1000, FD_MAX = 65536, TRIES = 50 };

static struct listener {
	void *(*start)(void *);
	void *argument;
	sigjmp_buf out;
	atomic_int tid; /* 0: not begun, or ended */
	atomic_bool leaves;
} listeners[THREADS];
static atomic_int begun;

static void *begin(void *context)
{
	struct listener *listener = context;

	own_at_work(true);
	if (sigsetjmp(listener->out, 0))
		return NULL;
	atomic_store(&listener->tid, (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0));
	void *result = listener->start(listener->argument);
	atomic_store(&listener->tid, 0);
	return result;
}

int own_threads_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument)
{
	int slot = atomic_fetch_add(&begun, 1);

	if (slot >= THREADS)
		return REAL(pthread_create)(thread, attr, start, argument);
	listeners[slot].start = start;
	listeners[slot].argument = argument;
	int error, tries = 0;
	/* A thread that has ended counts for a moment more among those that RLIMIT_NPROC bounds. */
	while ((error = REAL(pthread_create)(thread, attr, begin, &listeners[slot])) == EAGAIN && tries++ < TRIES)
		kernel_call(SYS_nanosleep, (long)&(struct timespec){.tv_nsec = 1000000}, 0, 0, 0, 0, 0);
	return error;
}

static int living(void)
{
	int count = 0;

	for (int i = 0; i < THREADS; i++)
		count += atomic_load(&listeners[i].tid) != 0;
	return count;
}

bool own_threads_any(void)
{
	return living() > 0;
}

bool own_threads_only(void)
{
	struct stat tasks;

	/* A directory has a link for itself, one from its parent, and one from each directory in it. */
	return kernel_stat_at(AT_FDCWD, "/proc/self/task", 0, &tasks) == 0 && (long)tasks.st_nlink - 2 == 1 + living();
}

/* struct sigaction as rt_sigaction(2) has it. */
struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct kernel_action before;

/*
 * It returns, so that the C library does not count it any more: the process ends with the last thread. Not by
 * pthread_exit(3): nothing of its stack is to be unwound. Or a thread of the program's is being cancelled just now.
 */
static void end(int number, siginfo_t *info, void *context)
{
	int tid = (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);

	for (int i = 0; i < THREADS; i++)
		if (atomic_load(&listeners[i].tid) == tid) {
			atomic_store(&listeners[i].leaves, true);
			REAL(siglongjmp)(listeners[i].out, 1);
		}
	if (before.flags & SA_SIGINFO)
		before.handler(number, info, context);
}

/* The lowest hidden descriptor from `first` on that is a socket, or is none; -1: there is no such. */
static int next_socket(int first, bool is_one)
{
	struct stat st;
	int fd = own_fd_next((unsigned)first, FD_MAX);

	for (; fd >= 0; fd = own_fd_next((unsigned)fd + 1, FD_MAX))
		if (kernel_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) == 0 && S_ISSOCK(st.st_mode) == is_one)
			break;
	return fd;
}

static void disconnect(void)
{
	for (int fd = next_socket(0, true); fd >= 0; fd = next_socket(fd + 1, true))
		kernel_call(SYS_shutdown, fd, SHUT_RDWR, 0, 0, 0, 0);
}

static bool left(int pid, struct listener *listener)
{
	kernel_call(SYS_tgkill, pid, atomic_load(&listener->tid), SIGNAL, 0, 0, 0);
	for (int i = 0; i < PATIENCE_MS && !atomic_load(&listener->leaves); i++)
		kernel_rest(i < 20 ? 50000 : 1000000);
	return atomic_load(&listener->leaves);
}

bool own_threads_end(void)
{
	struct kernel_action action = {.handler = end, .flags = SA_SIGINFO | SA_RESTART};
	int pid = (int)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	bool all = true;

	if (!living())
		return true;
	kernel_call(SYS_rt_sigaction, SIGNAL, 0, (long)&before, sizeof before.mask, 0, 0);
#if defined(__x86_64__)
	/* The kernel wants one (SA_RESTORER); libc's is there once it has its handler. */
	action.flags |= 0x04000000;
	action.restorer = before.restorer;
#endif
	kernel_call(SYS_rt_sigaction, SIGNAL, (long)&action, 0, sizeof before.mask, 0, 0);
	for (int i = 0; i < THREADS; i++)
		if (atomic_load(&listeners[i].tid) && !atomic_load(&listeners[i].leaves))
			all &= left(pid, &listeners[i]);
	kernel_call(SYS_rt_sigaction, SIGNAL, (long)&before, 0, sizeof before.mask, 0, 0);
	disconnect();
	return all;
}

bool own_threads_await(void)
{
	int pid = (int)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);

	for (int i = 0; i < THREADS; i++) {
		int tid = atomic_load(&listeners[i].tid), tries = 0;
		if (!tid || !atomic_load(&listeners[i].leaves))
			continue;
		while (kernel_call(SYS_tgkill, pid, tid, 0, 0, 0, 0) != -ESRCH && tries++ < PATIENCE_MS)
			kernel_rest(tries < 20 ? 50000 : 1000000);
		atomic_store(&listeners[i].tid, 0);
	}
	return !living();
}

void own_threads_fork_reset(void)
{
	for (int i = 0; i < THREADS; i++) {
		atomic_store(&listeners[i].tid, 0);
		atomic_store(&listeners[i].leaves, false);
	}
	atomic_store(&begun, 0);
}

bool own_threads_disown(void)
{
	int other = next_socket(0, false);
	int fd = next_socket(0, true);

	if (fd >= 0 && other < 0)
		return false;
	/*
	 * A child has one thread, and its signals are blocked: what is closed is the lowest free number from there on. Not by
	 * dup3(2), which nothing else in a recording calls: a filter of system calls may kill for it. Above a limit that was
	 * lowered since no descriptor gets that number.
	 */
	for (; fd >= 0; fd = next_socket(fd + 1, true)) {
		kernel_close(fd);
		kernel_call(SYS_fcntl, other, F_DUPFD_CLOEXEC, fd, 0, 0, 0);
	}
	return true;
}
