/* A visit's beginning and end: what the thread is in, and who is kept out meanwhile, its handlers and its cancellation. */
#include "preload/observe_inner.h"

#include <signal.h>

#include "preload/cancel.h"
#include "preload/interrupted.h"
#include "preload/kernel.h"
#include "preload/ledger_lock.h"
#include "preload/own.h"
#include "preload/own_stack.h"
#include "preload/queue.h"
#include "preload/recorder.h"
#include "preload/signals.h"
#include "preload/stack.h"

/*
 * By a jump that no hook saw (setcontext(3), an exception), or by a change of coroutines of the program's own make, which may
 * come back: what became of the visit nobody knows, nor is it to happen again.
 */
static void forget_unseen(void)
{
	atomic_store(&recorder_blocks, true);
	recorder_count_lost();
	observe_forget();
}

/* Where the program's stack stood when it called us: our frames are chained by their pointers (-fno-omit-frame-pointer). */
static uintptr_t program_stack(void)
{
	const uintptr_t *frame = __builtin_frame_address(0);

	while (own_text(frame[1]))
		frame = (const uintptr_t *)frame[0];
	return (uintptr_t)frame;
}

/*
 * Is the visit that seems to be under way on this thread gone, left by a signal handler's longjmp? A handler that has
 * interrupted it runs further down the same stack, or on an alternate one (sigaltstack(2)).
 */
static bool was_jumped_out_of(uintptr_t newer)
{
	stack_t alternate = {0};

	return newer >= recorder_thread.outermost &&
	       kernel_call(SYS_sigaltstack, 0, (long)&alternate, 0, 0, 0, 0) == 0 && !(alternate.ss_flags & SS_ONSTACK);
}

void observe_hold(struct visit *visit)
{
	if (visit->blocks || recorder_thread.calm)
		return;
	visit->blocks = recorder_thread.blocks = true;
	visit->mask = recorder_thread.mask = signals_block();
	cancel_defer();
}

bool observe_is_safe(struct visit *visit)
{
	if (recorder_thread.prepared || recorder_silent())
		return true;
	if (!visit->asked)
		visit->safe = !interrupted_amid_allocation(recorder_thread.blocks ? &recorder_thread.mask : NULL);
	visit->asked = true;
	return visit->safe;
}

void observe_forget(void)
{
	recorder_thread.depth = 0;
	recorder_thread.blocks = recorder_thread.calm = false;
	ledger_lock_abandoned();
	stack_abandoned();
	recorder_abandoned();
	if (atomic_load(&recorder_state) == RECORDER_READY)
		recorder_emit->abandoned();
	observe_settling_abandoned();
	/* The last, as the thread may be cancelled in it. */
	cancel_give_back();
}

bool observe_is_interrupted(void)
{
	if (recorder_thread.depth > 0 && was_jumped_out_of(program_stack()))
		forget_unseen();
	return recorder_thread.depth > 0;
}

/* Does a jump to where the stack stands at `stack` leave what began when it stood at `since`? */
static bool is_left(uintptr_t since, uintptr_t stack, const stack_t *alternate)
{
	uintptr_t start = (uintptr_t)alternate->ss_sp;
	bool from = since - start < alternate->ss_size, to = stack - start < alternate->ss_size;

	return from == to ? stack >= since : from;
}

void observe_left(uintptr_t stack, const stack_t *alternate)
{
	if (recorder_thread.calling && is_left(recorder_thread.calling, stack, alternate)) {
		recorder_thread.calling = 0;
		recorder_count_lost();
	}
	/* It is over, but for the signals that were let in before the type was given back. */
	if (!recorder_thread.depth) {
		recorder_thread.blocks = recorder_thread.calm = false;
		cancel_give_back();
	} else if (is_left(recorder_thread.outermost, stack, alternate)) {
		observe_forget();
	}
}

/* Is it the program's call, and is anything of it told of? */
static bool is_observed(const void *caller)
{
	int state = atomic_load_explicit(&recorder_state, memory_order_relaxed);

	if (__builtin_expect(state == RECORDER_OFF || state == RECORDER_BLIND, false) || own_caller(caller))
		return false;
	/* During a fork LTTng alone is at work, though its calls may come through another's wrappers (tcmalloc's mmap). */
	return !__builtin_expect(recorder_thread.forking, false);
}

