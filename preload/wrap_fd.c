/* close, dup and fcntl. For the program, the descriptors of the libraries that we brought in do not exist: EBADF. */
#include <stdarg.h>
#include <sys/syscall.h>

#include "preload/enforce_leave.h"
#include "preload/enforce_open.h"
#include "preload/inherited.h"
#include "preload/ledger.h"
#include "preload/observe.h"
#include "preload/own_threads.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/turns.h"
#include "preload/wrap.h"

static int refuse(void)
{
	errno = EBADF;
	return -1;
}

static bool hidden_from(int fd, const void *caller)
{
	return __builtin_expect(own_fd(fd), false) && !own_caller(caller);
}

/* Nothing is asked for any more: a filter of system calls may kill for it. */
static bool is_off(void)
{
	return atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF;
}

uint32_t wrap_closing(int fd, const void *caller)
{
	struct visit visit;
	uint32_t seq = 0;

	identity_descriptor_ends(fd);
	bool inherited = __builtin_expect(inherited_is(fd), false), tracked = ledger_may_lead(fd);
	/* A vfork(2) child closes its own descriptors, but would write to its parent's ledger. */
	if (!(inherited || tracked) || is_off() || recorder_is_vfork_child())
		return 0;
	if (tracked && observe_enter(&visit, caller)) {
		struct identity now;
		/*
		 * Whatever the descriptor leads to now, it is over: fstat(2) would tell nothing more. But what is queued
		 * the ledger learns later, and the number may be another file's by now.
		 */
		if (!visit.nested || identity_of_fd(fd, &now))
			seq = RECORD(&visit, close, NULL, .fd = fd);
		observe_leave(&visit);
	}
	if (inherited)
		inherited_closes(fd, seq);
	return seq;
}

static __attribute__((noinline)) void let_go(bool done, const void *caller)
{
	struct object object;
	int kept = errno;

	if (is_off() || recorder_is_vfork_child())
		return;
	while (ledger_let_go(&object))
		if (done && enforce_last_close(&object, caller))
			observe_kept(&object, caller);
	errno = kept;
}

void wrap_closed(bool done, const void *caller)
{
	if (__builtin_expect(ledger_any_let_go(), false))
		let_go(done, caller);
}

int wrap_close(int (*real_close)(int), int fd, const void *caller)
{
	bool changing = own_changing(caller), closing = !changing && own_closing();
	if (__builtin_expect(own_fd(fd), false)) {
		if (!own_caller(caller)) {
			own_closed(closing);
			return refuse();
		}
		own_fd_forget(fd);
	}
	uint32_t seq = wrap_closing(fd, caller);
	int result = own_thread ? (int)REAL(syscall)(SYS_close, fd) : real_close(fd);
	own_closed(closing);
	own_changed(changing);
	bool done = result == 0 || errno != EBADF;
	wrap_closed(done, caller);
	if (done)
		return result;
	/* LTTng aborts the program then; CLOSE_RANGE_UNSHARE gives this thread a table without what its threads open later. */
	if (own_caller(caller))
		return 0;
	/* Linux closes the descriptor whatever else close(2) reports. */
	observe_failed(seq, caller);
	return result;
}

EXPORT int close(int fd)
{
	return wrap_close(REAL(close), fd, CALLER);
}

int __close(int fd);
EXPORT int __close(int fd)
{
	return wrap_close(REAL(__close), fd, CALLER);
}

#define WRAP_FCLOSE(name)                                                                                              \
	EXPORT int name(FILE *stream)                                                                                  \
	{                                                                                                              \
		int kept = errno;                                                                                      \
		wrap_closing(LIBC(fileno)(stream), CALLER);                                                            \
		errno = kept;                                                                                          \
		int result = REAL(name)(stream);                                                                       \
		wrap_closed(true, CALLER);                                                                             \
		return result;                                                                                         \
	}
int _IO_fclose(FILE *stream);
WRAP_FCLOSE(fclose)
WRAP_FCLOSE(_IO_fclose)

EXPORT int endmntent(FILE *stream)
{
	int kept = errno;

	if (stream)
		wrap_closing(LIBC(fileno)(stream), CALLER);
	errno = kept;
	int result = REAL(endmntent)(stream);
	wrap_closed(true, CALLER);
	return result;
}

