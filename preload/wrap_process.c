/* Ends of processes, seen by the parent and by themselves, and new threads. */
#include "preload/above.h"
#include "preload/beginning.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/own.h"
#include "preload/own_threads.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/small_stack.h"
#include "preload/stack.h"
#include "preload/wrap.h"

static void ended(pid_t child, int status, const void *caller)
{
	struct visit visit;
	int kept = errno;

	if (child <= 0 || !(WIFEXITED(status) || WIFSIGNALED(status)) ||
	    atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF)
		return;
	note_write(NOTE_end, &(struct note_content){.child = child, .status = status});
	if (atomic_load(&recorder_state) == RECORDER_READY && observe_enter(&visit, caller)) {
		RECORD(&visit, wait, NULL, .child = child, .status = status);
		observe_leave(&visit);
	}
	errno = kept;
}

/* libc's own forks (popen, posix_spawn) make no copy of the program that goes on. */
#define WRAP_FORK(name, result, parameters, arguments)                                                                 \
	EXPORT result name parameters                                                                                  \
	{                                                                                                              \
		recorder_fork_begin();                                                                                 \
		result child = REAL(name) arguments;                                                                   \
		recorder_fork_end();                                                                                   \
		return child;                                                                                          \
	}
WRAP_FORK(fork, pid_t, (void), ())
WRAP_FORK(__fork, pid_t, (void), ())
WRAP_FORK(daemon, int, (int stays, int keeps), (stays, keeps))
WRAP_FORK(forkpty, int, (int *terminal, char *name, const struct termios *modes, const struct winsize *size),
	  (terminal, name, modes, size))

/* The status is asked for even where the program does not want it; the kernel has written it where the call succeeded. */
#define WRAP_WAIT(name, parameters, arguments)                                                                         \
	EXPORT pid_t name parameters                                                                                   \
	{                                                                                                              \
		int own = 0;                                                                                           \
		if (!status)                                                                                           \
			status = &own;                                                                                 \
		pid_t child = REAL(name) arguments;                                                                    \
		if (child > 0)                                                                                         \
			ended(child, *status, CALLER);                                                                 \
		return child;                                                                                          \
	}
WRAP_WAIT(wait, (int *status), (status))
WRAP_WAIT(waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WRAP_WAIT(wait3, (int *status, int options, struct rusage *usage), (status, options, usage))
WRAP_WAIT(wait4, (pid_t pid, int *status, int options, struct rusage *usage), (pid, status, options, usage))

/* What waitid(2) reports, as a wait(2) status; -1 for a stop or a continuation. */
static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return W_EXITCODE(info->si_status & 0xff, 0);
	case CLD_KILLED:
		return W_EXITCODE(0, info->si_status);
	case CLD_DUMPED:
		return W_EXITCODE(0, info->si_status) | WCOREFLAG;
	default:
		return -1;
	}
}

EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	int result = REAL(waitid)(type, id, info, options);

	if (result == 0 && info && info->si_pid > 0 && !(options & WNOWAIT) && status_of(info) >= 0)
		ended(info->si_pid, status_of(info), CALLER);
	return result;
}

void wrap_leaving(int status)
{
	if (atomic_load(&recorder_state) == RECORDER_OFF)
		return;
	recorder_exit(status);
	recorder_tell_leaving(status);
}

void wrap_thread_leaving(int status)
{
	struct visit visit;

	if (atomic_load(&recorder_state) == RECORDER_OFF || recorder_confined ||
	    kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0) != kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0))
		return;
	/* What threads there are, are those of its parent, in whose memory it has been seen. */
	if (recorder_shares_memory()) {
		wrap_leaving(status);
		return;
	}
	/* A child that is not known as such yet has none of our threads. */
	if (observe_enter(&visit, wrap_thread_leaving))
		observe_leave(&visit);
	if (!own_threads_only()) {
		recorder_last_left();
		return;
	}
	wrap_leaving(status);
	if (own_threads_any())
		kernel_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

EXPORT __attribute__((noreturn)) void _exit(int status)
{
	wrap_leaving(status);
	REAL(_exit)(status);
	__builtin_unreachable();
}

EXPORT __attribute__((noreturn)) void _Exit(int status)
{
	wrap_leaving(status);
	REAL(_Exit)(status);
	__builtin_unreachable();
}

static struct beginning *take_beginning(const void *caller)
{
	struct visit visit;

	if (!observe_enter(&visit, caller))
		return NULL;
	struct beginning *taken = beginning_take();
	observe_leave(&visit);
	return taken;
}

/* A thread of the program's, made ready before its own code runs: its first event then allocates nothing. */
static void *begin_thread(void *context)
{
	struct beginning b = *(struct beginning *)context;
	struct visit visit;

	if (observe_enter(&visit, begin_thread)) {
		beginning_give(context);
		if (stack_prepares_early())
			recorder_prepare_thread();
		small_stack_begun(b.stack_size);
		observe_leave(&visit);
	}
	return b.start(b.argument);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument)
{
	if (own_caller(CALLER))
		return own_threads_create(thread, attr, start, argument);
	int state = atomic_load_explicit(&recorder_state, memory_order_relaxed);
	if (__builtin_expect(state == RECORDER_IDLE || state == RECORDER_READY, true))
		above_prepare();
	if (state != RECORDER_READY)
		return REAL(pthread_create)(thread, attr, start, argument);
	struct beginning *b = take_beginning(CALLER);
	if (!b)
		return REAL(pthread_create)(thread, attr, start, argument);
	*b = (struct beginning){start, argument, 0};
	if (attr)
		LIBC(pthread_attr_getstacksize)(attr, &b->stack_size);
	bool inside = beginning_enter();
	int result = REAL(pthread_create)(thread, attr, begin_thread, b);
	if (inside)
		beginning_leave();
	if (result)
		beginning_give(b);
	return result;
}
