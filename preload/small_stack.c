#include "preload/small_stack.h"

#include "preload/recorder.h"

enum {
	ROOMY = 32 * 1024,         /* for a visit anywhere on it, and for the handlers that interrupt that */
	SMALL = 20 * 1024,         /* not for a visit anywhere on it, though handlers are kept out meanwhile */
	ROOM_FOR_CALLS = 3 * 1024, /* from where a thread begins; further down nothing takes a stack */
	ROOM_FOR_VISIT = 8 * 1024, /* down to the end */
};

/* Of a small stack the calls themselves leave enough for an unwinding, but not what lies below a signal's frame. */
void small_stack_begun(size_t size)
{
	if (size == 0 || size >= ROOMY)
		return;
	recorder_thread.narrow = true;
	if (size >= SMALL)
		return;
	recorder_thread.small_stack = (uintptr_t)__builtin_frame_address(0) - size;
	recorder_thread.small_stack_size = size - ROOM_FOR_CALLS;
}

/* The mapping may go on above what is the thread's: only what is left below is known. */
void small_stack_found(uintptr_t at, uintptr_t lowest)
{
	if (at - lowest >= ROOMY || at - recorder_thread.small_stack < recorder_thread.small_stack_size)
		return;
	recorder_thread.narrow = true;
	if (recorder_thread.small_stack_size)
		return;
	recorder_thread.small_stack = lowest;
	recorder_thread.small_stack_size = ROOM_FOR_VISIT;
}

void small_stack_alternate(const stack_t *stack)
{
	recorder_thread.small_stack = (uintptr_t)stack->ss_sp;
	recorder_thread.small_stack_size =
		!(stack->ss_flags & SS_DISABLE) && stack->ss_size < ROOMY ? stack->ss_size : 0;
}
