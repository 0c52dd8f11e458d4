/*
 * The jumps of setjmp.h, and asynchronous cancellation, tell that they are used: from then on no signal interrupts a visit
 * (recorder_blocks), the C library's own for cancellation among them. The first one may leave what it interrupted with a
 * lock that others wait for, and each with the thread as a visit has it: not to be cancelled, or not at any instruction.
 * So do coroutines when they are made: a handler that changes between them would leave a visit to come back to it later.
 */
#include <setjmp.h>
#include <signal.h>

#include "preload/cancel.h"
#include "preload/enforce.h"
#include "preload/jump.h"
#include "preload/kernel.h"
#include "preload/ledger_lock.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"

void __longjmp_chk(struct __jmp_buf_tag environment[1], int value) __attribute__((noreturn));

static void tell(void)
{
	if (!atomic_load_explicit(&recorder_blocks, memory_order_relaxed))
		atomic_store(&recorder_blocks, true);
}

/* Where the stack will stand: glibc keeps that disguised. UINTPTR_MAX: not known, and most jumps from handlers leave them. */
static uintptr_t target(const struct __jmp_buf_tag *environment)
{
#if defined(__x86_64__)
	enum { STACK_POINTER = 6 };
	uintptr_t stack = (uintptr_t)environment->__jmpbuf[STACK_POINTER];

	__asm__("ror $17, %0\n\txor %%fs:0x30, %0" : "+r"(stack) : : "cc");
	return stack;
#else
	(void)environment;
	return UINTPTR_MAX;
#endif
}

/* The alternate stack, if this thread is at it. */
static stack_t alternate_stack(void)
{
	stack_t alternate = {0};

	if (kernel_call(SYS_sigaltstack, 0, (long)&alternate, 0, 0, 0, 0) < 0 || !(alternate.ss_flags & SS_ONSTACK))
		alternate.ss_size = 0;
	return alternate;
}

static void leave(const struct __jmp_buf_tag *environment)
{
	bool works = ledger_lock_busy() || enforce_busy(),
	     visits = recorder_thread.depth > 0 || recorder_thread.calling || cancel_keeps();

	if (!works && !visits)
		return;
	uintptr_t stack = target(environment);
	stack_t alternate = alternate_stack();
	if (works && stack - (uintptr_t)alternate.ss_sp >= alternate.ss_size) {
		ledger_lock_left(stack);
		enforce_left(stack);
	}
	if (visits)
		observe_left(stack, &alternate);
}

/* The program asks amid a visit, in a handler; else what it had set is its own again. */
static bool asks_amid_visit(const void *caller)
{
	if (!cancel_keeps() || own_caller(caller))
		return false;
	if (observe_is_interrupted())
		return true;
	cancel_give_back();
	return false;
}

EXPORT int pthread_setcanceltype(int type, int *old)
{
	if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
		tell();
	return asks_amid_visit(CALLER) ? cancel_set_type(type, old) : REAL(pthread_setcanceltype)(type, old);
}

EXPORT int pthread_setcancelstate(int state, int *old)
{
	return asks_amid_visit(CALLER) ? cancel_set_state(state, old) : REAL(pthread_setcancelstate)(state, old);
}

#define WRAP_JUMP(name)                                                                                                \
	EXPORT __attribute__((noreturn)) void name(struct __jmp_buf_tag environment[1], int value)                     \
	{                                                                                                              \
		tell();                                                                                                \
		leave(environment);                                                                                    \
		REAL(name)(environment, value);                                                                        \
		__builtin_unreachable();                                                                               \
	}
WRAP_JUMP(longjmp)
WRAP_JUMP(_longjmp)
WRAP_JUMP(siglongjmp)
WRAP_JUMP(__longjmp_chk)

/* How many arguments there are it has from one of them. */
__attribute__((used)) jump_target target_makecontext(void);
jump_target target_makecontext(void)
{
	tell();
	return (jump_target)REAL(makecontext);
}

EXPORT_JUMP("makecontext")
