#include "preload/above.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>
#include <sys/resource.h>

#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/signals.h"

/* LTTng has two for each processor, channel and session. Not so high that the kernel's table for them is large. */
enum { ROOM = 256, HIGHEST = 32768, AWAITED = 1000 };

static atomic_bool busy, raised;
/* The kernel's table has room up to here. To make room it waits for milliseconds where threads share the table. */
static atomic_ullong covered;
static struct rlimit of_program;

static bool exchange(const struct rlimit *new, struct rlimit *old)
{
	return kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)new, (long)old, 0, 0) == 0;
}

static uint64_t room_of(const struct rlimit *now)
{
	if (now->rlim_cur >= now->rlim_max || now->rlim_cur > HIGHEST)
		return 0;
	return now->rlim_max - now->rlim_cur < ROOM ? now->rlim_max - now->rlim_cur : ROOM;
}

uint64_t above_room(void)
{
	struct rlimit now;
	/* Filters that let pass who asks for a limit, and kill who sets one, are known. */
	return !recorder_filtered && exchange(NULL, &now) ? room_of(&now) : 0;
}

static bool is_same(const struct rlimit *a, const struct rlimit *b)
{
	return a->rlim_cur == b->rlim_cur && a->rlim_max == b->rlim_max;
}

/* first: counted from the limit on. */
static long duplicate(int fd, uint64_t first)
{
	struct rlimit higher, found, last;

	if (!exchange(NULL, &of_program) || first >= room_of(&of_program))
		return -EMFILE;
	higher = (struct rlimit){of_program.rlim_cur + room_of(&of_program), of_program.rlim_max};
	if (!__libc_single_threaded && higher.rlim_cur > atomic_load(&covered))
		return -EMFILE;
	atomic_store(&raised, true);
	long made = -EMFILE;
	if (exchange(&higher, &found)) {
		made = kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, (long)(of_program.rlim_cur + first), 0, 0, 0);
		/* What another thread has set meanwhile counts. */
		if (exchange(&found, &last) && !is_same(&last, &higher))
			exchange(&last, NULL);
	}
	atomic_store(&raised, false);
	return made;
}

long above_duplicate(int fd)
{
	if (recorder_filtered)
		return -EMFILE;
	long made = -EMFILE;
	uint64_t mask = signals_block();
	if (!atomic_exchange(&busy, true)) {
		if (!recorder_filtered)
			made = duplicate(fd, 0);
		atomic_store(&busy, false);
	}
	signals_restore(mask);
	return made;
}

void above_prepare(void)
{
	struct rlimit now;
	long fd = __libc_single_threaded && above_room() ? kernel_open("/proc/self/fd", O_PATH | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	uint64_t mask = signals_block();
	long last = exchange(NULL, &now) && room_of(&now) ? duplicate((int)fd, room_of(&now) - 1) : -1;
	if (last >= 0) {
		kernel_close((int)last);
		atomic_store(&covered, (unsigned long long)last + 1);
	}
	signals_restore(mask);
	kernel_close((int)fd);
}

void above_filtered(void)
{
	for (int tries = 0; atomic_load(&busy) && tries < AWAITED; tries++)
		kernel_rest(50000);
}

void above_fork_reset(void)
{
	if (atomic_load(&raised))
		exchange(&of_program, NULL);
	atomic_store(&raised, false);
	atomic_store(&busy, false);
}
