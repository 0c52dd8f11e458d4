/*
 * Children that run in our memory: noticed, so that nobody else needs to ask getpid(2) whether it is one. A vfork comes
 * back twice on one stack, so the original is jumped to with registers and stack as they were.
 */
#include <sched.h>
#include <stdarg.h>

#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

typedef void (*code)(void);

#define TARGET(symbol, parameters, shares)                                                                             \
	__attribute__((used)) code target_##symbol parameters;                                                         \
	code target_##symbol parameters                                                                                \
	{                                                                                                              \
		shares;                                                                                                \
		return (code)REAL(symbol);                                                                             \
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

#if defined(__x86_64__)
#define JUMP(symbol)                                                                                                   \
	" pushq %rdi\n pushq %rsi\n pushq %rdx\n pushq %rcx\n pushq %r8\n pushq %r9\n subq "                           \
	"$8, %rsp\n"                                                                                                   \
	" .cfi_adjust_cfa_offset 56\n"                                                                                 \
	"	call target_" symbol "\n"                                                                              \
	" addq $8, %rsp\n popq %r9\n popq %r8\n popq %rcx\n popq %rdx\n popq %rsi\n popq "                             \
	"%rdi\n"                                                                                                       \
	" .cfi_adjust_cfa_offset -56\n"                                                                                \
	" jmp *%rax\n"
#elif defined(__aarch64__)
#define JUMP(symbol)                                                                                                   \
	" stp x29, x30, [sp, #-80]!\n .cfi_adjust_cfa_offset 80\n .cfi_rel_offset x30, 8\n"                            \
	" stp x0, x1, [sp, #16]\n stp x2, x3, [sp, #32]\n stp x4, x5, [sp, #48]\n stp x6, x7, [sp, #64]\n"             \
	"	bl target_" symbol "\n"                                                                                \
	" mov x16, x0\n"                                                                                               \
	" ldp x0, x1, [sp, #16]\n ldp x2, x3, [sp, #32]\n ldp x4, x5, [sp, #48]\n ldp x6, x7, [sp, #64]\n"             \
	" ldp x29, x30, [sp], #80\n .cfi_adjust_cfa_offset -80\n .cfi_restore x30\n"                                   \
	" br x16\n"
#endif

#define EXPORT_JUMP(symbol)                                                                                            \
	__asm__(".pushsection .text\n"                                                                                 \
		".globl " symbol "\n"                                                                                  \
		".type " symbol ", %function\n" symbol ":\n"                                                           \
		"	.cfi_startproc\n" JUMP(symbol) "	.cfi_endproc\n"                                               \
						       ".size " symbol ", . - " symbol "\n"                            \
						       ".popsection\n");
EXPORT_JUMP("vfork")
EXPORT_JUMP("__vfork")