/* The lowest in [first, last] whose end somebody is to hear of, or -1. */
static int next_known(unsigned first, unsigned last)
{
	int tracked = ledger_fd_next(first, last), inherited = inherited_next(first, last);

	return tracked < 0 || (inherited >= 0 && inherited < tracked) ? inherited : tracked;
}

static void closing_range(unsigned first, unsigned last, const void *caller)
{
	identity_descriptors_end(first, last);
	for (int fd = next_known(first, last); fd >= 0; fd = next_known((unsigned)fd + 1, last)) {
		wrap_closing(fd, caller);
		if ((unsigned)fd == last)
			break;
	}
}

static int close_around_ours(int (*real_close_range)(unsigned, unsigned, int), unsigned first, unsigned last, int flags)
{
	for (int ours = own_fd_next(first, last); ours >= 0; ours = own_fd_next(first, last)) {
		int result = (unsigned)ours > first ? real_close_range(first, (unsigned)ours - 1, flags) : 0;
		if (result < 0 || (unsigned)ours == last)
			return result;
		first = (unsigned)ours + 1;
	}
	return real_close_range(first, last, flags);
}

int wrap_close_range(int (*real_close_range)(unsigned, unsigned, int), unsigned first, unsigned last, int flags,
		     const void *caller)
{
	int result;

	if (first > last || (flags & ~(int)CLOSE_RANGE_UNSHARE))
		return real_close_range(first, last, flags);
	closing_range(first, last, caller);
	/* Bare it would unshare nothing; with our threads they, and LTTng with them, would keep the old table. */
	if ((flags & (int)CLOSE_RANGE_UNSHARE) && own_threads_only())
		flags &= ~(int)CLOSE_RANGE_UNSHARE;
	bool closing = own_closing();
	result = close_around_ours(real_close_range, first, last, flags);
	own_closed(closing);
	wrap_closed(result == 0, caller);
	return result;
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	return wrap_close_range(REAL(close_range), first, last, flags, CALLER);
}

EXPORT void closefrom(int first)
{
	unsigned from = first < 0 ? 0 : (unsigned)first;

	closing_range(from, ~0u, CALLER);
	bool closing = own_closing();
	for (int ours = own_fd_next(from, ~0u); ours >= 0; ours = own_fd_next(from, ~0u)) {
		if ((unsigned)ours > from)
			REAL(close_range)(from, (unsigned)ours - 1, 0);
		from = (unsigned)ours + 1;
	}
	REAL(closefrom)((int)from);
	own_closed(closing);
	wrap_closed(true, CALLER);
}

static int duplicated(int fd, int result, const void *caller)
{
	struct visit visit;
	struct identity identity;

	if (wrap_hides(result, caller))
		return own_fd_hide(result);
	if (!(ledger_may_lead(fd) || inherited_is(fd)) || is_off() || recorder_is_vfork_child() ||
	    !observe_enter(&visit, caller))
		return result;
	bool tracked = identity_of_fd(result < 0 ? fd : result, &identity);
	if (tracked && enforce_on && result >= 0)
		enforce_inherited(result, &identity, caller);
	if (tracked)
		RECORD(&visit, dup, &identity, .fd = fd, .result = result, .error = observe_error(&visit, result < 0));
	observe_leave(&visit);
	return result;
}

EXPORT int dup(int fd)
{
	fd = wrap_given(fd, CALLER);
	bool changing = own_changing(CALLER);
	int result = duplicated(fd, REAL(dup)(fd), CALLER);
	own_changed(changing);
	return result;
}

/* Is the number ours? If not, it does not become so until own_closed(). */
static bool refuses_target(int target, const void *caller, bool *closing)
{
	*closing = own_closing();
	if (!hidden_from(target, caller))
		return false;
	own_closed(*closing);
	return true;
}

static int duplicate_to(int fd, int target, int result, uint32_t closed, const void *caller)
{
	if (result >= 0 && fd != target)
		result = duplicated(fd, result, caller);
	wrap_closed(result >= 0, caller);
	if (result < 0)
		observe_failed(closed, caller);
	return result;
}

