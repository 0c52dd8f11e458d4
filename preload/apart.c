#include "preload/apart.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>

#include "preload/cancel.h"
#include "preload/enforce.h"
#include "preload/kernel.h"
#include "preload/own_threads.h"
#include "preload/recorder.h"
#include "preload/signals.h"

enum { STACK = 64 * 1024, LOOKS = 100000 };

struct work {
	int fd;
	long (*function)(void *);
	void *context;
	long result;
	bool done;
};

/* Without close_range(2) (before Linux 5.9, or by a filter of system calls) a thread has all descriptors or those of others. */
static atomic_bool all_or_others;

/* The thread that waits, and the one that it waits for, have their thread-local memory in common. */
static __thread int waiting; /* the one's number, 0: none does */

/*
 * Leaves the table of the others' for one of its own. The kernel copies the descriptors below the next multiple of 64 all the
 * same (dup_fd, fs/file.c), and closes them before it returns.
 */
static bool keep_only(int fd)
{
	if (kernel_call(SYS_close_range, fd < 0 ? 0 : fd + 1, UINT32_MAX, CLOSE_RANGE_UNSHARE, 0, 0, 0) < 0)
		return false;
	if (fd > 0)
		kernel_call(SYS_close_range, 0, fd - 1, 0, 0, 0, 0);
	return true;
}

static int begin(void *context)
{
	struct work *work = context;

	work->done = work->fd == APART_ALL || keep_only(work->fd);
	if (work->done)
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
 * Until the kernel has cleared the word, and no stack is needed any more. The other thread uses errno meanwhile, which the
 * C library's syscall(2) would set. Not as CLONE_VFORK waits: who is stopped (SIGSTOP) only then would never be seen to be.
 * On other machines it is looked at until it is clear.
 */
static void await(atomic_int *busy)
{
	while (atomic_load(busy)) {
#if defined(__x86_64__)
		register long no_limit __asm__("r10") = 0;
		long result = SYS_futex;
		__asm__ volatile("syscall"
				 : "+a"(result)
				 : "D"(busy), "S"((long)FUTEX_WAIT), "d"(1L), "r"(no_limit)
				 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
		register long number __asm__("x8") = SYS_futex;
		register long result __asm__("x0") = (long)busy;
		register long operation __asm__("x1") = FUTEX_WAIT, value __asm__("x2") = 1, no_limit __asm__("x3") = 0;
		__asm__ volatile("svc 0"
				 : "+r"(result)
				 : "r"(number), "r"(operation), "r"(value), "r"(no_limit)
				 : "memory");
#endif
	}
}

/*
 * A thread for all but its descriptors: it is nobody's child, and /proc shows the process as it was. Until it is gone its
 * copies keep open what another thread closes: an address stays in use, a program is not executed (ETXTBSY), a lock of
 * flock(2) is not free. So it has no more of them than it needs. unshare(2) and setns(2) refuse what they refuse to threads.
 */
static bool run_in_thread(struct work *work)
{
	const int shares = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FS | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
			   (work->fd == APART_ALL ? 0 : CLONE_FILES);
	atomic_int busy = 1;
	char *stack = kernel_memory(STACK);
	int kept = errno;

	if (!stack)
		return false;
	/*
	 * The thread runs with this one's thread-local memory: no handler is to meet that there, and no cancellation, as there
	 * can be at an open(2). What set*id(2) sends goes to threads that the C library knows, such as this one, and its
	 * handler leaves errno alone.
	 */
	uint64_t before = signals_block_these(UINT64_MAX);
	bool defers = !cancel_is_deferred(), forbids = !cancel_is_forbidden();
	if (defers)
		cancel_defer();
	if (forbids)
		cancel_forbid();
	waiting = (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	/* Not clone(2) by its own name: ThreadSanitizer takes that for a fork. */
	int thread = REAL(__clone)(begin, stack + STACK, shares, work, NULL, NULL, &busy);
	if (thread > 0)
		await(&busy);
	waiting = 0;
	if (thread < 0)
		errno = kept;
	long process = kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	for (int i = 0; thread > 0 && i < LOOKS && kernel_call(SYS_tgkill, process, thread, 0, 0, 0, 0) == 0; i++)
		kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	kernel_memory_free(stack, STACK);
	if (forbids)
		cancel_allow();
	signals_restore(before);
	if (defers)
		cancel_undefer();
	return thread > 0;
}

/* LTTng's threads neither fork nor take locks, and have their descriptors hidden. */
static bool is_alone(void)
{
	return __libc_single_threaded || own_threads_only();
}

/* Nothing is asked for that then: a filter of system calls may kill for it. */
static bool stays(void)
{
	return waiting || recorder_filtered;
}

static long run(int fd, long (*function)(void *), void *context)
{
	struct work work = {atomic_load(&all_or_others) ? APART_ALL : fd, function, context, 0, false};

	while (run_in_thread(&work)) {
		if (work.done)
			return work.result;
		atomic_store(&all_or_others, true);
		work.fd = APART_ALL;
	}
	return function(context);
}

long apart_run(int fd, long (*function)(void *), void *context)
{
	/* Another thread may take a lock as soon as it was asked. */
	bool here = stays() || (is_alone() && apart_is_unlocked(fd));

	return here ? function(context) : run(fd, function, context);
}

/*
 * Where something is wiped each look is made here: who ends at the same moment must see a process's descriptors, claims and
 * mappings as they are, and a thread apart has some of them for a moment longer.
 */
long apart_hidden(int fd, long (*function)(void *), void *context)
{
	return stays() || enforce_wipes || is_alone() ? function(context) : run(fd, function, context);
}

long apart_spare(long (*function)(void *), void *context)
{
	return stays() || enforce_wipes ? -EMFILE : run(APART_NONE, function, context);
}

bool apart_has_own(void)
{
	return waiting || is_alone();
}

int apart_for(void)
{
	return waiting;
}
