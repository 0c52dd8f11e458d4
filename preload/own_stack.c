#include "preload/own_stack.h"

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

enum { STACK = 256 * 1024 };

bool own_stack_run(void (*function)(void *), void *context)
{
	size_t guard = page_size();
	char *stack = kernel_memory(guard + STACK);

	if (!stack)
		return false;
	kernel_call(SYS_mprotect, (long)stack, (long)guard, PROT_NONE, 0, 0, 0);
	own_stack_switch(stack + guard + STACK, function, context);
	kernel_memory_free(stack, guard + STACK);
	return true;
}