#define WRAP_DUP2(name)                                                                                                \
	EXPORT int name(int fd, int target)                                                                            \
	{                                                                                                              \
		bool closing;                                                                                          \
		fd = wrap_given(fd, CALLER);                                                                           \
		if (refuses_target(target, CALLER, &closing))                                                          \
			return refuse();                                                                               \
		uint32_t closed = fd == target ? 0 : wrap_closing(target, CALLER);                                     \
		int result = REAL(name)(fd, target);                                                                   \
		own_closed(closing);                                                                                   \
		return duplicate_to(fd, target, result, closed, CALLER);                                               \
	}
int __dup2(int fd, int target);
WRAP_DUP2(dup2)
WRAP_DUP2(__dup2)

EXPORT int dup3(int fd, int target, int flags)
{
	bool closing;

	/* The kernel refuses it before it looks for either. */
	if (fd == target || (flags & ~O_CLOEXEC))
		return REAL(dup3)(fd, target, flags);
	fd = wrap_given(fd, CALLER);
	if (refuses_target(target, CALLER, &closing))
		return refuse();
	uint32_t closed = wrap_closing(target, CALLER);
	int result = REAL(dup3)(fd, target, flags);
	own_closed(closing);
	return duplicate_to(fd, target, result, closed, CALLER);
}

static int sealed(int fd, int seals, int result, const void *caller)
{
	struct visit visit;
	struct identity identity;

	if (!observe_enter(&visit, caller))
		return result;
	if (identity_of_fd(fd, &identity))
		RECORD(&visit, seal, &identity, .fd = fd, .seals = (uint32_t)seals,
		       .error = observe_error(&visit, result < 0));
	observe_leave(&visit);
	return result;
}

static bool is_lock(int command)
{
	return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

static int control(int (*real_fcntl)(int, int, ...), int fd, int command, void *argument, const void *caller)
{
	fd = wrap_given(fd, caller);
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
		bool changing = own_changing(caller);
		int copy = duplicated(fd, real_fcntl(fd, command, argument), caller);
		own_changed(changing);
		return copy;
	}
	if (is_lock(command))
		turns_taken(SYMBOL_fcntl, NULL, caller);
	if (command == F_SETLK || command == F_SETLKW)
		enforce_locking(fd);
	int result = real_fcntl(fd, command, argument);
	/* Without FD_CLOEXEC it is told again: as a duplicate of itself, which survives an exec. */
	if (command == F_SETFD && !((intptr_t)argument & FD_CLOEXEC) && result == 0 && !own_caller(caller))
		duplicated(fd, fd, caller);
	if (command == F_ADD_SEALS)
		return sealed(fd, (int)(intptr_t)argument, result, caller);
	return result;
}

/* The third argument is an int or a pointer; both travel as a pointer does. */
#define WRAP_FCNTL(name)                                                                                               \
	EXPORT int name(int fd, int command, ...)                                                                      \
	{                                                                                                              \
		va_list arguments;                                                                                     \
		va_start(arguments, command);                                                                          \
		void *argument = va_arg(arguments, void *);                                                            \
		va_end(arguments);                                                                                     \
		return control(REAL(name), fd, command, argument, CALLER);                                             \
	}
WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)
int __fcntl(int fd, int command, ...);
WRAP_FCNTL(__fcntl)

#define WRAP_PIPE(name, parameters, arguments)                                                                         \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		bool changing = own_changing(CALLER);                                                                  \
		int result = REAL(name) arguments;                                                                     \
		if (result == 0 && own_caller(CALLER)) {                                                               \
			ends[0] = own_fd_hide(ends[0]);                                                                \
			ends[1] = own_fd_hide(ends[1]);                                                                \
		}                                                                                                      \
		own_changed(changing);                                                                                 \
		return result;                                                                                         \
	}
WRAP_PIPE(pipe, (int ends[2]), (ends))
WRAP_PIPE(pipe2, (int ends[2], int flags), (ends, flags))

EXPORT int socket(int domain, int type, int protocol)
{
	bool changing = own_changing(CALLER);
	int result = REAL(socket)(domain, type, protocol);
	if (wrap_hides(result, CALLER))
		result = own_fd_hide(result);
	own_changed(changing);
	return result;
}
