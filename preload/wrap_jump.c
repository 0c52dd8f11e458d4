/*
 * The jumps of setjmp.h, and asynchronous cancellation, only tell that they are used: from then on no signal interrupts a
 * visit (recorder_blocks), the C library's own for cancellation among them.
 */
#include <setjmp.h>

#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"

void __longjmp_chk(struct __jmp_buf_tag environment[1], int value) __attribute__((noreturn));

static void tell(void)
{
	if (!atomic_load_explicit(&recorder_blocks, memory_order_relaxed))
		atomic_store(&recorder_blocks, true);
}

EXPORT int pthread_setcanceltype(int type, int *old)
{
	if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
		tell();
	return REAL(pthread_setcanceltype)(type, old);
}

#define WRAP_JUMP(name)                                                                                                \
	EXPORT __attribute__((noreturn)) void name(struct __jmp_buf_tag environment[1], int value)                     \
	{                                                                                                              \
		tell();                                                                                                \
		REAL(name)(environment, value);                                                                        \
		__builtin_unreachable();                                                                               \
	}
WRAP_JUMP(longjmp)
WRAP_JUMP(_longjmp)
WRAP_JUMP(siglongjmp)
WRAP_JUMP(__longjmp_chk)
