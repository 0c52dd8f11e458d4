#include "preload/own_stack.h"

#include <stdatomic.h>

#include "preload/kernel.h"
#include "preload/page.h"

/* Its frame is chained to the others, by pointer and for unwinders: they go on with the thread's own stack. */
void own_stack_switch(void *top, void (*function)(void *), void *context) __attribute__((visibility("hidden")));

#if defined(__x86_64__)
#define SWITCH                                                                                                         \
	" pushq %rbp\n .cfi_adjust_cfa_offset 8\n .cfi_rel_offset %rbp, 0\n"                                           \
	" movq %rsp, %rbp\n .cfi_def_cfa_register %rbp\n"                                                              \
	" movq %rdi, %rsp\n movq %rdx, %rdi\n call *%rsi\n"                                                            \
	" leave\n .cfi_def_cfa %rsp, 8\n ret\n"
#elif defined(__aarch64__)
#define SWITCH                                                                                                         \
	" stp x29, x30, [sp, #-16]!\n .cfi_adjust_cfa_offset 16\n .cfi_rel_offset x29, 0\n .cfi_rel_offset x30, 8\n"   \
	" mov x29, sp\n .cfi_def_cfa_register x29\n"                                                                   \
	" mov sp, x0\n mov x0, x2\n blr x1\n"                                                                          \
	" mov sp, x29\n .cfi_def_cfa_register sp\n"                                                                    \
	" ldp x29, x30, [sp], #16\n .cfi_adjust_cfa_offset -16\n .cfi_restore x29\n .cfi_restore x30\n ret\n"
#endif

__asm__(".pushsection .text\n"
	".hidden own_stack_switch\n"
	".globl own_stack_switch\n"
	".type own_stack_switch, %function\n"
	"own_stack_switch:\n"
	"	.cfi_startproc\n" SWITCH "	.cfi_endproc\n"
	".size own_stack_switch, . - own_stack_switch\n"
	".popsection\n");

enum { STACK = 256 * 1024, KEPT = 4 };

/*
 * Who has turned `taken` on has that one to himself, and says where it is. Nobody waits for another: a handler may have come
 * while its own thread is on one.
 */
static struct {
	atomic_bool taken;
	char *lowest;
} kept[KEPT];

static char *make(void)
{
	size_t guard = page_size();
	char *lowest = kernel_memory(guard + STACK);

	if (lowest)
		kernel_call(SYS_mprotect, (long)lowest, (long)guard, PROT_NONE, 0, 0, 0);
	return lowest;
}

static void run_on(char *lowest, void (*function)(void *), void *context)
{
	own_stack_switch(lowest + page_size() + STACK, function, context);
}

bool own_stack_run(void (*function)(void *), void *context)
{
	char *lowest = make();

	if (!lowest)
		return false;
	run_on(lowest, function, context);
	kernel_memory_free(lowest, page_size() + STACK);
	return true;
}

bool own_stack_run_often(void (*function)(void *), void *context)
{
	for (int i = 0; i < KEPT; i++) {
		if (atomic_load_explicit(&kept[i].taken, memory_order_relaxed) || atomic_exchange(&kept[i].taken, true))
			continue;
		if (!kept[i].lowest)
			kept[i].lowest = make();
		char *lowest = kept[i].lowest;
		if (lowest)
			run_on(lowest, function, context);
		atomic_store(&kept[i].taken, false);
		return lowest;
	}
	return own_stack_run(function, context);
}

void own_stack_fork_reset(void)
{
	/* What need not change is not written: the page is shared with the parent until then. */
	for (int i = 0; i < KEPT; i++)
		if (atomic_load(&kept[i].taken))
			atomic_store(&kept[i].taken, false);
}
