/*
 * Children that run in our memory: noticed, so that nobody else needs to ask getpid(2) whether it is one. A vfork comes
 * back twice on one stack, so the original is jumped to with registers and stack as they were.
 */
#include <sched.h>
#include <stdarg.h>

#include "preload/jump.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

#define TARGET(symbol, parameters, shares)                                                                             \
	__attribute__((used)) jump_target target_##symbol parameters;                                                  \
	jump_target target_##symbol parameters                                                                         \
	{                                                                                                              \
		shares;                                                                                                \
		return (jump_target)REAL(symbol);                                                                      \
	}
TARGET(vfork, (void), recorder_thread.vforked = true)
TARGET(__vfork, (void), recorder_thread.vforked = true)

/* What a child begins with lies on the top of its stack, where the C library has put such, too. */
struct child {
	int (*start)(void *);
	void *argument;
};

/* Who returns ends by exit(2), in the C library. */
static int begin_child(void *context)
{
	struct child child = *(struct child *)context;
	int status = child.start(child.argument);

	wrap_thread_leaving(status);
	return status;
}

typedef int clone_function(int (*start)(void *), void *stack, int flags, void *argument, ...);

static int make_child(clone_function *real_clone, int (*start)(void *), void *stack, int flags, void *argument,
		      va_list more)
{
	void *parent = va_arg(more, void *), *tls = va_arg(more, void *), *cleared = va_arg(more, void *);

	if (!start || !stack || (flags & CLONE_THREAD))
		return real_clone(start, stack, flags, argument, parent, tls, cleared);
	/* A thread has its own recorder_thread; a child that shares our memory has that of its maker, however long. */
	if (flags & CLONE_VM)
		recorder_share_memory();
	struct child *child = (struct child *)((uintptr_t)stack & -(uintptr_t)16) - 1;
	*child = (struct child){start, argument};
	return real_clone(begin_child, child, flags, child, parent, tls, cleared);
}

/* Unlike vfork(2) it comes back once on this stack. */
#define WRAP_CLONE(name)                                                                                               \
	EXPORT int name(int (*start)(void *), void *stack, int flags, void *argument, ...)                             \
	{                                                                                                              \
		va_list more;                                                                                          \
		va_start(more, argument);                                                                              \
		int child = make_child(REAL(name), start, stack, flags, argument, more);                               \
		va_end(more);                                                                                          \
		return child;                                                                                          \
	}
WRAP_CLONE(clone)
WRAP_CLONE(__clone)

EXPORT_JUMP("vfork")
EXPORT_JUMP("__vfork")
