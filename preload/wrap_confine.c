/*
 * Programs that confine themselves. A filter of system calls that kills is looked at before it is installed: where it would
 * kill for what a recording does, the recording ends instead. Namespaces that a process with threads may not enter are
 * entered without LTTng's.
 */
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "preload/above.h"
#include "preload/carried.h"
#include "preload/enforce.h"
#include "preload/filter.h"
#include "preload/kernel.h"
#include "preload/observe.h"
#include "preload/own_threads.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

static bool is_readable(const void *start, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += 4096)
		if (!kernel_readable((const char *)start + at))
			return false;
	return kernel_readable((const char *)start + bytes - 1);
}

enum { AMID_A_CALL = 50000000 /* nanoseconds: a busy machine holds them up */ };

/* LTTng, in this process; or only in what it executes later, which is not recorded then, unless a policy goes with it. */
static const char *comes_up_no_more(const struct sock_fprog *program)
{
	const char *refused = recorder_silent() ? NULL : filter_refuses_to_come_up(program);

	if (atomic_load(&recorder_state) != RECORDER_READY)
		return refused;
	if (refused && !enforce_on)
		carried_drop();
	return NULL;
}

static void filtering(const struct sock_fprog *program, bool for_all_threads)
{
	if (!is_readable(program, sizeof *program) || !program->len ||
	    !is_readable(program->filter, program->len * sizeof *program->filter))
		return;
	recorder_filtered = true;
	above_filtered();
	const char *refused = filter_refuses(program);
	if (!refused)
		refused = comes_up_no_more(program);
	if (!refused)
		return;
	recorder_confine(refused);
	/* Where other threads are amid a call of ours: from now on they begin none. */
	if (for_all_threads)
		kernel_rest(AMID_A_CALL);
}

void wrap_confining(long number, long first, long second, long third)
{
	int kept = errno;

	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) != RECORDER_OFF && !recorder_is_vfork_child()) {
		bool filter = number == SYS_seccomp && first == SECCOMP_SET_MODE_FILTER;
		if (filter || (number == SYS_prctl && first == PR_SET_SECCOMP && second == SECCOMP_MODE_FILTER))
			filtering((const struct sock_fprog *)third,
				  filter && ((unsigned long)second & SECCOMP_FILTER_FLAG_TSYNC));
		else if ((number == SYS_seccomp && first == SECCOMP_SET_MODE_STRICT && !second && !third) ||
			 (number == SYS_prctl && first == PR_SET_SECCOMP && second == SECCOMP_MODE_STRICT))
			recorder_confine("all but read and write");
	}
	errno = kept;
}

EXPORT int prctl(int option, ...)
{
	va_list arguments;
	va_start(arguments, option);
	long second = va_arg(arguments, long), third = va_arg(arguments, long), fourth = va_arg(arguments, long),
	     fifth = va_arg(arguments, long);
	va_end(arguments);
	if (option == PR_SET_SECCOMP)
		wrap_confining(SYS_prctl, option, second, third);
	return REAL(prctl)(option, second, third, fourth, fifth);
}

/* Refused as it is only to a process with threads, all of which are LTTng's? Then they are ended. */
static bool frees_from_threads(int result, int before, const void *caller)
{
	int refused = errno;
	bool freed = result < 0 && (refused == EINVAL || refused == EUSERS) && !own_caller(caller) &&
		     own_threads_only() && recorder_end_threads();

	errno = freed ? before : refused;
	return freed;
}

int wrap_unshare(int (*real_unshare)(int), int flags, const void *caller)
{
	int before = errno, result = real_unshare(flags);
	return frees_from_threads(result, before, caller) ? real_unshare(flags) : result;
}

int wrap_setns(int (*real_setns)(int, int), int fd, int type, const void *caller)
{
	fd = wrap_given(fd, caller);
	int before = errno, result = real_setns(fd, type);
	return frees_from_threads(result, before, caller) ? real_setns(fd, type) : result;
}

EXPORT int unshare(int flags)
{
	return wrap_unshare(REAL(unshare), flags, CALLER);
}

EXPORT int setns(int fd, int type)
{
	return wrap_setns(REAL(setns), fd, type, CALLER);
}
