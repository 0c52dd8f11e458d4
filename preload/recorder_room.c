/*
 * Do the process's limits leave room for LTTng? Where they do not it fails halfway, the program's first call waits for it
 * until a time is up, and what it has by then it may be unable to give back.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/resource.h>

#include "preload/above.h"
#include "preload/enforce.h"
#include "preload/kernel.h"
#include "preload/own_load.h"
#include "preload/real.h"
#include "preload/recent.h"
#include "preload/recorder_inner.h"
#include "preload/room.h"
#include "tracepoints/environment.h"

/*
 * Descriptors: LTTng has two for each processor and channel; with libunwind's pipe 9 others; two more while it comes up.
 * Memory: each of its threads has a stack, and a heap of its own for which glibc reserves 64 MiB, and for a moment 128; code
 * and data take less than 16. The program is to have room as well. Keys of threads' data: LTTng has two, without the first of
 * which it aborts the program; libunwind one, in whose place it takes the first that the process has made, whosever it is.
 */
enum {
	FOR_EACH_PROCESSOR = 4,
	DESCRIPTORS = 9,
	DESCRIPTORS_FIRST = 2,
	PROGRAMS_DESCRIPTORS = 8,
	THREADS = 2,
	KEYS = 3,
	BLOCK = 4096,
	USUAL_STACK = 8 << 20,
	HEAPS = 192 << 20,
	CODE = 16 << 20
};

/* To count them takes malloc(3) and a descriptor, which a handler that looks again is not to. */
static long processors;

static bool descriptors_fit(void)
{
	struct rlimit limit;
	long ours = DESCRIPTORS + FOR_EACH_PROCESSOR * processors;
	long needed = DESCRIPTORS_FIRST + PROGRAMS_DESCRIPTORS + (above_room() < (uint64_t)ours ? ours : 0);

	if (kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0) < 0)
		return true;
	/* From the top, where most are free. */
	uint64_t top = limit.rlim_cur < INT32_MAX ? limit.rlim_cur : INT32_MAX;
	for (long fd = (long)top - 1; fd >= 0 && needed; fd--)
		needed -= kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) == -EBADF;
	return needed == 0;
}

const char recorder_few_descriptors[] = "its limit of open files (RLIMIT_NOFILE) leaves too few for LTTng, and until "
					"it leaves more nothing is recorded";

/* In parts of its time: from the top, where all are taken, a look takes milliseconds. */
enum { LOOK_SHARE = 50, LOOK_SECOND = 1000000000 };

bool recorder_finds_descriptors(void)
{
	static atomic_ullong next;
	unsigned long long due = atomic_load(&next), now = recent_tick();

	if (now < due || !atomic_compare_exchange_strong(&next, &due, now + LOOK_SECOND))
		return false;
	uint64_t began = kernel_clock(CLOCK_MONOTONIC);
	bool fit = descriptors_fit();
	atomic_store(&next, now + LOOK_SHARE * (kernel_clock(CLOCK_MONOTONIC) - began));
	return fit;
}

static bool fits(uint64_t bytes, int protection)
{
	long at = kernel_call(SYS_mmap, 0, (long)bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (kernel_is_error(at))
		return false;
	kernel_memory_free((void *)at, bytes);
	return true;
}

static uint64_t stacks(void)
{
	struct rlimit limit;
	bool known = kernel_call(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)&limit, 0, 0) == 0;

	return THREADS * (known && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : USUAL_STACK);
}

static void *stay(void *gate)
{
	while (atomic_load((atomic_int *)gate))
		kernel_call(SYS_futex, (long)gate, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0);
	return NULL;
}

/*
 * A user's limit counts what all his processes have made, a cgroup's what all of its have: only the kernel knows. A sanitizer
 * that comes before us is to see the threads made that it sees joined.
 */
static const char *lacks_threads(void)
{
	atomic_int gate = 1;
	pthread_t thread[THREADS];
	__typeof__(pthread_create) *create;
	__typeof__(pthread_join) *join;
	int made = 0, error = 0;

	*(void **)&create = own_load_function("pthread_create");
	*(void **)&join = own_load_function("pthread_join");
	while (made < THREADS && (error = create(&thread[made], NULL, stay, &gate)) == 0)
		made++;
	atomic_store(&gate, 0);
	kernel_call(SYS_futex, (long)&gate, FUTEX_WAKE_PRIVATE, THREADS, 0, 0, 0);
	for (int i = 0; i < made; i++)
		join(thread[i], NULL);
	if (made == THREADS)
		return NULL;
	/* clone(2) after unshare(2) of the pid namespace. */
	return error == EINVAL
		       ? "it gives its children a pid namespace of their own, so that LTTng can have no thread"
		       : "its limit of processes (RLIMIT_NPROC, or pids.max of its cgroup) leaves LTTng no thread";
}

static bool keys_fit(void)
{
	pthread_key_t key[KEYS];
	int made = 0;

	while (made < KEYS && LIBC(pthread_key_create)(&key[made], NULL) == 0)
		made++;
	for (int i = 0; i < made; i++)
		LIBC(pthread_key_delete)(key[i]);
	return made == KEYS;
}

/* The loader has the program's own, if it has one, for the data of each thread that is made. */
static bool memory_is_given(void)
{
	void *volatile block = malloc(BLOCK);

	free(block);
	return block;
}

/* What LTTng takes once, and a child has already. */
static const char *lacks_beginning(void)
{
	if (!keys_fit())
		return "it has made so many keys (pthread_key_create) that too few are left for LTTng";
	if (!memory_is_given())
		return "its malloc(3) gives LTTng no memory";
	return lacks_threads();
}

const char *recorder_lacks_room(bool forked)
{
	processors = LIBC(get_nprocs_conf)();
	if (!descriptors_fit())
		return forked || enforce_on ? "its limit of open files (RLIMIT_NOFILE) leaves too few for LTTng"
					    : recorder_few_descriptors;
	if (!fits(stacks() + CODE + HEAPS + (uint64_t)processors * BUFFERS_PER_PROCESSOR, PROT_NONE))
		return "its limit of address space (RLIMIT_AS) leaves too little for LTTng";
	if (!fits(stacks() + CODE, PROT_READ | PROT_WRITE))
		return "its limit of data (RLIMIT_DATA) leaves too little for LTTng";
	const char *lacks = forked ? NULL : lacks_beginning();
	if (lacks)
		return lacks;
	room_taken(stacks() + CODE + HEAPS + (rlim_t)processors * BUFFERS_PER_PROCESSOR, stacks() + CODE);
	return NULL;
}
