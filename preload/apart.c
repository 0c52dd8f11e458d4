#include "preload/apart.h"

#include <sched.h>
#include <sys/single_threaded.h>

#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/signals.h"

enum { STACK = 64 * 1024, LOOKS = 100000 };

struct work {
	long (*function)(void *);
	void *context;
	long result;
};

static int begin(void *context)
{
	struct work *work = context;

	work->result = work->function(work->context);
	return 0;
}

bool apart_is_unlocked(int fd)
{
	/* Asked for an open file description, so that those of this process are in its way as well. */
	struct flock any = {.l_type = F_WRLCK};

	return kernel_call(SYS_fcntl, fd, F_OFD_GETLK, (long)&any, 0, 0, 0) == 0 && any.l_type == F_UNLCK;
}

/*
 * A thread for all but its descriptors: it is nobody's child, and /proc shows the process as it was. Until it is gone its
 * copies keep open what another thread closes, and unshare(2) and setns(2) refuse what they refuse to threads.
 */
static bool run_in_thread(struct work *work)
{
	const int shares = CLONE_VM | CLONE_VFORK | CLONE_THREAD | CLONE_SIGHAND | CLONE_FS | CLONE_SYSVSEM;
	char *stack = kernel_memory(STACK);
	int kept = errno;

	if (!stack)
		return false;
	/*
	 * The thread runs with this one's thread-local memory: no handler, and no cancellation, is to meet that there. What
	 * set*id(2) sends goes to threads that the C library knows.
	 */
	uint64_t before = signals_block_these(UINT64_MAX);
	int thread = REAL(clone)(begin, stack + STACK, shares, work);
	long process = kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	for (int i = 0; thread > 0 && i < LOOKS && kernel_call(SYS_tgkill, process, thread, 0, 0, 0, 0) == 0; i++)
		kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	signals_restore(before);
	kernel_memory_free(stack, STACK);
	errno = kept;
	return thread > 0;
}

long apart_run(int fd, long (*function)(void *), void *context)
{
	struct work work = {.function = function, .context = context};

	/* Another thread may take a lock as soon as it was asked. A filter of system calls may kill for either call. */
	if (recorder_filtered || (__libc_single_threaded && apart_is_unlocked(fd)) || !run_in_thread(&work))
		return function(context);
	return work.result;
}