void observe_calm_begin(struct calm *calm, const void *caller)
{
	calm->holds = false;
	calm->interrupted = recorder_thread.calling;
	if (__builtin_expect(!atomic_load_explicit(&recorder_blocks, memory_order_relaxed), true)) {
		recorder_thread.calling = (uintptr_t)__builtin_frame_address(0);
		return;
	}
	if (!is_observed(caller) || recorder_thread.calm || observe_is_interrupted())
		return;
	/* First: a handler that jumped out behind the others would leave them set, with nobody to take them back. */
	calm->mask = signals_block();
	recorder_thread.mask = calm->mask;
	calm->holds = recorder_thread.calm = recorder_thread.blocks = true;
	cancel_defer();
}

void observe_calm_end(const struct calm *calm)
{
	recorder_thread.calling = calm->interrupted;
	if (__builtin_expect(!calm->holds, true))
		return;
	recorder_thread.calm = recorder_thread.blocks = false;
	signals_restore(calm->mask);
	/* The last, as in observe_leave. */
	cancel_undefer();
}

/* The mask first: a handler that came behind the others, and changed to another coroutine, would leave them to that. */
static void keep_handlers_out(struct visit *visit)
{
	if (visit->blocks || recorder_thread.calm ||
	    !__builtin_expect(atomic_load_explicit(&recorder_blocks, memory_order_relaxed) || recorder_thread.narrow,
			      false))
		return;
	visit->mask = signals_block();
	recorder_thread.mask = visit->mask;
	visit->blocks = recorder_thread.blocks = true;
}

bool observe_enter(struct visit *visit, const void *caller)
{
	if (!is_observed(caller))
		return false;
	visit->saved_errno = errno;
	visit->pieces = NULL;
	visit->caller = caller;
	visit->blocks = visit->asked = false;
	uintptr_t stack = program_stack();
	/* Before it is under way: such a handler would leave it so. */
	if (__builtin_expect(recorder_thread.depth == 0, true))
		keep_handlers_out(visit);
	if (__builtin_expect(recorder_thread.depth > 0, false) && was_jumped_out_of(stack))
		forget_unseen();
	bool interrupts = recorder_thread.depth++ > 0;
	visit->nested = interrupts || stack - recorder_thread.small_stack < recorder_thread.small_stack_size;
	visit->outermost = !interrupts;
	if (interrupts) {
		/* Handlers that come faster than the interrupted visit gets on would fill the queue. */
		if (!recorder_thread.blocks)
			atomic_store(&recorder_blocks, true);
		return true;
	}
	recorder_thread.outermost = stack;
	keep_handlers_out(visit);
	/*
	 * libunwind and LTTng make calls that are cancellation points, with their locks held; mmap(2) is none. Only after
	 * recorder_blocks may the type be another than deferred. It is changed, too: glibc 2.36 forgets the thread's result
	 * when pthread_setcancelstate(3) itself is where an asynchronous cancellation happens.
	 */
	if (visit->blocks)
		cancel_defer();
	cancel_forbid();
	recorder_check_process();
	return true;
}

static void settle_in_room(void *context)
{
	(void)context;
	observe_settle_queue();
}

/* On a small stack too, as the handler that runs there may end the process. */
static void settle_on_leaving(struct visit *visit)
{
	if ((visit->nested && (!visit->outermost || atomic_load(&recorder_state) != RECORDER_READY)) ||
	    !observe_is_safe(visit))
		return;
	observe_hold(visit);
	if (visit->nested)
		own_stack_run_often(settle_in_room, NULL);
	else
		observe_settle_queue();
}

void observe_leave(struct visit *visit)
{
	if (__builtin_expect(queue_any(), false))
		settle_on_leaving(visit);
	/* The handler of a fault inside the visit has counted it as left already. */
	if (recorder_thread.depth)
		recorder_thread.depth--;
	if (visit->outermost)
		cancel_allow();
	if (visit->blocks) {
		recorder_thread.blocks = false;
		signals_restore(visit->mask);
		/* The last, as a cancellation that came meanwhile happens in it. */
		cancel_undefer();
	}
	errno = visit->saved_errno;
}
