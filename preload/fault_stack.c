#include "preload/fault_stack.h"

#include <stdatomic.h>

#include "preload/kernel.h"

/* As many threads may be explained at once; the others wait. */
enum { STACKS = 8, SIZE = 128 * 1024, PATIENCE_MS = 500 };

static _Atomic(char *) stacks;
static atomic_flag taken[STACKS];

bool fault_stack_make(void)
{
	char *none = NULL, *memory = atomic_load(&stacks);

	if (memory)
		return true;
	memory = kernel_memory((size_t)STACKS * SIZE);
	if (memory && !atomic_compare_exchange_strong(&stacks, &none, memory))
		kernel_memory_free(memory, (size_t)STACKS * SIZE);
	return memory != NULL;
}

__attribute__((used)) void fault_stack_switch(void (*function)(void *), void *argument, void *top);

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".globl fault_stack_switch\n"
	".hidden fault_stack_switch\n"
	".type fault_stack_switch, %function\n"
	"fault_stack_switch:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	movq %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	movq %rdx, %rsp\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	callq *%rax\n"
	"	movq %rbp, %rsp\n"
	"	popq %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	retq\n"
	"	.cfi_endproc\n"
	".size fault_stack_switch, . - fault_stack_switch\n"
	".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
	".globl fault_stack_switch\n"
	".hidden fault_stack_switch\n"
	".type fault_stack_switch, %function\n"
	"fault_stack_switch:\n"
	"	.cfi_startproc\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset x29, -16\n"
	"	.cfi_offset x30, -8\n"
	"	mov x29, sp\n"
	"	.cfi_def_cfa_register x29\n"
	"	mov sp, x2\n"
	"	mov x9, x0\n"
	"	mov x0, x1\n"
	"	blr x9\n"
	"	mov sp, x29\n"
	"	ldp x29, x30, [sp], #16\n"
	"	.cfi_def_cfa sp, 0\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size fault_stack_switch, . - fault_stack_switch\n"
	".popsection\n");
#endif

/* -1 when all stay taken. */
static int claim(void)
{
	for (int waited = 0; waited < PATIENCE_MS; waited++) {
		for (int i = 0; i < STACKS; i++)
			if (!atomic_flag_test_and_set(&taken[i]))
				return i;
		kernel_rest(1000000);
	}
	return -1;
}

bool fault_stack_run(void (*function)(void *), void *argument)
{
	char *memory = atomic_load(&stacks);
	int stack = memory ? claim() : -1;

	if (stack < 0)
		return false;
	fault_stack_switch(function, argument, memory + (size_t)(stack + 1) * SIZE);
	atomic_flag_clear(&taken[stack]);
	return true;
}
