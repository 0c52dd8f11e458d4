#include "preload/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/signals.h"
#include "preload/text.h"

/* What the kernel keeps with a descriptor of whom to tell: a program may have set it for purposes of its own. */
struct telling {
	struct f_owner_ex owner;
	long number;
};

static long control(int fd, int command, long argument)
{
	return kernel_call(SYS_fcntl, fd, command, argument, 0, 0, 0);
}

/* A lease that is broken tells its holder by SIGIO, which ends a process: this thread is told by a signal that does not. */
static bool tell_us(int fd, struct telling *before)
{
	struct f_owner_ex us = {F_OWNER_TID, (pid_t)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0)};

	before->number = control(fd, F_GETSIG, 0);
	return before->number >= 0 && control(fd, F_GETOWN_EX, (long)&before->owner) == 0 &&
	       control(fd, F_SETOWN_EX, (long)&us) == 0 && control(fd, F_SETSIG, SIGURG) == 0;
}

static void tell_as_before(int fd, const struct telling *before)
{
	control(fd, F_SETSIG, before->number);
	control(fd, F_SETOWN_EX, (long)&before->owner);
}

/* Takes what came of the lease away. The program's own is sent to it again. */
static void take_away(uint64_t set)
{
	const struct timespec at_once = {0};
	siginfo_t told;

	if (kernel_call(SYS_rt_sigtimedwait, (long)&set, (long)&told, (long)&at_once, sizeof set, 0, 0) != SIGURG ||
	    told.si_code == POLL_MSG)
		return;
	kernel_call(SYS_tgkill, kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0), kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0),
		    SIGURG, 0, 0, 0);
}

static enum lease ask(int fd)
{
	const uint64_t ours = SIGNAL_BIT(SIGURG);
	uint64_t before = signals_block(), pending = 0;
	enum lease answer = LEASE_unknown;
	struct telling telling;

	kernel_call(SYS_rt_sigpending, (long)&pending, sizeof pending, 0, 0, 0, 0);
	/* A lease of the program's own would be given back with ours. */
	if (!(pending & ours) && control(fd, F_GETLEASE, 0) == F_UNLCK && tell_us(fd, &telling)) {
		long result = control(fd, F_SETLEASE, F_WRLCK);
		if (result == 0)
			control(fd, F_SETLEASE, F_UNLCK);
		answer = result == 0 ? LEASE_granted : result == -EAGAIN ? LEASE_refused : LEASE_unknown;
		tell_as_before(fd, &telling);
		take_away(ours);
	}
	signals_restore(before);
	return answer;
}

static long ask_by_path(void *context)
{
	int of = *(int *)context;
	long fd = text_reopen(of, O_RDWR | O_NONBLOCK);

	if (fd == -EACCES)
		fd = text_reopen(of, O_RDONLY | O_NONBLOCK);
	/* -EAGAIN: somebody has one, and is not waited for. */
	enum lease answer = fd == -EAGAIN ? LEASE_refused : fd < 0 ? LEASE_unknown : ask((int)fd);
	if (fd >= 0)
		kernel_close((int)fd);
	return answer;
}

enum lease lease_ask(int fd)
{
	long flags = control(fd, F_GETFL, 0);

	return flags >= 0 && (flags & O_PATH) ? (enum lease)apart_run(fd, ask_by_path, &fd) : ask(fd);
}
